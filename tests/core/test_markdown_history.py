"""The history in Markdown: a table, and charts of those with the fewest licenses left."""

from __future__ import annotations

import re
from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from reconciler.history import History
from reconciler.model import PortalState, Settings
from reconciler.render import markdown
from reconciler.render.markdown_history import CHARTS, SAMPLES
from reconciler.render.reports import reports
from reconciler.report import make_report
from tests.core.core_snapshots import MarkdownFile
from tests.core.core_world import E5, LATER, TODAY, known, license_, numbered, portal_state, product
from tests.core.history_world import YEAR, only, went
from tests.core.report_story import HOSTILE

STATE = portal_state(product(), product(license_(E5)))
LINES = re.compile(r"^    line \[(.*)\]$", re.MULTILINE)


def page_of(state: PortalState, history: History) -> str:
    """The page of one portal."""
    report = make_report(known(state), Settings(), TODAY, history)
    return markdown.portal_page(report.portals[0], report)


def section(page: str) -> str:
    """What stands under the heading."""
    return page.partition("## History\n")[2].partition("\n## ")[0]


def test_the_history_of_a_portal(snapshot: SnapshotAssertion) -> None:
    assert section(page_of(STATE, only(YEAR))) == snapshot(extension_class=MarkdownFile)


def test_little_history_is_not_mentioned() -> None:
    assert "History" not in page_of(STATE, only(YEAR[:2]))
    assert "History" not in page_of(STATE, only([]))


def test_the_table_says_what_the_chart_shows() -> None:
    text = section(page_of(STATE, only(YEAR)))
    entitled, consumed = ([int(value) for value in line.split(",")] for line in LINES.findall(text))
    assert len(entitled) == len(consumed) == SAMPLES
    assert (entitled[0], entitled[-1], consumed[0], consumed[-1]) == (90, 120, 80, 118)
    assert "| 90 → 120 | 80 → 118 | −5 |" in text


def test_each_value_of_a_chart_is_what_was_known_on_its_day() -> None:
    history = went((SAMPLES - 1, 10, 0), *((day, 10, SAMPLES - 1 - day) for day in range(SAMPLES - 2, -1, -1)))
    _, consumed = LINES.findall(page_of(STATE, only(history)))
    assert consumed == ", ".join(map(str, range(SAMPLES)))


def test_only_the_products_with_the_fewest_licenses_left_have_a_chart() -> None:
    owned = [product(license_(numbered(number))) for number in range(5)]
    history = [
        record
        for number, left in enumerate([4, -9, 3, 5, 1])
        for record in went((9, 20, 1), (8, 20, 2), (7, 20, 20 - left), sku_id=numbered(number))
    ]
    text = section(page_of(portal_state(*owned), only(history)))
    assert text.count("\n| Contoso") == 5
    charted = re.findall(r"of Contoso - SKU\\?_(\d+):", text)
    assert charted == ["0001", "0004", "0002"]
    assert len(charted) == CHARTS


def test_a_product_that_is_not_metered_has_no_line() -> None:
    assert "History" in page_of(portal_state(product()), only(YEAR))
    assert "History" not in page_of(portal_state(product(applies_to="Company")), only(YEAR))


def test_a_removed_product_has_no_line() -> None:
    assert "History" not in page_of(portal_state(product(license_(E5))), only(YEAR))


def test_a_name_stays_out_of_the_chart_and_harmless_above_it() -> None:
    text = section(page_of(portal_state(replace(product(), title=HOSTILE)), only(YEAR)))
    plain = section(page_of(portal_state(product()), only(YEAR)))
    assert len(text.splitlines()) == len(plain.splitlines())
    assert LINES.findall(text) == LINES.findall(plain)
    assert "<img" not in text
    assert "Evil" in text.partition("Entitled (the first line)")[2].partition("```")[0]
    assert "Evil" not in text.partition("```mermaid")[2]


def test_no_line_moves_while_nothing_changed() -> None:
    before = reports(make_report(known(STATE), Settings(), TODAY, only(YEAR)))
    assert reports(make_report(known(STATE), Settings(), LATER.date(), only(YEAR))) == before


def test_a_change_of_one_product_moves_the_line_of_no_other() -> None:
    other = went((70, 9, 1), (60, 9, 2), (50, 9, 3), sku_id=E5)
    pages = [page_of(STATE, only([*YEAR, *other, *more])) for more in ([], went((0, 120, 50)))]
    rows = [[row for row in page.splitlines() if "| 9 → 9 |" in row] for page in pages]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 1
