"""What ``reconcile diff`` prints: text for a terminal, Markdown for a page, JSON for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.comparison import Comparison, PortalComparison, Sums
from reconciler.labels import EMULATED_NOTICE, STATUS_LABELS
from reconciler.model import Change, Status
from reconciler.render.change_words import arrival, is_new, sentences
from reconciler.render.escape import markdown as safe
from reconciler.render.escape import plain
from reconciler.render.json_document import json_document
from reconciler.render.markdown_tables import table
from reconciler.render.words import changed_value, count, number

NOTHING = "Nothing changed."
FORMAT_VERSION = 1


def text(found: Comparison) -> str:
    """Portal by portal, then the sums."""
    notice = [EMULATED_NOTICE] if found.emulated else []
    lines = list(_text(found))
    return "".join(f"{line}\n" for line in ([*notice, *lines] if lines else [NOTHING]))


def _text(found: Comparison) -> Iterator[str]:
    for portal in found.portals:
        yield f"{portal.id}: {_summary(portal, plain)}"
        yield from (f"  {plain(line)}" for line in _sentences(portal))
    yield from (plain(_exclusion(change)) for change in found.exclusions)
    yield from (f"{name}: {_sides(before, after)}" for name, before, after in _rows(found) if before != after)


def markdown(found: Comparison) -> str:
    """The same as a page."""
    notice = [f"> **{EMULATED_NOTICE}**", ""] if found.emulated else []
    lines: list[str] = []
    rows = [(name, number(before), number(after)) for name, before, after in _rows(found) if before != after]
    sums = table(("", "Before:", "After:"), rows)
    lines += [*sums, ""] if sums else []
    for portal in found.portals:
        lines += [f"## {safe(portal.name)}", "", f"{_summary(portal, safe)}.", ""]
        told = [f"- {safe(line)}" for line in _sentences(portal)]
        lines += [*told, ""] if told else []
    shared = [f"- {safe(_exclusion(change))}" for change in found.exclusions]
    lines += ["## Exclusions for every portal", "", *shared, ""] if shared else []
    return "\n".join(["# What changed", "", *([*notice, *lines] if lines else [NOTHING, ""])])


def as_json(found: Comparison) -> str:
    """The same for machines: every change as it is in a plan."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": found.emulated,
        "before": _sums(found.before),
        "after": _sums(found.after),
        "exclusions": [_change(change) for change in found.exclusions],
        "portals": [
            {
                "id": portal.id,
                "name": portal.name,
                "new": is_new(portal.changes),
                "gone": portal.is_gone,
                "changes": [_change(change) for change in portal.changes],
            }
            for portal in found.portals
        ],
    }
    return json_document(document)


def _summary(portal: PortalComparison, escape: Callable[[str], str]) -> str:
    """What happened to a portal as a whole."""
    if portal.is_gone:
        return "nothing is left of it"
    if is_new(portal.changes):
        brings = arrival(portal.changes, unread=portal.unread)
        return f"new, {escape(portal.name)}, {brings}"
    told = len(_sentences(portal))
    return count(told, "change") if told else "details of its last import changed"


def _sentences(portal: PortalComparison) -> list[str]:
    """The changes of a portal; of a new one, each of its products."""
    if is_new(portal.changes):
        products = [change for change in portal.changes if change.sku_id]
        return [f"{change.subject}: {changed_value(change, change.after)}" for change in products]
    return sentences(portal.changes)


def _exclusion(change: Change) -> str:
    """What changed in an exclusion of reconcile.yaml."""
    if change.before is None:
        return f"exclusion of {change.subject} for every portal added: {change.after}"
    if change.after is None:
        return f"exclusion of {change.subject} for every portal taken out"
    return f"exclusion of {change.subject} for every portal: {change.before} → {change.after}"


def _rows(found: Comparison) -> list[tuple[str, int, int]]:
    """The sums, by name."""
    before, after = found.before, found.after
    statuses: list[tuple[str, int, int]] = [
        (f'Products "{STATUS_LABELS[status]}"', before.statuses[status], after.statuses[status]) for status in Status
    ]
    return [
        ("Portals", before.portals, after.portals),
        ("Portals read completely", before.read, after.read),
        *statuses,
        ("Licenses entitled", before.entitled, after.entitled),
        ("Licenses consumed", before.consumed, after.consumed),
        ("Licenses missing", before.short, after.short),
    ]


def _sides(before: int, after: int) -> str:
    return f"{number(before)} → {number(after)}"


def _sums(sums: Sums) -> dict[str, Any]:
    """The sums for machines."""
    return {
        "portals": sums.portals,
        "read": sums.read,
        "statuses": {status.value: total for status, total in sums.statuses.items()},
        "entitled": sums.entitled,
        "consumed": sums.consumed,
        "short": sums.short,
    }


def _change(change: Change) -> dict[str, Any]:
    """One change for machines."""
    return {
        "subject": change.subject,
        "sku_id": change.sku_id,
        "field": change.field,
        "before": change.before,
        "after": change.after,
    }
