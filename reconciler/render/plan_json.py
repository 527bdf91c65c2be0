"""The plan for machines, and as ``plan --out`` saves it. Its schema is ``schemas/plan.schema.json``.

No clock, host or path is in it: the same configuration and state make the same bytes on the same day.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from reconciler.plan import Action
from reconciler.plan_page import PlanPage, SavedPlan
from reconciler.render.json_document import json_document
from reconciler.render.plan_summary import import_summary, summary

FORMAT_VERSION = 1


def render(plan: SavedPlan) -> str:
    """The document's text: keys in a fixed order, portals by id, products by title."""
    document = {
        "format_version": FORMAT_VERSION,
        "basis": asdict(plan.basis),
        "summary": _summary(plan.page),
        **asdict(plan.page),
    }
    return json_document(document, date.isoformat)


def _summary(page: PlanPage) -> dict[str, Any]:
    """What the whole plan comes to; it follows from the rest."""
    return {
        "text": " ".join([summary(page), *import_summary(page)]),
        "changes": page.brings,
        "portals": {action: page.portals_with(action) for action in Action},
        "products": asdict(page.counts),
        "imports": asdict(page.import_counts) if page.refreshed else None,
    }
