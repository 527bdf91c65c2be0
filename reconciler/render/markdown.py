"""The report as Markdown: ``status.md``, the overview, and one page per portal.

Cells are not padded, so that a changed number changes one line of a diff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.findings import FINDINGS
from reconciler.labels import EMULATED_NOTICE, REASON_LABELS, STATUS_LABELS, STATUS_MEANINGS, STATUS_SIGNS
from reconciler.model import Change, ImportOutcome, Presence, Status
from reconciler.render.escape import markdown as safe
from reconciler.render.words import MISSING, changed_value, count, listed, moment, number
from reconciler.report import NextStep, PortalReport, ProductReport, Report

CHANGES_SHOWN = 20
"""How many changes of one portal are listed before the rest is counted."""


def overview(report: Report) -> str:
    """``status.md``: what a reader needs first stands first."""
    return _page(
        ["# Microsoft 365 license status"],
        [f"> **{EMULATED_NOTICE}**"] if report.emulated else [],
        [f"**{verdict(report)}**"],
        _coverage(report),
        _chart(report),
        _changes(report),
        _next_steps(report.next_steps, with_portal=True),
        _portals(report),
        *[[f"### {_link(portal)}", "", *_state_note(portal), *_products(portal.products)] for portal in report.portals],
        _exclusions(report.portals, with_portal=True),
        _glossary(),
    )


def portal_page(portal: PortalReport, report: Report) -> str:
    """``<id>.md``: everything about one portal."""
    state = portal.state
    steps = [step for step in report.next_steps if step.portal_id == state.id]
    return _page(
        [f"# {safe(state.portal.name)}"],
        [f"> **{EMULATED_NOTICE}**"] if state.last_import.emulated else [],
        [safe(state.portal.description)] if state.portal.description else [],
        _facts(portal),
        _state_note(portal),
        _next_steps(steps, with_portal=False),
        ["## Products", "", *_products(portal.products)],
        _findings(portal),
        _subscriptions(portal),
        _declared(portal),
        _exclusions([portal], with_portal=False),
        _portal_changes(portal),
        ["[Overview and glossary](status.md)"],
    )


def verdict(report: Report) -> str:
    """The report in one line."""
    coverage = report.coverage
    read = f"{coverage.read} of {count(coverage.portals, 'portal')} read"
    if not report.products:
        return f"There are no products. {read}."
    missing = sum(item.position.shortfall for portal in report.portals for item in portal.products if _is_short(item))
    parts = []
    for status, words in (
        (Status.NOT_ENOUGH_LICENSES, f"short, by {count(missing, 'license')} in all"),
        (Status.CALCULATION_ERROR, "with a calculation error"),
        (Status.CANNOT_BE_SYNCHRONISED, "that cannot be synchronised"),
    ):
        if report.statuses[status]:
            parts.append(f"{report.statuses[status]:,} {words}")
    if not parts:
        return f"None of {count(report.products, 'product')} is short of licenses. {read}."
    return f"Of {count(report.products, 'product')}: {'; '.join(parts)}. {read}."


def _is_short(item: ProductReport) -> bool:
    """Whether a product counts as short: the numbers of one that is not synchronised do not."""
    return item.product.status is Status.NOT_ENOUGH_LICENSES


def _page(*sections: Iterable[str]) -> str:
    """Sections with one blank line between them; empty ones are left out."""
    texts = ["\n".join(section).strip("\n") for section in sections]
    return "\n\n".join(text for text in texts if text) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table. A head that ends in ``:`` aligns its column to the right. Cells are escaped already."""
    names = [name.removesuffix(":") for name in head]
    rule = ["---:" if name.endswith(":") else "---" for name in head]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *rows)]


def _link(portal: PortalReport) -> str:
    """A portal's name, linked to its page. An id has no character that a link must escape."""
    return f"[{safe(portal.state.portal.name)}]({portal.state.id}.md)"


def _status(item: ProductReport) -> str:
    """Status by sign and word, with its reason."""
    status, reason = item.product.status, item.product.reason
    why = f": {REASON_LABELS[reason]}" if reason else ""
    return f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}{why}"


def _coverage(report: Report) -> list[str]:
    """How complete the report is."""
    seen = report.coverage
    as_of = moment(seen.oldest) if seen.oldest == seen.newest else f"{moment(seen.oldest)} to {moment(seen.newest)}"
    rows = [
        ("Portals read completely", f"{seen.read} of {seen.portals}"),
        (
            "Portals that failed",
            f"{seen.failed}" + (f", of which {seen.stale} with their last known numbers" if seen.failed else ""),
        ),
    ]
    if seen.never:
        rows.append(("Portals never read", str(seen.never)))
    if seen.suspended:
        rows.append(("Portals suspended", str(seen.suspended)))
    if seen.deleted:
        rows.append(("Portals deleted", str(seen.deleted)))
    rows += [("Data as of", as_of), ("Exclusions in force", str(seen.exclusions))]
    return ["## Coverage", "", *_table(("What", "How much"), rows)]


def _chart(report: Report) -> list[str]:
    """Products by status as a pie. The table of portals says the same in numbers."""
    slices = [(STATUS_LABELS[status], total) for status, total in report.statuses.items() if total]
    if not slices:
        return []
    rows = [f'    "{label}" : {total}' for label, total in slices]
    return ["## Products by status", "", "```mermaid", "pie showData", *rows, "```"]


def _changes(report: Report) -> list[str]:
    """What the last run that changed anything changed."""
    head = ["## Changes since the previous report", ""]
    if not report.changes:
        return [*head, "None."]
    lines: list[str] = [f"Changed on {moment(report.changed_at)}.", ""]
    for portal in report.changes:
        lines += [f"- **{safe(portal.name)}**: {_change_summary(portal.changes)}"]
        lines += [f"  - {line}" for line in _change_lines(portal.changes)]
    return [*head, *lines]


def _change_summary(changes: Sequence[Change]) -> str:
    """How much changed in one portal."""
    new = any(change.field == "portal" for change in changes)
    products = {change.sku_id for change in changes if change.sku_id}
    added = sum(change.field == "product" and change.before is None for change in changes)
    if new:
        return f"new, with {count(added, 'product')}"
    return f"{count(len(products), 'product')} changed" if products else "its configuration or import changed"


def _change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The changes of one portal in words. What a new portal brings is in its table and not said again."""
    if any(change.field == "portal" for change in changes):
        return
    for change in changes[:CHANGES_SHOWN]:
        before, after = changed_value(change, change.before), changed_value(change, change.after)
        subject = f"{safe(change.subject)}: " if change.sku_id else ""
        if change.field == "product" and change.before is None:
            yield f"{subject}new, {after}"
        else:
            yield f"{subject}{safe(change.field)} {safe(before)} → {safe(after)}"
    if len(changes) > CHANGES_SHOWN:
        yield f"and {count(len(changes) - CHANGES_SHOWN, 'more change')}"


def _portal_changes(portal: PortalReport) -> list[str]:
    """When and how this portal last changed."""
    changed = portal.state.changed
    if changed is None:
        return []
    lines = list(_change_lines(changed.changes)) or [_change_summary(changed.changes)]
    return ["## Last change", "", f"On {moment(changed.at)}:", "", *[f"- {line}" for line in lines]]


def _next_steps(steps: Sequence[NextStep], *, with_portal: bool) -> list[str]:
    """What to do, worst first."""
    if not steps:
        return ["## Next steps", "", "Nothing to do."]
    rows = []
    for position, step in enumerate(steps, 1):
        portal = [f"[{step.portal_id}]({step.portal_id}.md)"] if with_portal else []
        rows.append([str(position), *portal, safe(step.subject), safe(step.why), safe(step.step)])
    head = ["#:", *(["Portal"] if with_portal else []), "What", "Why", "Next step"]
    return ["## Next steps", "", *_table(head, rows)]


def _portals(report: Report) -> list[str]:
    """The table of portals and, for what follows, the heading of the products."""
    if not report.portals:
        return []
    used = [status for status, total in report.statuses.items() if total]
    head = ["Portal", "State", "Import", "Data as of", "Users:", "Products:"]
    head += [f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}:" for status in used]
    rows = []
    for portal in report.portals:
        state, last = portal.state, portal.state.last_import
        statuses = [str(sum(item.product.status is status for item in portal.products)) for status in used]
        rows.append(
            [
                _link(portal),
                state.presence.value,
                last.outcome.value,
                moment(last.as_of),
                number(last.users),
                str(len(portal.products)),
                *statuses,
            ]
        )
    return ["## Portals", "", *_table(head, rows), "", "## Products"]


def _state_note(portal: PortalReport) -> list[str]:
    """What a reader must know before the numbers: the import failed, the portal is suspended or deleted."""
    state, last = portal.state, portal.state.last_import
    notes = []
    if state.presence is Presence.DELETED:
        notes.append("This portal is no longer declared. The numbers are the last known.")
    elif state.presence is Presence.SUSPENDED and state.portal.suspend:
        until = f" until {state.portal.suspend.until}" if state.portal.suspend.until else ""
        notes.append(f"Imports are suspended{until}: {safe(state.portal.suspend.reason)}.")
    elif last.outcome is ImportOutcome.FAILED and last.error:
        kept = f"The numbers are those of {moment(last.as_of)}." if last.as_of else "It was never read."
        detail = f" ({safe(last.error.detail)})" if last.error.detail else ""
        notes.append(
            f"**The last import failed.** {kept} `{last.error.code}`: {safe(last.error.message)}{detail} "
            f"{safe(last.error.remedy)}"
        )
    return [*[f"> {note}" for note in notes], ""] if notes else []


def _products(products: Sequence[ProductReport]) -> list[str]:
    """The product table."""
    if not products:
        return ["No products."]
    head = ("Product", "SKU", "Status", "Entitled:", "In grace:", "Suspended:", "Consumed:", "Consumers:", "Balance:")
    return _table(head, [_product_row(item) for item in products])


def _product_row(item: ProductReport) -> list[str]:
    """One product."""
    units = item.product.license.units
    numbers = (
        item.position.entitled,
        units.warning,
        units.suspended,
        item.position.consumed,
        item.product.consumers,
        item.position.balance,
    )
    part = safe(item.product.license.part_number)
    return [safe(item.name), part, _status(item), *[number(value) for value in numbers]]


def _facts(portal: PortalReport) -> list[str]:
    """Which tenant this is, and how it was read."""
    declared, last = portal.state.portal, portal.state.last_import
    tenant = last.organization
    name = f"{safe(tenant.display_name)} ({safe(tenant.default_domain or MISSING)})" if tenant else MISSING
    rows = [
        ("Portal", f"`{portal.state.id}`, {portal.state.presence.value}"),
        ("Tenant", name),
        ("Tenant ID", f"`{declared.tenant_id}`"),
        ("Cloud", declared.cloud.value),
        ("Last import", last.outcome.value),
        ("Data as of", moment(last.as_of)),
        ("Users with a license", number(last.users)),
    ]
    return _table(("What", "Value"), rows)


def _findings(portal: PortalReport) -> list[str]:
    """Counts of consumers that deserve a look."""
    rows = []
    for item in portal.products:
        if item.product.reason is not None:
            continue
        counts = [
            f"{number(total)} {FINDINGS.get(name, name)}" for name, total in sorted(item.product.findings.items())
        ]
        if item.mismatch:
            counts.append(f"Graph counts {number(abs(item.mismatch))} {'more' if item.mismatch > 0 else 'fewer'}")
        if counts:
            rows.append([safe(item.name), listed(counts)])
    return ["## Findings", "", *_table(("Product", "Consumers"), rows)] if rows else []


def _subscriptions(portal: PortalReport) -> list[str]:
    """What was bought, and when it moves on."""
    rows = [
        [
            safe(item.name),
            safe(subscription.status) + (", trial" if subscription.is_trial else ""),
            number(subscription.total_licenses),
            str(subscription.next_lifecycle.date()) if subscription.next_lifecycle else MISSING,
        ]
        for item in portal.products
        for subscription in item.product.license.subscriptions
    ]
    head = ("Product", "Subscription", "Licenses:", "Next change of state")
    return ["## Subscriptions", "", *_table(head, rows)] if rows else []


def _declared(portal: PortalReport) -> list[str]:
    """Contracts and prices from the portal's file, beside the portal's numbers."""
    rows = []
    for item in portal.products:
        price = item.entry.price if item.entry else None
        owned = item.entry.entitlement if item.entry else None
        if price is None and owned is None:
            continue
        papers = [safe(paper) for paper in (owned.contract, owned.purchase_order) if paper] if owned else []
        rows.append(
            [
                safe(item.name),
                number(owned.quantity) if owned else MISSING,
                number(item.position.entitled),
                listed(papers) or MISSING,
                f"{price.amount} {price.currency} a {price.per}" if price else MISSING,
                f"{item.true_up} {price.currency}" if price and item.true_up is not None else MISSING,
                f"{item.idle} {price.currency}" if price and item.idle is not None else MISSING,
            ]
        )
    head = ("Product", "Declared:", "Entitled:", "Contract", "Price", "Cost of the missing:", "Cost of the unused:")
    return ["## Declared entitlements and prices", "", *_table(head, rows)] if rows else []


def _exclusions(portals: Iterable[PortalReport], *, with_portal: bool) -> list[str]:
    """What is not imported, why, and until when."""
    rows = []
    for portal in portals:
        for item in portal.exclusions:
            own = [_link(portal)] if with_portal else []
            until = str(item.exclusion.until) if item.exclusion.until else "no end"
            force = "yes" if item.in_force else "no, it has ended"
            rows.append([*own, safe(item.exclusion.sku), safe(item.exclusion.reason), until, force])
    head = [*(["Portal"] if with_portal else []), "License", "Reason", "Until", "In force"]
    return ["## Exclusions", "", *(_table(head, rows) if rows else ["None."])]


def _glossary() -> list[str]:
    """Every word of the tables, with its formula."""
    words = [
        ("Entitled", "enabled + in grace (without grace when `count_warning: false`)"),
        ("In grace", "expired, but still usable"),
        ("Suspended", "cannot be assigned, can be reactivated; never entitled"),
        ("Consumers", "distinct users who hold the license"),
        ("Consumed", "the greater of Graph's own count and consumers"),
        ("Balance", "entitled − consumed; negative is a shortage"),
        ("Data as of", "when the tenant was first seen as it is shown"),
        *[(f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}", STATUS_MEANINGS[status]) for status in Status],
    ]
    return ["## Glossary", "", *_table(("Word", "Meaning"), words)]
