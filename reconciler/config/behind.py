"""Which lines of the configuration decide about one license of a portal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reconciler.config.loader import Desired
from reconciler.config.positions import Positions
from reconciler.config.source import Place
from reconciler.matching import entries_of, matches, rule_of
from reconciler.model import ExclusionScope, License


def behind(desired: Desired, portal_id: str, license_: License, today: date) -> tuple[tuple[str, Place], ...]:
    """What stands in the files about a license, each with its place. Empty for a portal that is not declared."""
    if portal_id not in desired.portals:
        return ()
    return tuple(_found(desired, portal_id, license_, today))


def exclusion_behind(desired: Desired, portal_id: str, license_: License, today: date) -> Place | None:
    """Where the exclusion stands that counts for a license of a portal, None when none does."""
    portal = desired.portals.get(portal_id)
    rule = rule_of(portal, desired.settings, license_, today) if portal else None
    return Positions(desired).rule(portal_id, rule) if rule else None


def _found(desired: Desired, portal_id: str, license_: License, today: date) -> Iterator[tuple[str, Place]]:
    at, portal = Positions(desired), desired.portals[portal_id]
    yield "the portal", at.portal(portal_id)
    if rule := rule_of(portal, desired.settings, license_, today):
        from_what = "from the import" if rule.scope is ExclusionScope.IMPORT else "from alerts"
        until = f", until {rule.until}" if rule.until else ""
        yield f"excluded {from_what} as {rule.sku}: {rule.reason}{until}", at.rule(portal_id, rule)
    for index, item in enumerate(portal.include):
        if matches(item.sku, license_):
            reason = f": {item.reason}" if item.reason else ""
            yield f"included as {item.sku}{reason}", at.inclusion(portal_id, index)
    for entry in entries_of(portal, license_):
        yield f"its entry under products, {entry.sku}", at.entry(portal_id, entry)
    if portal.suspend:
        yield f"suspended: {portal.suspend.reason}", at.suspension(portal_id)
    for index, sku in enumerate(desired.settings.unmetered):
        if matches(sku, license_):
            yield f"unmetered as {sku}", at.unmetered(index)
