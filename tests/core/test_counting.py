"""Every finding and every saving on a consumer, one rule at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.counting import GATHERED, Alike, Contents, Counted, _gathered, contents, count, overlapping
from reconciler.findings import ERRORS, FINDINGS, SAVINGS, SIGN_INS, error_kind, idle
from reconciler.model import Consumption, Holding, License, Overlap, ServicePlans, Subscription
from tests.core.core_world import E3, E5, FLOW, license_, numbered

PLANS: Mapping[str, frozenset[str]] = {
    "big": frozenset({"mail", "files", "chat"}),
    "twin": frozenset({"mail", "files", "chat"}),
    "mail": frozenset({"mail"}),
    "files": frozenset({"files"}),
    "both": frozenset({"mail", "files"}),
    "phone": frozenset({"phone"}),
    "empty": frozenset(),
}
"""SKUs by the plans that they contain; ``unknown`` is none of them."""


def holding(sku_id: str = "big", *, off: str = "", **members: Any) -> Holding:
    """A license that is held directly; ``off`` are the plans that are switched off."""
    whole = Holding(sku_id, True, True, False, None, tuple(off.split()))
    return whole._replace(**members)


def service_plans(*ids: str) -> ServicePlans:
    """Service plans for users, all of them provisioned."""
    return ServicePlans(frozenset(ids), frozenset(ids))


def alike(*holdings: str | Holding, **members: Any) -> Alike:
    """A member with these licenses, whose account is in order."""
    return Alike(tuple(holding(each) if isinstance(each, str) else each for each in holdings), **members)


def counted(*groups: Alike, pairs: frozenset[tuple[str, str]] = frozenset()) -> Counted:
    """The count of these users, all of whose licenses are imported but ``phone``."""
    return count(groups, Contents(PLANS, pairs), PLANS.keys() - {"phone"})


# --- findings --------------------------------------------------------------------------------------------------------

FAILED = holding(holds=False, direct=False, error="CountViolation")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (alike("big"), {}),
        (alike("big", account_disabled=True), {"disabled_account": 1}),
        (alike("big", guest=True), {"guest_licensed": 1}),
        (alike("big", no_usage_location=True), {"no_usage_location": 1}),
        (alike(holding(group=True)), {"direct_and_group": 1}),
        (alike(holding(direct=False, group=True)), {}),
        (alike(holding(error="UniquenessViolation")), {"assignment_error": 1}),
        (alike(FAILED), {"assignment_error": 1}),
        (alike(FAILED, account_disabled=True, guest=True, no_usage_location=True), {"assignment_error": 1}),
        (alike(holding(off="mail files chat")), {"plans_disabled": 1}),
        (alike(holding(off="mail files chat more")), {"plans_disabled": 1}),
        (alike(holding(off="mail files")), {}),
        (alike(holding("empty")), {}),
        (alike(holding("unknown", off="mail")), {}),
        (alike("big", "twin"), {"overlap": 1}),
        (alike(holding(idle="inactive")), {"inactive": 1}),
        (alike(holding(idle="never_signed_in")), {"never_signed_in": 1}),
        (
            alike(holding(group=True, idle="inactive"), account_disabled=True, guest=True, no_usage_location=True),
            {"disabled_account": 1, "guest_licensed": 1, "no_usage_location": 1, "direct_and_group": 1, "inactive": 1},
        ),
    ],
)
def test_a_finding_counts_whom_it_holds_of(user: Alike, expected: dict[str, int]) -> None:
    sku_id = user.holdings[0].sku_id
    assert counted(user).consumption[sku_id].findings == expected


def test_every_finding_is_in_the_table_above() -> None:
    marks = test_a_finding_counts_whom_it_holds_of.pytestmark  # type: ignore[attr-defined]
    assert {name for _, expected in marks[0].args[1] for name in expected} == FINDINGS.keys()


def test_findings_stand_in_the_order_in_which_they_are_shown() -> None:
    first = alike(holding(idle="inactive"))
    second = alike(holding(error="Other"), account_disabled=True)
    assert list(counted(first, second).consumption["big"].findings) == [
        "disabled_account",
        "assignment_error",
        "inactive",
    ]


def test_users_are_counted_by_their_number() -> None:
    found = counted(alike("big", users=3), alike("big", "phone", guest=True, users=2), alike("phone", users=7))
    assert found.consumption == {
        "big": Consumption(5, {"guest_licensed": 2}, {}, {"guest_licensed": 2}),
        "phone": Consumption(9, {"guest_licensed": 2}, {}, {"guest_licensed": 2}),
    }
    assert found.users == 5, "users of a license that is not imported are no users of the portal"


def test_who_got_nothing_is_no_consumer_and_no_user() -> None:
    assert counted(alike(FAILED)) == Counted(
        {"big": Consumption(0, {"assignment_error": 1}, {"CountViolation": 1}, {})}, 0
    )


@pytest.mark.parametrize("word", ERRORS)
def test_errors_are_counted_in_graphs_words(word: str) -> None:
    found = counted(alike(holding(error=word), users=2), alike(holding(error=word, holds=False)))
    assert found.consumption["big"].errors == {word: 1 if word == "CountViolation" else 3}
    assert found.consumption["big"].findings == {"assignment_error": 3}


def test_who_holds_a_license_does_not_wait_for_one() -> None:
    assert counted(alike(holding(error="CountViolation"), users=7)).consumption["big"].errors == {}


@pytest.mark.parametrize("word", ["NewViolation", "countviolation", "", "\x1b[31m"])
def test_an_unknown_error_counts_as_other(word: str) -> None:
    assert error_kind(word) == "Other"
    assert counted(alike(holding(error=word))).consumption["big"].errors == {"Other": 1}


def test_users_who_differ_only_in_plans_that_no_license_has_are_one_group() -> None:
    groups = [alike(holding("mail", off=f"other-{number}"), "big") for number in range(100)]
    assert list(_gathered(groups, Contents(PLANS))) == [alike("mail", "big", users=100)]


def test_users_are_counted_whole_however_many_groups_they_are() -> None:
    plans = {"big": frozenset(f"{number:05}" for number in range(GATHERED + 5))}
    groups = [alike(holding("big", off=f"{number:05}"), users=2) for number in range(GATHERED + 5)]
    assert count(groups, Contents(plans), {"big"}).users == 2 * (GATHERED + 5)


# --- overlap ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "contained", "dispensable"),
    [
        ("big", "", ""),
        ("big mail", "mail", "mail"),
        ("big mail files both", "mail files both", "mail files both"),
        ("mail files", "", ""),
        ("mail files both", "mail files both", "files mail"),
        ("big twin", "big twin", "big"),
        ("big twin mail", "big twin mail", "big mail"),
        ("big phone", "", ""),
        ("big empty", "", ""),
        ("big unknown", "", ""),
        ("mail unknown", "", ""),
    ],
)
def test_a_license_overlaps_when_the_others_give_all_its_plans(held: str, contained: str, dispensable: str) -> None:
    found = overlapping(map(holding, held.split()), Contents(PLANS))
    assert found == (frozenset(contained.split()), frozenset(dispensable.split()))
    assert overlapping(map(holding, reversed(held.split())), Contents(PLANS)) == found


@pytest.mark.parametrize(
    ("held", "contained"),
    [
        ([holding("big", off="mail"), "mail"], set()),
        ([holding("big", off="chat"), "mail"], {"mail"}),
        ([holding("big", off="chat"), "both"], {"big", "both"}),
        ([holding("twin", off="chat"), "big"], {"twin"}),
        ([holding("both", off="mail"), holding("big", off="chat files")], set()),
        ([holding("mail", off="mail"), "big"], set()),
        ([holding("big", holds=False, error="Other"), "mail"], set()),
        ([holding("mail", holds=False, error="Other"), "big"], set()),
    ],
)
def test_a_plan_that_is_off_neither_covers_nor_needs_cover(held: list[str | Holding], contained: set[str]) -> None:
    holdings = [holding(each) if isinstance(each, str) else each for each in held]
    assert overlapping(holdings, Contents(PLANS))[0] == contained


@pytest.mark.parametrize(
    ("held", "pairs", "contained", "dispensable"),
    [
        ("mail phone", {("mail", "phone")}, "phone", "phone"),
        ("mail phone", {("phone", "mail")}, "mail", "mail"),
        ("mail phone", {("phone", "mail"), ("mail", "phone")}, "mail phone", "mail"),
        ("mail", {("phone", "mail")}, "", ""),
        ("mail empty", {("mail", "empty")}, "empty", "empty"),
        ("mail unknown", {("mail", "unknown")}, "", ""),
    ],
)
def test_a_declared_pair_overlaps_in_its_own_direction(
    held: str, pairs: set[tuple[str, str]], contained: str, dispensable: str
) -> None:
    found = overlapping(map(holding, held.split()), Contents(PLANS, frozenset(pairs)))
    assert found == (frozenset(contained.split()), frozenset(dispensable.split()))


def test_only_usable_licenses_contain_anything() -> None:
    statuses = {E3: "Enabled", E5: "Suspended", FLOW: "Warning", numbered(1): "LockedOut", numbered(2): "Deleted"}
    licenses = [license_(sku_id, capability_status=status) for sku_id, status in statuses.items()]
    plans = dict.fromkeys(statuses, service_plans("mail"))
    assert contents(licenses, plans, ()).plans == {E3: {"mail"}, FLOW: {"mail"}}
    assert contents(licenses, {}, ()).plans == {E3: frozenset(), FLOW: frozenset()}


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (Overlap("SPE_E5", "ENTERPRISEPACK"), {(E5, E3)}),
        (Overlap(E5, "enterprisepack"), {(E5, E3)}),
        (Overlap("SPE_*", "*_FREE"), {(E5, FLOW)}),
        (Overlap("SPE_E5", "*"), {(E5, E3), (E5, FLOW)}),
        (Overlap("SPE_E5", "SPE_E5"), set()),
        (Overlap("SPE_E5", "VISIOCLIENT"), set()),
    ],
)
def test_declared_overlaps_name_licenses_as_exclusions_do(overlap: Overlap, expected: set[tuple[str, str]]) -> None:
    assert contents([license_(E3), license_(E5), license_(FLOW)], {}, (overlap,)).includes == expected


def subscription(status: str = "Enabled", *, is_trial: bool = False) -> Subscription:
    return Subscription(f"{status}-{is_trial}", status, 50, is_trial, None)


def overlap_with(covering: License, *, declared: bool = False) -> frozenset[str]:
    """What overlaps for a user with E3 and this license, both of which have the plan mail."""
    plans = dict.fromkeys((E3, covering.sku_id), service_plans("mail"))
    if declared:
        plans = {}
    inside = contents([license_(E3), covering], plans, (Overlap(covering.sku_id, E3),) if declared else ())
    return overlapping([holding(E3), holding(covering.sku_id)], inside)[0] & {E3}


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize(
    ("members", "covers"),
    [
        ({}, True),
        ({"subscriptions": (subscription(), subscription(is_trial=True))}, True),
        ({"subscriptions": (subscription("Warning"),)}, True),
        ({"warning": 10}, True),
        ({"capability_status": "Suspended"}, False),
        ({"enabled": 0, "warning": 100, "capability_status": "Warning"}, False),
        ({"enabled": 0, "suspended": 100}, False),
        ({"enabled": None}, False),
        ({"subscriptions": (subscription(is_trial=True),)}, False),
        ({"subscriptions": (subscription(is_trial=True), subscription("Suspended"))}, False),
    ],
)
def test_only_a_license_that_stays_makes_another_one_unnecessary(
    members: dict[str, Any], covers: bool, declared: bool
) -> None:
    assert overlap_with(license_(E5, **members), declared=declared) == (frozenset({E3}) if covers else frozenset())


@pytest.mark.parametrize(
    ("covered", "covering", "contained"),
    [
        (service_plans("mail"), service_plans("mail", "files"), True),
        (service_plans("mail"), ServicePlans(frozenset({"mail", "files"}), frozenset({"files"})), False),
        (ServicePlans(frozenset({"mail"})), service_plans("mail", "files"), True),
        (
            ServicePlans(frozenset({"mail"}), frozenset({"mail"}), all_known=False),
            service_plans("mail", "files"),
            False,
        ),
        (service_plans("mail"), replace(service_plans("mail", "files"), all_known=False), True),
    ],
    ids=["all in order", "not provisioned", "not provisioned where it is covered", "a plan unknown", "more than known"],
)
def test_only_what_is_known_to_work_elsewhere_is_unnecessary(
    covered: ServicePlans, covering: ServicePlans, contained: bool
) -> None:
    inside = contents([license_(E3), license_(E5)], {E3: covered, E5: covering}, ())
    assert (E3 in overlapping([holding(E3), holding(E5)], inside)[0]) is contained


def test_a_declared_pair_does_not_count_where_everything_is_off_for_the_user() -> None:
    inside = Contents(PLANS, frozenset({("mail", "phone")}))
    assert overlapping([holding("mail", off="mail"), holding("phone")], inside)[0] == frozenset()


# --- savings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (alike("mail"), {}),
        (alike("mail", account_disabled=True), {"disabled_account": 1}),
        (alike("mail", account_disabled=True, guest=True), {"disabled_account": 1}),
        (alike("mail", guest=True), {"guest_licensed": 1}),
        (alike("mail", "big", guest=True), {"guest_licensed": 1}),
        (alike("mail", "big"), {"overlap": 1}),
        (alike(holding("mail", idle="inactive"), "big"), {"overlap": 1}),
        (alike(holding("mail", idle="inactive")), {"inactive": 1}),
        (alike(holding("mail", idle="inactive"), account_disabled=True), {"disabled_account": 1}),
        (alike(holding("mail", idle="never_signed_in")), {}),
        (alike("mail", no_usage_location=True), {}),
        (alike(holding("mail", group=True, error="Other")), {}),
        (alike(holding("mail", off="mail")), {}),
        (alike(holding("mail", holds=False, error="Other"), account_disabled=True), {}),
    ],
)
def test_a_consumer_counts_under_the_first_saving_that_fits(user: Alike, expected: dict[str, int]) -> None:
    assert counted(user).consumption["mail"].reclaimable == expected


def test_of_two_licenses_that_contain_each_other_one_can_go() -> None:
    found = counted(alike("big", "twin", users=4)).consumption
    assert {sku_id: (each.findings, each.reclaimable) for sku_id, each in found.items()} == {
        "big": ({"overlap": 4}, {"overlap": 4}),
        "twin": ({"overlap": 4}, {}),
    }


def test_the_license_that_stays_may_go_for_another_reason() -> None:
    found = counted(alike(holding("big", idle="inactive"), holding("twin", idle="inactive"))).consumption
    assert {sku_id: each.reclaimable for sku_id, each in found.items()} == {
        "big": {"overlap": 1},
        "twin": {"inactive": 1},
    }


@given(
    st.dictionaries(st.sampled_from([*PLANS, "unknown"]), st.sets(st.sampled_from(["mail", "files", "chat"]))),
)
def test_without_what_overlaps_a_user_keeps_every_plan(held: dict[str, set[str]]) -> None:
    holdings = [holding(sku_id, off=" ".join(sorted(off))) for sku_id, off in held.items()]
    contained, dispensable = overlapping(holdings, Contents(PLANS))
    active = {sku_id: PLANS.get(sku_id, frozenset()) - off for sku_id, off in held.items()}
    kept = frozenset().union(*(plans for sku_id, plans in active.items() if sku_id not in dispensable))
    assert kept == frozenset().union(*active.values())
    assert dispensable <= contained
    assert bool(dispensable) == bool(contained)


# --- sign-ins --------------------------------------------------------------------------------------------------------

SINCE = date(2026, 8, 25)
BEFORE, AFTER = date(2026, 8, 24), date(2026, 8, 26)
OLD, NEW = date(2023, 11, 30), date(2023, 12, 1)


@pytest.mark.parametrize(
    ("last", "created", "assigned", "expected"),
    [
        (SINCE, None, SINCE, "inactive"),
        (BEFORE, NEW, BEFORE, "inactive"),
        (AFTER, NEW, BEFORE, None),
        (BEFORE, NEW, AFTER, None),
        (BEFORE, NEW, None, None),
        (None, NEW, BEFORE, "never_signed_in"),
        (None, NEW, None, "never_signed_in"),
        (None, OLD, BEFORE, None),
        (None, None, BEFORE, None),
    ],
)
def test_idle_is_who_stayed_away_as_long_as_the_license_was_there(
    last: date | None, created: date | None, assigned: date | None, expected: str | None
) -> None:
    assert idle(last, created, assigned, SINCE) == expected
    assert expected in (None, *SIGN_INS)


def test_savings_are_findings() -> None:
    assert set(SAVINGS) < FINDINGS.keys()
    assert set(SIGN_INS) < FINDINGS.keys()
