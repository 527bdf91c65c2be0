"""The tables of the Markdown report about products. Every text from outside is escaped where its cell is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.facets import Evidence
from reconciler.labels import (
    EVIDENCE_LABELS,
    LIFECYCLE_LABELS,
    MUTED_LABEL,
    REASON_LABELS,
    SAVING_NOUNS,
    STATUS_LABELS,
    STATUS_SIGNS,
)
from reconciler.money import Costs
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render import product_words as words
from reconciler.render.escape import markdown as safe
from reconciler.render.markdown_tables import amounts, portal_link, table, with_note
from reconciler.render.words import MISSING, money, number, percent


def products(items: Sequence[ProductReport]) -> list[str]:
    """Every product with its status, its facets and its numbers."""
    head = ("Product", "SKU", "Status", "Position", "Lifecycle", "Entitled:", "In grace:", "Suspended:", "Consumed:")
    return table((*head, "Consumers:", "Balance:", "Utilization:"), [_product_row(item) for item in items])


def _product_row(item: ProductReport) -> list[str]:
    """One product."""
    units = item.product.license.units
    numbers = (
        item.numbers.entitled,
        units.warning,
        units.suspended,
        item.numbers.consumed,
        item.product.consumers,
        item.shown_balance,
    )
    part = safe(item.product.license.part_number)
    facets = [_status(item), words.position(item), words.lifecycle(item.phases)]
    used = percent(item.shown_utilization if item.numbers.balance is not None else None)
    return [safe(item.name), part, *facets, *[number(value) for value in numbers], used]


def _status(item: ProductReport) -> str:
    """Status by sign and word, with its reason."""
    status, reason = item.product.status, item.product.reason
    why = f": {item.reason_label}" if reason else ""
    return f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}{why}{f' ({MUTED_LABEL})' if item.muted else ''}"


# --- what ends -------------------------------------------------------------------------------------------------------


def renewals(reports: Iterable[PortalReport], *, overview: bool) -> list[str]:
    """What ends and when, by date, and whether the product has enough licenses afterwards.

    The overview leaves out what is far away, and names the portals.
    """
    rows = []
    for on, portal, item, part in words.renewals(reports, near=overview):
        own = [portal_link(portal)] if overview else []
        cells = [safe(item.name), LIFECYCLE_LABELS[part.lifecycle], number(part.licenses)]
        rows.append([str(on), *own, *cells, words.afterwards(part)])
    head = ["Day", *(["Portal"] if overview else []), "Product", "Lifecycle", "Licenses:", "If it is not renewed"]
    return table(head, rows)


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
    return table(("Product", "Subscription", "Licenses:", "Next change of state"), rows)


# --- consumers -------------------------------------------------------------------------------------------------------


def findings(portal: PortalReport) -> list[str]:
    """How many consumers deserve a look, and why."""
    rows = [
        [safe(item.name), safe(finding), safe(total)]
        for item in portal.products
        if item.product.reason is None
        for finding, total in words.findings(item)
    ]
    return table(("Product", "Finding", "How many:"), rows)


def savings(portal: PortalReport) -> list[str]:
    """How many consumers do not need their license, each under the first reason that fits, and what that is worth."""
    found = [item for item in portal.products if item.reclaimable]
    used = [name for name in SAVING_NOUNS if any(name in item.product.reclaimable for item in found)]
    rows = []
    for item in found:
        counts = [safe(words.reclaimable(item, name)) for name in used]
        worth = money(year.reclaimable, safe(year.currency)) if (year := _a_year(item)) else MISSING
        rows.append([safe(item.name), number(item.product.consumers), *counts, number(item.reclaimable), worth])
    head = [f"{SAVING_NOUNS[name][1].capitalize()}:" for name in used]
    return table(("Product", "Consumers:", *head, "Reclaimable:", "Worth a year:"), rows)


# --- what the portal's file declares ---------------------------------------------------------------------------------


def entitlements(portal: PortalReport) -> list[str]:
    """Contracts from the portal's file, beside the portal's numbers."""
    rows = []
    for item in portal.products:
        owned = item.entry.entitlement if item.entry else None
        if owned is None:
            continue
        proof = item.proof
        rows.append(
            [
                safe(item.name),
                number(owned.quantity),
                number(words.given(item)),
                number(proof.difference) if proof else MISSING,
                words.evidence(proof),
                safe(words.papers(owned)),
            ]
        )
    for entry in portal.unreported:
        if entry.entitlement:
            declared = number(entry.entitlement.quantity)
            cells = [declared, "not reported", declared, EVIDENCE_LABELS[Evidence.CONTRADICTED]]
            rows.append([safe(entry.sku), *cells, safe(words.papers(entry.entitlement))])
    for unclear in portal.ambiguous:
        if unclear.entry.entitlement:
            papers = safe(words.papers(unclear.entry.entitlement))
            rows.append([safe(unclear.entry.sku), *words.ambiguous(unclear), papers])
    return table(("Product", "Declared:", "Entitled:", "Difference:", "Evidence", "Contract"), rows)


def prices(portal: PortalReport) -> list[str]:
    """Prices from the portal's file, and what follows from them per year."""
    rows = []
    for item in portal.products:
        price = item.entry.price if item.entry else None
        if price is None:
            continue
        own = [safe(item.name), f"{money(price.amount, safe(price.currency))} a {price.per}"]
        rows.append([*own, *(amounts(year) if (year := _a_year(item)) else [MISSING] * 3)])
    rows += [["**All products**", MISSING, *amounts(total)] for total in portal.totals if len(rows) > 1]
    lines = table(("Product", "Price:", "True-up a year:", "Idle a year:", "Reclaimable a year:"), rows)
    return with_note(lines, words.costs_note(portal.products))


def _a_year(item: ProductReport) -> Costs | None:
    """A product's costs per year."""
    return item.costs.a_year() if item.costs else None


def removed(portal: PortalReport) -> list[str]:
    """What was deleted from the state, why it could not be synchronized, and who asked for it."""
    rows = [
        [
            safe(f"{portal.state.portal.name} - {item.title}"),
            safe(item.part_number),
            REASON_LABELS[item.was],
            safe(item.reason),
            safe(item.ticket) if item.ticket else MISSING,
            str(item.on),
        ]
        for item in portal.state.removed
    ]
    return table(("Product", "SKU", "Could not be synchronized because", "Removed because", "Ticket", "On"), rows)
