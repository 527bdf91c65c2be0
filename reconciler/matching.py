"""Which license a declaration means: by part number, by SKU ID, or by a glob over part numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from reconciler.model import Exclusion, ExclusionScope, License, Portal, ProductEntry, Settings


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
    own = [item for item in portal.exclusions if in_force(item, today) and matches(item.sku, license_)]
    if not own and not matches_any((item.sku for item in portal.include), license_):
        own = [item for item in settings.exclusions if in_force(item, today) and matches(item.sku, license_)]
    return min(own, key=lambda item: _closeness(item.sku, license_), default=None)


def entry_of(portal: Portal, license_: License) -> ProductEntry | None:
    """What the portal file declares about this license's product; the order in the file does not matter."""
    found = [entry for entry in portal.products if matches(entry.sku, license_)]
    return min(found, key=lambda entry: _closeness(entry.sku, license_), default=None)


def _closeness(sku: str, license_: License) -> tuple[int, str]:
    """How closely ``sku`` means this license, closest first: its ID, its part number, a glob."""
    wanted = sku.casefold()
    ranks = (license_.sku_id, license_.part_number.casefold())
    return ranks.index(wanted) if wanted in ranks else len(ranks), wanted
