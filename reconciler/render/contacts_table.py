"""Contacts of portals, as numbers, for the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from reconciler.contacts import Contacts
from reconciler.labels import EMULATED_NOTICE
from reconciler.render.console import Page
from reconciler.render.escape import plain
from reconciler.render.words import count, number

MOST = 50
"""Pairs of portals that are shown. An administrator who is a guest everywhere makes a pair of any two portals."""


def render(found: Contacts, *, width: int | None = None, color: bool = False) -> str:
    """A row for each portal, then one for each pair that has persons in common. Without ``width`` no line is folded."""
    page = Page(width=width, color=color)
    if found.emulated:
        page.console.print(EMULATED_NOTICE, style="yellow", markup=False)
    if found.portals:
        page.console.print(_portals(found))
    if found.pairs:
        page.console.print(Text())
        page.console.print(_pairs(found))
    for line in _notes(found):
        page.console.print(line, markup=False, soft_wrap=True)
    return page.text()


def _portals(found: Contacts) -> Table:
    """How many contacts each portal has."""
    table = _table("PORTAL")
    for name in ("CONTACTS", "IN ANOTHER PORTAL"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found.portals:
        table.add_row(each.portal_id, number(each.contacts), number(None if each.contacts is None else each.elsewhere))
    return table


def _pairs(found: Contacts) -> Table:
    """What pairs of portals have in common."""
    table = _table("IN BOTH")
    table.add_column("PERSONS", justify="right", no_wrap=True)
    table.add_column("WITH THE SAME LICENSE IN BOTH", overflow="fold")
    for pair in found.pairs[:MOST]:
        licenses = "\n".join(f"{each.persons:,} {plain(each.title)}" for each in pair.licenses)
        table.add_row(", ".join(pair.portals), number(pair.persons), Text(licenses))
    return table


def _table(first: str) -> Table:
    """An empty table with its first column."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    return table


def _notes(found: Contacts) -> list[str]:
    """What the tables do not say."""
    lacking = [each.portal_id for each in found.portals if each.contacts is None]
    hidden = len(found.pairs) - MOST
    notes = [f"… and {count(hidden, 'more pair')}; --format json has all."] if hidden > 0 else []
    if not found.portals:
        notes.append("No portal is known yet: an import is needed (reconcile import).")
    elif lacking:
        notes.append(
            f"The state DB has no contacts of {', '.join(lacking)}: they are never committed, so an import is needed "
            f"(reconcile import {' '.join(lacking)})."
        )
    return notes
