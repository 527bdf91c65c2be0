"""The report as a value: what the overview, the portals' pages and ``status.json`` say, before any of it is text.

A pure function of state, settings and the date. No name of a person can be in it: states hold counts only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal
from enum import IntEnum

from reconciler import compliance
from reconciler.compliance import Position
from reconciler.expiry import Condition, condition
from reconciler.findings import count_mismatch
from reconciler.labels import CALCULATION_REMEDY, REASON_LABELS, REMEDIES, SHORTAGE_REMEDY, SUSPENDED_REMEDY
from reconciler.matching import entry_of, in_force
from reconciler.model import (
    Change,
    Exclusion,
    ImportOutcome,
    PortalState,
    Presence,
    Product,
    ProductEntry,
    Reason,
    Settings,
    State,
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


class Rank(IntEnum):
    """The kinds of next steps, the most pressing first."""

    FAILED_IMPORT = 0
    URGENT_CREDENTIAL = 1
    SHORTAGE = 2
    CALCULATION_ERROR = 3
    CREDENTIAL = 4
    GRACE = 5
    NOT_SYNCHRONIZED = 6
    DISABLED_ACCOUNTS = 7
    ENDED_EXCLUSION = 8


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that a person should do, and why. ``rank`` orders by kind, ``weight`` within a kind, heavy first."""

    rank: Rank
    weight: int
    portal_id: str
    subject: str
    why: str
    step: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what is declared the report covers."""

    portals: int
    read: int
    failed: int
    stale: int
    never: int
    suspended: int
    deleted: int
    oldest: datetime | None
    newest: datetime | None
    exclusions: int


@dataclass(frozen=True, slots=True)
class PortalChanges:
    """What the last run that changed anything did to one portal."""

    portal_id: str
    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Portals are sorted by id, next steps worst first."""

    portals: tuple[PortalReport, ...]
    statuses: Mapping[Status, int]
    coverage: Coverage
    changed_at: datetime | None
    changes: tuple[PortalChanges, ...]
    next_steps: tuple[NextStep, ...]
    emulated: bool

    @property
    def products(self) -> int:
        """How many products there are."""
        return sum(self.statuses.values())


def make_report(state: State, settings: Settings, today: date) -> Report:
    """Everything that a report says."""
    portals = tuple(_portal(state[portal_id], settings, today) for portal_id in sorted(state))
    changed = [portal.state for portal in portals if portal.state.changed]
    changed_at = max((known.changed.at for known in changed if known.changed), default=None)
    return Report(
        portals=portals,
        statuses={
            status: sum(product.product.status is status for portal in portals for product in portal.products)
            for status in Status
        },
        coverage=_coverage(portals),
        changed_at=changed_at,
        changes=tuple(
            PortalChanges(known.id, known.portal.name, known.changed.changes)
            for known in changed
            if known.changed and known.changed.at == changed_at
        ),
        next_steps=tuple(sorted(_next_steps(portals), key=lambda s: (s.rank, -s.weight, s.portal_id, s.subject))),
        emulated=any(portal.state.last_import.emulated for portal in portals),
    )


def _portal(state: PortalState, settings: Settings, today: date) -> PortalReport:
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


def _coverage(portals: tuple[PortalReport, ...]) -> Coverage:
    """Count what was read."""
    present = [portal for portal in portals if portal.state.presence is Presence.PRESENT]
    times = [portal.state.last_import.as_of for portal in present if portal.state.last_import.as_of]

    def outcomes(outcome: ImportOutcome) -> int:
        return sum(portal.state.last_import.outcome is outcome for portal in present)

    return Coverage(
        portals=sum(portal.state.presence is not Presence.DELETED for portal in portals),
        read=outcomes(ImportOutcome.COMPLETE),
        failed=outcomes(ImportOutcome.FAILED),
        stale=sum(portal.is_stale for portal in present),
        never=outcomes(ImportOutcome.NEVER),
        suspended=sum(portal.state.presence is Presence.SUSPENDED for portal in portals),
        deleted=sum(portal.state.presence is Presence.DELETED for portal in portals),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        exclusions=sum(item.in_force for portal in portals for item in portal.exclusions),
    )


def _next_steps(portals: tuple[PortalReport, ...]) -> Iterator[NextStep]:
    """What people should do: about failed imports, credentials, products, and exclusions that have ended."""
    for portal in portals:
        state = portal.state
        error = state.last_import.error
        if state.presence is Presence.PRESENT and error and state.last_import.outcome is ImportOutcome.FAILED:
            why = f"the import failed: {error.message}"
            yield NextStep(Rank.FAILED_IMPORT, 0, state.id, state.portal.name, why, error.remedy)
        yield from _credential_steps(portal)
        if state.presence is Presence.DELETED and portal.products:
            why = f"the portal is no longer declared; products still known: {len(portal.products):,}"
            step = REMEDIES[Reason.PORTAL_DELETED]
            yield NextStep(Rank.NOT_SYNCHRONIZED, 0, state.id, state.portal.name, why, step)
        else:
            for item in portal.products:
                yield from _product_steps(state.id, item)
        for exclusion in portal.exclusions:
            if not exclusion.in_force:
                why = f"its exclusion ended on {exclusion.exclusion.until}"
                yield NextStep(
                    Rank.ENDED_EXCLUSION,
                    0,
                    state.id,
                    exclusion.exclusion.sku,
                    why,
                    "Renew the exclusion or take it out.",
                )


def _credential_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about a credential that ends. While a portal is suspended nothing signs in with it."""
    state, credential = portal.state, portal.credential
    if credential and credential.remedy and state.presence is Presence.PRESENT:
        rank = Rank.URGENT_CREDENTIAL if credential.is_urgent else Rank.CREDENTIAL
        yield NextStep(rank, 0, state.id, state.portal.name, credential.message, credential.remedy)


def _product_steps(portal_id: str, item: ProductReport) -> Iterator[NextStep]:
    """What to do about one product."""
    product, numbers = item.product, item.position
    if product.status is Status.NOT_ENOUGH_LICENSES:
        suspended = product.license.units.suspended or 0
        why = f"{numbers.shortfall:,} too few: {numbers.consumed:,} consumed, {numbers.entitled:,} entitled"
        why += f", {suspended:,} suspended" if suspended > 0 else ""
        yield NextStep(Rank.SHORTAGE, numbers.shortfall, portal_id, item.name, why, item.remedy or SHORTAGE_REMEDY)
    elif product.status is Status.CALCULATION_ERROR:
        why = "a number is missing, negative or not whole"
        yield NextStep(Rank.CALCULATION_ERROR, 0, portal_id, item.name, why, CALCULATION_REMEDY)
    elif product.reason is not None:
        yield NextStep(
            Rank.NOT_SYNCHRONIZED, 0, portal_id, item.name, REASON_LABELS[product.reason], REMEDIES[product.reason]
        )
    elif product.status is Status.FULLY_LICENSED and numbers.only_by_grace:
        until = f" until {item.grace_ends.date()}" if item.grace_ends else ""
        why = f"covered only by units in grace{until}: {numbers.consumed:,} consumed, {numbers.firm:,} paid for"
        yield NextStep(
            Rank.GRACE, 0, portal_id, item.name, why, "Renew the expired subscription, or reduce the consumers."
        )
    disabled = product.findings.get("disabled_account", 0)
    if disabled and product.reason is None:
        why = f"accounts that are disabled: {disabled:,} of {product.consumers or 0:,} consumers"
        yield NextStep(
            Rank.DISABLED_ACCOUNTS,
            disabled,
            portal_id,
            item.name,
            why,
            "Take the license from accounts that are disabled.",
        )
