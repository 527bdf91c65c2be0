"""Exclusions and includes as a report shows them: whether they apply today, and what they match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.matching import in_force, matches_any, matching
from reconciler.model import Exclusion, Inclusion, License, PortalState, Presence, Settings
from reconciler.unmatched import known_licenses


class Origin(StrEnum):
    """Where an exclusion is declared: in the portal's file, or in reconcile.yaml for every portal."""

    PORTAL = "portal"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class ExclusionReport:
    """One exclusion as one portal sees it. ``matched`` are the part numbers that it means there, sorted."""

    exclusion: Exclusion
    in_force: bool
    origin: Origin
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InclusionReport:
    """One entry of a portal's ``include``, and the part numbers for which it lifts an exclusion, sorted."""

    inclusion: Inclusion
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SharedExclusion:
    """One exclusion of reconcile.yaml over all portals.

    ``portals`` counts those where it matches something; ``lifted_by`` names those that include some of it, by id.
    """

    exclusion: Exclusion
    in_force: bool
    matched: tuple[str, ...]
    portals: int
    lifted_by: tuple[str, ...]


def exclusions_of(state: PortalState, settings: Settings, today: date) -> tuple[ExclusionReport, ...]:
    """What a portal excludes, its own first. A deleted portal excludes nothing any more."""
    if state.presence is Presence.DELETED:
        return ()
    known, kept = _licenses(state), [item.sku for item in state.portal.include]
    rest = tuple(license_ for license_ in known if not matches_any(kept, license_))
    lists = ((state.portal.exclusions, Origin.PORTAL, known), (settings.exclusions, Origin.REPOSITORY, rest))
    return tuple(
        ExclusionReport(item, in_force(item, today), origin, matched)
        for items, origin, licenses in lists
        for item, matched in zip(items, _meant((item.sku for item in items), licenses), strict=True)
    )


def inclusions_of(state: PortalState, settings: Settings) -> tuple[InclusionReport, ...]:
    """What a portal keeps although reconcile.yaml excludes it."""
    if state.presence is Presence.DELETED:
        return ()
    items, shared = state.portal.include, tuple(item.sku for item in settings.exclusions)
    known = [license_ for license_ in _licenses(state) if matching(shared, license_)] if items else []
    meant = _meant((item.sku for item in items), known)
    return tuple(InclusionReport(item, matched) for item, matched in zip(items, meant, strict=True))


def shared_exclusions(states: Iterable[PortalState], settings: Settings, today: date) -> tuple[SharedExclusion, ...]:
    """The exclusions of reconcile.yaml, in their order there."""
    rules = tuple(item.sku for item in settings.exclusions)
    matched: list[set[str]] = [set() for _ in rules]
    portals: list[set[str]] = [set() for _ in rules]
    lifted_by: list[dict[str, None]] = [{} for _ in rules]
    for state in states if rules else ():
        if state.presence is Presence.DELETED:
            continue
        kept = [item.sku for item in state.portal.include]
        for license_ in _licenses(state):
            lifted = matches_any(kept, license_)
            for index in matching(rules, license_):
                if lifted:
                    lifted_by[index][state.id] = None
                else:
                    matched[index].add(license_.part_number)
                    portals[index].add(state.id)
    return tuple(
        SharedExclusion(
            item, in_force(item, today), tuple(sorted(matched[index])), len(portals[index]), tuple(lifted_by[index])
        )
        for index, item in enumerate(settings.exclusions)
    )


def _meant(skus: Iterable[str], licenses: Iterable[License]) -> list[tuple[str, ...]]:
    """The part numbers that each of several declarations means."""
    wanted = tuple(skus)
    meant: list[set[str]] = [set() for _ in wanted]
    for license_ in licenses:
        for index in matching(wanted, license_):
            meant[index].add(license_.part_number)
    return [tuple(sorted(parts)) for parts in meant]


def _licenses(state: PortalState) -> tuple[License, ...]:
    """Every license that is known of a portal, also those that an exclusion keeps out of the import."""
    return known_licenses(state.portal, state) or ()
