"""The utilization of products as a Mermaid chart. The tables of products say the same in numbers.

Mermaid reads names as part of its own language: they stand in quotes, and only characters that mean nothing there are
left in them. Source: Mermaid's documentation, "XY Chart" and "Directives".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from reconciler.portal_report import PortalReport
from reconciler.render.words import count

BARS = 20
"""How many bars a chart has at most: the highest."""

HIGHEST = 200
"""In percent: where a bar ends at the latest, so that one product does not make all others look empty."""

_LABEL = 36
"""How long the name of a bar may be."""

_PLAIN = frozenset(" .,()+-_")
"""What may stand in a name beside letters and digits: no quote, ``%%``, ``#`` or bracket, which Mermaid acts on."""


def utilization(portals: Sequence[PortalReport]) -> list[str]:
    """The highest utilizations over these portals; nothing where no product has one."""
    counted = [(portal, item) for portal in portals for item in portal.products if item.position]
    found = [(used, *pair) for pair in counted if (used := pair[1].numbers.utilization) is not None]
    ordered = sorted(found, key=lambda row: (-row[0], row[1].state.id, row[2].product.sku_id))[:BARS]
    if not ordered:
        return []
    several = len({portal.state.id for _, portal, _ in found}) > 1
    labels = _distinct(item.name if several else item.product.title for _, _, item in ordered)
    bars = [min(HIGHEST, used // 100) for used, _, _ in ordered]
    return [
        _caption(len(ordered), len(found), len(counted), ordered[0][0]),
        "",
        "```mermaid",
        "xychart-beta horizontal",
        f"    x-axis [{', '.join(labels)}]",
        f'    y-axis "Consumed of entitled, in percent" 0 --> {max(100, *bars)}',
        f"    bar {bars}",
        "```",
    ]


def _caption(shown: int, known: int, counted: int, highest: int) -> str:
    """What the chart shows, and what it leaves out."""
    which = f"the highest {shown:,} of {count(known, 'product')}" if known > shown else "the highest first"
    cut = f" A bar ends at {HIGHEST} %." if highest // 100 > HIGHEST else ""
    rest = counted - known
    none = f" {count(rest, 'product')} with nothing entitled {'has' if rest == 1 else 'have'} no bar." if rest else ""
    return f"Consumed of entitled, {which}.{cut}{none} The tables of products say the same in numbers."


def _distinct(names: Iterable[str]) -> list[str]:
    """The names as Mermaid reads them. It draws two bars of one name as one, so each is made the only one."""
    labels: list[str] = []
    for name in names:
        label, again = _label(name), 2
        while label in labels:
            label, again = f"{_label(name)} ({again})", again + 1
        labels.append(label)
    return [f'"{label}"' for label in labels]


def _label(name: str) -> str:
    """A name without what Mermaid would act on, cut where it is long."""
    kept = "".join(char if char in _PLAIN or unicodedata.category(char)[0] in "LMN" else " " for char in name)
    words = " ".join(kept.split()) or "?"
    return words if len(words) <= _LABEL else f"{words[: _LABEL - 1].rstrip()}…"
