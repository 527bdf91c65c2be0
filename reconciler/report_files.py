"""Writing ``state/reports``: every report with its evidence, or the pages of a shard's portals alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.declaration import pending
from reconciler.outcome import Result
from reconciler.render.reports import portal_page_name, portal_pages, reports
from reconciler.report import Report
from reconciler.run import Run
from reconciler.store import evidence_file
from reconciler.store.files import write_changed


def write_reports(state: Path, run: Run, made: Report, results: Sequence[Result]) -> bool:
    """Write every report into the folder ``state``, or those of the shard's portals alone.

    Returns whether a file changed. Raises StateError, or OSError when the ledger cannot be read.
    """
    folder = state / "reports"
    if run.shard is None:
        return write_changed(folder, _with_evidence(state, run, made), "*")
    ids = {known.id for result in results for known in (result.before, result.after) if known}
    return write_changed(folder, portal_pages(made, ids), *sorted(map(portal_page_name, ids)))


def _with_evidence(state: Path, run: Run, made: Report) -> dict[str, str]:
    """Every file of reports, and what they were made from."""
    texts = reports(made)
    waiting = pending((portal.state for portal in made.portals), run.portals)
    basis = evidence_file.Basis(run.today, run.settings, run.files, pending=waiting)
    texts[evidence_file.FILE] = evidence_file.current(state, texts, made, basis)
    return texts
