"""The report as a value: what the overview, the portals' pages and ``status.json`` say, before any of it is text.

A pure function of state, settings and the date. No name of a person can be in it: states hold counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from reconciler import money
from reconciler.exclusion_report import Origin, SharedExclusion, shared_exclusions
from reconciler.facets import Freshness
from reconciler.history import History
from reconciler.model import Change, Confirm, ImportOutcome, Presence, Settings, State, Status, Thresholds
from reconciler.money import Costs
from reconciler.next_steps import NextStep, portal_steps, shared_steps
from reconciler.portal_report import PortalReport, portal_report
from reconciler.product_steps import product_steps
from reconciler.small_groups import told


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what is declared the report covers.

    ``kept`` are the failed portals with numbers of an earlier import, ``stale`` the present ones whose numbers are too
    old to be taken for today's. ``exclusions`` counts those in force, one of the whole repository once. ``confirmed``
    is the last day on which one run read every portal completely, None where the settings do not ask for it.
    """

    portals: int
    read: int
    failed: int
    kept: int
    stale: int
    never: int
    suspended: int
    deleted: int
    oldest: datetime | None
    newest: datetime | None
    exclusions: int
    confirmed: date | None = None


@dataclass(frozen=True, slots=True)
class PortalChanges:
    """What the last run that changed anything did to one portal. ``unread``: no import of it was ever complete."""

    portal_id: str
    name: str
    changes: tuple[Change, ...]
    unread: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Portals are sorted by id, next steps worst first.

    ``exclusions`` are those of reconcile.yaml, ``thresholds`` those that the report was made with. ``totals`` are the
    sums of all portals per year, one for each currency.
    """

    portals: tuple[PortalReport, ...]
    statuses: Mapping[Status, int]
    coverage: Coverage
    exclusions: tuple[SharedExclusion, ...]
    totals: tuple[Costs, ...]
    changed_at: datetime | None
    changes: tuple[PortalChanges, ...]
    next_steps: tuple[NextStep, ...]
    thresholds: Thresholds
    emulated: bool

    @property
    def products(self) -> int:
        """How many products there are."""
        return sum(self.statuses.values())


def make_report(
    state: State,
    settings: Settings,
    today: date,
    history: History = lambda _: (),
    confirmed: date | None = None,
) -> Report:
    """Everything that a report says; without a history, nothing of how products went over time.

    ``confirmed`` is the day that the ledger has.
    A portal that is deleted and of which nothing is left is in it only as a change, on the run that removed the last.
    """
    known = [state[portal_id] for portal_id in sorted(state)]
    shown = [portal for portal in known if not portal.is_forgotten]
    portals = tuple(portal_report(portal, settings, today, history(portal.id)) for portal in shown)
    shared = shared_exclusions(shown, settings, today)
    changed_at = max((portal.changed.at for portal in known if portal.changed), default=None)
    return Report(
        portals=portals,
        statuses={
            status: sum(product.product.status is status for portal in portals for product in portal.products)
            for status in Status
        },
        coverage=_coverage(portals, shared, None if settings.report.confirm is Confirm.NEVER else confirmed),
        exclusions=shared,
        totals=money.totals(costs for portal in portals for costs in portal.totals),
        changed_at=changed_at,
        changes=tuple(
            PortalChanges(
                portal.id,
                portal.portal.name,
                told(portal.changed.changes, settings.report.small_group),
                portal.last_import.as_of is None,
            )
            for portal in known
            if portal.changed and portal.changed.at == changed_at
        ),
        next_steps=_next_steps(portals, shared),
        thresholds=settings.thresholds,
        emulated=any(portal.state.last_import.emulated for portal in portals),
    )


def _next_steps(portals: tuple[PortalReport, ...], shared: tuple[SharedExclusion, ...]) -> tuple[NextStep, ...]:
    """What people should do, worst first."""
    found = [step for portal in portals for step in (*portal_steps(portal), *product_steps(portal))]
    found += shared_steps(shared)
    return tuple(sorted(found, key=lambda s: (s.rank, -s.weight, s.portal_id or "", s.subject)))


def _coverage(
    portals: tuple[PortalReport, ...], shared: tuple[SharedExclusion, ...], confirmed: date | None
) -> Coverage:
    """Count what was read."""
    present = [portal for portal in portals if portal.state.presence is Presence.PRESENT]
    times = [portal.state.last_import.as_of for portal in present if portal.state.last_import.as_of]
    own = [item for portal in portals for item in portal.exclusions if item.origin is Origin.PORTAL]

    def outcomes(outcome: ImportOutcome) -> int:
        return sum(portal.state.last_import.outcome is outcome for portal in present)

    return Coverage(
        portals=sum(portal.state.presence is not Presence.DELETED for portal in portals),
        read=outcomes(ImportOutcome.COMPLETE),
        failed=outcomes(ImportOutcome.FAILED),
        kept=sum(portal.keeps_old_numbers for portal in present),
        stale=sum(portal.freshness is Freshness.STALE for portal in present),
        never=outcomes(ImportOutcome.NEVER),
        suspended=sum(portal.state.presence is Presence.SUSPENDED for portal in portals),
        deleted=sum(portal.state.presence is Presence.DELETED for portal in portals),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        exclusions=sum(item.in_force for item in own) + sum(item.in_force for item in shared),
        confirmed=confirmed,
    )
