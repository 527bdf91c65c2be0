"""Exclusions and includes as a report shows them: whether they apply today, and what they match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.matching import in_force, matches, matches_any
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
    found = [(item, Origin.PORTAL, known) for item in state.portal.exclusions]
    found += [(item, Origin.REPOSITORY, rest) for item in settings.exclusions]
    return tuple(
        ExclusionReport(item, in_force(item, today), origin, _meant(item.sku, licenses))
        for item, origin, licenses in found
    )


def inclusions_of(state: PortalState, settings: Settings) -> tuple[InclusionReport, ...]:
    """What a portal keeps although reconcile.yaml excludes it."""
    if state.presence is Presence.DELETED:
        return ()
    shared = [item.sku for item in settings.exclusions]
    known = [license_ for license_ in _licenses(state) if matches_any(shared, license_)]
    return tuple(InclusionReport(item, _meant(item.sku, known)) for item in state.portal.include)


def shared_exclusions(states: Iterable[PortalState], settings: Settings, today: date) -> tuple[SharedExclusion, ...]:
    """The exclusions of reconcile.yaml, in their order there."""
    present = [state for state in states if state.presence is not Presence.DELETED]
    return tuple(_shared(item, present, today) for item in settings.exclusions)


def _shared(exclusion: Exclusion, states: list[PortalState], today: date) -> SharedExclusion:
    """One exclusion over all portals."""
    matched: set[str] = set()
    portals, lifted_by = 0, []
    for state in states:
        meant = [license_ for license_ in _licenses(state) if matches(exclusion.sku, license_)]
        left = [item for item in meant if not matches_any((kept.sku for kept in state.portal.include), item)]
        matched |= {item.part_number for item in left}
        portals += bool(left)
        if len(left) < len(meant):
            lifted_by.append(state.id)
    return SharedExclusion(exclusion, in_force(exclusion, today), tuple(sorted(matched)), portals, tuple(lifted_by))


def _meant(sku: str, licenses: Iterable[License]) -> tuple[str, ...]:
    """The part numbers that a declaration means."""
    return tuple(sorted({license_.part_number for license_ in licenses if matches(sku, license_)}))


def _licenses(state: PortalState) -> tuple[License, ...]:
    """Every license that is known of a portal, also those that an exclusion keeps out of the import."""
    return known_licenses(state.portal, state) or ()
