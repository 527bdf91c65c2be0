"""``products.csv`` and its cells: what a spreadsheet would run, what it must read as a number, what may never move."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from reconciler.model import Settings
from reconciler.render import cyclonedx_json, focus_csv, products_csv
from reconciler.render.cells import cell, harmless, table
from reconciler.render.html.products import product_rows
from reconciler.render.words import MISSING
from reconciler.report import make_report
from tests.core.core_snapshots import TextFile
from tests.core.core_world import (
    E3,
    TODAY,
    known,
    license_,
    numbered,
    portal,
    portal_state,
    product,
    subscription,
    with_import,
)
from tests.core.report_story import story_report

BEGINS_A_FORMULA = re.compile(r"""[\s"]*[=+\-@＝＋－＠]""")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_products_of_the_story(snapshot: SnapshotAssertion) -> None:
    assert products_csv.render(story_report()) == snapshot(extension_class=TextFile)


def test_every_product_of_the_report_is_one_row() -> None:
    report = story_report()
    found = [(row["portal"], row["sku_id"]) for row in rows(products_csv.render(report))]
    assert found == [(each.state.id, item.product.sku_id) for each in report.portals for item in each.products]
    assert len(set(found)) == len(found) == report.products


def test_a_row_is_one_line_and_every_cell_is_scalar() -> None:
    text = products_csv.render(story_report())
    assert text.count("\n") == story_report().products + 1
    assert "\r" not in text
    assert not [value for row in rows(text) for value in row.values() if value.startswith(("{", "["))]


def test_a_negative_balance_is_a_number() -> None:
    short = portal_state(product(enabled=10, consumed_units=12, consumers=12))
    (row,) = rows(products_csv.render(make_report(known(short), Settings(), TODAY)))
    assert (row["quantity"], row["consumed"], row["balance"]) == ("10", "12", "-2")
    assert row["utilization_percent"] == "120.00"


def test_the_next_renewal_is_the_first_of_what_can_be_used() -> None:
    ends = [
        subscription("Suspended", id="a", next_lifecycle=datetime(2026, 12, 1, tzinfo=UTC)),
        subscription(id="b", next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC)),
        subscription(id="c", next_lifecycle=datetime(2027, 2, 1, tzinfo=UTC)),
        subscription(id="d", total_licenses=0, next_lifecycle=datetime(2027, 1, 1, tzinfo=UTC)),
    ]
    state = portal_state(product(license_(subscriptions=tuple(ends))))
    (row,) = rows(products_csv.render(make_report(known(state), Settings(), TODAY)))
    assert row["next_renewal"] == "2027-02-01"


def test_what_is_not_metered_has_neither_balance_nor_utilization() -> None:
    state = portal_state(product(applies_to="Company", enabled=5, consumed_units=0, consumers=0))
    report = make_report(known(state), Settings(), TODAY)
    (row,) = rows(products_csv.render(report))
    assert (row["status"], row["quantity"], row["balance"], row["utilization_percent"]) == ("not_metered", "5", "", "")
    (shown,) = product_rows(report.portals[0])
    assert (shown.utilization, shown.bar, shown.numbers[-1]) == (MISSING, None, MISSING)


@pytest.mark.parametrize(("emulated", "said"), [("demo", "true"), (None, "false")])
def test_each_row_says_whether_the_emulator_answered(emulated: str | None, said: str) -> None:
    report = make_report(known(with_import(portal_state(product()), emulated=emulated)), Settings(), TODAY)
    (row,) = rows(products_csv.render(report))
    assert row["emulated"] == said
    (bought,) = rows(focus_csv.render(report))
    assert bought["x_Emulated"] == said
    document = json.loads(cyclonedx_json.render(report, "1"))
    mark = {"name": "m365-license-reconciler:emulated", "value": said}
    assert document["metadata"]["properties"] == [mark]
    assert mark in document["components"][0]["properties"]


def test_columns_are_a_contract_and_new_ones_come_last() -> None:
    assert products_csv.COLUMNS[:10] == (
        *("portal", "portal_name", "tenant_id", "cloud", "publisher"),
        *("product", "title", "sku_id", "sku_part_number", "directory"),
    )
    assert products_csv.COLUMNS[-6:] == ("price", "currency", "period", "true_up", "idle", "emulated")
    assert len(products_csv.COLUMNS) == 41


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-3", "'-3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ('"=1"', '\'"=1"'),
        ("＝1", "'＝1"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("x;=1", "x;'=1"),
        ("a, -b", "a, -b"),
        ("Office 365 E3", "Office 365 E3"),
        ("Contoso - Office", "Contoso - Office"),
        ("", ""),
    ],
)
def test_text_is_no_formula(text: str, expected: str) -> None:
    assert harmless(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12, "-12"),
        (Decimal("1E+3"), "1000"),
        (Decimal("34.40"), "34.40"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 6, tzinfo=UTC), "2026-11-23T06:00:00Z"),
        ("-1", "'-1"),
    ],
)
def test_a_cell_is_written_as_programs_read_it(value: str | int | Decimal | date | bool | None, expected: str) -> None:
    assert cell(value) == expected


@given(st.lists(st.text(max_size=40), min_size=2, max_size=5))
@example(["=HYPERLINK(1)", ';"=1"', "a\n=1"])
def test_no_text_becomes_a_formula_whichever_sign_divides_the_cells(texts: list[str]) -> None:
    written = table(["head"] * len(texts), [texts])
    for delimiter in ",;":
        for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
            cells = row if delimiter == "," else row[1:]  # the first cell may begin in the middle of a text
            assert not [text for text in cells if BEGINS_A_FORMULA.match(text)]
    assert written.count("\n") == 2


def test_a_hostile_tenant_breaks_no_row() -> None:
    nasty = license_(numbered(1), part_number='=cmd|"/c calc"!A0;=1\r\n@x', capability_status="-")
    state = portal_state(product(nasty, directory="+a/b"), declared=portal(name="@Contoso"))
    text = products_csv.render(make_report(known(state), Settings(), TODAY))
    (row,) = rows(text)
    assert row["sku_part_number"] == "'=cmd|\"/c calc\"!A0;'=1\\r\\n@x"
    assert row["portal_name"] == "'@Contoso"
    assert row["directory"] == "'+a/b"
    assert row["sku_id"] != E3
