"""The ledger: everything of the state that is not personal data, as canonical text in ``state/ledger``.

One JSON file per portal, keys sorted, one member and one product a line: a change shows in one line of a diff, and two
runners that apply different portals never conflict. Beside it, in ``history``, the portal's history
(``history_file.py``). ``meta.json`` holds the lineage: the identity of this state among all states of the world. With
it stands the last day on which a run confirmed that it had read everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from reconciler.errors import StateError
from reconciler.history import History
from reconciler.model import PortalState, State
from reconciler.store import history_file
from reconciler.store.canonical import line
from reconciler.store.documents import Document, from_document, to_document
from reconciler.store.files import holds_other, write_changed, writing

META = "meta.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One portal as its ledger file has it. ``digest`` is the SHA-256 of the file's bytes, in hexadecimal."""

    state: PortalState
    digest: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What ``state/ledger`` holds. ``lineage`` is None when there is no ledger yet.

    ``confirmed`` is the last day on which a run that confirms reports read every portal completely, if there was one.
    """

    lineage: str | None
    entries: Mapping[str, Entry]
    confirmed: date | None = None


def render(state: PortalState) -> str:
    """The canonical text of one portal."""
    document: Document = {"format_version": FORMAT_VERSION, **to_document(state)}
    products, changed = document.pop("products"), document.pop("changed")
    removed = document.pop("removed")
    head = {key: _members(value) if isinstance(value, dict) else line(value) for key, value in document.items()}
    head["products"], head["removed"] = _lines(products), _lines(removed)
    if changed:
        head["changed"] = f'{{"at": {line(changed["at"])}, "changes": {_lines(changed["changes"])}}}'
    return "{\n" + ",\n".join(f"{line(key)}: {head[key]}" for key in sorted(head)) + "\n}\n"


def _members(value: Document) -> str:
    """An object with one member a line."""
    return "{\n" + ",\n".join(f"{line(key)}: {line(value[key])}" for key in sorted(value)) + "\n}"


def _lines(values: list[Document]) -> str:
    """A list with one value a line."""
    return "[\n" + ",\n".join(line(value) for value in values) + "\n]" if values else "[]"


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
            raise StateError(code="state-unreadable")
        return Ledger(None, {})
    document, _ = _parse(meta)
    lineage = document.get("lineage")
    if not isinstance(lineage, str):
        raise _unreadable(meta, "it says no lineage")
    try:
        confirmed = msgspec.convert(document.get("confirmed"), date | None)
    except msgspec.ValidationError:
        raise _unreadable(meta, "what it says as confirmed is no date") from None
    return Ledger(lineage, dict(_entries(folder)), confirmed)


def _entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    """Every portal of the ledger."""
    for path in sorted(folder.glob("*.json")):
        if path.name == META:
            continue
        document, found = _parse(path)
        try:
            state = from_document(document)
        except ValueError as error:
            raise _unreadable(path, str(error)) from None
        if not path.stem == state.id == document.get("id"):
            raise _unreadable(path, f"it says that it is portal {state.id!r}")
        yield state.id, Entry(state, found)


def _parse(path: Path) -> tuple[Document, str]:
    """One ledger file as a document, and its digest."""
    try:
        content = path.read_bytes()
        document = msgspec.json.decode(content, type=dict[str, Any])
    except OSError as error:
        raise _unreadable(path, error.strerror or "") from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"not a JSON object: {error}") from None
    version = document.get("format_version")
    if not isinstance(version, int):
        raise _unreadable(path, "it says no format version")
    if version != FORMAT_VERSION:
        raise StateError(
            f"state/ledger/{path.name} has format version {version}, this tool reads {FORMAT_VERSION}.",
            code="ledger-version",
        )
    return document, hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()  # git may have turned the line ends


def _unreadable(path: Path, why: str) -> StateError:
    """The error for one file. A merge conflict that was committed is the usual cause."""
    return StateError(f"state/ledger/{path.name} cannot be read.", code="ledger-unreadable", detail=why)


def write(folder: Path, lineage: str, state: State, history: History, confirmed: date | None = None) -> bool:
    """Write the ledger; files that are already right are not touched. Returns whether anything changed.

    A history moves only together with its portal's file, so it is asked for only then, and written first: where the
    file is right, the history is. Raises StateError.
    """
    texts: dict[str, str | None] = {META: _meta(lineage, confirmed)}
    with writing(folder):
        for portal_id, portal in sorted(state.items()):
            file, past, text = f"{portal_id}.json", history_file.name(portal_id), render(portal)
            is_right = not holds_other(folder / file, text)
            if is_right and (folder / past).is_file():
                texts[past] = None
            elif records := history_file.render(history(portal_id)):
                texts[past] = records
            texts[file] = None if is_right else text
    return write_changed(folder, texts, "*.json", f"{history_file.FOLDER}/*.jsonl")


def confirm(folder: Path, lineage: str, day: date) -> bool:
    """Write down the day on which a run has read every portal completely. Returns whether it was another.

    Raises StateError.
    """
    return write_changed(folder, {META: _meta(lineage, day)}, META)


def _meta(lineage: str, confirmed: date | None) -> str:
    """The text of ``meta.json``."""
    document: Document = {"format_version": FORMAT_VERSION, "lineage": lineage}
    if confirmed:
        document["confirmed"] = confirmed.isoformat()
    return f"{line(document)}\n"
