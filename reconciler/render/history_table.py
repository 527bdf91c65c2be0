"""The history of a portal's products as a table for the terminal, oldest first: the newest is where one looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from reconciler.history import Step
from reconciler.labels import EMULATED_NOTICE, REASON_LABELS, STATUS_LABELS, STATUS_SIGNS
from reconciler.model import Change, DayRecord, PortalState
from reconciler.render.console import Page
from reconciler.render.escape import plain
from reconciler.render.words import MISSING, changed_field, changed_value, count, number

NARROW = 110
"""Columns below which a record says what it changed under its status."""


def render(state: PortalState, steps: Sequence[Step], *, width: int | None = None, color: bool = False) -> str:
    """One row a record, and how many there are. Without ``width`` no line is folded."""
    page = Page(width=width, color=color)
    if state.last_import.emulated:
        page.console.print(EMULATED_NOTICE, style="yellow", markup=False)
    if steps:
        page.console.print(_table(steps, narrow=width is not None and width < NARROW))
    page.console.print(_summary(state, steps), style="bold", markup=False, soft_wrap=True)
    return page.text()


def _table(steps: Sequence[Step], *, narrow: bool) -> Table:
    """What each record says, and what it changed."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("DAY", no_wrap=True)
    table.add_column("PRODUCT", min_width=12, overflow="fold")
    table.add_column("STATUS", overflow="fold")
    for name in ("ENABLED", "GRACE", "COUNT", "USERS"):
        table.add_column(name, justify="right", no_wrap=True)
    if not narrow:
        table.add_column("CHANGED", overflow="fold")
    for step in steps:
        record = step.record
        words = [f"{_status(record)}\n{_changed(step)}"] if narrow else [_status(record), _changed(step)]
        numbers = (record.enabled, record.warning, record.consumed_units, record.consumers)
        row = [record.day.isoformat(), plain(record.title), words[0], *(number(value) for value in numbers), *words[1:]]
        table.add_row(*(Text(cell) for cell in row))
    return table


def _status(record: DayRecord) -> str:
    """Sign and word, with the reason."""
    if record.status is None:
        return f"{MISSING} deleted from the state"
    words = STATUS_LABELS[record.status] + (f": {REASON_LABELS[record.reason]}" if record.reason else "")
    return f"{STATUS_SIGNS[record.status]} {words}"


def _changed(step: Step) -> str:
    """What a record changed. That there is a reason now, or none any more, is told by the status."""
    was = step.before.status if step.before else None
    if was is None and step.record.status is None:
        return "no earlier record"
    if was is None:
        return "back in the state" if step.before else "first record"
    changes = [
        change for change in step.changes if change.field != "reason" or None not in (change.before, change.after)
    ]
    return "; ".join(_words(change) for change in changes) or MISSING


def _words(change: Change) -> str:
    """One change. The column of the status says already what it is now."""
    before, after = (plain(changed_value(change, value)) for value in (change.before, change.after))
    if change.field in ("product", "status"):
        return f"was: {before}"
    return f"{changed_field(change)} {before} → {after}"


def _summary(state: PortalState, steps: Sequence[Step]) -> str:
    """How much there is."""
    if not steps:
        return f"{state.id}: nothing recorded yet. A record is made when something of a product changes."
    records = [step.record for step in steps]
    products = len({record.sku_id for record in records})
    return (
        f"{state.id}: {count(len(records), 'record')} of {count(products, 'product')}, "
        f"{records[0].day} to {records[-1].day}. COUNT is Graph's own, USERS are the consumers."
    )
