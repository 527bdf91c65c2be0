"""The plan in one line, the same for text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model import Presence
from reconciler.plan import Action
from reconciler.plan_page import PlanPage
from reconciler.render.words import count, listed

NAMED = 8
"""Up to so many portals are named; more are counted."""


def summary(page: PlanPage) -> str:
    """What happens to portals and products; ``No changes`` when nothing does."""
    if not page.pending:
        present = sum(portal.presence is not Presence.DELETED for portal in page.portals)
        return f"No changes. {count(present, 'portal is', 'portals are')} as declared."
    new, changed, deleted = (page.portals_with(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
    found = page.counts
    products = [
        f"{found.lost:,} lost",
        count(found.recover, "recovers", "recover"),
        count(found.move, "moves", "move"),
        f"{found.removed:,} removed",
    ]
    if found.otherwise:
        products.append(f"{found.otherwise:,} otherwise changed")
    portals = f"{count(new, 'portal')} new, {changed:,} changed, {deleted:,} deleted"
    return f"Plan: {portals}; products: {', '.join(products)}."


def import_summary(page: PlanPage) -> Iterator[str]:
    """What the imports would bring, where tenants were read for the plan."""
    if not page.refreshed:
        return
    failed = sum(preview.error is not None for preview in page.previews)
    found = page.import_counts
    if not any(preview.changes for preview in page.previews):
        effects = "nothing would change"
    else:
        recover = count(found.recover, "recovers", "recover")
        effects = f"products: {found.new:,} new, {found.lost:,} lost, {recover}, {found.otherwise:,} otherwise changed"
    unread = f", {failed:,} could not be read" if failed else ""
    yield f"Import: {count(len(page.previews) - failed, 'tenant')} read{unread}; {effects}."


def reading(page: PlanPage) -> str:
    """Which tenants apply reads, for a plan that brings something and was made without reading them."""
    if page.refreshed or not page.pending:
        return ""
    ids = page.reading
    if not ids:
        return "Apply will read no tenant."
    named = f": {listed(ids)}" if len(ids) <= NAMED else ""
    return f"Apply will read {count(len(ids), 'tenant')}{named}."


def refused(page: PlanPage) -> str:
    """What apply would not do, in one line; empty when it would do all."""
    if page.stops:
        return f"apply would stop: {', '.join(dict.fromkeys(refusal.code for refusal in page.stops))}"
    if page.left_out:
        entries = count(len(page.left_out), "entry", "entries")
        return f"apply would leave out {entries} of removals.yaml, do all else, and end with 4: {page.left_out[0].code}"
    return ""
