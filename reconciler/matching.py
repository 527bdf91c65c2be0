"""Which license a declaration means: by part number, by SKU ID, or by a glob over part numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from reconciler.model import Exclusion, License, Portal, ProductEntry


def matches(sku: str, license_: License) -> bool:
    """Whether ``sku`` means this license. Letters' case does not matter; ``*``, ``?`` and ``[…]`` make a glob."""
    wanted = sku.casefold()
    return wanted == license_.sku_id or fnmatchcase(license_.part_number.casefold(), wanted)


def matches_any(skus: Iterable[str], license_: License) -> bool:
    """Whether one of ``skus`` means this license."""
    return any(matches(sku, license_) for sku in skus)


def in_force(exclusion: Exclusion, today: date) -> bool:
    """Whether an exclusion still applies; its ``until`` is the last day on which it does."""
    return exclusion.until is None or today <= exclusion.until


def exclusion_of(portal: Portal, license_: License, today: date) -> Exclusion | None:
    """The first exclusion in force that means this license."""
    for exclusion in portal.exclusions:
        if in_force(exclusion, today) and matches(exclusion.sku, license_):
            return exclusion
    return None


def entry_of(portal: Portal, license_: License) -> ProductEntry | None:
    """What the portal file declares about this license's product."""
    for entry in portal.products:
        if matches(entry.sku, license_):
            return entry
    return None
