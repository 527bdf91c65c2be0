"""Whether the tool's commits brought what the configuration says that they came from, and what their evidence names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from reconciler.audit.declared import EVIDENCE, are_settings, settings_problem
from reconciler.audit.ledgers import Changed, PortalVersion, moved
from reconciler.audit.rebuild import is_too_late
from reconciler.audit.written import digests_of, unlike, without_evidence
from reconciler.config.loader import PORTALS, SETTINGS, one_portal, one_settings
from reconciler.declaration import is_same, until_read
from reconciler.git import objects
from reconciler.git.objects import Edit
from reconciler.model import Settings
from reconciler.store import evidence_file
from reconciler.store.evidence_file import Evidence
from reconciler.verification import Offence

_AT_ONCE = 25
"""How many evidence files are read at a time."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a commit of the tool says that it applied: a commit, and the one that brought the configuration it has.

    ``day`` is the one, in UTC, on which the tool's commit was made.
    """

    source: str
    origin: str | None
    day: date


@dataclass
class _Versions:
    """Every version of a file of configuration that was read, by blob: few of them change from commit to commit."""

    root: Path
    contents: dict[str, bytes] = field(default_factory=dict)
    settings: dict[str | None, Settings | None] = field(default_factory=dict)

    def at(self, commit: str | None) -> dict[str, str]:
        """The files of configuration that a commit has, by path. Raises StateError."""
        found = objects.files(self.root, commit, (PORTALS, SETTINGS)) if commit else {}
        files = {path: blob for path, blob in found.items() if path == SETTINGS or _is_portal_file(path)}
        missing = [blob for blob in files.values() if blob not in self.contents]
        self.contents |= objects.blobs(self.root, missing)
        return files

    def settings_of(self, files: Mapping[str, str]) -> Settings | None:
        """The settings that they declare."""
        blob = files.get(SETTINGS)
        if blob not in self.settings:
            self.settings[blob] = one_settings(self.contents[blob] if blob else None)
        return self.settings[blob]


def _is_portal_file(path: str) -> bool:
    return str(PurePosixPath(path).parent) == PORTALS and path.endswith(".yaml")


def not_as_declared(
    root: Path,
    applied: Mapping[str, Applied],
    changes: Mapping[str, Changed],
    portals: Mapping[str, PortalVersion | None],
) -> Iterator[Offence]:
    """Where commits of the tool have another configuration than the one that they say. Raises StateError."""
    versions = _Versions(root)
    written = digests_of(root, (changes[commit] for commit in applied))
    by_origin: dict[str | None, list[str]] = {}
    for commit, said in applied.items():
        by_origin.setdefault(said.origin, []).append(commit)
    for origin, commits in by_origin.items():
        files = versions.at(origin)
        digests = {path: hashlib.sha256(versions.contents[blob]).hexdigest() for path, blob in files.items()}
        for commit, content in _evidence(root, commits, changes):
            try:
                evidence = evidence_file.read(content or b"")
            except ValueError:
                yield Offence(commit, f"{EVIDENCE} cannot be read")
                continue
            for problem in (
                *_evidence_problems(evidence, applied[commit], digests, versions.settings_of(files)),
                *unlike(evidence, changes[commit], written),
            ):
                yield Offence(commit, problem)
        for commit in commits:
            yield from (Offence(commit, problem) for problem in without_evidence(changes[commit]))
            yield from (
                Offence(commit, f"{path}: its portal is not the one of {name} in {applied[commit].source[:12]}")
                for path, name in _other_portals(changes[commit], portals, files, versions.contents)
            )


# --- evidence --------------------------------------------------------------------------------------------------------


def _evidence(root: Path, commits: Sequence[str], changes: Mapping[str, Changed]) -> Iterator[tuple[str, bytes | None]]:
    """The commits that wrote evidence, each with its content; None when it is gone."""
    named = {commit: _after(changes[commit], EVIDENCE) for commit in commits if EVIDENCE in changes[commit].own}
    for at in range(0, len(named), _AT_ONCE):
        part = dict(list(named.items())[at : at + _AT_ONCE])
        contents = objects.blobs(root, filter(None, part.values()))
        yield from ((commit, contents[blob] if blob else None) for commit, blob in part.items())


def _after(changed: Changed, path: str) -> str | None:
    """The version of a file that a commit has otherwise than its parents."""
    return next(edit.after for edits in changed.by_parent.values() for edit in edits if edit.path == path)


def _evidence_problems(
    evidence: Evidence, said: Applied, digests: Mapping[str, str], settings: Settings | None
) -> Iterator[str]:
    """What is wrong with the evidence of a commit."""
    source = said.source[:12]
    other = sorted(
        name for name in digests.keys() | evidence.files.keys() if digests.get(name) != evidence.files.get(name)
    )
    if other:
        yield f"{EVIDENCE} was not written with the {other[0]} of {source}"
    elif not are_settings(evidence, settings):
        yield f"{EVIDENCE}: {settings_problem(evidence, f'{SETTINGS} in {source}')}"
    if is_too_late(evidence, said.day):
        yield f"{EVIDENCE} says that it was written on {evidence.on}, and it was committed on {said.day}"


# --- portals ---------------------------------------------------------------------------------------------------------


def _other_portals(
    changed: Changed,
    portals: Mapping[str, PortalVersion | None],
    files: Mapping[str, str],
    contents: Mapping[str, bytes],
) -> Iterator[tuple[str, str]]:
    """The ledger files in which a commit changed a portal to something that its file does not say, with that file."""
    seen = set()
    for edits in changed.by_parent.values():
        for edit, former in moved(edits, portals):
            if edit.path in changed.own and edit.path not in seen:
                id_ = PurePosixPath(edit.path).stem
                name = f"{PORTALS}/{id_}.yaml"
                content = contents[files[name]] if name in files else None
                if not _is_declared(edit, former, portals, content, id_):
                    seen.add(edit.path)
                    yield edit.path, name


def _is_declared(
    edit: Edit, former: str | None, portals: Mapping[str, PortalVersion | None], content: bytes | None, id_: str
) -> bool:
    """Whether a version of a ledger file has the portal that it had before, or the one that is declared."""
    after = portals[edit.after] if edit.after else None
    before = portals[former] if former else None
    if after is None or after.portal is None:
        return True  # said elsewhere, or nothing that this version knows
    if before and before.portal and is_same(before.portal, after.portal):
        return True
    declared = one_portal(content, id_) if content is not None else None
    if declared is None:
        return False
    waiting = until_read(before.portal, declared) if before and before.portal else declared
    return is_same(after.portal, declared) or is_same(after.portal, waiting)
