"""What ``reconcile verify`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.render.escape import plain
from reconciler.render.words import count
from reconciler.verification import Configuration, Difference, Log, Verified

MOST_SHOWN = 200
"""How many characters of a line of a report are shown."""

SHORT = 12
"""Digits of a commit that are shown."""

SHALLOW = "The clone is shallow, so its history cannot be verified: `git fetch --unshallow` brings the rest.\n"


def verified(found: Verified, commit: str | None) -> str:
    """That everything is as it should be, in one line."""
    where = f" of {commit[:SHORT]}" if commit else ""
    return (
        f"Verified: {count(found.reports, 'report')}{where} on {count(found.portals, 'portal')}, made again from "
        f"{count(found.ledgers, 'file')} of the ledger, as version {plain(found.tool)} wrote them on {found.on}.\n"
    )


def changed(found: Verified) -> str:
    """That the configuration has moved on since; nothing when it has not."""
    files = ", ".join(plain(file) for file in found.changed)
    return f"Changed since the reports were written: {files}. The next apply takes it up.\n" if files else ""


def pending(found: Verified) -> str:
    """That the ledger has portals otherwise than their files declared them even then; nothing when it has none."""
    portals = ", ".join(plain(portal) for portal in found.pending)
    return (
        f"Not applied when the reports were written, though their files said otherwise: {portals}.\n" if portals else ""
    )


def difference(found: Difference) -> str:
    """The first difference: where it is, and both sides."""
    file = plain(found.file)
    if found.line is None:
        return f"{file}: {plain(found.why)}\n"
    begins = _begins(found.expected or "", found.found or "")
    expected, there = _side(found.expected, begins), _side(found.found, begins)
    return f"{file}:{found.line}: {plain(found.why)}\n  expected: {expected}\n  found:    {there}\n"


def remedy(found: Difference) -> str:
    """What to do about a difference."""
    return (
        f"Who changed it: `git log -p -- {plain(found.file)}`. A ledger comes back from git; `reconcile report` writes "
        "the reports again from it.\n"
    )


def _begins(expected: str, found: str) -> int:
    """From where on both sides are shown: a little before they begin to differ, where they are long."""
    if max(len(expected), len(found)) <= MOST_SHOWN:
        return 0
    pairs = enumerate(zip(expected, found, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(expected), len(found)))
    return max(0, same - MOST_SHOWN // 4)


def _side(text: str | None, begins: int) -> str:
    """One side of a difference."""
    if text is None:
        return "(no such line)"
    shown = plain(text[begins : begins + MOST_SHOWN])
    return ("…" if begins else "") + shown + ("…" if len(text) > begins + MOST_SHOWN else "")


LOG_ADVICE = (
    "Look at each: `git show COMMIT`. A state that people commit has no trailer: let `reconcile publish` commit it, as "
    "the workflows do. What is in the history already stays in it.\n"
)
"""What to do about a history in which something is wrong."""


def uncommitted(files: Sequence[str], commit: str) -> str:
    """That the history which was verified is not that of the files as they are; nothing when it is."""
    if not files:
        return ""
    others = f" and {len(files) - 1} more are" if len(files) > 1 else " is"
    return (
        f"Not verified: {plain(files[0])}{others} not as in {commit[:SHORT]}, and the history says nothing of that.\n"
    )


def not_the_ledgers(found: Difference) -> str:
    """The last line where the history was told after a difference: whatever it is like, not all is right."""
    return f"Not verified: {plain(found.file)} is not as it should be, as told at the beginning.\n"


def log(found: Log) -> str:
    """The history: what is wrong with it and the configurations that were applied; how it ended is said in words."""
    return "".join(f"{line}\n" for line in _log(found))


def _log(found: Log) -> Iterator[str]:
    commits = f"{count(found.written, 'commit')} up to {found.commit[:SHORT]}"
    for item in found.offences:
        yield f"{item.commit[:SHORT]}: {plain(item.what)}"
    if not found.offences:
        yield f"Verified: {commits} changed ledger or reports, all by the tool, in sequence."
    if found.configurations:
        yield "Configurations that were applied:"
    for each in found.configurations:
        yield f"  {_configuration(each)}"
    if found.offences:
        wrong = count(len(found.offences), "thing is", "things are")
        yield f"Not verified: {commits} changed ledger or reports, and {wrong} wrong with them, as told above."


def _configuration(item: Configuration) -> str:
    """One configuration with the people who stand for it."""
    who = f"merged by {item.author}" if item.is_merge else f"by {item.author}"
    people = "".join(f"; {name}: {value}" for name, value in item.people)
    told = f"{plain(item.subject)} ({plain(who + people)})"
    return f"{item.commit[:SHORT]} {item.day} {told}, applied {count(item.applied, 'time')}"
