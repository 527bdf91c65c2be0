"""Changes in the words of the Markdown report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model import Change
from reconciler.portal_report import PortalReport
from reconciler.render.change_words import arrival, is_new, sentences
from reconciler.render.escape import markdown as safe
from reconciler.render.words import count, moment
from reconciler.report import Report

CHANGES_SHOWN = 20
"""How many changes of one portal are listed before the rest is counted."""


def all_changes(report: Report) -> list[str]:
    """What the last run that changed anything changed, portal by portal."""
    if not report.changes:
        return ["None."]
    lines = [f"Changed on {moment(report.changed_at)}.", ""]
    for portal in report.changes:
        lines.append(f"- **{safe(portal.name)}**: {_summary(portal.changes, unread=portal.unread)}")
        lines += [f"  - {line}" for line in _lines(portal.changes)]
    return lines


def portal_changes(portal: PortalReport) -> list[str]:
    """When and how one portal last changed."""
    changed = portal.state.changed
    if changed is None:
        return []
    lines = list(_lines(changed.changes)) or [_summary(changed.changes, unread=portal.state.last_import.as_of is None)]
    return [f"On {moment(changed.at)}:", "", *[f"- {line}" for line in lines]]


def _summary(changes: Sequence[Change], *, unread: bool) -> str:
    """How much changed in one portal."""
    if is_new(changes):
        return f"new, {arrival(changes, unread=unread)}"
    products = {change.sku_id for change in changes if change.sku_id}
    own = sentences([change for change in changes if change.sku_id is None])
    parts = [count(len(own), "change") + " of the portal itself"] if own else []
    parts += [f"{count(len(products), 'product')} changed"] if products else []
    return " and ".join(parts) or "details of its last import changed"


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    """The changes of one portal in words, escaped, the first of them."""
    lines = sentences(changes)
    yield from (safe(line) for line in lines[:CHANGES_SHOWN])
    if len(lines) > CHANGES_SHOWN:
        yield f"and {count(len(lines) - CHANGES_SHOWN, 'more change')}"
