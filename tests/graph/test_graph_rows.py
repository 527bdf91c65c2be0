"""From Graph's JSON to the model: tolerant of bad numbers and new members, strict about what a count rests on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from reconciler.graph import rows
from reconciler.graph.wire import (
    CompanySubscription,
    Page,
    SubscribedSku,
    Tenant,
    User,
    UserWithSignIns,
    instant,
    whole,
)
from reconciler.model import Contact, Holding, License, Organization, ServicePlans, Subscription, Units

E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
FLOW = "f30db892-07e9-47e9-837c-80727f46fd3d"
ANNA = "7c2f1f7a-6d2b-4f57-9a35-7d1f6a0d9b01"


def state(sku: str = E3, group: str | None = None, state: str = "Active", error: str | None = "None") -> dict[str, Any]:
    return {"skuId": sku, "disabledPlans": [], "assignedByGroup": group, "state": state, "error": error}


def user(
    held: tuple[str, ...] = (), states: tuple[dict[str, Any], ...] = (), kind: type[User] = User, **members: Any
) -> User:
    return msgspec.convert(
        {
            "id": ANNA,
            "assignedLicenses": [{"skuId": sku, "disabledPlans": []} for sku in held],
            "licenseAssignmentStates": list(states),
            **members,
        },
        kind,
    )


def sku(**members: Any) -> SubscribedSku:
    content = {
        "skuId": E3,
        "skuPartNumber": "ENTERPRISEPACK",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 3,
        "prepaidUnits": {"enabled": 5, "warning": 1, "suspended": 2, "lockedOut": 0},
        "subscriptionIds": [],
        **members,
    }
    return msgspec.convert(content, SubscribedSku)


def subscription(object_id: str = "s1", sku_id: str = E3, **members: Any) -> CompanySubscription:
    return msgspec.convert({"id": object_id, "skuId": sku_id, "status": "Enabled", **members}, CompanySubscription)


@pytest.mark.parametrize(
    ("held", "states", "expected"),
    [
        ((E3,), (state(),), [(E3, True, True, False, None)]),
        ((E3,), (state(group="g1"),), [(E3, True, False, True, None)]),
        ((E3,), (state(), state(group="g1"), state(group="g2")), [(E3, True, True, True, None)]),
        ((E3,), (), [(E3, True, False, False, None)]),
        ((E3, E3), (state(), state()), [(E3, True, True, False, None)]),
        ((E3.upper(),), (state(),), [(E3, True, True, False, None)]),
        ((), (state(state="Error", error="CountViolation"),), [(E3, False, False, False, "CountViolation")]),
        ((), (state(state="Error", error="None"),), [(E3, False, False, False, "Other")]),
        ((), (state(state="Error", error=None),), [(E3, False, False, False, "Other")]),
        (
            (E3,),
            (state(state="ActiveWithError", error="UniquenessViolation"),),
            [(E3, True, True, False, "UniquenessViolation")],
        ),
        ((E3,), (state(state="ActiveWithError", error="None"),), [(E3, True, True, False, None)]),
        ((E3,), (state(error="Stale"),), [(E3, True, True, False, None)]),
        (
            (E3,),
            (state(), state(group="g1", state="Error", error="CountViolation")),
            [(E3, True, True, False, "CountViolation")],
        ),
        (
            (E3,),
            (state(group="g1"), state(state="Error", error="CountViolation")),
            [(E3, True, False, True, "CountViolation")],
        ),
        (
            (),
            (state(group="g1", state="Error", error="MutuallyExclusiveViolation"), state(state="Error", error="A")),
            [(E3, False, False, False, "A")],
        ),
        (
            (E3,),
            (state(), state(E5, group="g1", state="Error", error="CountViolation")),
            [(E3, True, True, False, None), (E5, False, False, False, "CountViolation")],
        ),
        ((), (state(),), []),
        ((), (state(state="ActiveWithError", error="CountViolation"),), []),
        ((), (state(state="Disabled"),), []),
    ],
)
def test_one_row_per_sku_says_held_by_which_way_and_what_is_wrong(
    held: tuple[str, ...], states: tuple[dict[str, Any], ...], expected: list[tuple[Any, ...]]
) -> None:
    assert rows.holdings(user(held, states)) == tuple(Holding(*each) for each in sorted(expected))


def test_users_without_a_license_are_counted_and_dropped() -> None:
    page = rows.user_page(
        [user(id="1"), user((E3,), (state(),), displayName="Anna"), user((), (state(state="Disabled"),), id="2")]
    )
    assert page.received == 3
    assert page.contacts == [Contact(ANNA, None, "Anna", None, None, None, None)]
    assert page.held == [(Holding(E3, True, True, False, None),)]


def test_a_contact_is_what_graph_says_of_the_person() -> None:
    page = rows.user_page(
        [
            user(
                (E3,),
                id=ANNA.upper(),
                userPrincipalName="anna@contoso.example",
                displayName="Anna",
                mail="anna@contoso.example",
                accountEnabled=False,
                userType="Guest",
                usageLocation="DE",
            )
        ]
    )
    assert page.contacts == [
        Contact(ANNA, "anna@contoso.example", "Anna", "anna@contoso.example", False, "Guest", "DE")
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'{"value":[{"id":"a"}]}',
        b'{"value":[{"id":"a","assignedLicenses":null}]}',
        b'{"value":[{"id":"","assignedLicenses":[]}]}',
        b'{"value":[{"assignedLicenses":[]}]}',
        b'{"value":[{"id":"a","assignedLicenses":[{"disabledPlans":[]}]}]}',
        b'{"value":[{"id":"a","assignedLicenses":[{"skuId":null}]}]}',
        b'{"value":{}}',
        b'{"value":null}',
        b"{}",
        b"[]",
        b'{"value":[',
    ],
)
def test_a_page_that_does_not_say_who_holds_what_is_no_page(content: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(content, type=Page[User])


def test_unknown_members_and_types_are_tolerated() -> None:
    content = b'{"@odata.context":"x","value":[{"@odata.type":"#agentUser","id":"a","assignedLicenses":[],"new":{}}]}'
    assert msgspec.json.decode(content, type=Page[User]).value[0].id == "a"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10, 10),
        (0, 0),
        (-3, -3),
        (10.0, 10),
        (10.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (1e300, None),
        (10**30, None),
        ("10", None),
        (True, None),
        (None, None),
        ([1], None),
        ({"enabled": 1}, None),
    ],
)
def test_only_whole_numbers_are_numbers(value: object, expected: int | None) -> None:
    assert whole(value) == expected
    assert not isinstance(whole(value), float | bool)


@pytest.mark.parametrize(
    ("prepaid", "expected"),
    [
        ({"enabled": 5, "warning": 1, "suspended": 2, "lockedOut": 3}, Units(5, 1, 2, 3)),
        ({"enabled": 5.0, "warning": "1", "suspended": None}, Units(5, None, None, None)),
        ({}, Units(None, None, None, None)),
        (None, Units(None, None, None, None)),
    ],
)
def test_a_bad_number_spoils_that_number_and_nothing_else(prepaid: dict[str, Any] | None, expected: Units) -> None:
    (found,) = rows.licenses([sku(prepaidUnits=prepaid)], [])
    assert found.units == expected
    assert found.consumed_units == 3


def test_a_license_carries_everything_graph_says_of_it() -> None:
    found = rows.licenses(
        [sku(skuId=E3.upper(), subscriptionIds=["S1"])],
        [subscription(totalLicenses=8, isTrial=True, nextLifecycleDateTime="2027-02-01T00:00:00.1234567Z")],
    )
    ends = datetime(2027, 2, 1, tzinfo=UTC)
    assert found == (
        License(
            E3,
            "ENTERPRISEPACK",
            "User",
            "Enabled",
            Units(5, 1, 2, 0),
            3,
            (Subscription("s1", "Enabled", 8, True, ends),),
        ),
    )


def test_a_sku_without_its_names_is_still_a_license() -> None:
    (found,) = rows.licenses([msgspec.convert({"skuId": E3}, SubscribedSku)], [])
    assert found == License(E3, E3, "", "", Units(None, None, None, None), None)


@pytest.mark.parametrize("value", [None, "", "soon", "2027-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_date_that_cannot_be_read_is_no_date(value: str | None) -> None:
    assert instant(value) is None


def test_a_sku_id_that_is_no_guid_breaks_the_shape() -> None:
    with pytest.raises(msgspec.ValidationError):
        sku(skuId="../../etc")


def test_subscriptions_belong_to_the_sku_that_names_them_else_to_their_own() -> None:
    found = rows.licenses(
        [sku(skuId=E5, subscriptionIds=["s2", "gone", "s1", "s2"]), sku(skuId=E3, subscriptionIds=["gone"])],
        [subscription("s2", E5), subscription("s1", E3), subscription("s3", E3), subscription("s3", E3)],
    )
    assert {each.sku_id: [one.id for one in each.subscriptions] for each in found} == {
        E5: ["s1", "s2"],
        E3: ["s1", "s3"],
    }


def test_licenses_are_sorted_by_sku_id() -> None:
    found = [sku(skuId=E3), sku(skuId=E5)]
    assert rows.licenses(found, []) == rows.licenses(found[::-1], [])
    assert [each.sku_id for each in rows.licenses(found, [])] == [E5, E3]


def test_a_sku_listed_twice_counts_once() -> None:
    assert rows.licenses([sku(), sku(skuId=E3.upper())], []) == rows.licenses([sku()], [])


def test_entries_of_one_sku_that_disagree_leave_it_without_numbers_in_any_order() -> None:
    entries = [sku(consumedUnits=3), sku(consumedUnits=4), sku(capabilityStatus="Warning")]
    (found,) = rows.licenses(entries, [])
    assert found.units == Units(None, None, None, None)
    assert found.consumed_units is None
    assert rows.licenses(entries[::-1], []) == (found,)


def test_an_organization_has_its_default_domain() -> None:
    tenant = msgspec.convert(
        {
            "id": ANNA.upper(),
            "displayName": "Contoso",
            "verifiedDomains": [{"name": "a.example"}, {"name": "b.example", "isDefault": True}],
        },
        Tenant,
    )
    assert rows.organization(tenant) == Organization(ANNA, "Contoso", "b.example")


def test_of_a_user_who_is_twice_on_a_page_the_later_entry_counts() -> None:
    page = rows.user_page([user((E3,)), user((E5,))])
    assert [each.sku_id for held in page.held for each in held] == [E5]
    assert len(page.contacts) == 1
    assert page.received == 2


def test_an_object_id_in_two_spellings_is_one_user() -> None:
    page = rows.user_page([user((E3,)), user((E3,), id=ANNA.upper())])
    assert page.held == [(Holding(E3, True, False, False, None),)]
    assert [contact.object_id for contact in page.contacts] == [ANNA]


# --- service plans and sign-ins --------------------------------------------------------------------------------------


def plan(plan_id: str | None, applies_to: str | None = "User", status: str | None = "Success") -> dict[str, Any]:
    return {
        "servicePlanId": plan_id,
        "servicePlanName": "A_PLAN",
        "provisioningStatus": status,
        "appliesTo": applies_to,
    }


def plans(*for_users: str, working: tuple[str, ...] | None = None, all_known: bool = True) -> ServicePlans:
    return ServicePlans(frozenset(for_users), frozenset(for_users if working is None else working), all_known)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([[plan("P1"), plan("p2")]], plans("p1", "p2")),
        ([[plan("p1"), plan("p2", "Company")]], plans("p1")),
        ([[plan("p1"), plan("p2", None)]], plans("p1", all_known=False)),
        ([[plan("p1"), plan(None)]], plans("p1", all_known=False)),
        ([[plan("P1", status="Disabled"), plan("P2")]], plans("p1", "p2", working=("p2",))),
        ([[plan("p1", status="Error")]], plans("p1", working=())),
        ([[plan("p1", status="PendingInput")]], plans("p1", working=())),
        ([[plan("p1", status=None)]], plans("p1", working=())),
        ([[]], plans()),
        ([None], plans()),
        ([[plan("p1")], [plan("P1")]], plans("p1")),
        ([[plan("p1")], [plan("p2")]], plans(all_known=False)),
        ([[plan("p1")], [plan("p1", status="Error")]], plans(all_known=False)),
        ([[plan("p1")], [plan("p2")], [plan("p1")]], plans(all_known=False)),
    ],
)
def test_the_service_plans_of_a_sku_are_those_that_apply_to_users(entries: list[Any], expected: ServicePlans) -> None:
    assert rows.service_plans([sku(skuId=E3.upper(), servicePlans=each) for each in entries]) == {E3: expected}


def test_service_plans_that_are_off_are_written_one_way() -> None:
    person = user((), assignedLicenses=[held(E3, "P2", "p1"), held(E5), {"skuId": FLOW}])
    assert {each.sku_id: each.disabled_plans for each in rows.holdings(person)} == {
        E3: ("p1", "p2"),
        E5: (),
        FLOW: (),
    }


def held(sku_id: str, *disabled: str) -> dict[str, Any]:
    return {"skuId": sku_id, "disabledPlans": list(disabled)}


SINCE = date(2026, 8, 25)
"""Ninety days before the present of the tests."""

LONG_AGO, RECENTLY = "2026-03-14T09:20:00Z", "2026-11-01T09:20:00Z"


def signing_in(last: str | None, created: str | None = "2022-05-02T08:00:00Z", *assigned: str | None) -> User:
    """A user with E3, assigned at these times, by a group each."""
    ways = [{**state(group=f"g{number}"), "lastUpdatedDateTime": each} for number, each in enumerate(assigned)]
    activity = {"lastSuccessfulSignInDateTime": last, "lastSignInDateTime": RECENTLY}
    return user((E3,), tuple(ways), UserWithSignIns, createdDateTime=created, signInActivity=activity)


def silent(**members: Any) -> User:
    """A user with E3 of whom no sign-in is known."""
    return user((E3,), (state(),), UserWithSignIns, **members)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (signing_in("2026-08-26T00:00:00Z", None, LONG_AGO), None),
        (signing_in("2026-08-25T23:59:59Z", None, LONG_AGO), "inactive"),
        (signing_in("2024-01-01T00:00:00Z", None, LONG_AGO), "inactive"),
        (signing_in("2024-01-01T00:00:00Z", None, "2026-08-25T12:00:00Z"), "inactive"),
        (signing_in("2024-01-01T00:00:00Z", None, "2026-08-26T00:00:00Z"), None),
        (signing_in("2024-01-01T00:00:00Z", None, RECENTLY, LONG_AGO), "inactive"),
        (signing_in("2024-01-01T00:00:00Z", None, RECENTLY), None),
        (signing_in("2024-01-01T00:00:00Z", None), None),
        (signing_in("2024-01-01T00:00:00Z", None, None), None),
        (signing_in("2024-01-01T00:00:00Z", None, "soon"), None),
        (signing_in(None, "2023-12-01T00:00:00Z", RECENTLY), "never_signed_in"),
        (signing_in("never", "2026-11-20T00:00:00Z", RECENTLY), None),
        (signing_in("0001-01-01T00:00:00Z", "2026-11-20T00:00:00Z", LONG_AGO), None),
        (signing_in("2023-11-30T23:59:59Z", None, LONG_AGO), None),
        (signing_in("", "2026-11-20T00:00:00Z", RECENTLY), "never_signed_in"),
        (signing_in(None, "2023-11-30T23:59:59Z", LONG_AGO), None),
        (signing_in(None, None, LONG_AGO), None),
        (user((E3,), (state(),), UserWithSignIns, createdDateTime="2024-01-01T00:00:00Z"), "never_signed_in"),
        (
            user((E3,), (state(),), UserWithSignIns, createdDateTime="2024-01-01T00:00:00Z", signInActivity=None),
            "never_signed_in",
        ),
        (user((E3,), (state(),), UserWithSignIns, createdDateTime="2022-01-01T00:00:00Z"), None),
    ],
)
def test_an_idle_user_is_told_by_sign_in_creation_and_assignment(person: User, expected: str | None) -> None:
    assert [each.idle for each in rows.holdings(person, SINCE)] == [expected]
    assert [each.idle for each in rows.holdings(person)] == [None]


def test_a_license_that_came_lately_is_not_idle_beside_one_that_is() -> None:
    ways = (
        {**state(E3), "lastUpdatedDateTime": LONG_AGO},
        {**state(E5), "lastUpdatedDateTime": RECENTLY},
        {**state(E5, group="g", state="Error"), "lastUpdatedDateTime": LONG_AGO},
    )
    person = user(
        (E3, E5), ways, UserWithSignIns, signInActivity={"lastSuccessfulSignInDateTime": "2025-01-01T00:00:00Z"}
    )
    assert {each.sku_id: each.idle for each in rows.holdings(person, SINCE)} == {E3: "inactive", E5: None}
