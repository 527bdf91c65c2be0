"""The one loop: diff, check, import, recalculate, write.

Network runs in threads, one per portal; everything known goes through the state DB, one portal a transaction. A
portal that fails keeps its last values and does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from reconciler import safety, transition
from reconciler.errors import PortalError, ReconcileError, Refused
from reconciler.matching import exclusion_of
from reconciler.model import (
    Complete,
    Failed,
    License,
    Observation,
    Organization,
    Portal,
    PortalState,
    Presence,
    Settings,
    State,
    UserPage,
)
from reconciler.plan import Plan, PortalPlan, make_plan
from reconciler.render.reports import reports
from reconciler.report import Report, make_report
from reconciler.safety import Override
from reconciler.store.files import write_changed
from reconciler.store.staging import Staging
from reconciler.store.state import OpenState, open_state
from reconciler.transition import Title

log = logging.getLogger(__name__)


class Reader(Protocol):
    """A tenant that can be read. Every method raises PortalError when it cannot."""

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None for a real tenant."""

    def organization(self) -> Organization:
        """Who the tenant is."""

    def licenses(self) -> tuple[License, ...]:
        """What it owns."""

    def users(self, restarted: Callable[[], None]) -> Iterator[UserPage]:
        """Who consumes it, page by page. Calls ``restarted`` when the list starts again from its first page."""


Connect = Callable[[Portal], AbstractContextManager[Reader]]


class Progress:
    """What a run tells while it goes on. This one tells nobody; the CLI brings one that prints."""

    def started(self, portal: Portal) -> None:
        """The import of a portal begins."""

    def received(self, portal: Portal, users: int) -> None:
        """So many users have been received, in all."""

    def finished(self, portal: Portal, observation: Observation) -> None:
        """The import of a portal has ended."""


@dataclass(frozen=True)
class Run:
    """What one run works with. ``now`` is its one instant; ``only`` selects portals by id, empty means all."""

    state_folder: Path
    portals: Mapping[str, Portal]
    settings: Settings
    title: Title
    now: datetime
    new_lineage: str
    connect: Connect
    jobs: int = 8
    only: Collection[str] = ()
    allowed: Collection[Override] = ()
    emulate: bool = False
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True)
class Result:
    """What became of one portal. ``observation`` is None for a portal that is suspended or deleted."""

    before: PortalState | None
    after: PortalState
    observation: Observation | None


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``written`` says whether any file but the state DB changed."""

    results: tuple[Result, ...]
    report: Report
    written: bool

    @property
    def failed(self) -> tuple[Result, ...]:
        """The portals that could not be read."""
        return tuple(result for result in self.results if isinstance(result.observation, Failed))

    @property
    def exit_code(self) -> int:
        """0, or 1 when every portal failed, or 4 when some did."""
        if not self.failed:
            return 0
        attempted = sum(result.observation is not None for result in self.results)
        return 1 if len(self.failed) == attempted else 4


def apply(run: Run, *, publish: bool = True) -> Outcome:
    """Plan, import, recalculate, and write ledger and reports (``publish``).

    Raises ConfigurationError, StateError, or Refused with nothing written.
    """
    with open_state(run.state_folder, run.new_lineage) as opened:
        plan = checked_plan(run, opened.known)
        return _finish(run, opened, _reconcile(run, plan, opened), publish=publish)


def recalculate(run: Run) -> Outcome:
    """Recalculate every known portal from its last numbers, without reading a tenant, and write ledger and reports."""
    with open_state(run.state_folder, run.new_lineage) as opened:
        results = []
        for before in opened.known.values():
            after = before
            if before.presence is not Presence.DELETED:
                after = transition.configure(before, before.portal, run.settings, run.title, run.now.date())
            results.append(_store(run, opened, before, after, None, None))
        return _finish(run, opened, results, publish=True)


def report(run: Run) -> Outcome:
    """Write ledger and reports from what is known."""
    with open_state(run.state_folder, run.new_lineage) as opened:
        return _finish(run, opened, [], publish=True)


def checked_plan(run: Run, known: State) -> Plan:
    """The plan of a run. Raises Refused when it is not safe."""
    if run.emulate and any(state.last_import.as_of and not state.last_import.emulated for state in known.values()):
        raise Refused(
            "This state holds observations of real tenants; the emulator must not overwrite them.",
            code="emulation-refused",
            remedy="Emulate in a folder of its own: reconcile --chdir DIR --emulate SCENARIO apply.",
        )
    plan = make_plan(run.portals, known, run.settings, run.title, run.now.date(), run.only)
    refusals = safety.check_plan(plan, run.settings.safety, run.allowed)
    if refusals:
        raise Refused(
            " ".join(refusal.message for refusal in refusals),
            code=refusals[0].code,
            remedy=" ".join(refusal.remedy for refusal in refusals),
        )
    return plan


def _reconcile(run: Run, plan: Plan, opened: OpenState) -> list[Result]:
    """Carry the plan out, several portals at a time."""
    results = [
        _store(run, opened, portal.before, portal.after, None, None) for portal in plan.portals if not portal.imports
    ]
    pool = ThreadPoolExecutor(max_workers=run.jobs, thread_name_prefix="portal")
    try:
        futures = [pool.submit(_import, run, opened, portal) for portal in plan.portals if portal.imports]
        results += [future.result() for future in as_completed(futures)]
    finally:
        pool.shutdown(cancel_futures=True)
    return sorted(results, key=lambda result: result.after.id)


def _import(run: Run, opened: OpenState, plan: PortalPlan) -> Result:
    """Read one tenant and store what follows from it."""
    portal = plan.after.portal
    run.progress.started(portal)
    with opened.database.staging() as staged:
        observation = _observed(run, portal, staged)
        if isinstance(observation, Complete):
            refusal = safety.check_observation(plan.after, observation, run.settings.safety, run.allowed)
            observation = Failed(portal.id, refusal) if refusal else observation
        after = transition.observe(plan.after, observation, run.settings, run.title, run.now)
        result = _store(run, opened, plan.before, after, observation, staged)
    run.progress.finished(portal, observation)
    return result


def _observed(run: Run, portal: Portal, staged: Staging) -> Observation:
    """Read one tenant to its end, or say why that was not possible."""
    try:
        with run.connect(portal) as reader:
            return _read(run, portal, reader, staged)
    except PortalError as error:
        log.debug("%s: %s", portal.id, error, exc_info=error)
        return Failed(portal.id, error.info())
    except Exception as error:  # one portal's surprise must not cost the others their import
        log.debug("%s: unexpected failure", portal.id, exc_info=error)
        internal = ReconcileError(f"Internal error: {type(error).__name__}.")
        return Failed(portal.id, internal.info())


def _read(run: Run, portal: Portal, reader: Reader, staged: Staging) -> Complete:
    """Read a tenant; users go straight to the staging tables."""
    organization = reader.organization()
    licenses = reader.licenses()
    received = 0
    for page in reader.users(staged.clear):
        staged.add(page)
        received += page.received
        run.progress.received(portal, received)
    imported = [license_.sku_id for license_ in licenses if exclusion_of(portal, license_, run.now.date()) is None]
    return Complete(portal.id, organization, licenses, staged.consumption(), staged.users(imported), reader.emulated)


def _store(
    run: Run,
    opened: OpenState,
    before: PortalState | None,
    after: PortalState,
    observation: Observation | None,
    staged: Staging | None,
) -> Result:
    """Keep what became of one portal, in one transaction."""
    after = transition.stamp(before, after, run.now)
    complete = isinstance(observation, Complete)
    if complete or after is not before:
        opened.database.save(after, before.id if before else None, staged if complete else None)
    return Result(before, after, observation)


def _finish(run: Run, opened: OpenState, results: list[Result], *, publish: bool) -> Outcome:
    """Write the ledger, and the reports from it."""
    written = opened.write_ledger()
    made = make_report(opened.database.load(), run.settings, run.now.date())
    if publish:
        written |= write_changed(run.state_folder / "reports", reports(made), "*")
    return Outcome(tuple(results), made, written)
