"""Warnings about what is valid and has no effect: what has ended, and what means no known license, or too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from reconciler.config.idle_policies import idle_policies
from reconciler.config.loader import Desired
from reconciler.config.positions import Positions
from reconciler.config.problems import Problem, quote
from reconciler.config.source import Place
from reconciler.config.spelling import spelling
from reconciler.matching import in_force
from reconciler.model import License, State
from reconciler.unmatched import (
    ambiguous_entitlements,
    comparable,
    known_licenses,
    unmatched_in,
    unmatched_in_settings,
)

_END = "Delete it, or give it a later last day."


def dated_warnings(desired: Desired, today: date) -> tuple[Problem, ...]:
    """The exclusions and pauses whose last day is over, sorted by position."""
    return tuple(sorted((*_ended_exclusions(desired, today), *_ended_suspensions(desired, today))))


def unmatched(desired: Desired, state: State) -> tuple[Problem, ...]:
    """What matches no license of a tenant that was read completely, or too many of them, and policies about nothing.

    Sorted by position. The settings are judged only when every declared portal was read.
    """
    licenses = {
        portal_id: known
        for portal_id, portal in desired.portals.items()
        if (known := known_licenses(portal, state.get(portal_id))) is not None
    }
    found = (*_in_portals(desired, licenses), *_ambiguous(desired, state, licenses), *idle_policies(desired, state))
    return tuple(sorted((*found, *_in_settings(desired, state, licenses))))


# --- by the date -----------------------------------------------------------------------------------------------------


def _ended_exclusions(desired: Desired, today: date) -> Iterator[Problem]:
    at = Positions(desired)
    found = [
        (at.exclusion(portal.id, index, "until"), rule)
        for portal in desired.portals.values()
        for index, rule in enumerate(portal.exclusions)
    ]
    if desired.settings.exclusions:
        rules = enumerate(desired.settings.exclusions)
        found += [(at.repository_exclusion(index, "until"), rule) for index, rule in rules]
    for place, rule in found:
        if not in_force(rule, today):
            yield _warning(place, "ended-exclusion", f"This exclusion ended on {rule.until}: it applies no more.", _END)


def _ended_suspensions(desired: Desired, today: date) -> Iterator[Problem]:
    for portal in desired.portals.values():
        if portal.suspend and portal.suspend.until and portal.suspend.until < today:
            message = f"This pause ended on {portal.suspend.until}: the portal is imported again."
            place = Positions(desired).suspension(portal.id, "until")
            yield _warning(place, "ended-suspension", message, _END)


# --- by what is known of the tenants ---------------------------------------------------------------------------------


def _in_portals(desired: Desired, licenses: Mapping[str, tuple[License, ...]]) -> Iterator[Problem]:
    at = Positions(desired)
    for portal_id, owned in licenses.items():
        portal = desired.portals[portal_id]
        found = unmatched_in(portal, desired.settings, owned)
        for index in found.exclusions:
            place, hint = at.exclusion(portal_id, index, "sku"), spelling(portal.exclusions[index].sku, owned)
            yield _warning(place, "unmatched-exclusion", "This matches no license of the tenant.", hint)
        for index in found.include:
            place, hint = at.inclusion(portal_id, index, "sku"), spelling(portal.include[index].sku, owned)
            message = "This matches no license of the tenant that reconcile.yaml excludes."
            yield _warning(place, "unmatched-include", message, hint)
        for index in found.products:
            place, hint = at.product(portal_id, index, "sku"), spelling(portal.products[index].sku, owned)
            yield _warning(place, "unmatched-product", "This matches no license of the tenant.", hint)


def _ambiguous(desired: Desired, state: State, portal_ids: Iterable[str]) -> Iterator[Problem]:
    at = Positions(desired)
    for portal_id in portal_ids:
        for item in ambiguous_entitlements(desired.portals[portal_id], comparable(state[portal_id])):
            means = f"This means {len(item.sku_ids)} licenses of the tenant: its entitlement counts for none of them."
            hint = f"Name the SKU ID: {' or '.join(map(quote, item.sku_ids))}."
            yield _warning(at.product(portal_id, item.index, "sku"), "ambiguous-product", means, hint)


def _in_settings(desired: Desired, state: State, licenses: Mapping[str, tuple[License, ...]]) -> Iterator[Problem]:
    at, settings = Positions(desired), desired.settings
    owned = [item for portal_licenses in licenses.values() for item in portal_licenses]
    found = unmatched_in_settings(desired.portals, settings, state)
    nothing = "This matches no license of any tenant."
    for index in found.exclusions:
        hint = spelling(settings.exclusions[index].sku, owned)
        yield _warning(at.repository_exclusion(index, "sku"), "unmatched-exclusion", nothing, hint)
    for index in found.unmetered:
        hint = spelling(settings.unmetered[index], owned)
        yield _warning(at.unmetered(index), "unmatched-unmetered", nothing, hint)
    for index, side in found.overlaps:
        hint = spelling(getattr(settings.overlaps[index], side), owned)
        yield _warning(at.overlap(index, side), "unmatched-overlap", nothing, hint)


def _warning(place: Place, code: str, message: str, hint: str) -> Problem:
    return Problem(*place, code, message, hint, "warning")
