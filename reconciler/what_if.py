"""What products would be like after a purchase, a renewal, or after licenses were taken from who does not need them.

Pure functions from states to states: nothing of it is stored, and no tenant is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler import compliance
from reconciler.matching import matches
from reconciler.model import License, PortalState, Product, Settings, Units
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.report import Report
from reconciler.small_groups import hide

_RENEWED = ("Warning", "Suspended")
"""Graph's words for subscriptions that a renewal brings back. One that is locked out or deleted is bought anew."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed. SKUs are as in an exclusion, but of one product each.

    ``buy`` are licenses by SKU, ``renew`` SKUs, ``exchange`` SKUs with those that they are renewed as. ``reclaim`` are
    findings whose consumers give their license back.
    """

    buy: Sequence[tuple[str, int]] = ()
    renew: Collection[str] = ()
    reclaim: Collection[str] = ()
    exchange: Sequence[tuple[str, str]] = ()

    @property
    def skus(self) -> list[str]:
        """Every SKU that is named and must be there; not what others are renewed as."""
        return [*(sku for sku, _ in self.buy), *self.renew, *(sku for sku, _ in self.exchange)]


@dataclass(frozen=True, slots=True)
class Effect:
    """One product as it is and as it would be."""

    portal_id: str
    before: ProductReport
    after: ProductReport


@dataclass(frozen=True, slots=True)
class Order:
    """Licenses that would be paid for: bought, or renewed, then with what they were before where that is another one.

    ``number`` is None where it is not known.
    """

    portal_id: str
    number: int | None
    item: ProductReport
    is_renewal: bool = False
    instead_of: ProductReport | None = None


def assume(state: PortalState, assumptions: Assumptions, settings: Settings) -> PortalState:
    """The portal as it would be. Products that cannot be synchronized stay as they are: nobody knows their numbers."""
    products = state.products
    for sku, other in assumptions.exchange:
        products = _exchanged(products, sku, other, settings)
    return replace(state, products=tuple(_product(product, assumptions, settings) for product in products))


def meant(state: Mapping[str, PortalState], sku: str) -> list[tuple[str, str]]:
    """Portal and title of the products that a SKU means, of those that can be synchronized."""
    return [
        (portal_id, product.title)
        for portal_id, portal in state.items()
        for product in portal.products
        if product.reason is None and matches(sku, product.license)
    ]


def without_taker(state: Mapping[str, PortalState], sku: str, other: str) -> list[str]:
    """The portals that have a product ``sku``, and not exactly one ``other`` that it could be renewed as."""
    return [
        portal_id
        for portal_id, portal in state.items()
        if meant({portal_id: portal}, sku) and not _taker(portal.products, sku, other)
    ]


def orders(before: Report, assumptions: Assumptions) -> Iterator[Order]:
    """What would be bought and renewed, in the report's order."""
    for portal in before.portals:
        for item in portal.products:
            if item.product.reason is None:
                yield from _orders(portal, item, assumptions)


def _orders(portal: PortalReport, item: ProductReport, assumptions: Assumptions) -> Iterator[Order]:
    """What of one product would be."""
    license_, id_ = item.product.license, portal.state.id
    if bought := _number_bought(license_, assumptions):
        yield Order(id_, bought, item)
    renewed = _renewed(license_).units.enabled
    if any(matches(sku, license_) for sku in assumptions.renew):
        yield Order(id_, renewed, item, is_renewal=True)
    for sku, other in assumptions.exchange:
        taker = _taker([each.product for each in portal.products], sku, other)
        if taker and matches(sku, license_):
            (taking,) = (each for each in portal.products if each.product.sku_id == taker.sku_id)
            yield Order(id_, renewed, taking, is_renewal=True, instead_of=item)


def is_untold(before: Report, assumptions: Assumptions) -> bool:
    """Whether a small group of users is left out of what is assumed."""
    hidden = {name for portal in before.portals for item in portal.products for name in item.hidden.reclaimable}
    return not hidden.isdisjoint(assumptions.reclaim)


def effects(before: Report, after: Report) -> tuple[Effect, ...]:
    """The products that would be otherwise, in the report's order."""
    return tuple(
        Effect(old.state.id, one, other)
        for old, new in zip(before.portals, after.portals, strict=True)
        for one, other in zip(old.products, new.products, strict=True)
        if one.product != other.product
    )


def _product(product: Product, assumptions: Assumptions, settings: Settings) -> Product:
    """One product under the assumptions."""
    if product.reason is not None:
        return product
    license_ = product.license
    if any(matches(sku, license_) for sku in assumptions.renew):
        license_ = _renewed(license_)
    bought = _number_bought(license_, assumptions)
    license_ = _bought(license_, bought) if bought else license_
    changed = _reclaimed(replace(product, license=license_), assumptions.reclaim, settings.report.small_group)
    return compliance.recalculate(changed, settings)


def _number_bought(license_: License, assumptions: Assumptions) -> int:
    """How many licenses of one kind are bought."""
    return sum(number for sku, number in assumptions.buy if matches(sku, license_))


def _bought(license_: License, number: int) -> License:
    """A license with more units. What Graph did not tell stays unknown."""
    units = license_.units
    return replace(license_, units=replace(units, enabled=None if units.enabled is None else units.enabled + number))


def _renewed(license_: License) -> License:
    """A license whose units in grace and suspended units are enabled again, without an end."""
    units = license_.units
    subscriptions = tuple(
        replace(each, status="Enabled", next_lifecycle=None) if each.status in ("Enabled", *_RENEWED) else each
        for each in license_.subscriptions
    )
    if units.enabled is None or units.warning is None or units.suspended is None:
        return replace(license_, subscriptions=subscriptions)
    back = Units(units.enabled + units.warning + units.suspended, 0, 0, units.locked_out)
    return replace(license_, units=back, subscriptions=subscriptions)


def _exchanged(products: tuple[Product, ...], sku: str, other: str, settings: Settings) -> tuple[Product, ...]:
    """Products of which one is renewed as another one: its licenses move there, and so does who holds them.

    Who holds both counts there twice: which consumers those are is not among the counts.
    """
    taker = _taker(products, sku, other)
    given = [product for product in products if product.reason is None and matches(sku, product.license)]
    if taker is None:
        return products
    after = {taker.sku_id: taker}
    for product in given:
        after[taker.sku_id] = _taken_over(after[taker.sku_id], product, settings.report.small_group)
        locked_out = product.license.units.locked_out
        empty = replace(product.license, units=Units(0, 0, 0, locked_out), consumed_units=0, subscriptions=())
        after[product.sku_id] = replace(product, license=empty, consumers=0, reclaimable={})
    return tuple(after.get(product.sku_id, product) for product in products)


def _taker(products: Sequence[Product], sku: str, other: str) -> Product | None:
    """The one product that ``other`` means, of those that are not renewed themselves; None when there is not one."""
    found = [each for each in products if each.reason is None and matches(other, each.license)]
    return found[0] if len(found) == 1 and not matches(sku, found[0].license) else None


def _taken_over(taker: Product, given: Product, small_group: int) -> Product:
    """A product with the licenses and the consumers of another one.

    Who did not need that one does not need this one, but for those whose license another one covers: perhaps this.
    """
    renewed, units = _renewed(given.license), taker.license.units
    license_ = replace(
        taker.license,
        units=replace(units, enabled=_sum(units.enabled, renewed.units.enabled)),
        consumed_units=_sum(taker.license.consumed_units, given.license.consumed_units),
        subscriptions=(*taker.license.subscriptions, *renewed.subscriptions),
    )
    reclaimable = dict(taker.reclaimable)
    for name, number in hide(given, small_group)[0].reclaimable.items():
        if name != "overlap":
            reclaimable[name] = reclaimable.get(name, 0) + number
    return replace(taker, license=license_, consumers=_sum(taker.consumers, given.consumers), reclaimable=reclaimable)


def _sum(one: int | None, other: int | None) -> int | None:
    """Two numbers added; not known when one of them is not."""
    return None if one is None or other is None else one + other


def _reclaimed(product: Product, findings: Collection[str], small_group: int) -> Product:
    """A product without the consumers who do not need it because of one of these findings.

    Graph's own count goes down with ours; whom only Graph counts, such as deleted users, stays. Findings about fewer
    users than ``small_group`` stay too: the difference would tell how many there are.
    """
    told = hide(product, small_group)[0].reclaimable
    number = sum(told.get(finding, 0) for finding in findings)
    if not number or product.consumers is None:
        return product
    counted = product.license.consumed_units
    consumed = None if counted is None else max(0, counted - number)
    return replace(
        product,
        license=replace(product.license, consumed_units=consumed),
        consumers=max(0, product.consumers - number),
        reclaimable={
            name: total for name, total in product.reclaimable.items() if name not in findings or name not in told
        },
    )
