"""The table that a run of the benchmarks ends with, and the machine that it was made on."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.measure import Cost

_PLACE = re.compile(r"(<!-- written by `make bench` -->).*?(<!-- end -->)", re.S)
HEADINGS = ("case", "ours", "against", "ratio", "budget", "verdict", "peak MiB, ours / against")


@dataclass(frozen=True)
class Row:
    """One line. ``value`` is what the budget is about: a ratio, seconds or MiB; ``at_most`` False turns it around.

    ``against`` is what ours is compared with, ``compared`` in words; ``note`` says what else a reader should know.
    Budgets are about full size: a row of a smaller run is not ``judged``.
    """

    case: str
    ours: Cost
    value: float
    unit: str = "x"
    against: Cost | None = None
    compared: str = ""
    budget: float | None = None
    at_most: bool = True
    note: str = ""
    judged: bool = True

    def cells(self) -> tuple[str, ...]:
        """What stands in each column."""
        return (
            self.case,
            _cost(self.ours),
            f"{_cost(self.against)} {self.compared}".strip() if self.against else "",
            _value(self.value, self.unit),
            f"{'≤' if self.at_most else '≥'} {_value(self.budget, self.unit)}" if self.budget is not None else "",
            "; ".join(part for part in (self._verdict(), self.note) if part),
            " / ".join(f"{cost.peak:.0f}" for cost in (self.ours, self.against) if cost),
        )

    def _verdict(self) -> str:
        if self.budget is None or not self.judged:
            return ""
        share = self.value / self.budget if self.at_most else self.budget / self.value
        return f"missed by {share - 1:.0%}" if share > 1 else "met"


def _cost(cost: Cost) -> str:
    return f"{cost.wall:.2f} s (CPU {cost.cpu:.2f})"


def _value(value: float, unit: str) -> str:
    match unit:
        case "x":
            return f"{value:.2f}x"
        case "%":
            return f"{value:.1%}"
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def terminal(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def write(rows: Sequence[Row], scale: float, page: Path, now: datetime) -> None:
    """Put the table in its place on a page of ``docs/``. Raises ValueError when the page has no such place."""
    scaled = "" if scale == 1 else f" Every tenant is {scale:g} times its size in the case's name."
    lines = [
        f"{now.astimezone(UTC):%Y-%m-%d}, {machine()}.{scaled}",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *("| " + " | ".join(row.cells()) + " |" for row in rows),
    ]
    old = page.read_text(encoding="utf-8")
    new, places = _PLACE.subn(lambda found: "\n\n".join((found[1], "\n".join(lines), found[2])), old)
    if places != 1:
        raise ValueError(f"{page} has {places} places for the table instead of one")
    page.write_text(new, encoding="utf-8")


def machine() -> str:
    """This machine and the programs that matter, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


Case = Callable[["Bench"], list[Row]]
"""A benchmark: from the options of a run to lines of the table."""


@dataclass(frozen=True)
class Bench:
    """The options of a run. ``scale`` multiplies every number of users and of tenants.

    ``sdk`` is an interpreter that has msgraph-sdk.
    """

    folder: Path
    rounds: int
    scale: float
    sdk: str

    def scaled(self, number: int) -> int:
        """A number of users or tenants."""
        return max(round(number * self.scale), 1)
