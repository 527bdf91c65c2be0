"""Makes the reports again from the ledger beside them, and compares. Nothing but the repository is needed.

What the files of configuration declare counts where they are still those that the reports were written with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, timedelta
from functools import partial
from pathlib import Path

from reconciler import __version__
from reconciler.audit.declared import EVIDENCE, changed_files, declared_difference
from reconciler.audit.histories import history_difference
from reconciler.errors import StateError
from reconciler.render.reports import reports
from reconciler.report import make_report
from reconciler.store import evidence_file, history_file, ledger
from reconciler.store.evidence_file import Evidence
from reconciler.store.files import is_unfinished
from reconciler.verification import Difference, Verified

WRITTEN = ("state/ledger", "state/reports")
"""What only the tool may change."""


def verify(root: Path, committed: date | None = None) -> Verified | Difference:
    """Compare a repository's reports with its ledger and its configuration, or name the first difference.

    ``committed`` is the day, in UTC, on which a commit was made that has them. Raises StateError when there is no
    state, or a ledger of another format.
    """
    state = root / "state"
    if not state.is_dir():
        where = "in this commit" if committed else "here"
        raise StateError(f"There is no state/ {where}.", code="no-state")
    if link := _first_link(root):
        return Difference(link, "it is a link: git keeps where it leads, and not what is there")
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
    history = partial(history_file.read, state / "ledger")
    report = make_report(states, evidence.settings, evidence.on, history, known.confirmed)
    made = reports(report)
    made[evidence_file.FILE] = evidence_file.render(state, made, report, evidence)
    texts = {f"state/reports/{name}": text.encode() for name, text in made.items()}
    if difference := (
        _report_difference(evidence, texts, found)
        or next(filter(None, (history_difference(state / "ledger", each) for each in states.values())), None)
        or _day_difference(evidence, known, committed)
        or declared_difference(root, evidence, report)
    ):
        return difference
    ledgers = sum(name.startswith("state/ledger/") for name in evidence.subject)
    return Verified(
        portals=len(report.portals),
        reports=len(texts),
        ledgers=ledgers,
        on=evidence.on,
        tool=evidence.tool,
        changed=changed_files(root, evidence),
        pending=tuple(sorted(evidence.pending)),
    )


def differing(root: Path, other: Path) -> tuple[str, ...]:
    """The files of ledger and reports that are not the same in two repositories, by name."""
    mine, theirs = (
        {name: found for folder in WRITTEN for name, found in _files(each, folder).items()} for each in (root, other)
    )
    return tuple(sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)))


def _first_link(root: Path) -> str | None:
    """A link among ledger and reports, or on the way to them: a commit does not have what it leads to."""
    paths = [root / "state", *(path for folder in WRITTEN for path in (root / folder, *(root / folder).rglob("*")))]
    return next((path.relative_to(root).as_posix() for path in sorted(paths) if path.is_symlink()), None)


def _day_difference(evidence: Evidence, known: ledger.Ledger, committed: date | None) -> Difference | None:
    """Whether the reports can have been written on the day that they are made for. An emulated day is a free choice."""
    said = f"it says that it was written on {evidence.on}"
    newest, what = max(_days(known), default=(date.min, ""))
    if evidence.on < newest:
        return Difference(EVIDENCE, f"{said}, and {what} is of {newest}")
    if committed and is_too_late(evidence, committed):
        return Difference(EVIDENCE, f"{said}, and it was committed on {committed}")
    return None


def is_too_late(evidence: Evidence, committed: date) -> bool:
    """Whether it says that it was written after the day of its commit, with a day for clocks that differ."""
    return not evidence.emulated and evidence.on > committed + timedelta(days=1)


def _days(known: ledger.Ledger) -> Iterator[tuple[date, str]]:
    """The days in a ledger on which something was done or read, in UTC, each with where it stands."""
    for portal_id, entry in known.entries.items():
        state = entry.state
        times = (state.changed.at if state.changed else None, state.last_import.as_of)
        yield from ((at.astimezone(UTC).date(), f"state/ledger/{portal_id}.json") for at in times if at)
    if known.confirmed:
        yield known.confirmed, f"state/ledger/{ledger.META}"


def _files(root: Path, folder: str) -> dict[str, bytes]:
    """Every file below a folder by its path in the repository. What a killed run left unfinished does not count."""
    paths = sorted(path for path in (root / folder).rglob("*") if path.is_file() and not is_unfinished(path))
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
