"""When changes since the last import will do, and what an import of changes makes of a portal's state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.incremental import DeltaLink, FullReadNeeded, basis_of, carried_sign_ins, check_counts, why_full
from reconciler.model import Cloud, Consumption, Holding, License, Settings, Thresholds
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    LATER,
    NOW,
    OTHER_TENANT,
    applied,
    complete,
    license_,
    portal,
    portal_state,
    product,
)


def link(**members: Any) -> DeltaLink:
    """A link that was taken now, with a full read."""
    return DeltaLink(**{"link": "https://x.example", "taken": NOW, "full_read": NOW, "basis": "b", **members})


@pytest.mark.parametrize(
    ("known", "now", "forced", "reason"),
    [
        (link(), NOW, False, None),
        (link(), NOW + timedelta(days=6), False, None),
        (link(), NOW + timedelta(days=6, seconds=1), False, "the last read is too long ago"),
        (link(), NOW - timedelta(seconds=1), False, "the last read is too long ago"),
        (link(full_read=NOW - timedelta(days=7) + timedelta(seconds=1)), NOW, False, None),
        (link(full_read=NOW - timedelta(days=7)), NOW, False, "the last full read is a week ago"),
        (link(full_read=NOW + timedelta(days=1)), NOW, False, "the last full read is a week ago"),
        (link(basis="other"), NOW, False, "what is imported has changed"),
        (link(), NOW, True, "asked for"),
        (None, NOW, False, "no earlier read to go on from"),
    ],
)
def test_changes_will_do_while_the_link_is_good(
    known: DeltaLink | None, now: Any, forced: bool, reason: str | None
) -> None:
    assert why_full(known, "b", now, forced=forced) == reason


def basis(**members: Any) -> str:
    """The basis of a portal that imports E3 and E5."""
    given = {"portal": portal(), "settings": Settings(), "imported": {E3, E5}, "selected": "id", "emulated": None}
    return basis_of(**{**given, **members})


def test_the_order_of_skus_and_the_case_of_ids_do_not_make_another_basis() -> None:
    assert basis() == basis(imported=[E5, E3]) == basis(portal=portal(tenant_id=portal().tenant_id.upper()))
    assert basis() == basis(portal=portal(name="Renamed", description="New")), "what does not decide who is stored"


@pytest.mark.parametrize(
    "other",
    [
        {"portal": portal(tenant_id=OTHER_TENANT)},
        {"portal": portal(client_id=OTHER_TENANT)},
        {"portal": portal(cloud=Cloud.CHINA)},
        {"imported": {E3}},
        {"imported": {E3, E5, FLOW}},
        {"selected": "id,mail"},
        {"emulated": "demo"},
        {"settings": Settings(thresholds=Thresholds(inactive_days=10))},
    ],
    ids=lambda other: next(iter(other)),
)
def test_whatever_decides_who_is_stored_makes_another_basis(other: dict[str, Any]) -> None:
    assert basis(**other) != basis()


@pytest.mark.parametrize(
    ("known", "now", "fits"),
    [
        ((97, 97), (97, 97), True),
        ((97, 97), (98, 98), True),
        ((97, 97), (97, 96), False),
        ((97, 97), (97, 98), False),
        ((97, 95), (98, 96), True),
        ((97, 95), (98, 95), False),
        ((97, 95), (96, 95), True),
        ((95, 97), (97, 95), True),
        ((97, 97), (None, 5), True),
        ((None, 97), (97, 97), True),
        ((None, 97), (97, 96), False),
        ((97, 97), (0, None), True),
        ((97, 97), (1, None), False),
    ],
)
def test_changes_do_when_users_and_graphs_count_are_no_further_apart_than_before(
    known: tuple[int | None, int], now: tuple[int | None, int | None], fits: bool
) -> None:
    state = portal_state(product(license_(consumed_units=known[0]), consumers=known[1]))
    reported: tuple[License, ...] = (license_(consumed_units=now[0]), license_(E5, consumed_units=50))
    found = {} if now[1] is None else {E3: Consumption(now[1])}
    if fits:
        check_counts(state, reported, found)
    else:
        with pytest.raises(FullReadNeeded, match="ENTERPRISEPACK: users and Graph's count are further apart"):
            check_counts(state, reported, found)


def held(sku_id: str, idle: str | None = None, *, holds: bool = True) -> Holding:
    """A license of a user."""
    return Holding(sku_id, holds, holds, False, None, (), idle)


@pytest.mark.parametrize(
    ("now", "before", "carried"),
    [
        ([held(E3)], [held(E3, "inactive")], [held(E3, "inactive")]),
        ([held(E3), held(E5)], [held(E3, "inactive")], [held(E3, "inactive"), held(E5)]),
        ([held(E5)], [held(E3, "inactive")], [held(E5)]),
        ([held(E5)], [held(E3, "never_signed_in")], [held(E5, "never_signed_in")]),
        ([held(E3, holds=False)], [held(E3, "inactive")], [held(E3, holds=False)]),
        ([held(E3)], [], [held(E3)]),
        ([], [held(E3, "inactive")], []),
    ],
)
def test_what_is_known_of_sign_ins_goes_with_the_license(
    now: list[Holding], before: list[Holding], carried: list[Holding]
) -> None:
    assert list(carried_sign_ins(now, before)) == carried


# --- as of when -------------------------------------------------------------------------------------------------------

FULL = complete(license_())
CHANGES = replace(FULL, paths_as_of=NOW)
MORE = complete(license_(consumed_units=98))


def test_changes_that_came_to_something_say_as_of_when_ways_are() -> None:
    first = applied(None, portal(), FULL)
    assert first.last_import.paths_as_of is None
    second = applied(first, portal(), replace(MORE, paths_as_of=NOW), now=LATER)
    assert (second.last_import.as_of, second.last_import.paths_as_of) == (LATER, NOW)


def test_changes_that_came_to_nothing_change_nothing() -> None:
    first = applied(None, portal(), FULL)
    assert applied(first, portal(), CHANGES, now=LATER) is first

    second = applied(first, portal(), replace(MORE, paths_as_of=NOW), now=LATER)
    assert applied(second, portal(), replace(MORE, paths_as_of=LATER), now=LATER + timedelta(days=1)) is second


def test_a_full_read_that_confirms_everything_takes_the_note_away_and_leaves_the_list_of_changes() -> None:
    first = applied(None, portal(), FULL)
    second = applied(first, portal(), replace(MORE, paths_as_of=NOW), now=LATER)
    third = applied(second, portal(), MORE, now=LATER + timedelta(days=1))
    assert third.last_import == replace(second.last_import, paths_as_of=None)
    assert third.serial == second.serial + 1
    assert third.changed == second.changed
