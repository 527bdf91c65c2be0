"""Walks the history of a repository: who made the ledger and the reports what they are, and from which configuration.

A commit of the tool says so with the trailer ``Reconciled-From``, which names the commit whose configuration it
applied. Anybody can write a trailer, and a ledger that goes with it: what this finds is worth as much as the rules
about who may push to the branch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from reconciler.audit.applied import Applied, not_as_declared
from reconciler.audit.ledgers import Changed, portals_of
from reconciler.audit.rebuild import WRITTEN
from reconciler.audit.sequence import out_of_sequence
from reconciler.config.loader import PORTALS, SETTINGS
from reconciler.git import objects
from reconciler.git.objects import Edit, Message
from reconciler.verification import Configuration, Log, Offence

CONFIGURATION = (PORTALS, SETTINGS)
"""What the tool applies."""
TRAILER = "Reconciled-From"
APPROVALS = ("approved-by", "reviewed-by", "acked-by", "signed-off-by")
"""Trailers that say who stood for a change, in lower case."""


def read_log(root: Path, commit: str) -> Log:
    """Walk everything that leads to a commit. Raises StateError."""
    parents = objects.history(root, commit)
    edits = objects.edits(root, parents, (*WRITTEN, *CONFIGURATION))
    own = {found: _own(edits[found], len(parents[found])) for found in parents if found in edits}
    written = [found for found in own if _below(own[found], WRITTEN)]
    declared = {found for found in own if _declares(edits[found], parents[found])}
    messages = objects.messages(root, {*written, *declared})
    offences: list[Offence] = []
    sources: dict[str, str] = {}
    for found in written:
        source = dict(messages[found].trailers).get(TRAILER)
        if problem := _untrusted(source, found, parents, own[found]):
            offences.append(Offence(found, problem))
        elif source:
            sources[found] = source
    origins = _origins(parents, declared)
    changes = {found: Changed(edits[found], len(parents[found]), own[found]) for found in own}
    portals = portals_of(root, changes.values())
    offences += out_of_sequence(root, changes, portals)
    tools = {
        found: Applied(source, origins[source], date.fromisoformat(messages[found].day))
        for found, source in sources.items()
    }
    offences += not_as_declared(root, tools, changes, portals)
    order = {found: number for number, found in enumerate(parents)}
    return Log(
        commit,
        len(written),
        tuple(sorted(offences, key=lambda offence: order[offence.commit])),
        tuple(_configurations(sources, parents, origins, messages)),
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


# --- configuration ---------------------------------------------------------------------------------------------------


def _origins(parents: Mapping[str, Sequence[str]], declared: set[str]) -> dict[str, str | None]:
    """For each commit the one that brought the configuration which it has to its branch."""
    origin: dict[str, str | None] = {}
    for commit, before in parents.items():  # parents come first
        origin[commit] = commit if commit in declared else origin[before[0]] if before else None
    return origin


def _configurations(
    sources: Mapping[str, str],
    parents: Mapping[str, Sequence[str]],
    origins: Mapping[str, str | None],
    messages: Mapping[str, Message],
) -> Iterator[Configuration]:
    """The commits whose configuration was applied, oldest first."""
    applied = Counter(origins[source] for source in sources.values())
    for commit in parents:
        if commit in applied:
            said = messages[commit]
            people = tuple(pair for pair in said.trailers if pair[0].lower() in APPROVALS)
            is_merge = len(parents[commit]) > 1
            yield Configuration(commit, said.author, said.day, said.subject, people, is_merge, applied[commit])
