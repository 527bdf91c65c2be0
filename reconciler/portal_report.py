"""One portal and its products as a report shows them: numbers, facets, remedies, money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reconciler import compliance, facets, lifecycle, money
from reconciler.compliance import Numbers
from reconciler.exclusion_report import (
    ExclusionReport,
    InclusionReport,
    exclusions_of,
    inclusions_of,
)
from reconciler.expiry import Condition, condition
from reconciler.facets import Freshness, Position, Proof
from reconciler.findings import count_mismatch
from reconciler.labels import CALCULATION_REMEDY, REMEDIES, SHORTAGE_REMEDY, SUSPENDED_REMEDY
from reconciler.lifecycle import Cliff, Lifecycle, Phase
from reconciler.matching import entry_of, muted_by
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
from reconciler.money import Costs
from reconciler.unmatched import known_licenses, unmatched_in

_METERED = (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED, Status.CLEAR)


@dataclass(frozen=True, slots=True)
class ProductReport:
    """One product as a report shows it. ``name`` is the portal's name, a dash, and the title.

    ``phases`` and ``cliff`` are about the license's future; both are empty for a product that cannot be synchronised.
    ``mismatch`` is Graph's count minus ours. ``costs`` needs a price and a balance. ``muted`` is the exclusion that
    keeps the product out of the next steps.
    """

    name: str
    product: Product
    numbers: Numbers
    position: Position | None
    phases: tuple[Phase, ...]
    cliff: Cliff | None
    freshness: Freshness | None
    proof: Proof | None
    entry: ProductEntry | None
    costs: Costs | None
    mismatch: int
    muted: Exclusion | None
    remedy: str | None

    @property
    def lifecycle(self) -> Lifecycle | None:
        """Where the best part of the license stands."""
        return self.phases[0].lifecycle if self.phases else None

    @property
    def reclaimable(self) -> int:
        """How many consumers do not need the license, each counted once. Old numbers do not count."""
        return 0 if self.product.reason else sum(self.product.reclaimable.values())


@dataclass(frozen=True, slots=True)
class PortalReport:
    """One portal as a report shows it. ``credential`` is None for a portal that is deleted.

    ``totals`` are the sums of its products' costs per year, one for each currency. ``unreported`` are the entries of
    its file that declare an entitlement to a license that the tenant does not report.
    """

    state: PortalState
    freshness: Freshness | None
    products: tuple[ProductReport, ...]
    exclusions: tuple[ExclusionReport, ...]
    inclusions: tuple[InclusionReport, ...]
    unreported: tuple[ProductEntry, ...]
    totals: tuple[Costs, ...]
    credential: Condition | None

    @property
    def keeps_old_numbers(self) -> bool:
        """Whether the tenant could not be read the last time, and the numbers are older."""
        return self.state.last_import.outcome is ImportOutcome.FAILED and self.state.last_import.as_of is not None

    @property
    def suspension_ended(self) -> bool:
        """Whether the portal's file still asks for a pause that is over."""
        return self.state.presence is Presence.PRESENT and self.state.portal.suspend is not None


def portal_report(state: PortalState, settings: Settings, today: date) -> PortalReport:
    """One portal. Products are sorted by title, then by SKU ID, as people look for them.

    Statuses follow ``settings`` as the numbers do, also where no run has recalculated the state with them yet.
    The exclusions of a deleted portal are in force no more, its credential is not used, and nobody can renew them: they
    are left out.
    """
    known = (compliance.recalculate(product, settings) for product in state.products)
    ordered = sorted(known, key=lambda product: (product.title.casefold(), product.sku_id))
    fresh = facets.freshness(state, settings.thresholds, today)
    products = tuple(_product(product, state, fresh, settings, today) for product in ordered)
    deleted = state.presence is Presence.DELETED
    return PortalReport(
        state=state,
        freshness=fresh,
        products=products,
        exclusions=exclusions_of(state, settings, today),
        inclusions=inclusions_of(state, settings),
        unreported=_unreported(state, settings),
        totals=money.totals(item.costs for item in products if item.costs),
        credential=None if deleted else condition(state, settings, today),
    )


def _product(
    product: Product, state: PortalState, fresh: Freshness | None, settings: Settings, today: date
) -> ProductReport:
    """One product."""
    license_, thresholds = product.license, settings.thresholds
    found = compliance.numbers(license_, product.consumers, settings)
    entry = entry_of(state.portal, license_)
    price = entry.price if entry else None
    metered = product.status in _METERED
    reclaimable = sum(product.reclaimable.values())
    consumed = found.consumed if metered else None
    return ProductReport(
        name=f"{state.portal.name} - {product.title}",
        product=product,
        numbers=found,
        position=facets.position(product.status, found, thresholds),
        phases=() if product.reason else lifecycle.phases(license_, thresholds, today),
        cliff=lifecycle.cliff(license_, consumed, thresholds, today),
        freshness=Freshness.STALE if product.reason else fresh,
        proof=facets.proof(product, found, entry.entitlement if entry else None),
        entry=entry,
        costs=money.costs(price, found.shortfall, found.available, reclaimable) if price and metered else None,
        mismatch=count_mismatch(license_.consumed_units, product.consumers),
        muted=muted_by(state.portal, settings, license_, today),
        remedy=_remedy(product),
    )


def _unreported(state: PortalState, settings: Settings) -> tuple[ProductEntry, ...]:
    """Entries with an entitlement to what a tenant that was read does not have."""
    licenses = known_licenses(state.portal, state)
    if licenses is None or state.presence is Presence.DELETED:
        return ()
    entries = [state.portal.products[index] for index in unmatched_in(state.portal, settings, licenses).products]
    return tuple(entry for entry in entries if entry.entitlement and entry.entitlement.quantity > 0)


def _remedy(product: Product) -> str | None:
    """What to do about the status."""
    if product.reason is not None:
        return REMEDIES[product.reason]
    if product.status is Status.CALCULATION_ERROR:
        return CALCULATION_REMEDY
    if product.status is not Status.NOT_ENOUGH_LICENSES:
        return None
    return SUSPENDED_REMEDY if (product.license.units.suspended or 0) > 0 else SHORTAGE_REMEDY
