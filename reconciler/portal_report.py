"""One portal and its products as a report shows them: numbers, remedies, money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal

from reconciler import compliance
from reconciler.compliance import Position
from reconciler.expiry import Condition, condition
from reconciler.findings import count_mismatch
from reconciler.labels import CALCULATION_REMEDY, REMEDIES, SHORTAGE_REMEDY, SUSPENDED_REMEDY
from reconciler.matching import entry_of, in_force
from reconciler.model import (
    Exclusion,
    ImportOutcome,
    PortalState,
    Presence,
    Product,
    ProductEntry,
    Settings,
    Status,
)

_EXACT = Context(prec=100)
"""Money is never rounded. The default context would round beyond 28 digits."""


@dataclass(frozen=True, slots=True)
class ProductReport:
    """One product as a report shows it. ``name`` is the portal's name, a dash, and the title."""

    name: str
    product: Product
    position: Position
    entry: ProductEntry | None
    remedy: str | None
    mismatch: int
    """Graph's count minus ours."""
    grace_ends: datetime | None
    """When the first of the subscriptions in grace moves on, if it is not renewed."""
    true_up: Decimal | None
    """What the missing licenses would cost per period, in the currency of the entry's price."""
    idle: Decimal | None
    """What the licenses that nobody consumes cost per period."""


@dataclass(frozen=True, slots=True)
class ExclusionReport:
    """One exclusion and whether it applies today."""

    exclusion: Exclusion
    in_force: bool


@dataclass(frozen=True, slots=True)
class PortalReport:
    """One portal as a report shows it. ``credential`` is None for a portal that is deleted."""

    state: PortalState
    products: tuple[ProductReport, ...]
    exclusions: tuple[ExclusionReport, ...]
    credential: Condition | None

    @property
    def is_stale(self) -> bool:
        """Whether the numbers are older than the last attempt to read them."""
        return self.state.last_import.outcome is ImportOutcome.FAILED and self.state.last_import.as_of is not None


def portal_report(state: PortalState, settings: Settings, today: date) -> PortalReport:
    """One portal. Products are sorted by title, then by SKU ID, as people look for them.

    Statuses follow ``settings`` as the numbers do, also where no run has recalculated the state with them yet.
    The exclusions of a deleted portal are in force no more, its credential is not used, and nobody can renew them: they
    are left out.
    """
    known = (compliance.recalculate(product, settings) for product in state.products)
    products = sorted(known, key=lambda product: (product.title.casefold(), product.sku_id))
    deleted = state.presence is Presence.DELETED
    declared = () if deleted else state.portal.exclusions
    return PortalReport(
        state=state,
        products=tuple(_product(product, state, settings) for product in products),
        exclusions=tuple(ExclusionReport(item, in_force(item, today)) for item in declared),
        credential=None if deleted else condition(state, settings, today),
    )


def _product(product: Product, state: PortalState, settings: Settings) -> ProductReport:
    """One product."""
    numbers = compliance.position(product.license, product.consumers, settings)
    entry = entry_of(state.portal, product.license)
    amount = entry.price.amount if entry and entry.price else None
    available = max(0, numbers.balance or 0)
    metered = product.status in (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED, Status.CLEAR)
    return ProductReport(
        name=f"{state.portal.name} - {product.title}",
        product=product,
        position=numbers,
        entry=entry,
        remedy=_remedy(product),
        mismatch=count_mismatch(product.license.consumed_units, product.consumers),
        grace_ends=_grace_ends(product),
        true_up=_EXACT.multiply(amount, numbers.shortfall) if amount is not None and metered else None,
        idle=_EXACT.multiply(amount, available) if amount is not None and metered else None,
    )


def _remedy(product: Product) -> str | None:
    """What to do about the status."""
    if product.reason is not None:
        return REMEDIES[product.reason]
    if product.status is Status.CALCULATION_ERROR:
        return CALCULATION_REMEDY
    if product.status is not Status.NOT_ENOUGH_LICENSES:
        return None
    return SUSPENDED_REMEDY if (product.license.units.suspended or 0) > 0 else SHORTAGE_REMEDY


def _grace_ends(product: Product) -> datetime | None:
    """When the first of the subscriptions in grace moves on."""
    ends = [
        subscription.next_lifecycle
        for subscription in product.license.subscriptions
        if subscription.next_lifecycle and subscription.status == "Warning"
    ]
    return min(ends, default=None)
