"""Changes in the words of the Markdown report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model import Change
from reconciler.portal_report import PortalReport
from reconciler.render.escape import markdown as safe
from reconciler.render.words import changed_field, changed_value, count, moment
from reconciler.report import Report

CHANGES_SHOWN = 20
"""How many changes of one portal are listed before the rest is counted."""


def all_changes(report: Report) -> list[str]:
    """What the last run that changed anything changed, portal by portal."""
    if not report.changes:
        return ["None."]
    lines = [f"Changed on {moment(report.changed_at)}.", ""]
    for portal in report.changes:
        lines.append(f"- **{safe(portal.name)}**: {_summary(portal.changes)}")
        lines += [f"  - {line}" for line in _lines(portal.changes)]
    return lines


def portal_changes(portal: PortalReport) -> list[str]:
    """When and how one portal last changed."""
    changed = portal.state.changed
    if changed is None:
        return []
    lines = list(_lines(changed.changes)) or [_summary(changed.changes)]
    return [f"On {moment(changed.at)}:", "", *[f"- {line}" for line in lines]]


def _is_new(changes: Sequence[Change]) -> bool:
    """Whether the changes are those of a new portal."""
    return any(change.field == "portal" for change in changes)


def _summary(changes: Sequence[Change]) -> str:
    """How much changed in one portal."""
    products = {change.sku_id for change in changes if change.sku_id}
    if _is_new(changes):
        return f"new, with {count(len(products), 'product')}"
    own = sum(change.sku_id is None for change in changes)
    parts = [count(own, "change") + " of the portal itself"] if own else []
    parts += [f"{count(len(products), 'product')} changed"] if products else []
    return " and ".join(parts) or "details of its last import changed"


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    """The changes of one portal in words. What a new portal brings is in its table and not said again."""
    if _is_new(changes):
        return
    reasons = {change.sku_id: change for change in changes if change.field == "reason"}
    told = {change.sku_id for change in changes if change.field == "status"}
    shown = [change for change in changes if change.field != "reason" or change.sku_id not in told]
    for change in shown[:CHANGES_SHOWN]:
        yield _line(change, reasons.get(change.sku_id))
    if len(shown) > CHANGES_SHOWN:
        yield f"and {count(len(shown) - CHANGES_SHOWN, 'more change')}"


def _line(change: Change, reason: Change | None) -> str:
    """One change; the reason of a lost synchronization stands beside its status."""
    before, after = safe(changed_value(change, change.before)), safe(changed_value(change, change.after))
    if change.field == "status" and reason and reason.after:
        after += f": {changed_value(reason, reason.after)}"
    subject = f"{safe(change.subject)}: " if change.sku_id else ""
    if change.field == "product":
        return f"{subject}new, {after}" if change.before is None else f"{subject}removed"
    return f"{subject}{safe(changed_field(change))} {before} → {after}"
