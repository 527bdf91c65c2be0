"""What ``prune`` proposes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.model import Portal, Reason, Removal, Settings, State
from reconciler.plan import Action
from reconciler.prune import FACTS, Proposal, proposals
from reconciler.removals import RemovalOutcome
from reconciler.transition import delete, remove
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    TODAY,
    exclusion,
    known,
    license_,
    numbered,
    plan_of,
    portal,
    portal_state,
    product,
)

GONE, EXCLUDED = Reason.GONE_FROM_PORTAL, Reason.EXCLUDED
EXCLUDING = portal(exclusions=(exclusion("FLOW_FREE"),))
LOST = portal_state(
    product(license_(E3), reason=GONE),
    product(license_(FLOW), reason=EXCLUDED),
    product(license_(E5)),
    declared=EXCLUDING,
)


def proposed(
    *declared: Portal, known: State, removals: tuple[Removal, ...] = (), **options: Any
) -> tuple[Proposal, ...]:
    """What is proposed for these portals."""
    return proposals(plan_of(*declared, known=known, removals=removals), Settings(), TODAY, **options)


def entries(found: tuple[Proposal, ...]) -> list[tuple[str, str, str]]:
    """Portal, SKU and reason of each entry."""
    return [(item.removal.portal, item.removal.sku, item.removal.reason) for item in found]


def test_every_product_that_cannot_be_synchronized_is_proposed_with_the_fact_as_its_reason() -> None:
    found = proposed(EXCLUDING, known=known(LOST))
    assert entries(found) == [
        ("contoso", "FLOW_FREE", FACTS[EXCLUDED]),
        ("contoso", "ENTERPRISEPACK", FACTS[GONE]),
    ]
    assert [item.titles for item in found] == [("Microsoft Power Automate Free",), ("Office 365 E3",)]


def test_the_reason_and_the_ticket_that_are_given_stand_in_every_entry() -> None:
    found = proposed(EXCLUDING, known=known(LOST), reason="Trial has ended", ticket="CHG-1")
    assert {(item.removal.reason, item.removal.ticket) for item in found} == {("Trial has ended", "CHG-1")}


@pytest.mark.parametrize(
    ("why", "skus"), [(GONE, ["ENTERPRISEPACK"]), (EXCLUDED, ["FLOW_FREE"]), (Reason.PORTAL_DELETED, [])]
)
def test_products_can_be_chosen_by_their_reason(why: Reason, skus: list[str]) -> None:
    assert [item.removal.sku for item in proposed(EXCLUDING, known=known(LOST), why=[why])] == skus


def test_what_would_recover_is_not_proposed() -> None:
    assert [sku for _, sku, _ in entries(proposed(portal(), known=known(LOST)))] == ["ENTERPRISEPACK"]
    deleted = delete(portal_state(product()))
    assert proposed(portal(), known=known(deleted)) == ()


def test_a_deleted_portal_is_one_entry_for_everything() -> None:
    (found,) = proposed(known=known(delete(LOST)))
    assert (found.removal.portal, found.removal.sku, found.removal.reason) == ("contoso", "*", "The portal is deleted")
    assert len(found.titles) == 3


def test_what_only_this_plan_loses_is_not_proposed() -> None:
    fresh = portal_state(product(), product(license_(FLOW)))
    assert plan_of(known=known(fresh)).portals[0].action is Action.DELETE
    assert proposed(known=known(fresh)) == ()
    assert plan_of(EXCLUDING, known=known(fresh)).portals[0].lost == 1
    assert proposed(EXCLUDING, known=known(fresh)) == ()


def test_what_an_entry_removes_already_is_not_proposed_again() -> None:
    pending = Removal("contoso", "ENTERPRISEPACK", "Trial has ended")
    assert [sku for _, sku, _ in entries(proposed(EXCLUDING, known=known(LOST), removals=(pending,)))] == ["FLOW_FREE"]
    everything = Removal("contoso", "*", "Sold")
    assert proposed(known=known(delete(LOST)), removals=(everything,)) == ()


@pytest.mark.parametrize(
    "part_number", ["MY SKU", "*", "A\nB", "x: y", "\x1b[2J", "", "FLOW[1]", "a" * 200, "'quoted'", "# comment", "42"]
)
def test_a_part_number_that_could_be_misread_is_proposed_as_its_sku_id(part_number: str) -> None:
    state = portal_state(product(license_(E3, part_number=part_number), reason=GONE))
    assert [sku for _, sku, _ in entries(proposed(portal(), known=known(state)))] == [E3]


def test_a_part_number_of_two_products_is_proposed_as_the_sku_id_of_the_one_that_is_lost() -> None:
    twin = product(license_(E5, part_number="enterprisepack"))
    state = portal_state(product(license_(E3), reason=GONE), twin)
    assert [sku for _, sku, _ in entries(proposed(portal(), known=known(state)))] == [E3]


def test_an_entry_differs_from_those_that_are_done_because_they_count_once() -> None:
    state = portal_state(product(license_(E3), reason=GONE))
    once = remove(state, {E3: Removal("contoso", "ENTERPRISEPACK", FACTS[GONE])}, date(2026, 10, 1))
    again = replace(once, products=state.products)
    assert entries(proposed(portal(), known=known(again))) == [("contoso", "ENTERPRISEPACK", f"{FACTS[GONE]} (2)")]
    twice = remove(again, {E3: Removal("contoso", "ENTERPRISEPACK", f"{FACTS[GONE]} (2)")}, date(2026, 11, 1))
    third = replace(twice, products=state.products)
    assert entries(proposed(portal(), known=known(third))) == [("contoso", "ENTERPRISEPACK", f"{FACTS[GONE]} (3)")]


def test_every_proposal_removes_what_it_says_and_afterwards_there_is_nothing_to_prune() -> None:
    states = known(LOST, replace(delete(portal_state(product())), portal=portal("old", client_id=numbered(7))))
    found = proposed(EXCLUDING, known=states)
    plan = plan_of(EXCLUDING, known=states, removals=tuple(item.removal for item in found))
    verdicts = [verdict for item in plan.portals for verdict in item.removals]
    assert {verdict.outcome for verdict in verdicts} == {RemovalOutcome.REMOVES}
    assert sum(item.removed for item in plan.portals) == sum(len(item.titles) for item in found) == 3
    assert proposals(plan, Settings(), TODAY) == ()


def test_nothing_is_proposed_where_everything_can_be_synchronized() -> None:
    assert proposed(portal(), known=known(portal_state(product()))) == ()
    assert proposed(portal(), known={}) == ()
