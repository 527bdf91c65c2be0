"""Microsoft's own list of SKUs: the CSV "Product names and service plan identifiers for licensing".

The file is linked from Microsoft Learn, "Product names and service plan identifiers for licensing". It has one row
per SKU and service plan, a byte order mark, GUIDs in mixed case, and names with no-break spaces and stray blanks; a
few SKUs stand in it under their old and their new name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from reconciler.catalogue.titles import GUID, Catalogue, Entry, clean
from reconciler.errors import ConfigurationError

URL = (
    "https://download.microsoft.com/download/e/3/e/e3e9faf2-f28b-490a-9ada-c6089a1fc5b0/"
    "Product%20names%20and%20service%20plan%20identifiers%20for%20licensing.csv"
)
"""Where Microsoft publishes the file."""

COLUMNS = ("GUID", "String_Id", "Product_Display_Name")
"""The columns that are read, in the order of ``Entry``: skuId, skuPartNumber, name. All others are passed over."""

FEWEST = 50
"""How many SKUs a whole file has at least. Microsoft's has had more than 600; fewer than this is a part of it."""


def parse(content: bytes, preferred: Catalogue) -> tuple[Entry, ...]:
    """Read Microsoft's file into entries sorted by SKU ID.

    Where a SKU has several names, the one that ``preferred`` gives it wins. Else it is the alphabetically last: the
    order of rows changes from one edition to the next, and must not change titles.

    Rows without a SKU ID or without a name are passed over, because they name nothing. Raises ConfigurationError,
    code ``catalogue-unreadable``, for anything that is not this file or not the whole of it.
    """
    chosen: dict[str, Entry] = {}
    for entry in _entries(_decoded(content)):
        other = chosen.get(entry.sku_id)
        if other is None or _rank(entry, preferred) > _rank(other, preferred):
            chosen[entry.sku_id] = entry
    if len(chosen) < FEWEST:
        raise _unreadable(f"it lists {len(chosen)} SKUs, and a whole one has hundreds")
    return tuple(sorted(chosen.values()))


def _rank(entry: Entry, preferred: Catalogue) -> tuple[bool, str, str]:
    """The order of names for the same SKU; the highest wins."""
    known = preferred.entries.get(entry.sku_id)
    return known is not None and known.title == entry.title, entry.title, entry.part_number


def _decoded(content: bytes) -> str:
    """The file's text: UTF-8, but single lines have come in Windows-1252, which is then read as what it is."""
    return "".join(map(_decoded_line, content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)))


def _decoded_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _entries(text: str) -> Iterator[Entry]:
    """The rows that name a SKU, cleaned, in the file's order and with its repetitions."""
    if text.lstrip().startswith("<"):
        raise _unreadable("it is a web page, not a CSV file")
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [clean(name) for name in next(rows, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise _unreadable(f"its first line has no column {', '.join(missing)}")
        positions = [header.index(name) for name in COLUMNS]
        for row in rows:
            if not any(row):
                continue
            if len(row) <= max(positions):
                raise _unreadable(f"line {rows.line_num} ends too early: the file may have been cut off")
            sku_id, part_number, title = (clean(row[position]) for position in positions)
            if GUID.fullmatch(sku_id.lower()) and title:
                yield Entry(sku_id.lower(), part_number, title)
    except csv.Error as error:
        raise _unreadable(f"line {rows.line_num} is not CSV: {error}") from None


def _unreadable(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"This is not Microsoft's list of product names: {why}.",
        code="catalogue-unreadable",
        remedy=f"Nothing was written. Get the file in a browser and pass it with --from FILE: {URL}",
    )
