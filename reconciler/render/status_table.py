"""Products and statuses as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.labels import EMULATED_NOTICE, EXPIRING_SIGN, MUTED_LABEL, STATUS_LABELS, STATUS_SIGNS
from reconciler.model import ImportOutcome, Presence, Status
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.columns import columns
from reconciler.render.escape import plain
from reconciler.render.verdict import verdict
from reconciler.render.words import moment, number
from reconciler.report import Report

if TYPE_CHECKING:
    from rich.table import Table

HEAD = ("PORTAL", "PRODUCT", "STATUS", "ENTITLED:", "CONSUMED:", "BALANCE:")

NARROW = 110
"""Columns below which statuses are shortened, so that a product stays on one line."""

_SHORT = {
    Status.CANNOT_BE_SYNCHRONISED: "Not synchronized",
    Status.CALCULATION_ERROR: "Error",
    Status.NOT_ENOUGH_LICENSES: "Not enough",
    Status.FULLY_LICENSED: "Licensed",
}

_STYLES = {
    Status.CANNOT_BE_SYNCHRONISED: "magenta",
    Status.CALCULATION_ERROR: "red",
    Status.NOT_ENOUGH_LICENSES: "bold red",
    Status.FULLY_LICENSED: "green",
}


def render(report: Report, *, width: int | None = None, color: bool = False) -> str:
    """The table with the verdict below it. Without ``width`` no line is folded, so that pipes get one row a product."""
    return _plain(report) if width is None and not color else _page(report, width, color=color)


def _plain(report: Report) -> str:
    """The page as it is without a terminal."""
    rows = [
        (portal.state.id, plain(item.product.title), _status(item, narrow=False), *_numbers(item))
        for portal in report.portals
        for item in portal.products
    ]
    lines = [EMULATED_NOTICE] if report.emulated else []
    lines += columns(HEAD, rows) if rows else []
    return "".join(f"{line}\n" for line in (*lines, *_below(report), verdict(report)))


def _page(report: Report, width: int | None, *, color: bool) -> str:
    """The page as a terminal shows it."""
    from reconciler.render.console import Page

    page = Page(width=width, color=color)
    console = page.console
    if report.emulated:
        console.print(EMULATED_NOTICE, style="yellow", markup=False)
    if report.products:
        console.print(_table(report, narrow=width is not None and width < NARROW))
    for line in _below(report):
        console.print(line, markup=False, soft_wrap=True)
    console.print(verdict(report), style="bold", markup=False, soft_wrap=True)
    return page.text()


def _below(report: Report) -> Iterator[str]:
    """What is to be said of portals as a whole."""
    for portal in report.portals:
        yield from _notes(portal)
        yield from _expiring(portal)


def _table(report: Report, *, narrow: bool) -> Table:
    """One row per product."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("PORTAL", no_wrap=True)
    table.add_column("PRODUCT", min_width=12, overflow="fold")
    table.add_column("STATUS", no_wrap=narrow)
    for name in ("ENTITLED", "CONSUMED", "BALANCE"):
        table.add_column(name, justify="right", no_wrap=True)
    for portal in report.portals:
        for item in portal.products:
            status = Text(_status(item, narrow=narrow), style=_STYLES.get(item.product.status, ""))
            table.add_row(portal.state.id, Text(plain(item.product.title)), status, *_numbers(item))
    return table


def _status(item: ProductReport, *, narrow: bool) -> str:
    """Sign and word, with the reason where there is room."""
    status, reason = item.product.status, item.product.reason
    words = STATUS_LABELS[status] + (f": {item.reason_label}" if reason else "")
    words += f" ({MUTED_LABEL})" if item.muted else ""
    if narrow:
        words = _SHORT.get(status, STATUS_LABELS[status])
    return f"{STATUS_SIGNS[status]} {words}"


def _numbers(item: ProductReport) -> tuple[str, str, str]:
    """Entitled, consumed, balance."""
    return number(item.numbers.entitled), number(item.numbers.consumed), number(item.shown_balance)


def _notes(portal: PortalReport) -> list[str]:
    """Why the numbers of a portal may be old: its pause; its failed import, with what to do."""
    last, pause = portal.state.last_import, portal.state.portal.suspend
    if portal.state.presence is Presence.SUSPENDED and pause:
        until = f" until {pause.until}" if pause.until else ""
        return [f"{portal.state.id}: suspended{until}: {plain(pause.reason)}"]
    if last.outcome is not ImportOutcome.FAILED or last.error is None:
        return []
    detail = f" ({plain(last.error.detail)})" if last.error.detail else ""
    since = f"since {moment(last.failed_since)}; " if last.failed_since else ""
    kept = f"{since}numbers unchanged since {moment(last.as_of)}" if last.as_of else f"{since}never read"
    return [
        f"{portal.state.id}: {plain(last.error.code)}: {plain(last.error.message)}{detail} [{kept}]",
        f"  {plain(last.error.remedy)}",
    ]


def _expiring(portal: PortalReport) -> list[str]:
    """That the portal's credential ends, with what to do, unless nothing signs in with it for now."""
    credential = portal.credential
    if portal.state.presence is not Presence.PRESENT or credential is None or credential.remedy is None:
        return []
    said = f"{EXPIRING_SIGN} {portal.state.id}: {credential.type}: {plain(credential.message)}"
    return [said, f"  {credential.remedy}"]
