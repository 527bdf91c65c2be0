"""Cells of spreadsheets: tables as CSV that a spreadsheet shows and never runs.

Source of the danger: OWASP, "CSV Injection". A cell that begins with ``=``, ``+``, ``-`` or ``@`` is a formula to a
spreadsheet. Where lists are separated by semicolons, a cell may also begin behind a semicolon in a text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from reconciler.render.escape import plain

Cell = str | int | Decimal | date | bool | None
"""What a cell holds. Only text is made harmless: a negative number stays a number."""

_FORMULA = re.compile(r"""(^|;)(?=[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")
"""Where a formula would begin; the last four are the wide forms of the signs, which Excel takes for them."""


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what looks like one."""
    return _FORMULA.sub(r"\1'", plain(text))


def cell(value: Cell) -> str:
    """One cell of a CSV file."""
    return harmless(value) if isinstance(value, str) else text_of(value)


def text_of(value: Cell) -> str:
    """A value as text: numbers with a point and no separators, days and times as ISO 8601, ``true`` and ``false``."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV (RFC 4180, but with LF): a line with the names of the columns, then one for each row."""
    return "".join(lines(head, rows))


def lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The same, row by row: for tables that are too long to be held."""
    yield _line(head)
    for row in rows:
        yield _line([cell(value) for value in row])


def _line(texts: Sequence[str]) -> str:
    """One row."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(texts)
    return written.getvalue()
