"""The glossary of the Markdown report: every status, facet and finding with its formula."""

from __future__ import annotations

from reconciler.model import Thresholds
from reconciler.render.glossary import groups
from reconciler.render.markdown_tables import table


def glossary(thresholds: Thresholds) -> list[str]:
    """Every word of the tables, with its formula and the thresholds in force."""
    lines: list[str] = []
    for group in groups(thresholds):
        lines += [f"### {group.title}", "", *table(("Word", "Meaning"), group.entries), ""]
    return lines
