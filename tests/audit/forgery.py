"""What somebody does who may write to the repository and knows the tool: everything fits, and nothing is true."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from reconciler.render.reports import reports
from reconciler.report import make_report
from reconciler.store import evidence_file, history_file, ledger
from tests.audit.audit_world import Repository

EVIDENCE = "state/reports/evidence.json"


def rewrite_reports(repository: Repository, **said: Any) -> None:
    """Make every report from the ledger as it is, with evidence that says something else than it did."""
    state = repository.root / "state"
    evidence = replace(evidence_file.read((state / "reports" / evidence_file.FILE).read_bytes()), **said)
    known = ledger.read(state / "ledger")
    states = {portal_id: entry.state for portal_id, entry in sorted(known.entries.items())}
    history = partial(history_file.read, state / "ledger")
    report = make_report(states, evidence.settings, evidence.on, history, known.confirmed)
    texts = dict(reports(report))
    texts[evidence_file.FILE] = evidence_file.render(state, texts, report, evidence)
    for name, text in texts.items():
        (state / "reports" / name).write_text(text)


def commit(repository: Repository, source: str | None = None) -> str:
    """Commit everything as the tool would, with a trailer that names the commit before; the commit."""
    return repository.commit("License status: one", f"Reconciled-From: {source or repository.head()}")


def forget_emulation(repository: Repository) -> None:
    """Make the ledger and the reports such as a real tenant's, with the tool's own commit."""
    for name in ("one", "two"):
        path = repository.root / f"state/ledger/{name}.json"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join('"emulated": null,\n' if '"emulated": ' in line else line for line in lines))
    rewrite_reports(repository)
