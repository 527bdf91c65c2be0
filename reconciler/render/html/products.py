"""The table of all products, and the tables of one portal that go into their details."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from reconciler.model import Status, Subscription
from reconciler.money import Costs
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.html.tables import Cell, Table, product_anchor, product_cell, table
from reconciler.render.product_words import (
    afterwards,
    ambiguous,
    costs_note,
    evidence,
    findings,
    given,
    lifecycle,
    papers,
    position,
    reclaimable,
)
from reconciler.render.product_words import renewals as all_renewals
from reconciler.render.words import MISSING, money, number, percent

WORST_FIRST = (
    Status.NOT_ENOUGH_LICENSES,
    Status.CALCULATION_ERROR,
    Status.CANNOT_BE_SYNCHRONISED,
    Status.FULLY_LICENSED,
    Status.CLEAR,
    Status.NOT_METERED,
)
"""The order in which a reader wants to sort by status."""

_RANKS = {status: place for place, status in enumerate(WORST_FIRST)}


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product in the table of all products. ``bar`` is the length of its bar in percent, None without one."""

    anchor: str
    title: str
    part_number: str
    status: str
    rank: int
    sign: str
    word: str
    why: str
    bar: int | None
    utilization: str
    numbers: tuple[str, str, str, str, str, str]
    lifecycle: str


def product_rows(portal: PortalReport) -> Iterator[ProductRow]:
    """The products of one portal."""
    for item in portal.products:
        product, units, numbers = item.product, item.product.license.units, item.numbers
        used = item.shown_utilization if numbers.balance is not None else None
        yield ProductRow(
            anchor=product_anchor(portal.state.id, product.sku_id),
            title=product.title,
            part_number=product.license.part_number,
            status=product.status.value,
            rank=_RANKS[product.status],
            sign=STATUS_SIGNS[product.status],
            word=STATUS_LABELS[product.status],
            why="; ".join(_why(item)),
            bar=None if used is None else min(100, used // 100),
            utilization=percent(used),
            numbers=(
                number(numbers.entitled),
                number(units.warning),
                number(units.suspended),
                number(numbers.consumed),
                number(product.consumers),
                number(item.shown_balance),
            ),
            lifecycle=lifecycle(item.phases),
        )


def _why(item: ProductReport) -> Iterator[str]:
    """What stands below the status: reason, mute, position."""
    if item.product.reason:
        yield item.reason_label or ""
    if item.muted:
        yield MUTED_LABEL
    if item.position:
        yield position(item)


def holdings(portal: PortalReport) -> Table:
    """Where each product is kept, what was bought, and what the table of all products leaves out."""
    rows: list[list[str | Cell]] = []
    for item in portal.products:
        license_, numbers = item.product.license, item.numbers
        counted = (license_.units.enabled, license_.units.locked_out, license_.consumed_units)
        rows.append(
            [
                Cell(item.name, license_.sku_id, product_cell(portal, item).href),
                item.product.directory,
                evidence(item.proof),
                "; ".join(map(_subscription, license_.subscriptions)) or MISSING,
                *map(number, (*counted, numbers.entitled, numbers.consumed, item.shown_balance)),
            ]
        )
    head = ("Product", "Directory", "Evidence", "Subscriptions", "Enabled:", "Locked out:", "Graph’s count:")
    return table("Products", (*head, "Entitled:", "Consumed:", "Balance:"), rows)


def _subscription(one: Subscription) -> str:
    """What was bought, and when it moves on."""
    trial = ", trial" if one.is_trial else ""
    until = f" until {one.next_lifecycle.date()}" if one.next_lifecycle else ""
    return f"{number(one.total_licenses)} {one.status}{trial}{until}"


def renewals(portal: PortalReport) -> Table:
    """Every part of a license that ends, by date, and whether the product has enough licenses afterwards."""
    rows: list[list[str | Cell]] = [
        [product_cell(portal, item), str(on), LIFECYCLE_LABELS[part.lifecycle], number(part.licenses), afterwards(part)]
        for on, _, item, part in all_renewals([portal], near=False)
    ]
    return table("Renewals", ("Product", "Day", "Lifecycle", "Licenses:", "If it is not renewed"), rows)


def finding_table(portal: PortalReport) -> Table:
    """How many consumers deserve a look, and why."""
    rows: list[list[str | Cell]] = [
        [product_cell(portal, item), finding, total]
        for item in portal.products
        if item.product.reason is None
        for finding, total in findings(item)
    ]
    return table("Findings", ("Product", "Finding", "How many:"), rows)


def savings(portal: PortalReport) -> Table:
    """How many consumers do not need their license, each under the first reason that fits, and what that is worth."""
    found = [item for item in portal.products if item.reclaimable]
    used = [name for name in SAVING_NOUNS if any(name in item.product.reclaimable for item in found)]
    rows: list[list[str | Cell]] = []
    for item in found:
        by_reason = [reclaimable(item, name) for name in used]
        year = _a_year(item)
        worth = money(year.reclaimable, year.currency) if year else MISSING
        rows.append(
            [product_cell(portal, item), number(item.product.consumers), *by_reason, number(item.reclaimable), worth]
        )
    head = [f"{SAVING_NOUNS[name][1].capitalize()}:" for name in used]
    title = "Consumers who do not need their license"
    return table(title, ("Product", "Consumers:", *head, "Reclaimable:", "Worth a year:"), rows)


def entitlements(portal: PortalReport) -> Table:
    """Contracts from the portal's file, beside the portal's numbers."""
    rows: list[list[str | Cell]] = []
    for item in portal.products:
        owned, proof = item.entry.entitlement if item.entry else None, item.proof
        if owned is None:
            continue
        difference = number(proof.difference) if proof else MISSING
        compared = [number(owned.quantity), number(given(item)), difference, evidence(proof)]
        rows.append([product_cell(portal, item), *compared, papers(owned)])
    for entry in portal.unreported:
        if entry.entitlement:
            declared = number(entry.entitlement.quantity)
            compared = [declared, "not reported", declared, EVIDENCE_LABELS[Evidence.CONTRADICTED]]
            rows.append([entry.sku, *compared, papers(entry.entitlement)])
    rows += [
        [unclear.entry.sku, *ambiguous(unclear), papers(unclear.entry.entitlement)]
        for unclear in portal.ambiguous
        if unclear.entry.entitlement
    ]
    head = ("Product", "Declared:", "Entitled:", "Difference:", "Evidence", "Contract")
    return table("Declared entitlements", head, rows)


def prices(portal: PortalReport) -> Table:
    """Prices from the portal's file, and what follows from them per year."""
    rows: list[list[str | Cell]] = []
    for item in portal.products:
        price = item.entry.price if item.entry else None
        if price is None:
            continue
        own = f"{money(price.amount, price.currency)} a {price.per}"
        rows.append([product_cell(portal, item), own, *_amounts(item.costs)])
    rows += [["All products", MISSING, *_amounts(total)] for total in portal.totals if len(rows) > 1]
    head = ("Product", "Price:", "True-up a year:", "Idle a year:", "Reclaimable a year:")
    return table("Costs", head, rows, costs_note(portal.products))


def _a_year(item: ProductReport) -> Costs | None:
    """A product's costs per year."""
    return item.costs.a_year() if item.costs else None


def _amounts(costs: Costs | None) -> list[str | Cell]:
    """True-up, idle and reclaimable a year; those a month below them."""
    if costs is None:
        return [MISSING] * 3
    year, currency = costs.a_year(), costs.currency
    pairs = ((year.true_up, costs.true_up), (year.idle, costs.idle), (year.reclaimable, costs.reclaimable))
    monthly = costs.per == "month"
    return [
        Cell(money(whole, currency), f"{money(part, currency)} a month" if monthly and part else "")
        for whole, part in pairs
    ]


def removed(portal: PortalReport) -> Table:
    """What was deleted from the state, why it could not be synchronized, and who asked for it."""
    rows: list[list[str | Cell]] = [
        [
            Cell(f"{portal.state.portal.name} - {item.title}", item.part_number),
            REASON_LABELS[item.was],
            item.reason,
            item.ticket or MISSING,
            str(item.on),
        ]
        for item in portal.state.removed
    ]
    head = ("Product", "Could not be synchronized because", "Removed because", "Ticket", "On")
    return table("Removed products", head, rows)
