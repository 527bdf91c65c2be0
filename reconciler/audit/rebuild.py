"""Makes the reports again from the ledger beside them, and compares. Nothing but the repository is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from reconciler import __version__
from reconciler.config.files import digests
from reconciler.config.loader import PORTALS
from reconciler.render.reports import reports
from reconciler.report import make_report
from reconciler.store import evidence_file, ledger
from reconciler.store.evidence_file import Evidence
from reconciler.verification import Difference, Verified

EVIDENCE = f"state/reports/{evidence_file.FILE}"


def verify(root: Path) -> Verified | Difference:
    """Compare a repository's reports with its ledger, or name the first difference.

    Raises StateError when a ledger of another format is there.
    """
    state = root / "state"
    found = _files(root, "state/reports")
    if EVIDENCE not in found:
        return Difference(EVIDENCE, "it is missing, and nothing else says what the reports were written with")
    try:
        evidence = evidence_file.read(found[EVIDENCE])
    except ValueError as error:
        return Difference(EVIDENCE, str(error))
    if difference := _ledger_difference(evidence, _files(root, "state/ledger")):
        return difference
    known = ledger.read(state / "ledger")
    states = {portal_id: entry.state for portal_id, entry in sorted(known.entries.items())}
    report = make_report(states, evidence.settings, evidence.on)
    made = reports(report)
    made[evidence_file.FILE] = evidence_file.render(state, made, report, evidence)
    texts = {f"state/reports/{name}": text.encode() for name, text in made.items()}
    if difference := _report_difference(evidence, texts, found):
        return difference
    ledgers = sum(name.startswith("state/ledger/") for name in evidence.subject)
    return Verified(
        portals=len(report.portals),
        reports=len(texts),
        ledgers=ledgers,
        on=evidence.on,
        tool=evidence.tool,
        changed=changed_files(root, evidence),
    )


def changed_files(root: Path, evidence: Evidence) -> tuple[str, ...]:
    """The files of configuration that are not as they were when the reports were written, by name."""
    present = digests(root, root / PORTALS)
    names = present.keys() | evidence.files.keys()
    return tuple(sorted(name for name in names if present.get(name) != evidence.files.get(name)))


def _files(root: Path, folder: str) -> dict[str, bytes]:
    """Every file below a folder by its path in the repository. What a killed run left unfinished does not count."""
    paths = sorted(path for path in (root / folder).rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _ledger_difference(evidence: Evidence, found: Mapping[str, bytes]) -> Difference | None:
    """The first file of the ledger that is not the one the reports were written from."""
    wanted = {name: digest for name, digest in evidence.subject.items() if name.startswith("state/ledger/")}
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            return Difference(name, "it is missing, and the reports were written from it")
        if name not in wanted:
            return Difference(name, "the reports were written without it")
        if hashlib.sha256(found[name]).hexdigest() != wanted[name]:
            return Difference(name, "it is not the file that the reports were written from")
    return None


def _report_difference(
    evidence: Evidence, expected: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Difference | None:
    """The first report that the ledger does not give, evidence last: it is about the others."""
    for name in sorted(expected.keys() | found.keys(), key=lambda name: (name == EVIDENCE, name)):
        if name not in found:
            return Difference(name, "it is missing")
        if name not in expected:
            return Difference(name, "no report of the ledger has this name")
        if expected[name] != found[name]:
            return _line_difference(name, _why(evidence, name, found[name]), expected[name], found[name])
    return None


def _why(evidence: Evidence, name: str, content: bytes) -> str:
    """What can be said of a report that is not as the ledger gives it."""
    if evidence.subject.get(name) != hashlib.sha256(content).hexdigest() and name != EVIDENCE:
        return "it was changed after it was written"
    if evidence.tool != __version__:
        return f"it was written by version {evidence.tool}, which this version, {__version__}, does not repeat"
    return "the ledger gives another report"


def _line_difference(name: str, why: str, expected: bytes, found: bytes) -> Difference:
    """Where two texts begin to differ."""
    wanted, there = expected.split(b"\n"), found.split(b"\n")
    same = next((at for at, (one, other) in enumerate(zip(wanted, there, strict=False)) if one != other), None)
    at = min(len(wanted), len(there)) if same is None else same
    return Difference(name, why, at + 1, _line(wanted, at), _line(there, at))


def _line(lines: list[bytes], at: int) -> str | None:
    return lines[at].decode("utf-8", "backslashreplace") if at < len(lines) else None
