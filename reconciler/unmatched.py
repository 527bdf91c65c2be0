"""Which declarations match no license that a tenant is known to have: a misspelled SKU, or one that is no more.

Only a portal that was read completely can tell, and only of the tenant that it was read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.matching import matches, matches_any
from reconciler.model import ExcludedLicense, License, Portal, PortalState, Settings, State, Units


@dataclass(frozen=True, slots=True)
class Unmatched:
    """What of a portal matches nothing, as indices into its exclusions, inclusions and product entries."""

    exclusions: tuple[int, ...] = ()
    include: tuple[int, ...] = ()
    products: tuple[int, ...] = ()


def known_licenses(portal: Portal, known: PortalState | None) -> tuple[License, ...] | None:
    """The licenses of a portal's tenant, with those that an exclusion kept out; None when it was never read."""
    if known is None or known.last_import.as_of is None or known.portal.tenant_id != portal.tenant_id:
        return None
    excluded = (_by_name(item) for item in known.last_import.excluded)
    return (*(product.license for product in known.products), *excluded)


def _by_name(excluded: ExcludedLicense) -> License:
    """A license of which no more than its names is known."""
    units = Units(enabled=None, warning=None, suspended=None, locked_out=None)
    return License(excluded.sku_id, excluded.part_number, "", "", units, None)


def unmatched_in(portal: Portal, settings: Settings, licenses: tuple[License, ...]) -> Unmatched:
    """What of a portal matches none of its ``licenses``.

    An inclusion that only matches licenses which the settings do not exclude lifts nothing: it is unmatched too.
    """
    rules = [rule.sku for rule in settings.exclusions]
    return Unmatched(
        exclusions=_without_match((rule.sku for rule in portal.exclusions), licenses),
        include=tuple(
            index
            for index, inclusion in enumerate(portal.include)
            if not any(matches(inclusion.sku, item) and matches_any(rules, item) for item in licenses)
        ),
        products=_without_match((entry.sku for entry in portal.products), licenses),
    )


def unmatched_exclusions(portals: Mapping[str, Portal], settings: Settings, state: State) -> tuple[int, ...]:
    """The exclusions of the settings that match no license of any portal; none unless every portal was read."""
    distinct: dict[tuple[str, str], License] = {}
    for portal_id, portal in portals.items():
        licenses = known_licenses(portal, state.get(portal_id))
        if licenses is None:
            return ()
        distinct |= {(item.sku_id, item.part_number): item for item in licenses}
    return _without_match((rule.sku for rule in settings.exclusions), tuple(distinct.values()))


def _without_match(skus: Iterable[str], licenses: Iterable[License]) -> tuple[int, ...]:
    return tuple(index for index, sku in enumerate(skus) if not any(matches(sku, item) for item in licenses))
