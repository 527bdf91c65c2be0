"""The history: what makes a record, what a record changed, and how both read."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from reconciler.history import FACTS, meant, part_numbers, records, steps
from reconciler.model import DayRecord, PortalState, Product, Reason, Removed, Status, Units
from reconciler.render import history_json, history_table
from tests.core.core_snapshots import JsonFile, TextFile
from tests.core.core_world import E3, E5, FLOW, TODAY, license_, portal, portal_state, product

OFFICE, SUITE = product(license_()), product(license_(E5))
BEFORE = portal_state(OFFICE, SUITE)

NUMBERS = ("enabled", "warning", "suspended", "locked_out")


def with_number(name: str, value: int) -> Product:
    """The product with another number of units, users, or Graph's count."""
    if name == "consumers":
        return replace(OFFICE, consumers=value)
    if name == "consumed_units":
        return replace(OFFICE, license=replace(OFFICE.license, consumed_units=value))
    return replace(OFFICE, license=replace(OFFICE.license, units=replace(OFFICE.license.units, **{name: value})))


DIFFERENT: dict[str, Product] = {
    **{name: with_number(name, 41) for name in (*NUMBERS, "consumed_units", "consumers")},
    "status": replace(OFFICE, status=Status.NOT_ENOUGH_LICENSES),
    "reason": replace(OFFICE, reason=Reason.EXCLUDED),
    "title": replace(OFFICE, title="Another title"),
    "directory": replace(OFFICE, directory="Another/Directory"),
}
"""The product, different in one recorded fact."""


def recorded(before: PortalState | None, after: PortalState) -> dict[str, DayRecord]:
    """The records of today by SKU ID."""
    return {record.sku_id: record for record in records(before, after, TODAY)}


def record(days: int = 0, sku_id: str = E3, **members: Any) -> DayRecord:
    """The record of a fully licensed product, so many days from today."""
    given = {"title": "Office 365 E3", "directory": "Microsoft 365/Contoso", "status": Status.FULLY_LICENSED}
    numbers = {"enabled": 100, "warning": 0, "suspended": 0, "locked_out": 0, "consumed_units": 97, "consumers": 97}
    return DayRecord(TODAY + timedelta(days=days), sku_id, **{**given, **numbers, **members})


def deleted(days: int = 0) -> DayRecord:
    """The record of the day on which the product was deleted: its last numbers, and no status."""
    return record(days, status=None)


# --- what makes a record ---------------------------------------------------------------------------------------------


def test_every_fact_of_a_record_is_compared() -> None:
    assert {*FACTS, "day", "sku_id"} == {field.name for field in fields(DayRecord)}
    assert set(DIFFERENT) == set(FACTS)


@pytest.mark.parametrize("fact", FACTS)
def test_a_record_is_made_of_each_product_of_which_a_recorded_fact_differs(fact: str) -> None:
    found = recorded(BEFORE, portal_state(DIFFERENT[fact], SUITE))

    assert list(found) == [E3]
    was, now = recorded(None, BEFORE)[E3], found[E3]
    assert getattr(was, fact) != getattr(now, fact)
    assert replace(now, **{fact: getattr(was, fact)}) == was


def test_what_no_record_says_makes_none() -> None:
    other = replace(OFFICE, findings={"guest_licensed": 1}, errors={"CountViolation": 1}, reclaimable={"x": 1})
    after = portal_state(other, SUITE, declared=portal(name="Renamed", description="Other"), serial=9)

    assert not records(BEFORE, after, TODAY)


def test_a_new_product_is_recorded_with_everything_that_is_known_of_it() -> None:
    units = Units(1, 2, 3, None)
    new = replace(product(license_(FLOW, consumed_units=5)), consumers=4, reason=Reason.EXCLUDED)
    new = replace(new, license=replace(new.license, units=units), status=Status.CANNOT_BE_SYNCHRONISED)

    assert records(BEFORE, portal_state(OFFICE, SUITE, new), TODAY) == (
        DayRecord(
            TODAY, FLOW, new.title, new.directory, Status.CANNOT_BE_SYNCHRONISED, Reason.EXCLUDED, 1, 2, 3, None, 5, 4
        ),
    )


def test_a_product_that_is_deleted_from_the_state_is_recorded_without_status_but_with_its_last_numbers() -> None:
    (found,) = records(BEFORE, portal_state(SUITE), TODAY)
    assert found == replace(recorded(None, BEFORE)[E3], status=None)
    assert (found.enabled, found.consumers) == (OFFICE.license.units.enabled, OFFICE.consumers)


def test_the_record_of_a_removal_alone_is_not_called_the_first() -> None:
    told = history_table.render(BEFORE, list(steps([deleted()])))
    assert "deleted from the state" in told
    assert "no earlier record" in told
    assert "first record" not in told


def test_records_are_in_the_order_of_sku_ids() -> None:
    after = portal_state(replace(SUITE, consumers=1), product(license_(FLOW)))

    assert list(recorded(BEFORE, after)) == sorted([E3, E5, FLOW])


@st.composite
def some_states(draw: st.DrawFn) -> PortalState:
    """A portal with some of three products, each with one of two counts."""
    counts = draw(st.dictionaries(st.sampled_from([E3, E5, FLOW]), st.integers(1, 2)))
    return portal_state(*(product(license_(sku_id), consumers=count) for sku_id, count in counts.items()))


@given(st.lists(some_states(), max_size=8))
def test_the_last_record_of_each_product_says_what_is_known_of_it(states: list[PortalState]) -> None:
    last: dict[str, DayRecord] = {}
    before = None
    for after in states:
        last.update(recorded(before, after))
        before = after
        now = {item.sku_id: item.consumers for item in after.products}
        assert {sku_id: item.consumers for sku_id, item in last.items() if item.status} == now


# --- what a record changed -------------------------------------------------------------------------------------------


def changes(*ordered: DayRecord) -> list[list[tuple[str, object, object]]]:
    """What each record changed."""
    return [[(item.field, item.before, item.after) for item in step.changes] for step in steps(ordered)]


def test_a_record_is_compared_with_the_one_before_of_the_same_product() -> None:
    assert changes(record(0), record(0, E5), record(1, consumers=98), record(2, E5, enabled=90, warning=10)) == [
        [("product", None, "fully_licensed")],
        [("product", None, "fully_licensed")],
        [("consumers", 97, 98)],
        [("enabled", 100, 90), ("warning", 0, 10)],
    ]


def test_status_and_reason_come_first_and_are_told_by_their_names() -> None:
    gone = {"status": Status.CANNOT_BE_SYNCHRONISED, "reason": Reason.GONE_FROM_PORTAL}

    assert changes(record(0), record(1, consumers=1, **gone))[1] == [
        ("status", "fully_licensed", "cannot_be_synchronised"),
        ("reason", None, "gone_from_portal"),
        ("consumers", 97, 1),
    ]


def test_a_product_that_is_deleted_and_comes_back_is_one_change_each() -> None:
    assert changes(record(0), deleted(1), record(2, consumers=1))[1:] == [
        [("product", "fully_licensed", None)],
        [("product", None, "fully_licensed")],
    ]


def test_a_day_that_ended_as_it_began_changed_nothing() -> None:
    assert changes(record(0), record(1), deleted(2), deleted(3)) == [
        [("product", None, "fully_licensed")],
        [],
        [("product", "fully_licensed", None)],
        [],
    ]


# --- which products are meant ----------------------------------------------------------------------------------------

REMOVED = Removed(FLOW, "FLOW_FREE", "Flow", Reason.EXCLUDED, "FLOW_FREE", "Free", None, TODAY)
STATE = portal_state(OFFICE, removed=(REMOVED,))
OLD = "00000000-0000-4000-8000-000000000099"


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("ENTERPRISEPACK", {E3}),
        ("enterprisepack", {E3}),
        (E3.upper(), {E3}),
        ("*_FREE", {FLOW}),
        (FLOW, {FLOW}),
        (OLD, {OLD}),
        ("*", {E3, FLOW, OLD}),
        ("ENTERPRISE", set()),
        ("*_PLAN", set()),
    ],
)
def test_a_sku_means_products_that_are_and_products_that_were(sku: str, expected: set[str]) -> None:
    assert meant(sku, part_numbers(STATE, [record(sku_id=OLD)])) == expected


def test_the_part_number_is_the_one_that_microsoft_gives_now() -> None:
    renamed = replace(REMOVED, sku_id=E3, part_number="OLD_NAME")

    assert part_numbers(portal_state(OFFICE, removed=(renamed,)), ()) == {E3: "ENTERPRISEPACK"}


# --- how it reads ----------------------------------------------------------------------------------------------------

LOST = {"status": Status.CANNOT_BE_SYNCHRONISED, "reason": Reason.GONE_FROM_PORTAL}
STORY = [
    record(0),
    record(0, FLOW, title="Flow", enabled=10_000, consumed_units=None, consumers=1_234),
    record(1, consumed_units=101, consumers=101, status=Status.NOT_ENOUGH_LICENSES),
    record(2, enabled=120, warning=5, consumed_units=101, consumers=101),
    record(3, FLOW, title="Flow \x1b[31mred", enabled=10_000, consumed_units=None, consumers=1_234, **LOST),
    record(3, enabled=120, warning=5, consumed_units=101, consumers=101),
    replace(deleted(4), sku_id=FLOW, title="Flow \x1b[31mred"),
    record(40, FLOW, title="Flow", enabled=10_000, consumers=1),
]


def as_json(*ordered: DayRecord) -> str:
    """The document over these records."""
    return history_json.render(STATE, list(steps(ordered)), part_numbers(STATE, ordered))


def test_the_table(snapshot: SnapshotAssertion) -> None:
    assert history_table.render(STATE, list(steps(STORY))) == snapshot(extension_class=TextFile)


def test_the_document(snapshot: SnapshotAssertion) -> None:
    assert as_json(*STORY) == snapshot(extension_class=JsonFile)


def test_the_document_says_all_of_each_record() -> None:
    row = json.loads(as_json(record(1, suspended=7, locked_out=8, **LOST)))["records"][0]
    flat = {**row, **row["units"]}

    assert {name: flat[name] for name in (*FACTS, "day", "sku_id")} == {
        **{name: getattr(record(1, suspended=7, locked_out=8, **LOST), name) for name in FACTS},
        "day": (TODAY + timedelta(days=1)).isoformat(),
        "sku_id": E3,
    }
    assert flat["sku_part_number"] == "ENTERPRISEPACK"


def test_a_part_number_that_nobody_knows_any_more_is_null() -> None:
    assert json.loads(as_json(record(sku_id=OLD)))["records"][0]["sku_part_number"] is None


@pytest.mark.parametrize("form", ["table", "document"])
def test_emulated_numbers_are_said_to_be_emulated(form: str) -> None:
    last = replace(STATE.last_import, emulated="demo")
    state, found = replace(STATE, last_import=last), list(steps(STORY))
    text = history_table.render if form == "table" else partial(history_json.render, part_numbers={E3: "", FLOW: ""})

    assert ("Emulated data" in text(state, found)) is (form == "table")
    assert ('"emulated": "demo"' in text(state, found)) is (form == "document")
    assert "demo" not in text(STATE, found)
    assert "Emulated" not in text(STATE, found)


def test_a_portal_without_a_record_is_told_in_words() -> None:
    text = history_table.render(STATE, [])

    assert text == "contoso: nothing recorded yet. A record is made when something of a product changes.\n"


def test_the_summary_counts_records_and_products() -> None:
    text = history_table.render(STATE, list(steps(STORY))).splitlines()[-1]

    assert text.startswith(f"contoso: 8 records of 2 products, {TODAY} to {TODAY + timedelta(days=40)}.")


@pytest.mark.parametrize("width", [80, 109, 110, 200])
def test_nothing_is_cut_off_in_a_narrow_terminal(width: int) -> None:
    text = history_table.render(STATE, list(steps(STORY)), width=width)
    unfolded = history_table.render(STATE, list(steps(STORY)))

    assert max(map(len, text.splitlines()[:-1])) <= width
    assert "…" not in text
    assert sorted("".join(text.split("─")[-1].split())) == sorted("".join(unfolded.split("─")[-1].split()))
