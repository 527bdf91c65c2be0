"""The one loop: diff, check, import, recalculate, write.

Tenants are read in threads, one per portal; everything known goes through the state DB, one portal a transaction. A
portal that fails keeps its last values and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from reconciler import plausibility, safety, transition
from reconciler.errors import Refused
from reconciler.importing import Importer
from reconciler.model import Complete, ErrorInfo, Failed, Observation, Portal, PortalState, Presence, Settings, State
from reconciler.plan import Plan, PortalPlan, make_plan
from reconciler.render.reports import reports
from reconciler.report import Report, make_report
from reconciler.safety import Override
from reconciler.store.files import write_changed
from reconciler.store.staging import Staging
from reconciler.store.state import OpenState, open_state
from reconciler.transition import Title

STOPPING_SECONDS = 2.0
"""How long a run that is stopped waits for portals that are being stored. What only waits for an answer is left."""


@dataclass(frozen=True)
class Run:
    """What one run works with. ``now`` is its one instant; ``only`` selects portals by id, empty means all.

    ``credential_ends`` are the last days of the portals' certificates, as far as they can be read here.
    """

    state_folder: Path
    portals: Mapping[str, Portal]
    settings: Settings
    title: Title
    now: datetime
    new_lineage: str
    only: Collection[str] = ()
    allowed: Collection[Override] = ()
    emulate: bool = False
    credential_ends: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of one portal. ``observation`` is None for a portal that is not read."""

    before: PortalState | None
    after: PortalState
    observation: Observation | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``report`` on the selected portals; ``written`` says whether any file but the DB changed."""

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


def apply(run: Run, importer: Importer, *, publish: bool = True) -> Outcome:
    """Plan, import, recalculate, and write the ledger and, with ``publish``, the reports.

    Raises ConfigurationError, StateError, or Refused with nothing changed.
    """
    with _opened(run) as opened:
        plan, refusals = preview(run, opened.known)
        _refuse(refusals)
        return _finish(run, opened, _reconcile(run, importer, plan, opened), publish=publish)


def recalculate(run: Run) -> Outcome:
    """Recalculate every known portal from its last numbers, without reading a tenant, and write ledger and reports."""
    with _opened(run) as opened:
        results = []
        for before in opened.known.values():
            after = before
            if before.presence is not Presence.DELETED:
                after = transition.configure(before, before.portal, run.settings, run.title, run.now.date())
            results.append(_store(run, opened, Result(before, after)))
        return _finish(run, opened, results, publish=True)


def report(run: Run) -> Outcome:
    """Write ledger and reports from what is known."""
    with _opened(run) as opened:
        return _finish(run, opened, [], publish=True)


def preview(run: Run, known: State) -> tuple[Plan, list[ErrorInfo]]:
    """What apply would do, and why it would refuse to."""
    plan = make_plan(run.portals, known, run.settings, run.title, run.now.date(), run.only, run.credential_ends)
    stops = safety.check_plan(plan, run.settings.safety, run.allowed)
    return plan, [*safety.check_emulation(known, emulate=run.emulate), *stops]


@contextmanager
def _opened(run: Run) -> Iterator[OpenState]:
    """The state, locked. Raises Refused when the run must not touch it."""
    with open_state(run.state_folder, run.new_lineage) as opened:
        _refuse(safety.check_emulation(opened.known, emulate=run.emulate))
        yield opened


def _refuse(refusals: Sequence[ErrorInfo]) -> None:
    """Raise Refused when there is a reason."""
    if refusals:
        raise Refused(
            " ".join(refusal.message for refusal in refusals),
            code=refusals[0].code,
            remedy=" ".join(refusal.remedy for refusal in refusals),
        )


def _reconcile(run: Run, importer: Importer, plan: Plan, opened: OpenState) -> list[Result]:
    """Carry the plan out, several portals at a time. Results are sorted by id."""
    results = [_store(run, opened, Result(portal.before, portal.kept)) for portal in plan.portals if not portal.imports]
    futures: list[Future[Result]] = []
    pool = ThreadPoolExecutor(max_workers=importer.jobs, thread_name_prefix="portal")
    try:
        futures = [pool.submit(_import, run, importer, opened, portal) for portal in plan.portals if portal.imports]
        results += [future.result() for future in as_completed(futures)]
    except BaseException:
        importer.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, timeout=STOPPING_SECONDS)
        raise
    pool.shutdown()
    return sorted(results, key=lambda result: result.after.id)


def _import(run: Run, importer: Importer, opened: OpenState, plan: PortalPlan) -> Result:
    """Read one tenant and store what follows from it."""
    portal = plan.after.portal
    importer.progress.started(portal)
    with opened.database.staging() as staged:
        observation = importer.observe(portal, staged, run.now.date())
        if isinstance(observation, Complete):
            limits, today = run.settings.safety, run.now.date()
            refusal = plausibility.check_observation(plan.after, observation, limits, run.allowed, today)
            observation = Failed(portal.id, refusal) if refusal else observation
        start = plan.after if isinstance(observation, Complete) else plan.kept
        after = transition.observe(start, observation, run.settings, run.title, run.now)
        result = _store(run, opened, Result(plan.before, after, observation), staged)
    importer.progress.finished(portal, observation)
    return result


def _store(run: Run, opened: OpenState, result: Result, staged: Staging | None = None) -> Result:
    """Keep what became of one portal, in one transaction. The users that were read count only if all were."""
    before = result.before
    after = transition.stamp(before, result.after, run.now)
    complete = isinstance(result.observation, Complete)
    if complete or after is not before:
        opened.database.save(after, before.id if before else None, staged if complete else None)
    return Result(before, after, result.observation)


def _finish(run: Run, opened: OpenState, results: list[Result], *, publish: bool) -> Outcome:
    """Write the ledger, and the reports from it. What is shown is only about the portals that were asked for."""
    written = opened.write_ledger()
    today, known = run.now.date(), opened.database.load()
    made = make_report(known, run.settings, today)
    if publish:
        written |= write_changed(run.state_folder / "reports", reports(made), "*")
    if run.only:
        made = make_report({result.after.id: known[result.after.id] for result in results}, run.settings, today)
    return Outcome(tuple(results), made, written)
