"""Pictures that are drawn as vectors: the products of a portal by utilization, and products by status.

Every picture stands beside the same facts as words; attributes of vectors, unlike styles, pass the page's own policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.labels import STATUS_LABELS
from reconciler.model import Status
from reconciler.portal_report import PortalReport
from reconciler.render.html.products import WORST_FIRST
from reconciler.render.words import count, percent

BARS = 30
"""How many bars a strip has at most: the highest."""

_STEP, _WIDTH, _FULL, _HEIGHT = 7, 5, 18, 24
"""In units of the picture: from bar to bar, of a bar; how high 100 % is, and the whole picture."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One bar a product, highest first, as two paths: products with enough licenses, and those without.

    ``highest`` is the highest utilization as people read it, ``label`` what the picture shows, in words.
    """

    width: int
    enough: str
    short: str
    highest: str
    label: str


def strip(portal: PortalReport) -> Strip | None:
    """The utilization of a portal's products that are counted today; None when there is none."""
    used = sorted(
        (
            item.numbers.utilization
            for item in portal.products
            if item.position and item.numbers.utilization is not None
        ),
        reverse=True,
    )
    if not used:
        return None
    bars = {True: "", False: ""}
    for place, value in enumerate(used[:BARS]):
        height = max(1, min(_HEIGHT, value * _FULL // 10_000))
        bars[value > 10_000] += f"M{place * _STEP} {_HEIGHT}v-{height}h{_WIDTH}v{height}z"
    spread = percent(used[0]) if used[0] == used[-1] else f"{percent(used[-1])} to {percent(used[0])}"
    label = f"Utilization of {count(len(used), 'product')}: {spread}"
    return Strip(min(len(used), BARS) * _STEP, bars[False], bars[True], percent(used[0]), label)


@dataclass(frozen=True, slots=True)
class Share:
    """One status in the bar of all products; in thousandths of its length."""

    status: str
    start: int
    length: int


def shares(statuses: Mapping[Status, int]) -> tuple[Share, ...]:
    """The bar of all products, worst first. Every status that occurs can be seen, however rare."""
    used = {status: statuses[status] for status in WORST_FIRST if statuses[status]}
    total, found, start = sum(used.values()), [], 0
    weights = {status: max(8, 1000 * number // total) for status, number in used.items()}
    whole = sum(weights.values())
    for status, weight in weights.items():
        length = 1000 * weight // whole
        found.append(Share(status.value, start, length))
        start += length
    return tuple(found)


def shares_label(statuses: Mapping[Status, int]) -> str:
    """The same bar in words."""
    return ", ".join(f"{STATUS_LABELS[status]}: {statuses[status]:,}" for status in WORST_FIRST if statuses[status])
