"""The history lines of the page: how a portal's products went over time, as pictures beside the same in numbers.

Attributes of vectors, unlike styles, pass the page's own policy.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.portal_report import PortalReport
from reconciler.render import trend_words
from reconciler.render.html.tables import Cell, Line, Table, product_cell, table
from reconciler.trends import Point, Trend

TITLE = "History: consumed as a solid line, entitled as a dashed one"

WIDTH, HEIGHT = 180, 40
"""Of a picture, in its own units. The last value holds for ``_TAIL`` more, so that it can be seen."""
_TAIL, _EDGE = 6, 2


def history(portal: PortalReport) -> Table:
    """Every product that has a trend."""
    rows: list[list[str | Cell]] = [
        [product_cell(portal, item), Cell("", picture=line(trend)), *trend_words.cells(trend)]
        for item in portal.products
        if (trend := portal.trends.get(item.product.sku_id))
    ]
    return table(TITLE, ("Product", "Line", *trend_words.HEAD), rows)


def line(trend: Trend) -> Line:
    """The picture of a trend: its width is the time between its ends."""
    return Line(
        consumed=_path(trend, lambda point: point.consumed),
        entitled=_path(trend, lambda point: point.entitled),
        is_short=trend.last.balance < 0,
        label=trend_words.spoken(trend),
    )


def _path(trend: Trend, value: Callable[[Point], int]) -> str:
    """A line of steps, because a value holds until the next."""
    path, there, (bottom, top) = "", -1, trend.scale
    for point in trend.points:
        height = HEIGHT - _EDGE - (value(point) - bottom) * (HEIGHT - 2 * _EDGE) // (top - bottom)
        if height != there:
            along = (point.day - trend.first.day).days * (WIDTH - _TAIL) // max(1, trend.days)
            path += f"H{along}V{height}" if path else f"M{along} {height}"
            there = height
    return f"{path}H{WIDTH}"
