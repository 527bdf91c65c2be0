"""A state comes back from the ledger's text and from the DB's rows as it was, whatever it holds."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from reconciler.model import Contact, Holding, PortalState, Product, Reason, Reference, Removed, UserPage
from reconciler.secret import Secret
from reconciler.store import ledger
from reconciler.store.database import open_for_writing
from reconciler.store.documents import from_document, to_document
from tests.store.store_world import (
    E3,
    E5,
    HOSTILE,
    LINEAGE,
    NOW,
    StateFolder,
    any_states,
    page,
    portal,
    portal_state,
    product,
    types_within,
)

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reread(state: PortalState) -> PortalState:
    """The state after a way through the ledger's files."""
    with tempfile.TemporaryDirectory() as folder:
        ledger.write(Path(folder), LINEAGE, {state.id: state}, lambda _: ())
        return ledger.read(Path(folder)).entries[state.id].state


def sorted_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if its keys are in order."""
    names = [name for name, _ in pairs]
    assert names == sorted(names)
    return dict(pairs)


@thorough
@given(any_states())
def test_the_ledger_gives_back_any_state_and_writes_it_the_same_again(state: PortalState) -> None:
    again = reread(state)

    assert again == state
    assert ledger.render(again) == ledger.render(state)


@thorough
@given(any_states(), any_states())
def test_the_database_gives_back_any_state_also_in_place_of_another(old: PortalState, new: PortalState) -> None:
    with tempfile.TemporaryDirectory() as folder, open_for_writing(Path(folder)) as database:
        database.save(old)
        assert database.load() == {old.id: old}

        database.save(new, previous_id=old.id)
        loaded = database.load()

    assert loaded == {new.id: new}
    assert ledger.render(loaded[new.id]) == ledger.render(new)


@thorough
@given(any_states())
def test_a_ledger_text_has_sorted_keys_and_one_product_a_line_for_every_reader(state: PortalState) -> None:
    text = ledger.render(state)
    document = json.loads(text, object_pairs_hook=sorted_keys)
    lines = text.split("\n")

    assert text.splitlines() == lines[:-1]
    assert lines[-1] == ""
    assert document["id"] == state.id
    if state.products:
        start = lines.index('"products": [') + 1
        rows = [json.loads(line.rstrip(",")) for line in lines[start : start + len(state.products)]]
        assert [row["license"]["sku_id"] for row in rows] == [each.sku_id for each in state.products]


def test_a_ledger_of_before_removals_and_savings_is_read_with_defaults() -> None:
    document = to_document(portal_state())
    del document["removed"], document["import"]["excluded"], document["import"]["sign_ins"]
    for each in document["products"]:
        del each["errors"], each["reclaimable"]

    assert from_document(document) == portal_state()


def test_what_was_removed_is_one_a_line() -> None:
    def text(count: int) -> list[str]:
        gone = [
            Removed(f"{number}", "FLOW_FREE", "Flow", Reason.EXCLUDED, "*_FREE", "Free", None, NOW.date())
            for number in range(count)
        ]
        return ledger.render(portal_state(removed=tuple(gone))).split("\n")

    assert len(text(3)) == len(text(2)) + 1
    assert text(3)[: text(2).index('"removed": [') + 2] == text(2)[: text(2).index('"removed": [') + 2]


def test_a_changed_number_changes_one_line_of_the_ledger() -> None:
    before = portal_state(products=(product(E3, 7), product(E5, 7)))
    after = replace(before, products=(product(E3, 7), product(E5, 8)))

    pairs = zip(ledger.render(before).split("\n"), ledger.render(after).split("\n"), strict=True)

    assert sum(old != new for old, new in pairs) == 1


def test_the_order_in_which_findings_were_counted_does_not_move_the_ledger() -> None:
    def text(findings: dict[str, int]) -> str:
        return ledger.render(portal_state(products=(replace(product(), findings=findings),)))

    assert text({"guest_licensed": 1, "disabled_account": 2}) == text({"disabled_account": 2, "guest_licensed": 1})


def test_characters_that_break_or_turn_lines_are_escaped_in_the_ledger() -> None:
    text = ledger.render(portal_state(portal=portal(description=" ".join(HOSTILE))))

    assert not set("\r\x00\x85\u2028\u202e") & set(text)
    assert "\U0001f600" in text


def test_no_person_and_no_secret_can_be_in_a_ledger() -> None:
    reachable = types_within(PortalState)

    assert {Product, Reference} <= reachable
    assert not {Contact, Holding, UserPage, Secret} & reachable


def test_people_are_in_the_database_and_never_in_the_ledger(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.apply(portal_state(), users=(page(1, 2),))

    assert b"person1@contoso.example" in folder.database.read_bytes()
    assert not any(b"person" in content for content in folder.written().values())
