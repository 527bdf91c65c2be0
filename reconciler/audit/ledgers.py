"""What commits did to the files of the ledger, and what every version of them says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler.git import objects
from reconciler.git.objects import Edit
from reconciler.model import Portal
from reconciler.store.canonical import line
from reconciler.store.documents import portal_from
from reconciler.store.ledger import META

LEDGER = "state/ledger"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a commit has otherwise than each of its parents, how many these are, and the paths that none of them has."""

    by_parent: Mapping[str | None, Sequence[Edit]]
    parents: int
    own: frozenset[str]


@dataclass(frozen=True, slots=True)
class PortalVersion:
    """What a version of a portal's ledger file says. ``portal`` is None where this version of the tool cannot read it.

    ``connection`` is what a portal is known by when its file has another name.
    """

    connection: tuple[str, str]
    serial: int
    portal: Portal | None


def is_portal(path: str) -> bool:
    """Whether a path is the ledger file of a portal."""
    found = PurePosixPath(path)
    return str(found.parent) == LEDGER and found.suffix == ".json" and found.name != META


def portals_of(root: Path, changes: Iterable[Changed]) -> dict[str, PortalVersion | None]:
    """Every version of a portal's ledger file, by blob; None for what is none. Raises StateError."""
    edits = (edit for changed in changes for found in changed.by_parent.values() for edit in found)
    names = {blob for edit in edits if is_portal(edit.path) for blob in (edit.before, edit.after) if blob}
    shared: dict[str, Portal | None] = {}  # most versions have the portal that the one before has
    return {name: _version(content, shared) for name, content in objects.each_blob(root, names)}


def _version(content: bytes, shared: dict[str, Portal | None]) -> PortalVersion | None:
    """What a version of a ledger file says."""
    try:
        document = json.loads(content)
        portal = document["portal"]
        text = line(portal)
        if text not in shared:
            shared[text] = _portal(portal)
        return PortalVersion(
            (str(portal["tenant_id"]), str(portal["client_id"])), int(document["serial"]), shared[text]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _portal(document: dict[str, Any]) -> Portal | None:
    try:
        return portal_from(document)
    except (ValueError, KeyError, TypeError):
        return None


def moved(changed: Sequence[Edit], portals: Mapping[str, PortalVersion | None]) -> Iterator[tuple[Edit, str | None]]:
    """Every edit of a portal's ledger file that is there afterwards, with its former version; another file perhaps.

    A portal whose file was renamed has the connection that it had, in a file that is gone.
    """
    ledgers = [edit for edit in changed if is_portal(edit.path)]
    gone = {edit.path: edit.before for edit in ledgers if edit.before and not edit.after}
    for edit in ledgers:
        if edit.after and not edit.before:
            yield edit, next((blob for blob in gone.values() if _is_same(portals[blob], portals[edit.after])), None)
        elif edit.after:
            yield edit, edit.before


def _is_same(one: PortalVersion | None, other: PortalVersion | None) -> bool:
    return one is not None and other is not None and one.connection == other.connection
