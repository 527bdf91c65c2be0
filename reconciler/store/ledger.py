"""The ledger: everything of the state that is not personal data, as canonical text in ``state/ledger``.

One JSON file per portal, keys sorted, one product a line, so that a changed number changes one line of a diff and
two runners that apply different portals never conflict. ``meta.json`` holds the lineage: the identity of this state
among all states of the world.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.errors import StateError
from reconciler.model import PortalState, State
from reconciler.store.documents import FORMAT_VERSION, Document, from_document, to_document
from reconciler.store.files import write_changed

META = "meta.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One portal as its ledger file has it. ``digest`` is the SHA-256 of the file's bytes, in hexadecimal."""

    state: PortalState
    digest: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What ``state/ledger`` holds. ``lineage`` is None when there is no ledger yet."""

    lineage: str | None
    entries: Mapping[str, Entry]


def _dump(value: Any) -> str:
    """Compact JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))


def render(state: PortalState) -> str:
    """The canonical text of one portal."""
    document: Document = to_document(state)
    products, changed = document.pop("products"), document.pop("changed")
    head = {key: _dump(value) for key, value in document.items()}
    head["products"] = _lines(products)
    if changed:
        head["changed"] = f'{{"at": {_dump(changed["at"])}, "changes": {_lines(changed["changes"])}}}'
    return "{\n" + ",\n".join(f"{_dump(key)}: {head[key]}" for key in sorted(head)) + "\n}\n"


def _lines(values: list[Document]) -> str:
    """A list with one value a line."""
    return "[\n" + ",\n".join(_dump(value) for value in values) + "\n]" if values else "[]"


def digest(text: str) -> str:
    """The digest of a ledger text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(folder: Path) -> Ledger:
    """Read a ledger folder. A folder that does not exist is an empty ledger.

    Raises StateError that names the file when one cannot be read.
    """
    meta = folder / META
    if not meta.is_file():
        if any(folder.glob("*.json")):
            raise StateError(
                f"{meta.name} is missing from state/ledger, but portals are there.", remedy="Restore it from git."
            )
        return Ledger(None, {})
    content = _parse(meta)
    lineage = content.get("lineage")
    if not isinstance(lineage, str) or content.get("format_version") != FORMAT_VERSION:
        raise StateError("state/ledger/meta.json does not say a lineage and a known format version.")
    return Ledger(lineage, dict(_entries(folder)))


def _entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    """Every portal of the ledger."""
    for path in sorted(folder.glob("*.json")):
        if path.name == META:
            continue
        raw = path.read_bytes()
        try:
            state = from_document(_parse(path))
        except StateError as error:
            raise _unreadable(path, error.detail or error.message) from None
        if state.id != path.stem:
            raise _unreadable(path, f"it says that it is portal {state.id}")
        yield state.id, Entry(state, hashlib.sha256(raw).hexdigest())


def _parse(path: Path) -> Document:
    """One ledger file as a document."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise _unreadable(path, f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _unreadable(path, "not a JSON object")
    return document


def _unreadable(path: Path, why: str) -> StateError:
    """The error for one file. A merge conflict that was committed is the usual cause."""
    return StateError(
        f"state/ledger/{path.name} cannot be read.",
        code="ledger-unreadable",
        remedy="Restore it from git; the ledger is written by the tool only.",
        detail=why,
    )


def write(folder: Path, lineage: str, state: State) -> bool:
    """Write the ledger; files that are already right are not touched. Returns whether anything changed."""
    texts = {f"{portal_id}.json": render(portal) for portal_id, portal in state.items()}
    texts[META] = f"{_dump({'format_version': FORMAT_VERSION, 'lineage': lineage})}\n"
    return write_changed(folder, texts, "*.json")
