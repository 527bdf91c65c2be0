"""How entitled and consumed licenses of a product went over time: what the history lines of the reports are drawn from.

A pure function of the ledger's history and the settings: a trend moves only when its own product has a new record,
never because a day went by. So it ends with the day of the last change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler import compliance
from reconciler.model import DayRecord, License, Settings, Units

DAYS = 400
"""How far a trend goes back from its last record: a year, and the month before."""

POINTS = 40
"""How many points a trend has at most. Of more, each span of time keeps the one with the lowest balance."""

FEWEST = 3
"""How many points a trend has at least: what happened once is told in the changes."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was known at the end of a day. It holds until the next point."""

    day: date
    entitled: int
    consumed: int

    @property
    def balance(self) -> int:
        """Licenses left; negative when too few."""
        return self.entitled - self.consumed


@dataclass(frozen=True, slots=True)
class Trend:
    """The points of one product by day, at least ``FEWEST``."""

    points: tuple[Point, ...]

    @property
    def first(self) -> Point:
        """Where it begins."""
        return self.points[0]

    @property
    def last(self) -> Point:
        """Where it ends."""
        return self.points[-1]

    @property
    def lowest(self) -> Point:
        """The first day with the fewest licenses left."""
        return min(self.points, key=lambda point: point.balance)

    @property
    def days(self) -> int:
        """How many days lie between its ends."""
        return (self.last.day - self.first.day).days

    @property
    def scale(self) -> tuple[int, int]:
        """From where to where a picture of it reaches: at least the upper quarter, or little would look like much."""
        values = [value for point in self.points for value in (point.entitled, point.consumed)]
        top = max(1, *values)
        return min(*values, top * 3 // 4), top

    def on(self, day: date) -> Point:
        """The point that holds on a day of the trend."""
        return [point for point in self.points if point.day <= day][-1]


def trends(ordered: Iterable[DayRecord], settings: Settings) -> dict[str, Trend]:
    """The trend of each product that has one, by SKU ID, from a portal's history in its order.

    A product that was deleted from the state and came back begins anew.
    """
    kept: dict[str, list[DayRecord]] = {}
    for record in ordered:
        if record.status is None:
            kept.pop(record.sku_id, None)
        else:
            kept.setdefault(record.sku_id, []).append(record)
    by_day = ((sku_id, sorted(records, key=lambda record: record.day)) for sku_id, records in kept.items())
    found = ((sku_id, tuple(_points(records, settings))) for sku_id, records in by_day)
    return {sku_id: Trend(_thinned(points)) for sku_id, points in found if len(points) >= FEWEST}


def _points(records: list[DayRecord], settings: Settings) -> Iterator[Point]:
    """A point for each record that changed one of the numbers, from the value that held when the trend begins."""
    begin = records[-1].day - timedelta(days=DAYS)
    earlier = sum(record.day <= begin for record in records)
    last: Point | None = None
    for record in records[max(0, earlier - 1) :]:
        point = _point(record, begin, settings)
        if point and (last is None or (point.entitled, point.consumed) != (last.entitled, last.consumed)):
            yield point
            last = point


def _point(record: DayRecord, begin: date, settings: Settings) -> Point | None:
    """What a record says, in the trend that begins on a day; None when its numbers are unusable."""
    units = Units(record.enabled, record.warning, record.suspended, record.locked_out)
    license_ = License(record.sku_id, "", "", "", units, record.consumed_units)
    found = compliance.numbers(license_, record.consumers, settings)
    if found.entitled is None or found.consumed is None:
        return None
    return Point(max(record.day, begin), found.entitled, found.consumed)


def _thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """At most ``POINTS`` points: the ends, and of each span between them the point with the lowest balance."""
    if len(points) <= POINTS:
        return points
    first, *between, last = points
    length, lowest = max(1, (last.day - first.day).days), dict[int, Point]()
    for point in between:
        span = (point.day - first.day).days * (POINTS - 2) // length
        known = lowest.get(span)
        if known is None or point.balance < known.balance:
            lowest[span] = point
    return (first, *lowest.values(), last)
