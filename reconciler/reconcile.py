"""The one loop: diff, check, import, recalculate, write.

Tenants are read in threads, one per portal; everything known goes through the state DB, one portal a transaction. A
portal that fails keeps its last values and does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from reconciler import history, plausibility, safety, transition
from reconciler.diff import differences
from reconciler.errors import ReconcileError, Refused, UnknownPortal
from reconciler.importing import Importer
from reconciler.model import (
    Complete,
    ErrorInfo,
    Failed,
    Observation,
    Portal,
    PortalState,
    Presence,
    Removal,
    Settings,
    State,
)
from reconciler.plan import Declared, Plan, PortalPlan, Preview, make_plan
from reconciler.plan_page import Basis, SavedPlan
from reconciler.render.plan_words import make_page
from reconciler.render.reports import portal_page_name, portal_pages, reports
from reconciler.report import Report, make_report
from reconciler.safety import Override
from reconciler.shards import Shard
from reconciler.staleness import staleness
from reconciler.store import evidence_file, plan_file
from reconciler.store.files import write_changed
from reconciler.store.scratch import scratch
from reconciler.store.staging import Staging
from reconciler.store.state import OpenState, open_state
from reconciler.transition import Title

log = logging.getLogger(__name__)

STOPPING_SECONDS = 2.0
"""How long a run that is stopped waits for portals that are being stored. What only waits for an answer is left."""


@dataclass(frozen=True)
class Run:
    """What one run works with. ``now`` is its one instant; ``only`` selects portals by id, empty means all.

    With ``shard`` it applies that part of the portals, and writes their files but no overview.

    ``credential_ends`` are the last days of the portals' certificates, as far as they can be read here. ``files`` are
    the digests of the files of configuration, by path in the repository.
    """

    state_folder: Path
    portals: Mapping[str, Portal]
    settings: Settings
    title: Title
    now: datetime
    new_lineage: str
    removals: Sequence[Removal] = ()
    only: Collection[str] = ()
    shard: Shard | None = None
    allowed: Collection[Override] = ()
    emulate: bool = False
    credential_ends: Mapping[str, date] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day of this run."""
        return self.now.date()

    @property
    def declared(self) -> Declared:
        """What the plan is made from."""
        return Declared(self.portals, self.settings, self.title, self.today, self.removals, self.credential_ends)


@dataclass(frozen=True)
class Result:
    """What became of one portal. ``observation`` is None for a portal that is not read."""

    before: PortalState | None
    after: PortalState
    observation: Observation | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``report`` on the selected portals; ``written`` says whether any file but the DB changed.

    ``known`` is the state of all portals afterwards; ``left_out`` are entries of removals.yaml that were refused.
    """

    results: tuple[Result, ...]
    report: Report
    written: bool
    known: State
    left_out: tuple[ErrorInfo, ...] = ()

    @property
    def failed(self) -> tuple[Result, ...]:
        """The portals that could not be read."""
        return tuple(result for result in self.results if isinstance(result.observation, Failed))

    @property
    def exit_code(self) -> int:
        """0, or 1 when every portal failed, or 4 when some did or an entry of removals.yaml was refused."""
        if not self.failed:
            return 4 if self.left_out else 0
        attempted = sum(result.observation is not None for result in self.results)
        return 1 if len(self.failed) == attempted else 4


def apply(run: Run, importer: Importer, *, publish: bool = True, approved: SavedPlan | None = None) -> Outcome:
    """Plan, import, recalculate, and write the ledger and, with ``publish``, the reports.

    With ``approved``, only when the plan is still that one. Raises ConfigurationError, StateError, or Refused with
    nothing changed.
    """
    with _opened(run) as opened:
        if approved:
            _refuse_stale(run, opened.known, approved)
        plan, refusals = preview(run, opened.known)
        left_out = safety.refused_removals(plan)
        _refuse([refusal for refusal in refusals if refusal not in left_out])
        outcome = _finish(run, opened, _reconcile(run, importer, plan, opened), publish=publish)
        return replace(outcome, left_out=tuple(left_out))


def recalculate(run: Run) -> Outcome:
    """Recalculate every known portal from its last numbers, without reading a tenant, and write ledger and reports.

    The settings count as they are now, and so do the safety limits; the portals as they were last applied.
    """
    with _opened(run) as opened:
        applied = {state.id: state.portal for state in opened.known.values() if state.presence is not Presence.DELETED}
        plan = make_plan(replace(run.declared, portals=applied, removals=(), credential_ends={}), opened.known)
        _refuse(safety.check_plan(plan, run.settings, run.allowed))
        results = [_store(run, opened, Result(portal.before, portal.after)) for portal in plan.portals]
        return _finish(run, opened, results, publish=True)


def report(run: Run) -> Outcome:
    """Write ledger and reports from what is known."""
    with _opened(run) as opened:
        return _finish(run, opened, [], publish=True)


def preview(run: Run, known: State) -> tuple[Plan, list[ErrorInfo]]:
    """What apply would do, and why it would refuse to. A shard is refused whenever the run over all portals is."""
    whole = make_plan(run.declared, known, run.only)
    plan = run.shard.part(whole) if run.shard else whole
    stops = [*safety.check_plan(whole, run.settings, run.allowed), *safety.refused_removals(plan)]
    return plan, [*safety.check_emulation(known, emulate=run.emulate), *stops]


def basis_of(run: Run, plan: Plan) -> Basis:
    """What a plan of this run was made from."""
    return plan_file.basis(
        plan,
        run.portals,
        run.settings,
        run.removals,
        only=run.only,
        allowed=run.allowed,
        emulated=run.emulate,
        credential_ends=run.credential_ends,
    )


def _refuse_stale(run: Run, known: State, approved: SavedPlan) -> None:
    """Raise Refused when the plan does not come out as it was approved.

    Certificates count as they could be read then: a pull request without secrets has the same plan as the main branch.
    """
    as_then = replace(run, credential_ends=approved.basis.credential_ends)
    try:
        plan, refusals = preview(as_then, known)
        present = SavedPlan(basis_of(as_then, plan), make_page(plan, refusals, run.settings))
        found = staleness(approved, present)
    except UnknownPortal as error:
        found = f"a portal is neither declared nor known any more ({error.message.rstrip('.')})"
    if found:
        raise Refused(f"The plan is stale: {found}.", code="plan-stale")


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
    with _threads(importer) as submit:
        futures = [submit(_import, run, importer, opened, portal) for portal in plan.portals if portal.imports]
        results += [future.result() for future in as_completed(futures)]
    return sorted(results, key=lambda result: result.after.id)


@contextmanager
def _threads(importer: Importer) -> Iterator[Callable[..., Future[Any]]]:
    """Threads for as many portals as may be read at once. When one raises, the others are stopped."""
    futures: list[Future[Any]] = []
    pool = ThreadPoolExecutor(max_workers=importer.jobs, thread_name_prefix="portal")

    def submit(work: Callable[..., Any], *arguments: object) -> Future[Any]:
        futures.append(pool.submit(work, *arguments))
        return futures[-1]

    try:
        yield submit
    except BaseException:
        importer.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, timeout=STOPPING_SECONDS)
        raise
    pool.shutdown()


def refreshed(run: Run, importer: Importer, plan: Plan) -> Plan:
    """The plan with what each import would bring. Reads tenants, stores nothing."""
    with _threads(importer) as submit:
        futures = {portal.id: submit(_preview, run, importer, portal) for portal in plan.portals if portal.imports}
        previews = {portal_id: future.result() for portal_id, future in futures.items()}
    return replace(plan, portals=tuple(replace(item, preview=previews.get(item.id)) for item in plan.portals))


def _preview(run: Run, importer: Importer, plan: PortalPlan) -> Preview:
    """What the import of one portal would bring."""
    with scratch() as staged:
        observation = _observe(run, importer, plan, staged)
    if isinstance(observation, Failed):
        return Preview(plan.kept, error=observation.error)
    after = transition.observe(plan.after, observation, run.settings, run.title, run.now)
    return Preview(after, differences(plan.after, after))


def _observe(run: Run, importer: Importer, plan: PortalPlan, staged: Staging) -> Observation:
    """Read one tenant. A read that does not fit what was known is held back as a failure."""
    portal = plan.after.portal
    importer.progress.started(portal)
    observation = importer.observe(plan.after, run.settings, staged, run.now)
    if isinstance(observation, Complete):
        named = run.allowed if portal.id in run.only else ()  # nobody looked at the tenants of the others
        refusal = plausibility.check_observation(plan.after, observation, run.settings, named, run.today)
        observation = Failed(portal.id, refusal) if refusal else observation
    importer.progress.finished(portal, observation)
    return observation


def _import(run: Run, importer: Importer, opened: OpenState, plan: PortalPlan) -> Result:
    """Read one tenant and store what follows from it."""
    with opened.database.staging(plan.before.id if plan.before else None) as staged:
        observation = _observe(run, importer, plan, staged)
        start = plan.after if isinstance(observation, Complete) else plan.kept
        after = transition.observe(start, observation, run.settings, run.title, run.now)
        try:
            return _store(run, opened, Result(plan.before, after, observation), staged)
        except ReconcileError:
            raise
        except Exception as error:  # what one tenant told must not cost the others their import
            log.debug("%s: it cannot be stored", plan.after.id, exc_info=error)
            unusable = Failed(plan.after.id, ReconcileError(f"Internal error: {type(error).__name__}.").info())
            kept = transition.observe(plan.kept, unusable, run.settings, run.title, run.now)
            return _store(run, opened, Result(plan.before, kept, unusable))


def _store(run: Run, opened: OpenState, result: Result, staged: Staging | None = None) -> Result:
    """Keep what became of one portal, in one transaction. The users that were read count only if all were."""
    before = result.before
    after = transition.stamp(before, result.after, run.now)
    complete = isinstance(result.observation, Complete)
    if complete or after is not before:
        last = before.changed.at.date() if before and before.changed else run.today
        records = history.records(before, after, max(last, run.today))  # a clock set back must not rewrite the past
        opened.database.save(after, before.id if before else None, staged if complete else None, records)
    return Result(before, after, result.observation)


def _finish(run: Run, opened: OpenState, results: list[Result], *, publish: bool) -> Outcome:
    """Write the ledger, and the reports from it. What is shown is only about the portals that were asked for."""
    written = opened.write_ledger()
    today, known = run.today, opened.database.load()
    made = make_report(known, run.settings, today)
    if publish:
        written |= _write_reports(run, made, results)
    if run.only or run.shard:
        made = make_report({result.after.id: known[result.after.id] for result in results}, run.settings, today)
    return Outcome(tuple(results), made, written, known)


def _write_reports(run: Run, made: Report, results: Sequence[Result]) -> bool:
    """Write every report, or those of the shard's portals alone. Returns whether a file changed."""
    folder = run.state_folder / "reports"
    if run.shard is None:
        return write_changed(folder, _with_evidence(run, made), "*")
    ids = {state.id for result in results for state in (result.before, result.after) if state}
    return write_changed(folder, portal_pages(made, ids), *sorted(map(portal_page_name, ids)))


def _with_evidence(run: Run, made: Report) -> dict[str, str]:
    """Every file of reports, and what they were made from."""
    texts = reports(made)
    basis = evidence_file.Basis(run.today, run.settings, run.files)
    texts[evidence_file.FILE] = evidence_file.current(run.state_folder, texts, made, basis)
    return texts
