"""One portal and its products as a report shows them: numbers, facets, remedies, money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from reconciler import compliance, facets, lifecycle, money
from reconciler.compliance import Numbers
from reconciler.counting import counted_with
from reconciler.exclusion_report import (
    ExclusionReport,
    InclusionReport,
    exclusions_of,
    inclusions_of,
)
from reconciler.expiry import Condition, condition
from reconciler.facets import Freshness, Position, Proof
from reconciler.findings import count_mismatch
from reconciler.labels import (
    CALCULATION_REMEDY,
    LIFTED_LABELS,
    LIFTED_REMEDY,
    REASON_LABELS,
    REMEDIES,
    SHORTAGE_REMEDY,
    SUSPENDED_REMEDY,
)
from reconciler.lifecycle import Cliff, Lifecycle, Phase, Usage, subscription_mismatch
from reconciler.matching import entry_of, muted_by
from reconciler.model import (
    DayRecord,
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
from reconciler.removals import is_lifted
from reconciler.small_groups import Hidden, hide, told
from reconciler.trends import Trend, trends
from reconciler.unmatched import Ambiguous, ambiguous_entitlements, comparable, known_licenses, unmatched_in

_METERED = (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED, Status.CLEAR)


@dataclass(frozen=True, slots=True)
class ProductReport:
    """One product as a report shows it. ``name`` is the portal's name, a dash, and the title.

    ``phases`` and ``cliff`` are about the license's future; both are empty for a product that cannot be synchronized.
    ``mismatch`` is Graph's count minus ours, None where they cannot be compared; ``subscription_mismatch`` what the
    subscriptions add up to minus the license's units. ``entry`` is what the portal's file declares, without an
    entitlement that means other licenses too; ``proof`` is then None. ``costs`` needs a price and a balance. ``muted``
    is the exclusion that keeps the product out of the next steps. ``hidden`` is what ``product`` does not tell, because
    it is about few users.
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
    mismatch: int | None
    subscription_mismatch: int
    muted: Exclusion | None
    metered: bool
    """Whether consumption is what it is about, also while it cannot be synchronized."""
    lifted: bool
    """Whether nothing but an import keeps it from being synchronized."""
    remedy: str | None
    hidden: Hidden

    @property
    def reason_label(self) -> str | None:
        """Why it cannot be synchronized, in words."""
        reason = self.product.reason
        return (LIFTED_LABELS if self.lifted else REASON_LABELS)[reason] if reason else None

    @property
    def lifecycle(self) -> Lifecycle | None:
        """Where the best part of the license stands."""
        return self.phases[0].lifecycle if self.phases else None

    @property
    def only_by_grace(self) -> bool:
        """Whether only units in grace cover the consumption of a product that is metered and synchronized."""
        return self.product.status is Status.FULLY_LICENSED and self.numbers.only_by_grace

    @property
    def shown_balance(self) -> int | None:
        """Licenses left; None also for a product that is not metered: its consumption is not what it is about."""
        return self.numbers.balance if self.metered else None

    @property
    def shown_utilization(self) -> int | None:
        """Consumed of entitled in basis points; None also for a product that is not metered."""
        return self.numbers.utilization if self.metered else None

    @property
    def reclaimable(self) -> int:
        """How many consumers do not need the license, each counted once. Old numbers do not count."""
        return 0 if self.product.reason else sum(self.product.reclaimable.values())


@dataclass(frozen=True, slots=True)
class PortalReport:
    """One portal as a report shows it. ``credential`` is None for a portal that is deleted.

    ``totals`` are the sums of its products' costs per year, one for each currency. ``unreported`` are the entries of
    its file that declare an entitlement to a license that the tenant does not report; ``ambiguous`` are those whose
    entitlement means several licenses of the tenant, and is compared with none of them. ``counted_with`` names the
    settings that the findings were counted with where today's are others, None where they are not. ``trends`` are how
    metered products went, by SKU ID; empty in a report that was made without the history.
    """

    state: PortalState
    freshness: Freshness | None
    products: tuple[ProductReport, ...]
    exclusions: tuple[ExclusionReport, ...]
    inclusions: tuple[InclusionReport, ...]
    unreported: tuple[ProductEntry, ...]
    ambiguous: tuple[Ambiguous, ...]
    totals: tuple[Costs, ...]
    credential: Condition | None
    counted_with: str | None
    trends: Mapping[str, Trend]

    @property
    def is_unread(self) -> bool:
        """Whether the tenant was never read: whether it has users and products is unknown."""
        return self.state.last_import.as_of is None and not self.products

    @property
    def users(self) -> int | None:
        """Users with a license; None where the tenant was never read."""
        return None if self.state.last_import.as_of is None else self.state.last_import.users

    @property
    def keeps_old_numbers(self) -> bool:
        """Whether the tenant could not be read the last time, and the numbers are older."""
        return self.state.last_import.outcome is ImportOutcome.FAILED and self.state.last_import.as_of is not None

    @property
    def suspension_ended(self) -> bool:
        """Whether the portal's file still asks for a pause that is over."""
        return self.state.presence is Presence.PRESENT and self.state.portal.suspend is not None


def portal_report(
    state: PortalState, settings: Settings, today: date, records: Iterable[DayRecord] = ()
) -> PortalReport:
    """One portal with its history. Products are sorted by title, then by SKU ID, as people look for them.

    Statuses follow ``settings`` as the numbers do, also where no run has recalculated the state with them yet.
    The exclusions of a deleted portal are in force no more, its credential is not used, and nobody can renew them: they
    are left out.
    """
    known = (compliance.recalculate(product, settings) for product in state.products)
    ordered = sorted(known, key=lambda product: (product.title.casefold(), product.sku_id))
    fresh = facets.freshness(state, settings.thresholds, today)
    ambiguous = ambiguous_entitlements(state.portal, comparable(state))
    unclear = {sku_id for item in ambiguous for sku_id in item.sku_ids}
    products = tuple(
        _product(product, state, fresh, settings, today, unclear=product.sku_id in unclear) for product in ordered
    )
    deleted, last = state.presence is Presence.DELETED, state.last_import
    return PortalReport(
        state=_told(state, settings),
        freshness=fresh,
        products=products,
        exclusions=exclusions_of(state, settings, today),
        inclusions=inclusions_of(state, settings),
        unreported=_unreported(state, settings),
        ambiguous=ambiguous,
        totals=money.totals(item.costs for item in products if item.costs),
        credential=None if deleted else condition(state, settings, today),
        counted_with=None if deleted or last.counted_with == counted_with(settings) else last.counted_with,
        trends=_trends(products, records, settings),
    )


def _trends(products: Iterable[ProductReport], records: Iterable[DayRecord], settings: Settings) -> dict[str, Trend]:
    """How the products went that are metered."""
    metered = {item.product.sku_id for item in products if item.metered}
    return {sku_id: trend for sku_id, trend in trends(records, settings).items() if sku_id in metered}


def _product(
    product: Product, state: PortalState, fresh: Freshness | None, settings: Settings, today: date, *, unclear: bool
) -> ProductReport:
    """One product. Its declared entitlement is left out when it is ``unclear`` how much of it is the product's."""
    product, hidden = hide(product, settings.report.small_group)
    license_, thresholds = product.license, settings.thresholds
    found = compliance.numbers(license_, product.consumers, settings)
    entry = entry_of(state.portal, license_)
    entry = replace(entry, entitlement=None) if entry and unclear else entry
    price = entry.price if entry else None
    metered = product.status in _METERED
    reclaimable = sum(product.reclaimable.values())
    usage = _usage(found, settings) if metered else None
    lifted = product.reason is not None and is_lifted(product, state, settings, today)
    return ProductReport(
        name=f"{state.portal.name} - {product.title}",
        product=product,
        numbers=found,
        position=facets.position(product.status, found, thresholds),
        phases=() if product.reason else lifecycle.phases(license_, usage, thresholds, today),
        cliff=lifecycle.cliff(license_, usage, thresholds, today),
        freshness=Freshness.STALE if product.reason else fresh,
        proof=None if unclear else facets.proof(product, found, entry.entitlement if entry else None),
        entry=entry,
        costs=money.costs(price, found.shortfall, found.available, reclaimable) if price and metered else None,
        mismatch=count_mismatch(license_.applies_to, license_.consumed_units, product.consumers),
        subscription_mismatch=0 if product.reason else subscription_mismatch(license_),
        muted=muted_by(state.portal, settings, license_, today),
        metered=compliance.status(license_, product.consumers, None, settings) is not Status.NOT_METERED,
        lifted=lifted,
        remedy=LIFTED_REMEDY if lifted else _remedy(product),
        hidden=hidden,
    )


def _told(state: PortalState, settings: Settings) -> PortalState:
    """The state with those of its last changes that may be told."""
    if state.changed is None:
        return state
    changes = told(state.changed.changes, settings.report.small_group)
    return replace(state, changed=replace(state.changed, changes=changes))


def _usage(found: Numbers, settings: Settings) -> Usage | None:
    """What the license is measured by; None when a number is unusable."""
    if found.entitled is None or found.consumed is None:
        return None
    return Usage(found.entitled, found.consumed, settings.count_warning)


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
