"""The one loop: diff, check, import, recalculate, write.

``folder`` is that of database, ledger and reports. Tenants are read in threads, one per portal; everything known goes
through the state DB, one portal a transaction. A portal that fails keeps its last values and does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler import history, safety, transition
from reconciler.confirmation import is_due
from reconciler.errors import ReconcileError, Refused, UnknownPortal, unforeseen
from reconciler.importing import Importer
from reconciler.model import Complete, ErrorInfo, Failed, Presence, State
from reconciler.outcome import Outcome, Result
from reconciler.plan import Plan, PortalPlan, make_plan
from reconciler.plan_page import SavedPlan
from reconciler.reading import observe, threads
from reconciler.render.plan_words import make_page
from reconciler.report import make_report
from reconciler.report_files import write_reports
from reconciler.run import Run, preview
from reconciler.staleness import staleness
from reconciler.store import plan_file
from reconciler.store.staging import Staging
from reconciler.store.state import OpenState, open_state

log = logging.getLogger(__name__)


def apply(
    folder: Path, run: Run, importer: Importer, *, publish: bool = True, approved: SavedPlan | None = None
) -> Outcome:
    """Plan, import, recalculate, and write the ledger and, with ``publish``, the reports.

    With ``approved``, only when the plan is still that one. Raises ConfigurationError, StateError, or Refused with
    nothing changed.
    """
    with _opened(folder, run) as opened:
        if approved:
            _refuse_stale(run, opened.known, approved)
        plan, refusals = preview(run, opened.known)
        left_out = safety.refused_removals(plan)
        _refuse([refusal for refusal in refusals if refusal not in left_out])
        outcome = _finish(run, opened, _reconcile(run, importer, plan, opened), publish=publish)
        return replace(outcome, left_out=tuple(left_out))


def recalculate(folder: Path, run: Run) -> Outcome:
    """Recalculate every known portal from its last numbers, without reading a tenant, and write ledger and reports.

    The settings count as they are now, and so do the safety limits; the portals as they were last applied.
    """
    with _opened(folder, run) as opened:
        applied = {state.id: state.portal for state in opened.known.values() if state.presence is not Presence.DELETED}
        plan = make_plan(replace(run.declared, portals=applied, removals=(), credential_ends={}), opened.known)
        _refuse(safety.check_plan(plan, run.settings, run.allowed))
        results = [_store(run, opened, Result(portal.before, portal.after)) for portal in plan.portals]
        return _finish(run, opened, results, publish=True)


def report(folder: Path, run: Run) -> Outcome:
    """Write ledger and reports from what is known."""
    with _opened(folder, run) as opened:
        return _finish(run, opened, [], publish=True)


def _refuse_stale(run: Run, known: State, approved: SavedPlan) -> None:
    """Raise Refused when the plan does not come out as it was approved.

    Certificates count as they could be read then: a pull request without secrets has the same plan as the main branch.
    """
    as_then = replace(run, credential_ends=approved.basis.credential_ends)
    try:
        plan, refusals = preview(as_then, known)
        present = SavedPlan(plan_file.basis(as_then, plan), make_page(plan, refusals, run.settings))
        found = staleness(approved, present)
    except UnknownPortal as error:
        found = f"a portal is neither declared nor known any more ({error.message.rstrip('.')})"
    if found:
        raise Refused(f"The plan is stale: {found}.", code="plan-stale")


@contextmanager
def _opened(folder: Path, run: Run) -> Iterator[OpenState]:
    """The state, locked. Raises Refused when the run must not touch it."""
    with open_state(folder, run.new_lineage) as opened:
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
    with threads(importer) as submit:
        futures = [submit(_import, run, importer, opened, portal) for portal in plan.portals if portal.imports]
        results += [future.result() for future in as_completed(futures)]
    return sorted(results, key=lambda result: result.after.id)


def _import(run: Run, importer: Importer, opened: OpenState, plan: PortalPlan) -> Result:
    """Read one tenant and store what follows from it."""
    with opened.database.staging(plan.before.id if plan.before else None) as staged:
        observation = observe(run, importer, plan, staged)
        start = plan.after if isinstance(observation, Complete) else plan.kept
        after = transition.observe(start, observation, run.settings, run.title, run.now)
        try:
            return _store(run, opened, Result(plan.before, after, observation), staged)
        except ReconcileError:
            raise
        except Exception as error:  # what one tenant told must not cost the others their import
            log.debug("%s: it cannot be stored", plan.after.id, exc_info=error)
            unusable = Failed(plan.after.id, unforeseen(error).info())
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
    if publish and is_due(run, results, opened.confirmed, changed=written):
        written |= opened.confirm(today)
    made = make_report(known, run.settings, today, opened.history, opened.confirmed)
    if publish:
        written |= write_reports(opened.folder, run, made, results)
    if run.only or run.shard:
        made = make_report({result.after.id: known[result.after.id] for result in results}, run.settings, today)
    return Outcome(tuple(results), made, written, known)
