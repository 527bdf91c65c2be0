"""The ledger: everything of the state that is not personal data, as canonical text in ``state/ledger``.

One JSON file per portal, keys sorted, one member and one product a line: a change shows in one line of a diff, and two
runners that apply different portals never conflict. ``meta.json`` holds the lineage: the identity of this state among
all states of the world.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from reconciler.errors import StateError
from reconciler.model import PortalState, State
from reconciler.store.documents import Document, from_document, to_document
from reconciler.store.files import write_changed

META = "meta.json"
FORMAT_VERSION = 1

_MISLEADING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What some programs take for the end of a line, or for an order to show text the other way round."""


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
    """Compact JSON with sorted keys, on one line for every program that reads it."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))
    return _MISLEADING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def render(state: PortalState) -> str:
    """The canonical text of one portal."""
    document: Document = {"format_version": FORMAT_VERSION, **to_document(state)}
    products, changed = document.pop("products"), document.pop("changed")
    head = {key: _members(value) if isinstance(value, dict) else _dump(value) for key, value in document.items()}
    head["products"] = _lines(products)
    if changed:
        head["changed"] = f'{{"at": {_dump(changed["at"])}, "changes": {_lines(changed["changes"])}}}'
    return "{\n" + ",\n".join(f"{_dump(key)}: {head[key]}" for key in sorted(head)) + "\n}\n"


def _members(value: Document) -> str:
    """An object with one member a line."""
    return "{\n" + ",\n".join(f"{_dump(key)}: {_dump(value[key])}" for key in sorted(value)) + "\n}"


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
    lineage = _parse(meta)[0].get("lineage")
    if not isinstance(lineage, str):
        raise _unreadable(meta, "it says no lineage")
    return Ledger(lineage, dict(_entries(folder)))


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
            remedy="Use the version of the tool that wrote it, or a newer one.",
        )
    return document, hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()  # git may have turned the line ends


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
    texts = {META: f"{_dump({'format_version': FORMAT_VERSION, 'lineage': lineage})}\n"}  # first: no portal without it
    texts.update({f"{portal_id}.json": render(portal) for portal_id, portal in sorted(state.items())})
    return write_changed(folder, texts, "*.json")
