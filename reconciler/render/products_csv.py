"""``products.csv``: one row for each product, for spreadsheets and for tools that manage software assets.

The names of the columns are a contract: new ones are added at the end. ``docs/reference/exports.md`` explains them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from reconciler.lifecycle import Lifecycle
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.cells import Cell, table
from reconciler.report import Report

PUBLISHER = "Microsoft"

COLUMNS = (
    "portal",
    "portal_name",
    "tenant_id",
    "cloud",
    "publisher",
    "product",
    "title",
    "sku_id",
    "sku_part_number",
    "directory",
    "metric",
    "quantity",
    "consumed",
    "balance",
    "utilization_percent",
    "consumers",
    "reclaimable",
    "enabled",
    "warning",
    "suspended",
    "locked_out",
    "status",
    "reason",
    "muted",
    "position",
    "lifecycle",
    "next_renewal",
    "falls_short_on",
    "falls_short_by",
    "freshness",
    "as_of",
    "evidence",
    "declared_quantity",
    "contract",
    "purchase_order",
    "price",
    "currency",
    "period",
    "true_up",
    "idle",
    "emulated",
)
"""The names of the columns, in order."""

_RUNNING = (Lifecycle.ACTIVE, Lifecycle.EXPIRING, Lifecycle.TRIAL, Lifecycle.GRACE)
"""Parts of a license that can be used; the first of their dates is the next renewal."""


def render(report: Report) -> str:
    """The file's text: portals by id, products by title."""
    return table(COLUMNS, (tuple(row.values()) for row in rows(report)))


def rows(report: Report) -> Iterator[dict[str, Cell]]:
    """Each product as a row, by column."""
    for portal in report.portals:
        for item in portal.products:
            yield dict(zip(COLUMNS, (*_identity(portal, item), *_numbers(item), *_facets(portal, item)), strict=True))


def _identity(portal: PortalReport, item: ProductReport) -> Iterator[Cell]:
    """What the product is: down to ``metric``."""
    declared, license_ = portal.state.portal, item.product.license
    yield from (portal.state.id, declared.name, declared.tenant_id, declared.cloud.value, PUBLISHER)
    yield from (item.name, item.product.title, license_.sku_id, license_.part_number, item.product.directory)
    yield license_.applies_to


def _numbers(item: ProductReport) -> Iterator[Cell]:
    """How much of it there is: down to ``locked_out``."""
    numbers, units = item.numbers, item.product.license.units
    share = None if item.shown_utilization is None else Decimal(item.shown_utilization).scaleb(-2)
    yield from (numbers.entitled, numbers.consumed, item.shown_balance, share, item.product.consumers, item.reclaimable)
    yield from (units.enabled, units.warning, units.suspended, units.locked_out)


def _facets(portal: PortalReport, item: ProductReport) -> Iterator[Cell]:
    """What is to be known of it: the rest."""
    product, cliff, entry, costs = item.product, item.cliff, item.entry, item.costs
    yield from (product.status.value, product.reason and product.reason.value, item.muted is not None)
    yield from (item.position and item.position.value, item.lifecycle and item.lifecycle.value, _next_renewal(item))
    yield from (cliff.on, cliff.short) if cliff else (None, None)
    yield from (item.freshness and item.freshness.value, portal.state.last_import.as_of)
    yield item.proof.evidence.value if item.proof else None
    owned, price = (entry.entitlement, entry.price) if entry else (None, None)
    yield from (owned.quantity, owned.contract, owned.purchase_order) if owned else (None, None, None)
    yield from (price.amount, price.currency, price.per) if price else (None, None, None)
    yield from (costs.true_up, costs.idle) if costs else (None, None)
    yield portal.state.last_import.emulated is not None


def _next_renewal(item: ProductReport) -> date | None:
    """The first day on which a part of the license that can be used moves on, if it is not renewed."""
    running: Iterable[date] = (
        phase.on for phase in item.phases if phase.on and phase.licenses != 0 and phase.lifecycle in _RUNNING
    )
    return min(running, default=None)
