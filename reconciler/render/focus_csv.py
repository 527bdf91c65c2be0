"""Purchases as FOCUS contract commitments, for tools that manage costs. Columns that FOCUS does not have begin ``x_``.

Source: FinOps Foundation, FOCUS 1.3, dataset Contract Commitment; ``ContractCommitmentLifecycleStatus`` is of 1.4. What
Graph does not say stays empty, although FOCUS asks for it: the start of a purchase and the periods of a contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reconciler.model import License, Subscription
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.cells import Cell, table
from reconciler.report import Report

COLUMNS = (
    "BillingCurrency",
    "ContractCommitmentCategory",
    "ContractCommitmentCost",
    "ContractCommitmentDescription",
    "ContractCommitmentId",
    "ContractCommitmentLifecycleStatus",
    "ContractCommitmentPeriodEnd",
    "ContractCommitmentPeriodStart",
    "ContractCommitmentQuantity",
    "ContractCommitmentType",
    "ContractCommitmentUnit",
    "ContractId",
    "ContractPeriodEnd",
    "ContractPeriodStart",
    "x_Portal",
    "x_TenantId",
    "x_SkuId",
    "x_SkuPartNumber",
    "x_SubscriptionStatus",
    "x_PurchaseOrder",
    "x_UnitPrice",
    "x_UnitPricePeriod",
    "x_Emulated",
)
"""The names of the columns, in order."""

_STATUS = {
    "Enabled": "Active",
    "Warning": "Expired",
    "Suspended": "Expired",
    "LockedOut": "Canceled",
    "Deleted": "Expired",
}
"""FOCUS's word for Graph's: in grace and suspended, the period that was paid for is over."""


def render(report: Report) -> str:
    """A row for each purchase of a license that is synchronized, or for the units of one without purchases."""
    return table(COLUMNS, (_row(*found) for found in _purchases(report)))


def _purchases(report: Report) -> Iterator[tuple[PortalReport, ProductReport, Subscription]]:
    """Every purchase, in the order of the report."""
    for portal in report.portals:
        for item in portal.products:
            if item.product.reason is None:
                known = item.product.license.subscriptions or (_units(portal, item.product.license),)
                yield from ((portal, item, bought) for bought in known)


def _units(portal: PortalReport, license_: License) -> Subscription:
    """What stands for the purchases of a license of which the tenant tells none."""
    id_ = f"{portal.state.portal.tenant_id}/{license_.sku_id}"
    return Subscription(id_, license_.capability_status, license_.units.enabled)


def _row(portal: PortalReport, item: ProductReport, bought: Subscription) -> tuple[Cell, ...]:
    """One purchase."""
    license_, entry = item.product.license, item.entry
    price, owned = (entry.price, entry.entitlement) if entry else (None, None)
    return (
        price.currency if price else None,
        "Usage",
        None,  # of the whole period, whose length is not known
        item.name,
        bought.id,
        _STATUS.get(bought.status),
        _end(bought),
        None,
        bought.total_licenses,
        "Trial" if bought.is_trial else "Subscription",
        "Licenses",
        owned.contract if owned else None,
        None,
        None,
        portal.state.id,
        portal.state.portal.tenant_id,
        license_.sku_id,
        license_.part_number,
        bought.status,
        owned.purchase_order if owned else None,
        price.amount if price else None,
        price.per if price else None,
        portal.state.last_import.emulated is not None,
    )


def _end(bought: Subscription) -> datetime | None:
    """The end of the period. Later dates, those of grace and deletion, are none of it."""
    return bought.next_lifecycle if bought.status == "Enabled" else None
