"""What products would be like after a purchase, a renewal, or after licenses were taken from who does not need them.

Pure functions from states to states: nothing of it is stored, and no tenant is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler import compliance
from reconciler.matching import matches
from reconciler.model import License, PortalState, Product, Settings, Units
from reconciler.portal_report import ProductReport
from reconciler.report import Report

_RENEWED = ("Warning", "Suspended")
"""Graph's words for subscriptions that a renewal brings back. One that is locked out or deleted is bought anew."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed. ``buy`` are licenses by SKU, ``renew`` SKUs; both as in an exclusion, but of one product each.

    ``reclaim`` are findings whose consumers give their license back.
    """

    buy: Sequence[tuple[str, int]] = ()
    renew: Collection[str] = ()
    reclaim: Collection[str] = ()

    @property
    def skus(self) -> list[str]:
        """Every SKU that is named."""
        return [*(sku for sku, _ in self.buy), *self.renew]


@dataclass(frozen=True, slots=True)
class Effect:
    """One product as it is and as it would be."""

    portal_id: str
    before: ProductReport
    after: ProductReport


def assume(state: PortalState, assumptions: Assumptions, settings: Settings) -> PortalState:
    """The portal as it would be. Products that cannot be synchronised stay as they are: nobody knows their numbers."""
    return replace(state, products=tuple(_product(product, assumptions, settings) for product in state.products))


def meant(state: Mapping[str, PortalState], sku: str) -> list[tuple[str, str]]:
    """Portal and title of the products that a SKU means, of those that can be synchronized."""
    return [
        (portal_id, product.title)
        for portal_id, portal in state.items()
        for product in portal.products
        if product.reason is None and matches(sku, product.license)
    ]


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
    bought = sum(number for sku, number in assumptions.buy if matches(sku, license_))
    license_ = _bought(license_, bought) if bought else license_
    changed = _reclaimed(replace(product, license=license_), assumptions.reclaim)
    return compliance.recalculate(changed, settings)


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


def _reclaimed(product: Product, findings: Collection[str]) -> Product:
    """A product without the consumers who do not need it because of one of these findings.

    Graph's own count goes down with ours; whom only Graph counts, such as deleted users, stays.
    """
    number = sum(product.reclaimable.get(finding, 0) for finding in findings)
    if not number or product.consumers is None:
        return product
    counted = product.license.consumed_units
    consumed = None if counted is None else max(0, counted - number)
    return replace(
        product,
        license=replace(product.license, consumed_units=consumed),
        consumers=max(0, product.consumers - number),
        reclaimable={name: total for name, total in product.reclaimable.items() if name not in findings},
    )
