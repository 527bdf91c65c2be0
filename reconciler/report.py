"""The report as a value: what the overview, the portals' pages and ``status.json`` say, before any of it is text.

A pure function of state, settings and the date. No name of a person can be in it: states hold counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from reconciler.model import Change, ImportOutcome, Presence, Settings, State, Status
from reconciler.next_steps import NextStep, next_steps
from reconciler.portal_report import PortalReport, portal_report


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what is declared the report covers."""

    portals: int
    read: int
    failed: int
    stale: int
    never: int
    suspended: int
    deleted: int
    oldest: datetime | None
    newest: datetime | None
    exclusions: int


@dataclass(frozen=True, slots=True)
class PortalChanges:
    """What the last run that changed anything did to one portal."""

    portal_id: str
    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Portals are sorted by id, next steps worst first."""

    portals: tuple[PortalReport, ...]
    statuses: Mapping[Status, int]
    coverage: Coverage
    changed_at: datetime | None
    changes: tuple[PortalChanges, ...]
    next_steps: tuple[NextStep, ...]
    emulated: bool

    @property
    def products(self) -> int:
        """How many products there are."""
        return sum(self.statuses.values())


def make_report(state: State, settings: Settings, today: date) -> Report:
    """Everything that a report says."""
    portals = tuple(portal_report(state[portal_id], settings, today) for portal_id in sorted(state))
    changed = [portal.state for portal in portals if portal.state.changed]
    changed_at = max((known.changed.at for known in changed if known.changed), default=None)
    return Report(
        portals=portals,
        statuses={
            status: sum(product.product.status is status for portal in portals for product in portal.products)
            for status in Status
        },
        coverage=_coverage(portals),
        changed_at=changed_at,
        changes=tuple(
            PortalChanges(known.id, known.portal.name, known.changed.changes)
            for known in changed
            if known.changed and known.changed.at == changed_at
        ),
        next_steps=tuple(sorted(next_steps(portals), key=lambda s: (s.rank, -s.weight, s.portal_id, s.subject))),
        emulated=any(portal.state.last_import.emulated for portal in portals),
    )


def _coverage(portals: tuple[PortalReport, ...]) -> Coverage:
    """Count what was read."""
    present = [portal for portal in portals if portal.state.presence is Presence.PRESENT]
    times = [portal.state.last_import.as_of for portal in present if portal.state.last_import.as_of]

    def outcomes(outcome: ImportOutcome) -> int:
        return sum(portal.state.last_import.outcome is outcome for portal in present)

    return Coverage(
        portals=sum(portal.state.presence is not Presence.DELETED for portal in portals),
        read=outcomes(ImportOutcome.COMPLETE),
        failed=outcomes(ImportOutcome.FAILED),
        stale=sum(portal.is_stale for portal in present),
        never=outcomes(ImportOutcome.NEVER),
        suspended=sum(portal.state.presence is Presence.SUSPENDED for portal in portals),
        deleted=sum(portal.state.presence is Presence.DELETED for portal in portals),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        exclusions=sum(item.in_force for portal in portals for item in portal.exclusions),
    )
