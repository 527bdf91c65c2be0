"""What reports say of a trend, as plain text. Nothing here is escaped."""

from __future__ import annotations

from reconciler.render.words import number
from reconciler.trends import Trend

HEAD = ("From", "To", "Entitled:", "Consumed:", "Lowest balance:", "On")
"""The columns of a trend; a column of numbers ends in a colon."""


def cells(trend: Trend) -> list[str]:
    """What the columns say."""
    first, last, lowest = trend.first, trend.last, trend.lowest
    return [
        str(first.day),
        str(last.day),
        f"{number(first.entitled)} → {number(last.entitled)}",
        f"{number(first.consumed)} → {number(last.consumed)}",
        number(lowest.balance),
        str(lowest.day),
    ]


def spoken(trend: Trend) -> str:
    """A trend in one line, as somebody hears it who does not see its picture."""
    first, last, lowest = trend.first, trend.last, trend.lowest
    return (
        f"{first.day} to {last.day}: entitled {number(first.entitled)} to {number(last.entitled)}, "
        f"consumed {number(first.consumed)} to {number(last.consumed)}, "
        f"lowest balance {number(lowest.balance)} on {lowest.day}"
    )
