"""Which declarations match no license that a tenant is known to have, and which match more than they can mean.

Only a portal that was read completely can tell, and only of the tenant that it was read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.matching import entries_of, matching
from reconciler.model import License, Portal, PortalState, ProductEntry, Reason, Settings, State, Units


@dataclass(frozen=True, slots=True)
class Unmatched:
    """What of a portal matches nothing, as indices into its exclusions, inclusions and product entries."""

    exclusions: tuple[int, ...] = ()
    include: tuple[int, ...] = ()
    products: tuple[int, ...] = ()


def known_licenses(portal: Portal, known: PortalState | None) -> tuple[License, ...] | None:
    """The licenses of a portal's tenant, with those that an exclusion kept out; None when it was never read."""
    if known is None or known.is_forgotten or known.last_import.as_of is None:
        return None
    if known.portal.tenant_id != portal.tenant_id:
        return None
    excluded = (license_by_name(item.sku_id, item.part_number) for item in known.last_import.excluded)
    return (*(product.license for product in known.products), *excluded)


def license_by_name(sku_id: str, part_number: str) -> License:
    """A license of which no more than its names is known."""
    units = Units(enabled=None, warning=None, suspended=None, locked_out=None)
    return License(sku_id, part_number, "", "", units, None)


def unmatched_in(portal: Portal, settings: Settings, licenses: tuple[License, ...]) -> Unmatched:
    """What of a portal matches none of its ``licenses``.

    An inclusion that only matches licenses which the settings do not exclude lifts nothing: it is unmatched too.
    """
    shared = tuple(rule.sku for rule in settings.exclusions)
    lifted = [item for item in licenses if matching(shared, item)] if portal.include else []
    return Unmatched(
        exclusions=_without_match((rule.sku for rule in portal.exclusions), licenses),
        include=_without_match((inclusion.sku for inclusion in portal.include), lifted),
        products=_without_match((entry.sku for entry in portal.products), licenses),
    )


@dataclass(frozen=True, slots=True)
class UnmatchedSettings:
    """What of the settings matches nothing in any portal, as indices; of an overlap also which of its members."""

    exclusions: tuple[int, ...] = ()
    unmetered: tuple[int, ...] = ()
    overlaps: tuple[tuple[int, Literal["sku", "includes"]], ...] = ()


def unmatched_in_settings(portals: Mapping[str, Portal], settings: Settings, state: State) -> UnmatchedSettings:
    """What of the settings matches no license of any portal; nothing unless every portal was read."""
    distinct: dict[tuple[str, str], License] = {}
    for portal_id, portal in portals.items():
        licenses = known_licenses(portal, state.get(portal_id))
        if licenses is None:
            return UnmatchedSettings()
        distinct |= {(item.sku_id, item.part_number): item for item in licenses}
    known = tuple(distinct.values())
    larger = _without_match((pair.sku for pair in settings.overlaps), known)
    smaller = _without_match((pair.includes for pair in settings.overlaps), known)
    return UnmatchedSettings(
        exclusions=_without_match((rule.sku for rule in settings.exclusions), known),
        unmetered=_without_match(settings.unmetered, known),
        overlaps=(*((index, "sku") for index in larger), *((index, "includes") for index in smaller)),
    )


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An entry that declares one entitlement and means several licenses. ``index`` is its place in the file."""

    index: int
    entry: ProductEntry
    sku_ids: tuple[str, ...]


def comparable(state: PortalState) -> tuple[License, ...]:
    """The licenses of a portal that declared entitlements are compared with: not those that are excluded."""
    return tuple(item.license for item in state.products if item.reason in (None, Reason.GONE_FROM_PORTAL))


def ambiguous_entitlements(portal: Portal, licenses: Iterable[License]) -> tuple[Ambiguous, ...]:
    """The entries whose declared entitlement would count for more than one of these licenses.

    Microsoft has given one part number to several SKUs. What a closer entry declares does not count here.
    """
    meant: dict[int, list[str]] = {}
    declared = [entry for entry in portal.products if entry.entitlement]
    for license_ in licenses if declared else ():
        source = next((entry for entry in entries_of(portal, license_) if entry.entitlement), None)
        if source is not None:
            meant.setdefault(portal.products.index(source), []).append(license_.sku_id)
    return tuple(
        Ambiguous(index, portal.products[index], tuple(sorted(sku_ids)))
        for index, sku_ids in sorted(meant.items())
        if len(sku_ids) > 1
    )


def _without_match(skus: Iterable[str], licenses: Iterable[License]) -> tuple[int, ...]:
    wanted = tuple(skus)
    found = {index for item in licenses for index in matching(wanted, item)}
    return tuple(index for index in range(len(wanted)) if index not in found)
