"""The tables of the Markdown report. Every text from outside is escaped where its cell is made.

Each function returns the lines of a table, or none when it would have no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.expiry import Condition
from reconciler.findings import COUNTED_BY_GRAPH_ONLY, FINDINGS, HELD_BUT_NOT_COUNTED
from reconciler.labels import EXPIRING_SIGN, REASON_LABELS, STATUS_LABELS, STATUS_MEANINGS, STATUS_SIGNS
from reconciler.model import Status
from reconciler.next_steps import NextStep
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.escape import markdown as safe
from reconciler.render.words import MISSING, listed, moment, money, number
from reconciler.report import Coverage, Report


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table. A head that ends in ``:`` aligns its column to the right. Cells are escaped already."""
    names = [name.removesuffix(":") for name in head]
    rule = ["---:" if name.endswith(":") else "---" for name in head]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *rows)] if rows else []


def portal_link(portal: PortalReport) -> str:
    """A portal's name, linked to its page. An id has no character that the address of a link must escape."""
    return f"[{safe(portal.state.portal.name)}]({portal.state.id}.md)"


def coverage(seen: Coverage) -> list[str]:
    """How complete the report is."""
    one = seen.oldest == seen.newest
    as_of = moment(seen.oldest) if one else f"{moment(seen.oldest)} to {moment(seen.newest)}, by portal"
    as_of = f"the last complete reads; unchanged since {as_of}" if seen.oldest else MISSING
    known = f", of which {number(seen.stale)} with their last known numbers" if seen.failed else ""
    rows = [
        ("Portals read completely", f"{number(seen.read)} of {number(seen.portals)}"),
        ("Portals that failed", f"{number(seen.failed)}{known}"),
        *[
            (name, number(total))
            for name, total in (
                ("Portals never read", seen.never),
                ("Portals suspended", seen.suspended),
                ("Portals deleted", seen.deleted),
            )
            if total
        ],
        ("Data as of", as_of),
        ("Exclusions in force", number(seen.exclusions)),
    ]
    return _table(("What", "How much"), rows)


def next_steps(steps: Sequence[NextStep], *, with_portal: bool) -> list[str]:
    """What to do, worst first."""
    rows = []
    for position, step in enumerate(steps, 1):
        portal = [f"[{safe(step.portal_id)}]({step.portal_id}.md)"] if with_portal else []
        rows.append([str(position), *portal, safe(step.subject), safe(step.why), safe(step.step)])
    return _table(["#:", *(["Portal"] if with_portal else []), "What", "Why", "Next step"], rows)


def portals(report: Report) -> list[str]:
    """Every portal with its import and its number of products in each status that occurs."""
    used = [status for status, total in report.statuses.items() if total]
    head = ["Portal", "State", "Import", "Unchanged since", "Users:", "Products:"]
    head += [f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}:" for status in used]
    return _table(head, [_portal_row(portal, used) for portal in report.portals])


def _portal_row(portal: PortalReport, used: Iterable[Status]) -> list[str]:
    """One portal."""
    last = portal.state.last_import
    statuses = [number(sum(item.product.status is status for item in portal.products)) for status in used]
    own = [portal.state.presence.value, last.outcome.value, moment(last.as_of), number(last.users)]
    return [portal_link(portal), *own, number(len(portal.products)), *statuses]


def products(items: Sequence[ProductReport]) -> list[str]:
    """Every product with its status and its numbers."""
    head = ("Product", "SKU", "Status", "Entitled:", "In grace:", "Suspended:", "Consumed:", "Consumers:", "Balance:")
    return _table(head, [_product_row(item) for item in items])


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


def _status(item: ProductReport) -> str:
    """Status by sign and word, with its reason."""
    status, reason = item.product.status, item.product.reason
    why = f": {REASON_LABELS[reason]}" if reason else ""
    return f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}{why}"


def facts(portal: PortalReport) -> list[str]:
    """Which tenant this is, and how it was read."""
    declared, last = portal.state.portal, portal.state.last_import
    tenant = last.organization
    name = f"{safe(tenant.display_name)} ({safe(tenant.default_domain or MISSING)})" if tenant else MISSING
    rows = [
        ("Portal", f"`{portal.state.id}`, {portal.state.presence.value}"),
        ("Tenant", name),
        ("Tenant ID", f"`{declared.tenant_id}`"),
        ("Cloud", declared.cloud.value),
        *([("Credential", _credential(portal.credential))] if portal.credential else []),
        ("Last import", last.outcome.value),
        ("Unchanged since", moment(last.as_of)),
        ("Users with a license", number(last.users)),
    ]
    return _table(("What", "Value"), rows)


def _credential(condition: Condition) -> str:
    """How near the end of the credential is, by sign and word while somebody has to act."""
    return f"{EXPIRING_SIGN} {safe(condition.message)}" if condition.holds else safe(condition.message)


def findings(portal: PortalReport) -> list[str]:
    """How many consumers deserve a look, and why."""
    rows = []
    for item in portal.products:
        if item.product.reason is not None:
            continue
        found = item.product.findings
        counts = [(meaning, found[name]) for name, meaning in FINDINGS.items() if name in found]
        if item.mismatch:
            counts.append((COUNTED_BY_GRAPH_ONLY if item.mismatch > 0 else HELD_BUT_NOT_COUNTED, abs(item.mismatch)))
        rows += [[safe(item.name), finding, number(total)] for finding, total in counts]
    return _table(("Product", "Finding", "Users:"), rows)


def subscriptions(portal: PortalReport) -> list[str]:
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
    return _table(("Product", "Subscription", "Licenses:", "Next change of state"), rows)


def declared(portal: PortalReport) -> list[str]:
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
                f"{money(price.amount, price.currency)} a {price.per}" if price else MISSING,
                money(item.true_up, price.currency) if price else MISSING,
                money(item.idle, price.currency) if price else MISSING,
            ]
        )
    head = ("Product", "Declared:", "Entitled:", "Contract", "Price:", "Cost of the missing:", "Cost of the unused:")
    return _table(head, rows)


def exclusions(reports: Iterable[PortalReport], *, with_portal: bool) -> list[str]:
    """What is not imported, why, and until when."""
    rows = []
    for portal in reports:
        for item in portal.exclusions:
            own = [portal_link(portal)] if with_portal else []
            until = str(item.exclusion.until) if item.exclusion.until else "no end"
            force = "yes" if item.in_force else "no, it has ended"
            rows.append([*own, safe(item.exclusion.sku), safe(item.exclusion.reason), until, force])
    return _table([*(["Portal"] if with_portal else []), "License", "Reason", "Until", "In force"], rows)


def glossary() -> list[str]:
    """Every word of the tables, with its formula."""
    words = [
        ("Entitled", "enabled + in grace (without grace when `count_warning: false`)"),
        ("In grace", "expired, but still usable"),
        ("Suspended", "cannot be assigned, can be reactivated; never entitled"),
        ("Consumers", "distinct users who hold the license"),
        ("Consumed", "the greater of Graph's own count and consumers"),
        ("Balance", "entitled − consumed; negative is a shortage"),
        ("Unchanged since", "when the tenant was first seen as it is shown; every complete read since saw the same"),
        *[(f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}", STATUS_MEANINGS[status]) for status in Status],
    ]
    return _table(("Word", "Meaning"), words)
