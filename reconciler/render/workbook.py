"""The report as a workbook (XLSX), by XlsxWriter: products, portals, next steps, exclusions.

Text is written as text, never as a formula or a link. The same report gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from reconciler.render import products_csv
from reconciler.render.cells import Cell
from reconciler.render.xml_text import xml_text
from reconciler.report import Report

LONGEST = 32_767
"""The most characters that a cell can hold."""

_WIDEST = 60
"""Characters that a column is wide at most."""

_FIRST_YEAR = 1900
"""Spreadsheets know no earlier day."""

_BEGINNING = datetime(1980, 1, 1)  # noqa: DTZ001 - as the dates in ZIP files, which have no zone
"""What stands for the time of the last change where there is none."""


def render(report: Report) -> bytes:
    """The file's bytes. Its time of creation is that of the last change that the report tells."""
    written = io.BytesIO()
    book = Workbook(written, {"in_memory": True})
    created = report.changed_at.replace(tzinfo=None) if report.changed_at else _BEGINNING
    book.set_properties({"title": "License position", "created": created})
    for name, head, rows in (
        ("Products", products_csv.COLUMNS, [tuple(row.values()) for row in products_csv.rows(report)]),
        ("Portals", _PORTAL, list(_portals(report))),
        ("Next steps", ("portal", "subject", "why", "step"), list(_steps(report))),
        ("Exclusions", _EXCLUSION, list(_exclusions(report))),
    ):
        _Sheet(book, name).fill(head, rows)
    book.close()
    return written.getvalue()


_PORTAL = (
    "portal",
    "name",
    "tenant_id",
    "cloud",
    "state",
    "import",
    "as_of",
    "freshness",
    "users",
    "products",
    "error",
    "remedy",
    "credential",
    "emulated",
)
_EXCLUSION = ("portal", "sku", "reason", "until", "scope", "in_force", "matched")


def _portals(report: Report) -> Iterable[tuple[Cell, ...]]:
    """Each portal, with what became of its last import."""
    for item in report.portals:
        portal, last = item.state.portal, item.state.last_import
        yield (
            portal.id,
            portal.name,
            portal.tenant_id,
            portal.cloud.value,
            item.state.presence.value,
            last.outcome.value,
            last.as_of,
            item.freshness and item.freshness.value,
            item.users,
            None if item.is_unread else len(item.products),
            f"{last.error.code}: {last.error.message}" if last.error else None,
            last.error.remedy if last.error else None,
            item.credential.message if item.credential else None,
            last.emulated is not None,
        )


def _steps(report: Report) -> Iterable[tuple[Cell, ...]]:
    """What to do, worst first."""
    return ((step.portal_id, step.subject, step.why, step.step) for step in report.next_steps)


def _exclusions(report: Report) -> Iterable[tuple[Cell, ...]]:
    """Those of reconcile.yaml, without a portal, then each portal's own."""
    for shared in report.exclusions:
        said = shared.exclusion
        matched = " ".join(shared.matched)
        yield (None, said.sku, said.reason, said.until, said.scope.value, shared.in_force, matched)
    for portal in report.portals:
        for item in portal.exclusions:
            if item.exclusion in portal.state.portal.exclusions:
                said = item.exclusion
                matched = " ".join(item.matched)
                yield (portal.state.id, said.sku, said.reason, said.until, said.scope.value, item.in_force, matched)


class _Sheet:
    """One sheet, with a head that stays in sight and can be filtered by."""

    def __init__(self, book: Workbook, name: str) -> None:
        self._sheet: Worksheet = book.add_worksheet(name)
        self._bold = book.add_format({"bold": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def fill(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Write the head and the rows."""
        for column, name in enumerate(head):
            self._sheet.write_string(0, column, name, self._bold)
            longest = max((len(str(row[column])) for row in rows if row[column] is not None), default=0)
            self._sheet.set_column(column, column, min(max(len(name), longest) + 2, _WIDEST))
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                self._write(number, column, value)
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, len(rows), len(head) - 1)

    def _write(self, row: int, column: int, value: Cell) -> None:
        """One cell, of its own kind."""
        match value:
            case None:
                return
            case bool():
                self._sheet.write_boolean(row, column, value)
            case int() | Decimal():
                self._sheet.write_number(row, column, value)
            case date() if value.year < _FIRST_YEAR:
                self._sheet.write_string(row, column, value.isoformat())
            case datetime():
                self._sheet.write_datetime(row, column, value.replace(tzinfo=None), self._time)
            case date():
                self._sheet.write_datetime(row, column, value, self._day)
            case _:
                self._sheet.write_string(row, column, xml_text(value)[:LONGEST])
