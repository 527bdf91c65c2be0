"""The history of a portal's products in Markdown: a table, and charts of those with the fewest licenses left.

Nothing from a tenant stands in a chart: the name of its product stands above it, escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render import trend_words
from reconciler.render.escape import markdown as safe
from reconciler.render.markdown_tables import table
from reconciler.trends import Trend

CHARTS = 3
"""How many products have a chart at most; all with a trend are in the table."""

SAMPLES = 24
"""How many values a line has: one at each end, the others as far apart, each what was known at the end of its day."""


def history(portal: PortalReport) -> list[str]:
    """How licenses went over time; nothing where too little has changed."""
    found = [
        (item, portal.trends[item.product.sku_id]) for item in portal.products if item.product.sku_id in portal.trends
    ]
    rows = [[safe(item.name), *trend_words.cells(trend)] for item, trend in found]
    return [*table(("Product", *trend_words.HEAD), rows), *_charts(found)]


def _charts(found: Sequence[tuple[ProductReport, Trend]]) -> Iterator[str]:
    """The products with the fewest licenses left. The table says the same in numbers."""
    for item, trend in sorted(found, key=lambda pair: (pair[1].last.balance, pair[0].product.sku_id))[:CHARTS]:
        samples = [
            trend.on(trend.first.day + timedelta(days=trend.days * at // (SAMPLES - 1))) for at in range(SAMPLES)
        ]
        entitled, consumed = [point.entitled for point in samples], [point.consumed for point in samples]
        bottom, top = trend.scale
        yield from (
            "",
            f"Entitled (the first line) and consumed (the second) of {safe(item.name)}:",
            "",
            "```mermaid",
            "xychart-beta",
            f'    x-axis "Days since {trend.first.day}" 0 --> {max(1, trend.days)}',
            f'    y-axis "Licenses" {bottom} --> {top}',
            f"    line {entitled}",
            f"    line {consumed}",
            "```",
        )
