"""Walks the history of a repository: who made the ledger and the reports what they are, and from which configuration.

A commit of the tool says so with the trailer ``Reconciled-From``, which names the commit whose configuration it
applied. Anybody can write a trailer: what this finds is worth as much as the rules about who may push to the branch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.audit.rebuild import EVIDENCE, changed_files
from reconciler.git import objects
from reconciler.git.objects import Edit, Message
from reconciler.store import evidence_file
from reconciler.verification import Configuration, Log, Offence

WRITTEN = ("state/ledger", "state/reports")
"""What only the tool may change."""
CONFIGURATION = ("portals.d", "reconcile.yaml")
"""What the tool applies."""
TRAILER = "Reconciled-From"
APPROVALS = ("approved-by", "reviewed-by", "acked-by", "signed-off-by")
"""Trailers that say who stood for a change, in lower case."""


@dataclass(frozen=True, slots=True)
class _Portal:
    """What of a ledger file tells whose it is, and how often it changed."""

    connection: tuple[str, str]
    serial: int


def read_log(root: Path, commit: str) -> Log:
    """Walk everything that leads to a commit. Raises StateError."""
    parents = objects.history(root, commit)
    edits = objects.edits(root, parents, (*WRITTEN, *CONFIGURATION))
    own = {found: _own(edits[found], len(parents[found])) for found in parents if found in edits}
    written = [found for found in own if _below(own[found], WRITTEN)]
    declared = {found for found in own if _declares(edits[found], parents[found])}
    messages = objects.messages(root, {*written, *declared})
    portals = _portals(root, edits)
    offences = [offence for found in own for offence in _serials(found, edits[found], len(parents[found]), portals)]
    sources: dict[str, str] = {}
    for found in written:
        source = dict(messages[found].trailers).get(TRAILER)
        if problem := _untrusted(source, found, parents, own[found]):
            offences.append(Offence(found, problem))
        elif source:
            sources[found] = source
    offences += _other_configuration(root, written, own, sources)
    order = {found: number for number, found in enumerate(parents)}
    return Log(
        commit,
        len(written),
        tuple(sorted(offences, key=lambda offence: order[offence.commit])),
        tuple(_configurations(sources, parents, declared, messages)),
    )


def _own(by_parent: Mapping[str | None, Sequence[Edit]], parents: int) -> frozenset[str]:
    """The paths that a commit has otherwise than all its parents: what a merge takes from one side is not its own."""
    if len(by_parent) < parents:
        return frozenset()
    first, *others = [{edit.path for edit in changed} for changed in by_parent.values()]
    return frozenset(first.intersection(*others))


def _below(paths: frozenset[str], folders: Sequence[str]) -> list[str]:
    return sorted(path for path in paths if any(path == folder or path.startswith(f"{folder}/") for folder in folders))


def _declares(by_parent: Mapping[str | None, Sequence[Edit]], parents: Sequence[str]) -> bool:
    """Whether a commit brings other configuration to the branch that it is on, which is that of its first parent."""
    changed = by_parent.get(parents[0] if parents else None, ())
    return bool(_below(frozenset(edit.path for edit in changed), CONFIGURATION))


# --- who wrote it ----------------------------------------------------------------------------------------------------


def _untrusted(
    source: str | None, commit: str, parents: Mapping[str, Sequence[str]], own: frozenset[str]
) -> str | None:
    """Why a commit that changed ledger or reports is none of the tool's."""
    first, *others = _below(own, WRITTEN)
    what = f"{first} and {len(others)} more" if others else first
    if source is None:
        return f"{what} changed, and no trailer {TRAILER} says that the tool did it"
    if not _leads_to(source, commit, parents):
        return f"{what} changed, and the commit of its trailer {TRAILER} does not lead to it"
    return None


def _leads_to(source: str, commit: str, parents: Mapping[str, Sequence[str]]) -> bool:
    """Whether one commit is among those that another one goes back to."""
    if source not in parents:
        return False
    seen, rest = {commit}, list(parents[commit])
    while rest:
        found = rest.pop()
        if found == source:
            return True
        if found not in seen:
            seen.add(found)
            rest += parents[found]
    return False


def _other_configuration(
    root: Path, written: Sequence[str], own: Mapping[str, frozenset[str]], sources: Mapping[str, str]
) -> Iterator[Offence]:
    """That the evidence which counts now names other files of configuration than the commit that it came from has."""
    last = next((found for found in reversed(written) if EVIDENCE in own[found]), None)
    if last is None or last not in sources:
        return
    with objects.snapshot(root, last, (EVIDENCE,)) as folder:
        try:
            evidence = evidence_file.read((folder / EVIDENCE).read_bytes())
        except (OSError, ValueError):
            yield Offence(last, f"{EVIDENCE} cannot be read")
            return
    with objects.snapshot(root, sources[last], CONFIGURATION) as folder:
        if changed := changed_files(folder, evidence):
            yield Offence(last, f"{EVIDENCE} was not written with the {changed[0]} of {sources[last][:12]}")


# --- serials ---------------------------------------------------------------------------------------------------------


def _portals(root: Path, edits: Mapping[str, Mapping[str | None, Sequence[Edit]]]) -> dict[str, _Portal | None]:
    """Every version of a ledger file, by blob; None for what is none."""
    changed = [edit for by_parent in edits.values() for found in by_parent.values() for edit in found]
    names = {blob for edit in changed if _is_portal(edit.path) for blob in (edit.before, edit.after) if blob}
    return {name: _portal(content) for name, content in objects.blobs(root, names).items()}


def _is_portal(path: str) -> bool:
    """Whether a path is the ledger file of a portal."""
    found = PurePosixPath(path)
    return str(found.parent) == "state/ledger" and found.suffix == ".json" and found.name != "meta.json"


def _portal(content: bytes) -> _Portal | None:
    """What a version of a ledger file says."""
    try:
        document = json.loads(content)
        portal = document["portal"]
        return _Portal((str(portal["tenant_id"]), str(portal["client_id"])), int(document["serial"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _serials(
    commit: str,
    by_parent: Mapping[str | None, Sequence[Edit]],
    parents: int,
    portals: Mapping[str, _Portal | None],
) -> Iterator[Offence]:
    """Where a commit breaks the sequence of a portal's serials, each broken rule once."""
    found: dict[str, None] = {}
    for changed in by_parent.values():
        ledgers = [edit for edit in changed if _is_portal(edit.path)]
        gone = [portals[edit.before] for edit in ledgers if edit.before and not edit.after]
        new = [portals[edit.after] for edit in ledgers if edit.after and not edit.before]
        for edit in ledgers:
            before = portals[edit.before] if edit.before else None
            after = portals[edit.after] if edit.after else None
            if (edit.before and before is None) or (edit.after and after is None):
                found[f"{edit.path} is no ledger of a portal"] = None
            elif after is None and before is not None:
                if not any(
                    each and each.connection == before.connection and each.serial > before.serial for each in new
                ):
                    found[f"{edit.path} is gone, and the tool deletes no ledger"] = None
            elif after is not None:
                former = before or next((each for each in gone if each and each.connection == after.connection), None)
                if problem := _step(former.serial if former else 0, after.serial, skips=parents > 1):
                    found[f"{edit.path}: {problem}"] = None
    yield from (Offence(commit, what) for what in found)


def _step(before: int, after: int, *, skips: bool) -> str | None:
    """What is wrong with the step from one serial to the next. A merge may bring several at once."""
    if after == before:
        return f"serial {after} was written again"
    if after < before:
        return f"serial {before} was taken back to {after}"
    if after == before + 1 or skips:
        return None
    missing = f"serial {before + 1} is" if after == before + 2 else f"serials {before + 1} to {after - 1} are"
    return f"{missing} missing before {after}"


# --- configuration ---------------------------------------------------------------------------------------------------


def _configurations(
    sources: Mapping[str, str],
    parents: Mapping[str, Sequence[str]],
    declared: set[str],
    messages: Mapping[str, Message],
) -> Iterator[Configuration]:
    """The commits whose configuration was applied, oldest first."""
    origin: dict[str, str | None] = {}
    for commit in parents:  # parents come first
        before = parents[commit]
        origin[commit] = commit if commit in declared else origin[before[0]] if before else None
    applied: dict[str, int] = {}
    for source in sources.values():
        if found := origin[source]:
            applied[found] = applied.get(found, 0) + 1
    for commit in parents:
        if commit in applied:
            said = messages[commit]
            people = tuple(pair for pair in said.trailers if pair[0].lower() in APPROVALS)
            is_merge = len(parents[commit]) > 1
            yield Configuration(commit, said.author, said.day, said.subject, people, is_merge, applied[commit])
