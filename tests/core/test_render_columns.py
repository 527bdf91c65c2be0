"""Plain tables: aligned by what a terminal shows, whatever the letters, and the same as the table for terminals."""

from __future__ import annotations

from reconciler.render import status_table
from reconciler.render.columns import columns
from tests.core.report_story import story_report


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert columns(("NAME", "UNITS:"), [("漢字", "7"), ("e\u0301", "1,000")]) == [
        "NAME   UNITS",
        "────────────",
        "漢字       7",
        "e\u0301      1,000",
    ]


def test_a_pipe_gets_what_a_wide_terminal_gets() -> None:
    report = story_report()
    assert status_table.render(report) == status_table._page(report, None, color=False)
