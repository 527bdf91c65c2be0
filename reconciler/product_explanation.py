"""Why the status of a product is what it is, and what would change it: the calculation with its numbers in it.

The rules are those of ``compliance.py``; here they are told, not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from reconciler.labels import REASON_LABELS, REMOVABLE, STATUS_LABELS
from reconciler.lifecycle import Due
from reconciler.matching import exclusion_of, matches_any
from reconciler.model import ImportOutcome, License, PortalState, Presence, Product, Reason, Removed, Settings, Status
from reconciler.plan import Action, PortalPlan
from reconciler.portal_report import ProductReport, portal_report
from reconciler.removals import is_lifted
from reconciler.unmatched import known_licenses, license_by_name

_PENDING = "The next apply changes the portal: `reconcile plan` shows how."
_DELETED = "The portal's file is gone: the next apply makes a deleted portal of it."
_SUSPENDED = "Nothing before the imports of the portal go on: they are suspended."
_RESTORED = "The portal's file is restored: the next complete import brings it."


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation: a name, how its value comes about, and the value (None: unusable)."""

    name: str
    how: str
    value: int | None


@dataclass(frozen=True, slots=True)
class ProductExplanation:
    """One product's status explained. ``rule`` is the rule that matched, ``because`` the same with its numbers.

    ``remedy`` says what to do, None where nothing is to be done.
    """

    item: ProductReport
    steps: tuple[Step, ...]
    rule: str
    because: str
    changes: tuple[str, ...]
    remedy: str | None

    @property
    def license(self) -> License:
        """The license behind the product."""
        return self.item.product.license


@dataclass(frozen=True, slots=True)
class NotImported:
    """A license that has no product. ``because`` says whether an exclusion or a removal is the reason."""

    portal_name: str
    license: License
    because: str
    changes: tuple[str, ...]


ExcludedAt = Callable[[License], object]
"""Where the exclusion that counts for a license stands, as text ``file:line:column``."""


def explain(
    plan: PortalPlan, sku: str, settings: Settings, today: date, excluded_at: ExcludedAt
) -> tuple[ProductExplanation | NotImported, ...]:
    """Explain what a portal knows of a SKU: a part number, of which there may be several, or a SKU ID.

    ``plan`` says what the next apply makes of the portal: it decides what would change a status. Empty for a portal
    that was never applied.
    """
    state = plan.before
    if state is None:
        return ()
    items = portal_report(state, settings, today).products
    meant = [item for item in items if _is(item.product.license, sku)]
    products = [_explained(item, plan, settings, today, excluded_at) for item in meant]
    known = {each.license.sku_id for each in products}
    others = (each for each in _without_product(state) if each.sku_id not in known and _is(each, sku))
    return (*products, *(_not_imported(each, state, plan, settings, today) for each in others))


def _without_product(state: PortalState) -> tuple[License, ...]:
    """Licenses that were kept out of the last import, or whose product was removed, each once."""
    known = {item.sku_id: item for item in known_licenses(state.portal, state) or ()}
    removed = {item.sku_id: license_by_name(item.sku_id, item.part_number) for item in state.removed}
    return tuple({**removed, **known}.values())


def _is(license_: License, sku: str) -> bool:
    """Whether a license is called so."""
    return sku.casefold() in (license_.sku_id, license_.part_number.casefold())


def _pending(plan: PortalPlan) -> Iterator[str]:
    """What the next apply does to the portal."""
    if plan.action is Action.DELETE:
        yield _DELETED
    elif plan.changes:
        yield _PENDING


def _not_imported(
    license_: License, state: PortalState, plan: PortalPlan, settings: Settings, today: date
) -> NotImported:
    """A license without a product."""
    kept_out = any(item.sku_id == license_.sku_id for item in state.last_import.excluded)
    excluded = exclusion_of(plan.after.portal, settings, license_, today) is not None
    removed = next((item for item in reversed(state.removed) if item.sku_id == license_.sku_id), None)
    because = _why_not(removed, kept_out=kept_out, excluded=excluded)
    if removed:
        because += f" `reconcile history {state.id} {license_.sku_id}` shows its last numbers."
    if plan.after.presence is Presence.DELETED:
        change = _RESTORED
    elif plan.after.presence is Presence.SUSPENDED:
        change = _SUSPENDED
    elif excluded:
        change = "The exclusion is lifted: the next complete import brings it."
    elif kept_out:
        change = "The next complete import: nothing keeps it out any more."
    else:
        change = "The tenant reports the license again: the next complete import brings it."
    return NotImported(state.portal.name, license_, because, (*_pending(plan), change))


def _why_not(removed: Removed | None, *, kept_out: bool, excluded: bool) -> str:
    """Why a license has no product."""
    if removed:
        order = f"{removed.ticket}: {removed.reason}" if removed.ticket else removed.reason
        gone = f"its product was removed from the state on {removed.on} ({order})"
        keeps = "an exclusion keeps it out" if excluded else "an exclusion kept it out of the last import"
        return f"Not imported: {keeps}, and {gone}." if kept_out else f"Not known any more: {gone}."
    keeps = "keeps it out" if excluded else "kept it out of the last import"
    return f"Not imported: an exclusion {keeps}, and it never had a product."


def _explained(
    item: ProductReport, plan: PortalPlan, settings: Settings, today: date, excluded_at: ExcludedAt
) -> ProductExplanation:
    """Explain one product."""
    rule, because = _rule(item, settings)
    will_be = _will_be(item.product, plan)
    return ProductExplanation(
        item=item,
        steps=tuple(_steps(item, settings)),
        rule=rule,
        because=because,
        changes=(*_pending(plan), *will_be, *_changes(item, plan.after, settings, today)),
        remedy=_remedy(item, plan, settings, today, excluded_at),
    )


def _remedy(
    item: ProductReport, plan: PortalPlan, settings: Settings, today: date, excluded_at: ExcludedAt
) -> str | None:
    """What to do. Of an exclusion it says where it stands, and how else a portal gets rid of one of reconcile.yaml."""
    portal, license_ = plan.after.portal, item.product.license
    exclusion = exclusion_of(portal, settings, license_, today)
    if item.product.reason is not Reason.EXCLUDED or not exclusion or plan.after.presence is Presence.DELETED:
        return item.remedy
    way = f"take the exclusion at {excluded_at(license_)} out"
    if exclusion not in portal.exclusions:
        way += f", or lift it for this portal alone with `include` in portals.d/{portal.id}.yaml"
    return (
        f"If the exclusion is meant, {REMOVABLE} the product from the state. If not, {way}: the next import updates "
        "the product again."
    )


def _will_be(product: Product, plan: PortalPlan) -> Iterator[str]:
    """What the next apply makes of the product, where that is something else."""
    after = next((each for each in plan.after.products if each.sku_id == product.sku_id), None)
    if after is None:
        yield "The next apply removes it from the state."
    elif (after.status, after.reason) != (product.status, product.reason):
        reason = f": {REASON_LABELS[after.reason]}" if after.reason else ""
        yield f"The next apply makes it “{STATUS_LABELS[after.status]}”{reason}."


def _steps(item: ProductReport, settings: Settings) -> Iterator[Step]:
    """The calculation, from what Graph reports to the balance."""
    units, found = item.product.license.units, item.numbers
    grace = "expired, still usable" if settings.count_warning else "expired; not counted (count_warning: false)"
    yield Step("enabled", "reported by Graph", units.enabled)
    yield Step("in grace", grace, units.warning)
    yield Step("suspended", "never counted", units.suspended)
    yield Step("locked out", "never counted", units.locked_out)
    yield Step("entitled", "enabled + in grace" if settings.count_warning else "enabled", found.entitled)
    yield Step("Graph's count", "consumedUnits", item.product.license.consumed_units)
    yield Step("consumers", "users who hold the license", item.product.consumers)
    yield Step("consumed", "the greater of the two", found.consumed)
    yield Step("balance", "entitled − consumed", found.balance)


def _rule(item: ProductReport, settings: Settings) -> tuple[str, str]:
    """The rule that gave the status, without and with its numbers."""
    product, found = item.product, item.numbers
    if product.reason:
        return "a reason keeps it from being synchronized", item.reason_label or ""
    match product.status:
        case Status.CALCULATION_ERROR:
            return "a number is missing, negative or not whole", _unusable(product)
        case Status.NOT_METERED if matches_any(settings.unmetered, product.license):
            return "listed under `unmetered`", "reconcile.yaml lists it under `unmetered`"
        case Status.NOT_METERED:
            return "not assigned to users", f"appliesTo is {product.license.applies_to or 'missing'}, not User"
        case Status.CLEAR:
            return "entitled = 0 and consumed = 0", "nothing is owned and nothing is consumed"
        case Status.NOT_ENOUGH_LICENSES:
            return "consumed > entitled", f"{found.consumed:,} > {found.entitled:,}"
        case _:
            return "consumed ≤ entitled", f"{found.consumed:,} ≤ {found.entitled:,}"


def _unusable(product: Product) -> str:
    """Which numbers cannot be calculated with."""
    units = product.license.units
    numbers = {
        "enabled": units.enabled,
        "in grace": units.warning,
        "Graph's count": product.license.consumed_units,
        "consumers": product.consumers,
    }
    return ", ".join(
        f"{name} is {'missing' if value is None else value}" for name, value in numbers.items() if _bad(value)
    )


def _bad(number: int | None) -> bool:
    return number is None or number < 0


def _changes(item: ProductReport, state: PortalState, settings: Settings, today: date) -> Iterator[str]:
    """What would give the product another status."""
    product, found = item.product, item.numbers
    if product.reason:
        yield _recovery(product, state, settings, today)
    elif product.status is Status.NOT_ENOUGH_LICENSES:
        short, full = found.shortfall, STATUS_LABELS[Status.FULLY_LICENSED]
        yield f"{short:,} more {'license' if short == 1 else 'licenses'}, or as many consumers fewer: {full}."
    elif product.status is Status.FULLY_LICENSED:
        more = found.available + 1
        yield f"{more:,} more {'consumer' if more == 1 else 'consumers'}: {STATUS_LABELS[Status.NOT_ENOUGH_LICENSES]}."
        if item.cliff:
            when = f"on {item.cliff.on}, which is over" if item.cliff.due is Due.OVER else f"by {item.cliff.on}"
            yield f"No renewal {when}: short by {item.cliff.short:,}."
        elif item.only_by_grace and found.firm is not None and found.consumed is not None:
            yield f"The end of the grace period: short by {found.consumed - found.firm:,}."
    elif product.status is Status.CLEAR:
        yield "A license or a consumer."
    elif product.status is Status.CALCULATION_ERROR:
        yield "A complete import with whole numbers."
    elif matches_any(settings.unmetered, product.license):
        yield "Take it out of `unmetered` in reconcile.yaml."
    if state.presence is Presence.PRESENT and state.last_import.outcome is ImportOutcome.FAILED:
        yield "A complete import: the last one failed, and the numbers are the last known."


def _recovery(product: Product, state: PortalState, settings: Settings, today: date) -> str:
    """How a product that cannot be synchronized comes back."""
    if state.presence is Presence.SUSPENDED:
        return _SUSPENDED
    if is_lifted(product, state, settings, today):
        return "The next complete import: nothing keeps it from being synchronized any more."
    if product.reason is Reason.PORTAL_DELETED:
        return "The portal's file is restored: the next complete import updates it."
    if exclusion_of(state.portal, settings, product.license, today):
        return "The exclusion is lifted: the next complete import updates it."
    return "The tenant reports the license again: the next complete import updates it."
