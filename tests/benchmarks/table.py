"""The table that a run of the benchmarks ends with, and the machine that it was made on."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.measure import Cost

HEADINGS = ("case", "ours", "against", "ratio", "budget", "verdict", "peak MiB")


@dataclass(frozen=True)
class Row:
    """One line. ``value`` is what the budget is about: a ratio, seconds or MiB; ``at_most`` False turns it around.

    ``against`` is what ours is compared with, ``compared`` in words; ``note`` says what else a reader should know.
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

    @property
    def met(self) -> bool:
        """Whether it is within its budget; a row without one always is."""
        if self.budget is None:
            return True
        return self.value <= self.budget if self.at_most else self.value >= self.budget

    def cells(self) -> tuple[str, ...]:
        """What stands in each column."""
        return (
            self.case,
            _cost(self.ours),
            f"{_cost(self.against)} {self.compared}".strip() if self.against else "",
            _value(self.value, self.unit),
            f"{'≤' if self.at_most else '≥'} {_value(self.budget, self.unit)}" if self.budget is not None else "",
            "; ".join(part for part in (self._verdict(), self.note) if part),
            f"{self.ours.peak:.0f}" + (f" / {self.against.peak:.0f}" if self.against else ""),
        )

    def _verdict(self) -> str:
        if self.budget is None:
            return ""
        if self.met:
            return "met"
        share = self.value / self.budget if self.at_most else self.budget / self.value
        return f"missed by {share - 1:.0%}"


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


def markdown(rows: Sequence[Row], scale: float, now: datetime) -> str:
    """The table as a page for ``docs/``."""
    scaled = "" if scale == 1 else f" Every tenant is {scale:g} times its size in the case's name."
    lines = [
        "<!-- Written by `make bench`; do not edit. -->",
        "",
        f"{now.astimezone(UTC):%Y-%m-%d}, {machine()}.{scaled}",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *("| " + " | ".join(row.cells()) + " |" for row in rows),
        "",
    ]
    return "\n".join(lines)


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
    """The options of a run. ``scale`` multiplies every number of users and of tenants."""

    folder: Path
    rounds: int
    scale: float
    ranges: tuple[str, ...]

    def scaled(self, number: int) -> int:
        """A number of users or tenants."""
        return max(round(number * self.scale), 1)
