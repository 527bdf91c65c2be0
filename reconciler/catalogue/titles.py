"""Titles of SKUs: the table that ships with the product, overridden by ``state/catalogue.csv`` where that exists.

Both are CSV with the columns of ``Entry``, sorted by SKU ID. The key is the SKU ID, because part numbers and titles
are not unique and both change over time. A SKU that neither knows is normal (new SKUs come before every list): its
title is its part number.

The shipped table ``skus.csv`` is kept by hand and holds the SKUs in common use, under the names that Microsoft's
"Product names and service plan identifiers for licensing" gives them, without typing errors and internal suffixes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import NamedTuple

from reconciler.errors import StateError

FILE_NAME = "catalogue.csv"
"""Name of the user's own table within the folder ``state``."""

LONGEST = 200
"""Where a title or part number is cut, in characters. The longest in Microsoft's list has about 110."""

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of a SKU ID."""


class Entry(NamedTuple):
    """One row of a table; the field names are the column names. ``sku_id`` is lower-case."""

    sku_id: str
    part_number: str
    title: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What SKUs are called. ``entries`` maps a SKU ID to its entry."""

    entries: Mapping[str, Entry]

    def title(self, sku_id: str, part_number: str) -> str:
        """The title of a SKU; its part number when there is none, and its ID when that is empty too.

        The part number comes from a tenant, so it is cleaned like any other text from outside.
        """
        entry = self.entries.get(sku_id)
        return entry.title if entry else clean(part_number) or sku_id

    def find(self, pattern: str) -> list[Entry]:
        """The entries that a pattern means, ignoring case, sorted by part number.

        A glob is held against part number and SKU ID; plain text may stand anywhere in part number or title.
        """
        wanted = pattern.lower()
        glob = wanted if any(sign in wanted for sign in "*?[") else f"*{escape(wanted)}*"
        found = (
            entry
            for entry in self.entries.values()
            if fnmatchcase(entry.part_number.lower(), glob)
            or fnmatchcase(entry.sku_id, glob)
            or (glob != wanted and wanted in entry.title.lower())
        )
        return sorted(found, key=lambda entry: (entry.part_number.lower(), entry.sku_id))

    def overridden_by(self, entries: Iterable[Entry]) -> Catalogue:
        """The same catalogue, with other entries taking the place of those with the same SKU ID."""
        return Catalogue({**self.entries, **{entry.sku_id: entry for entry in entries}})


def clean(text: str) -> str:
    """Text from outside as one printable line: no control or formatting characters, single blanks, bounded length.

    Cleaning twice gives the same as cleaning once.
    """
    printable = text if text.isprintable() else "".join(map(_printable, text))
    return " ".join(printable.split())[:LONGEST].rstrip()


def _printable(character: str) -> str:
    """The character itself, a blank for any kind of space or line end, nothing for what cannot be printed."""
    if character.isprintable():
        return character
    return " " if character.isspace() else ""


def built_in() -> Catalogue:
    """The table that ships with the product."""
    return Catalogue({}).overridden_by(_read(Path(__file__).with_name("skus.csv")))


def load(state: Path | None) -> Catalogue:
    """The built-in table, overridden by ``catalogue.csv`` in the folder ``state``, if there is one.

    Raises StateError when that file cannot be read as a table: titles must not fall back without anybody noticing.
    """
    shipped = built_in()
    if state is None or not (state / FILE_NAME).exists():
        return shipped
    return shipped.overridden_by(_read(state / FILE_NAME))


def save(state: Path, entries: Iterable[Entry]) -> bool:
    """Write ``catalogue.csv`` in the folder ``state`` atomically; return whether its bytes changed.

    Raises StateError when the file cannot be written; it is then as it was before.
    """
    from reconciler.store.files import write_changed

    return write_changed(state, {FILE_NAME: render(entries)}, FILE_NAME)


def render(entries: Iterable[Entry]) -> str:
    """The canonical text of a table: header, sorted by SKU ID, LF, quotes only where needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Entry._fields)
    writer.writerows(sorted(entries))
    return text.getvalue()


def _read(path: Path) -> list[Entry]:
    """Read a table. Raises StateError with file and line for anything that is not one."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _damaged(f"{path} could not be read.", error.strerror) from None
    except UnicodeDecodeError as error:
        raise _damaged(f"{path} is not UTF-8 text.", f"byte {error.start}") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    entries: dict[str, Entry] = {}
    try:
        if next(rows, None) != list(Entry._fields):
            raise _damaged(f"{path}:1: the header is not {','.join(Entry._fields)}.")
        for row in rows:
            entry = _entry(row)
            if isinstance(entry, str):
                raise _damaged(f"{path}:{rows.line_num}: {entry}.")
            if entry.sku_id in entries:
                raise _damaged(f"{path}:{rows.line_num}: {entry.sku_id} stands in the table twice.")
            entries[entry.sku_id] = entry
    except csv.Error as error:
        raise _damaged(f"{path}:{rows.line_num}: not CSV.", str(error)) from None
    return list(entries.values())


def _entry(row: list[str]) -> Entry | str:
    """A row as an entry, or what is wrong with it."""
    if len(row) != len(Entry._fields):
        return f"{len(Entry._fields)} columns expected, found {len(row)}"
    entry = Entry(row[0].lower(), clean(row[1]), clean(row[2]))
    if not GUID.fullmatch(entry.sku_id):
        return "the SKU ID is not a GUID"
    return entry if entry.title else "the title is empty"


def _damaged(message: str, detail: str | None = None) -> StateError:
    return StateError(message, code="catalogue-damaged", detail=detail)
