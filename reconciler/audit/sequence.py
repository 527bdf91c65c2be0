"""Whether the ledger went on from commit to commit: serials, histories and lineage only grow, or stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from reconciler.audit.ledgers import LEDGER, Changed, PortalVersion, is_portal, moved
from reconciler.git import objects
from reconciler.git.objects import Edit
from reconciler.store import history_file
from reconciler.store.ledger import META
from reconciler.verification import Offence

_META = f"{LEDGER}/{META}"
_HISTORY = f"{LEDGER}/{history_file.FOLDER}"
_AT_ONCE = 100
"""How many pairs of versions are read at a time."""

Portals = Mapping[str, PortalVersion | None]


def out_of_sequence(root: Path, changes: Mapping[str, Changed], portals: Portals) -> Iterator[Offence]:
    """Where commits break a sequence, each broken rule once a commit. Raises StateError."""
    for commit, changed in changes.items():
        found = dict.fromkeys(
            problem for edits in changed.by_parent.values() for problem in _serials(edits, changed.parents, portals)
        )
        yield from (Offence(commit, problem) for problem in found)
        yield from (Offence(commit, problem) for problem in _alone(changed))
    steps: dict[_Step, None] = {}
    for commit, changed in changes.items():
        for edits in changed.by_parent.values():
            steps |= dict.fromkeys(_Step(commit, *step) for step in (*_lineages(edits), *_histories(edits, portals)))
    yield from _broken(root, list(steps))


@dataclass(frozen=True, slots=True)
class _Step:
    """From one version of a file to the next, as blobs; None is a file that is gone. ``path`` is the former one's."""

    commit: str
    path: str
    before: str
    after: str | None


# --- serials ---------------------------------------------------------------------------------------------------------


def _serials(edits: Sequence[Edit], parents: int, portals: Portals) -> Iterator[str]:
    """What is wrong with the serials of a commit against one of its parents."""
    ledgers = [edit for edit in edits if is_portal(edit.path)]
    new = [portals[edit.after] for edit in ledgers if edit.after and not edit.before]
    for edit in ledgers:
        before = portals[edit.before] if edit.before else None
        after = portals[edit.after] if edit.after else None
        if (edit.before and before is None) or (edit.after and after is None):
            yield f"{edit.path} is no ledger of a portal"
        elif (
            before is not None
            and after is None
            and not any(each and each.connection == before.connection and each.serial > before.serial for each in new)
        ):
            yield f"{edit.path} is gone, and the tool deletes no ledger"
    for edit, former in moved(edits, portals):
        after = portals[edit.after] if edit.after else None
        before = portals[former] if former else None
        if after is None or (former and before is None):
            continue  # said above
        if problem := _serial_problem(before.serial if before else 0, after.serial, skips=parents > 1):
            yield f"{edit.path}: {problem}"


def _serial_problem(before: int, after: int, *, skips: bool) -> str | None:
    """What is wrong with the step from one serial to the next. A merge may bring several at once."""
    if after == before:
        return f"serial {after} was written again"
    if after < before:
        return f"serial {before} was taken back to {after}"
    if after == before + 1 or skips:
        return None
    missing = f"serial {before + 1} is" if after == before + 2 else f"serials {before + 1} to {after - 1} are"
    return f"{missing} missing before {after}"


# --- lineage and histories -------------------------------------------------------------------------------------------


def _lineages(edits: Sequence[Edit]) -> Iterator[tuple[str, str, str | None]]:
    """The steps of the file that says which state this is."""
    return ((edit.path, edit.before, edit.after) for edit in edits if edit.path == _META and edit.before)


def _histories(edits: Sequence[Edit], portals: Portals) -> Iterator[tuple[str, str, str | None]]:
    """The steps of histories. That of a portal whose file was renamed goes on under the new name."""
    names = {former: edit.path for edit, former in moved(edits, portals) if former and not edit.before}
    paths = {edit.path: names[edit.before] for edit in edits if edit.before and edit.before in names and not edit.after}
    versions = {edit.path: edit.after for edit in edits}
    for edit in edits:
        if str(PurePosixPath(edit.path).parent) == _HISTORY and edit.before:
            own = f"{LEDGER}/{PurePosixPath(edit.path).stem}.json"
            name = f"{_HISTORY}/{PurePosixPath(paths[own]).stem}.jsonl" if own in paths else edit.path
            yield edit.path, edit.before, versions.get(name)


def _alone(changed: Changed) -> Iterator[str]:
    """The histories that a commit wrote without the ledger of their portals: the tool writes the one with the other."""
    written = {edit.path for edits in changed.by_parent.values() for edit in edits if edit.after}
    for path in sorted(written & changed.own):
        ledger = f"{LEDGER}/{PurePosixPath(path).stem}.json"
        if str(PurePosixPath(path).parent) == _HISTORY and ledger not in changed.own:
            yield f"{path} changed, and {ledger} did not"


def _broken(root: Path, steps: Sequence[_Step]) -> Iterator[Offence]:
    """The steps that take something back."""
    for at in range(0, len(steps), _AT_ONCE):
        part = steps[at : at + _AT_ONCE]
        contents = objects.blobs(root, {blob for step in part for blob in (step.before, step.after) if blob})
        for step in part:
            after = contents[step.after] if step.after else None
            find = _lineage_problem if step.path == _META else _history_problem
            if problem := find(contents[step.before], after):
                yield Offence(step.commit, f"{step.path} {problem}")


def _lineage_problem(before: bytes, after: bytes | None) -> str | None:
    """Whether a state goes on as another one."""
    if after is None:
        return "is gone, and the tool deletes no ledger"
    return None if _lineage(before) == _lineage(after) else "has another lineage: this is not the state that was before"


def _lineage(content: bytes) -> object:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found.get("lineage") if isinstance(found, dict) else None


def _history_problem(before: bytes, after: bytes | None) -> str | None:
    """Whether a history does not go on as it was. The records of its last day may be replaced, each by its own."""
    if after is None:
        return "is gone, and the tool deletes no history"
    was, now = before.splitlines(), after.splitlines()
    try:
        begin = len(was)
        last = history_file.parse(was[-1]).day if was else date.min
        while begin and history_file.parse(was[begin - 1]).day == last:
            begin -= 1
        if not _are_same(was[:begin], now[:begin]):
            return "does not go on as it was: the tool rewrites no day but the last"
        rest = [history_file.parse(text) for text in now[begin:]]
    except (ValueError, RecursionError):
        return "is no history of a portal"
    kept = {record.sku_id for record in rest if record.day == last}
    if any(record.day < last for record in rest) or {history_file.parse(text).sku_id for text in was[begin:]} - kept:
        return "does not go on as it was: records of its last day are gone"
    return None


def _are_same(was: Sequence[bytes], now: Sequence[bytes]) -> bool:
    """Whether two pieces of a history say the same; another version of the tool may spell a record otherwise."""
    return was == now or [history_file.parse(text) for text in was] == [history_file.parse(text) for text in now]
