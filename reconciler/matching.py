"""Which license a declaration means: by part number, by SKU ID, or by a glob over part numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache

from reconciler.model import Exclusion, ExclusionScope, License, Portal, ProductEntry, Settings

_REMEMBERED = 8192
"""For how many licenses and lists of rules it is remembered what matches: portals have most of both in common."""


def matches(sku: str, license_: License) -> bool:
    """Whether ``sku`` means this license. Letters' case does not matter; ``*``, ``?`` and ``[…]`` make a glob."""
    return _means(sku.casefold(), license_.sku_id, license_.part_number.casefold())


def matches_any(skus: Iterable[str], license_: License) -> bool:
    """Whether one of ``skus`` means this license."""
    return bool(matching(tuple(skus), license_))


def matching(skus: tuple[str, ...], license_: License) -> tuple[int, ...]:
    """Which of ``skus`` mean this license, as indices."""
    return _matching(skus, license_.sku_id, license_.part_number) if skus else ()


@lru_cache(_REMEMBERED)
def _matching(skus: tuple[str, ...], sku_id: str, part_number: str) -> tuple[int, ...]:
    folded = part_number.casefold()
    return tuple(index for index, sku in enumerate(skus) if _means(sku.casefold(), sku_id, folded))


def _means(wanted: str, sku_id: str, part_number: str) -> bool:
    """``matches`` for text without capital letters."""
    return wanted == sku_id or fnmatchcase(part_number, wanted)


def in_force(exclusion: Exclusion, today: date) -> bool:
    """Whether an exclusion still applies; its ``until`` is the last day on which it does."""
    return exclusion.until is None or today <= exclusion.until


def exclusion_of(portal: Portal, settings: Settings, license_: License, today: date) -> Exclusion | None:
    """The exclusion in force that keeps this license out of the portal's import, or None."""
    found = rule_of(portal, settings, license_, today)
    return found if found and found.scope is ExclusionScope.IMPORT else None


def muted_by(portal: Portal, settings: Settings, license_: License, today: date) -> Exclusion | None:
    """The exclusion in force that keeps this license out of actions only, or None."""
    found = rule_of(portal, settings, license_, today)
    return found if found and found.scope is ExclusionScope.ALERTS else None


def rule_of(portal: Portal, settings: Settings, license_: License, today: date) -> Exclusion | None:
    """The one exclusion in force that counts for this license; the order in the files does not matter.

    Among several the portal's own come first, then the one that means the license most closely. What the portal
    includes is out of reach of the repository's exclusions.
    """
    found = _in_force(portal.exclusions, license_, today)
    if not found and not matches_any((item.sku for item in portal.include), license_):
        found = _in_force(settings.exclusions, license_, today)
    return min(found, key=lambda item: _closeness(item.sku, license_), default=None)


def _in_force(exclusions: Sequence[Exclusion], license_: License, today: date) -> list[Exclusion]:
    """Those that mean a license and apply today."""
    found = matching(tuple(item.sku for item in exclusions), license_)
    return [exclusions[index] for index in found if in_force(exclusions[index], today)]


def entries_of(portal: Portal, license_: License) -> tuple[ProductEntry, ...]:
    """The entries of the portal's file that mean this license, the closest first, whatever their order in the file."""
    found = matching(tuple(entry.sku for entry in portal.products), license_)
    return tuple(sorted((portal.products[index] for index in found), key=lambda entry: _closeness(entry.sku, license_)))


def entry_of(portal: Portal, license_: License) -> ProductEntry | None:
    """What the portal's file declares about this license's product: each member from the closest entry that has it."""
    found = entries_of(portal, license_)
    if not found:
        return None
    return ProductEntry(
        sku=found[0].sku,
        directory=next((entry.directory for entry in found if entry.directory), None),
        price=next((entry.price for entry in found if entry.price), None),
        entitlement=next((entry.entitlement for entry in found if entry.entitlement), None),
    )


def _closeness(sku: str, license_: License) -> tuple[int, str]:
    """How closely ``sku`` means this license, closest first: its ID, its part number, a glob."""
    wanted = sku.casefold()
    ranks = (license_.sku_id, license_.part_number.casefold())
    return ranks.index(wanted) if wanted in ranks else len(ranks), wanted
