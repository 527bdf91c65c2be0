"""A plain table of columns, for pipes and logs: nothing is folded or colored, and ten thousand rows cost little."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

GAP = "   "
_WIDE = frozenset("WF")


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table. A head that ends in ``:`` aligns its column to the right."""
    names = [name.removesuffix(":") for name in head]
    widths = [max(map(_cells, column)) for column in zip(names, *rows, strict=True)]
    rights = [name.endswith(":") for name in head]
    rule = "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    lines = [_line(row, widths, rights) for row in (names, *rows)]
    return [lines[0], rule, *lines[1:]]


def _line(row: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    """One row, padded."""
    cells = (
        " " * (width - _cells(text)) + text if right else text + " " * (width - _cells(text))
        for text, width, right in zip(row, widths, rights, strict=True)
    )
    return GAP.join(cells).rstrip()


@lru_cache(maxsize=10_000)
def _cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide letter, none for a mark on the one before."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else not unicodedata.combining(char) for char in text)
