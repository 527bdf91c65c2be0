"""The test of connections as a page: each portal under its tenant's name, what is wrong with its remedy right below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reconciler.connection import LABELS, ConnectionReport, StageResult, Verdict, ordered
from reconciler.labels import EMULATED_NOTICE
from reconciler.model import ErrorInfo
from reconciler.render.console import Page
from reconciler.render.escape import plain
from reconciler.render.words import count

SIGNS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.FAILED: "✗", Verdict.SKIPPED: "–"}
_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red", Verdict.SKIPPED: "dim"}

_LABEL_WIDTH = max(len(label) for label in LABELS.values())


def render(reports: Sequence[ConnectionReport], *, width: int | None = None, color: bool = False) -> str:
    """The whole page, with a line end. Without ``width`` no line is folded."""
    page = Page(width=width, color=color)
    console = page.console
    if any(report.emulated for report in reports):
        console.print(EMULATED_NOTICE, style="yellow", markup=False)
        console.print()
    for report in reports:
        _portal(console, report)
    if len(reports) != 1:
        console.print(summary(reports), style="bold", markup=False, soft_wrap=True)
    return page.text()


def summary(reports: Sequence[ConnectionReport]) -> str:
    """All portals in one line."""
    if not reports:
        return "There is no portal to test."
    failing = [report.portal_id for report in reports if report.verdict is Verdict.FAILED]
    warning = [report.portal_id for report in reports if report.verdict is Verdict.WARNING]
    parts = [f"{len(reports) - len(failing)} of {count(len(reports), 'portal')} can be read"]
    parts += [f"failed: {plain(', '.join(failing))}"] if failing else []
    parts += [f"to look at: {plain(', '.join(warning))}"] if warning else []
    return "; ".join(parts) + "."


def _portal(console: Console, report: ConnectionReport) -> None:
    """Headline and stages; with two credentials, the stages of each under a heading of its own."""
    console.print(Text(_headline(report), style="bold"), soft_wrap=True)
    if len(report.credentials) == 1:
        console.print(_table(ordered(report.results)))
    else:
        console.print(_table(report.stages))
        for number, check in zip(("First", "Second"), report.credentials, strict=False):
            console.print()
            console.print(Text(f"  {number} credential: {plain(check.label)}", style="bold"), soft_wrap=True)
            console.print(_table(check.stages))
    console.print()


def _headline(report: ConnectionReport) -> str:
    """Which portal, and whose tenant answered."""
    tenant = report.organization
    if tenant is not None:
        domain = f" ({tenant.default_domain})" if tenant.default_domain else ""
        who = f"{tenant.display_name}{domain}"
    else:
        who = f"tenant {report.tenant_id}" if report.tenant_id else "its file is not valid"
    return plain(f"{report.portal_id}: {who}")


def _table(results: Iterable[StageResult]) -> Table:
    """One row per stage, aligned; folded lines stay in their column."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=3, justify="right", no_wrap=True)
    table.add_column(width=_LABEL_WIDTH, no_wrap=True)
    table.add_column()
    for result in results:
        style = _STYLES[result.verdict]
        quiet = style if result.verdict is Verdict.SKIPPED else ""
        first, *further = _lines(result)
        table.add_row(
            Text(SIGNS[result.verdict], style=style), Text(LABELS[result.stage], style=quiet), Text(first, style=quiet)
        )
        for line in further:
            table.add_row("", "", Text(line, style="bold"))
    return table


def _lines(result: StageResult) -> Iterator[str]:
    """What a stage says: its fact or its error, and the remedy on a line of its own."""
    if result.error is None:
        yield plain(result.fact or "")
        return
    yield _said(result.error)
    yield from (f"→ {plain(line)}" for line in result.error.remedy.splitlines())


def _said(error: ErrorInfo) -> str:
    """Code, message, and what was met."""
    detail = f" ({error.detail})" if error.detail else ""
    return plain(f"{error.code}: {error.message}{detail}")
