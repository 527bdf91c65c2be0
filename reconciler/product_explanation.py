"""Why the status of a product is what it is, and what would change it: the calculation with its numbers in it.

The rules are those of ``compliance.py``; here they are told, not decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from reconciler.labels import REASON_LABELS, STATUS_LABELS
from reconciler.matching import exclusion_of, matches_any
from reconciler.model import ImportOutcome, License, Portal, PortalState, Presence, Product, Reason, Settings, Status
from reconciler.portal_report import ProductReport, portal_report
from reconciler.removals import is_lifted
from reconciler.unmatched import known_licenses

_PENDING = "The portal's file has changed since the last apply; `reconcile plan` shows what that does."
_NEXT = "The next complete import: nothing keeps it out any more."


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation: a name, how its value comes about, and the value (None: unusable)."""

    name: str
    how: str
    value: int | None


@dataclass(frozen=True, slots=True)
class ProductExplanation:
    """One product's status explained. ``rule`` is the rule that matched, ``because`` the same with its numbers."""

    item: ProductReport
    steps: tuple[Step, ...]
    rule: str
    because: str
    changes: tuple[str, ...]

    @property
    def license(self) -> License:
        """The license behind the product."""
        return self.item.product.license


@dataclass(frozen=True, slots=True)
class NotImported:
    """A license that the tenant reports and that has no product, because an exclusion keeps it out."""

    portal_name: str
    license: License
    changes: tuple[str, ...]


def explain(
    state: PortalState, sku: str, settings: Settings, today: date, declared: Portal | None
) -> tuple[ProductExplanation | NotImported, ...]:
    """Explain what a portal knows of a SKU: a part number, of which there may be several, or a SKU ID.

    ``declared`` is what the portal's file says now, None without a file. It decides what would change a status.
    """
    items = portal_report(state, settings, today).products
    will_be = replace(state, portal=declared) if declared else state
    pending = (_PENDING,) if _is_pending(state, declared) else ()
    products = [_explained(item, will_be, settings, today, pending) for item in items if _is(item.product.license, sku)]
    known = {each.license.sku_id for each in products}
    others = (each for each in known_licenses(state.portal, state) or () if each.sku_id not in known and _is(each, sku))
    return (*products, *(_not_imported(each, will_be, settings, today, pending) for each in others))


def _is_pending(state: PortalState, declared: Portal | None) -> bool:
    """Whether the portal's file says something else than what was applied last."""
    return state.presence is not Presence.DELETED if declared is None else declared != state.portal


def _is(license_: License, sku: str) -> bool:
    """Whether a license is called so."""
    return sku.casefold() in (license_.sku_id, license_.part_number.casefold())


def _not_imported(
    license_: License, state: PortalState, settings: Settings, today: date, pending: tuple[str, ...]
) -> NotImported:
    """A license without a product."""
    excluded = exclusion_of(state.portal, settings, license_, today)
    change = "The exclusion is lifted: the next complete import brings it." if excluded else _NEXT
    return NotImported(state.portal.name, license_, (*pending, change))


def _explained(
    item: ProductReport, state: PortalState, settings: Settings, today: date, pending: tuple[str, ...]
) -> ProductExplanation:
    """Explain one product."""
    rule, because = _rule(item, settings)
    return ProductExplanation(
        item=item,
        steps=tuple(_steps(item, settings)),
        rule=rule,
        because=because,
        changes=(*pending, *_changes(item, state, settings, today)),
    )


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
        return "a reason keeps it from being synchronized", REASON_LABELS[product.reason]
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
        if found.only_by_grace and found.firm is not None and found.consumed is not None:
            yield f"The end of the grace period: short by {found.consumed - found.firm:,}."
        if item.cliff:
            yield f"No renewal by {item.cliff.on}: short by {item.cliff.short:,}."
    elif product.status is Status.CLEAR:
        yield "A license or a consumer."
    elif product.status is Status.CALCULATION_ERROR:
        yield "A complete import with whole numbers."
    elif matches_any(settings.unmetered, product.license):
        yield "Take it out of `unmetered` in reconcile.yaml."
    if state.presence is Presence.PRESENT and state.last_import.outcome is ImportOutcome.FAILED:
        yield "A complete import: the last one failed, and the numbers are the last known."


def _recovery(product: Product, state: PortalState, settings: Settings, today: date) -> str:
    """How a product that cannot be synchronised comes back."""
    if state.presence is Presence.SUSPENDED:
        return "Nothing before the imports of the portal go on: they are suspended."
    if is_lifted(product, state, settings, today):
        return "The next complete import: nothing keeps it from being synchronized any more."
    if product.reason is Reason.PORTAL_DELETED:
        return "The portal's file is restored: the next complete import updates it."
    if exclusion_of(state.portal, settings, product.license, today):
        return "The exclusion is lifted: the next complete import updates it."
    return "The tenant reports the license again: the next complete import updates it."
