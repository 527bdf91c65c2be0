"""``/users/delta`` of the emulated Graph: what Graph's documentation says of it, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator import delta
from reconciler.emulator.directory import LicenseAssignment, User
from reconciler.emulator.faults import EmptyPage, Fault, ForeignLink, Overlap
from reconciler.emulator.scenario import Scenario, Tenant
from tests.emulator.builders import E3, E5, TENANT_ID, World, scenario, tenant, world

SELECTED = "users/delta?$select=displayName,assignedLicenses,licenseAssignmentStates"
LATEST = f"{SELECTED}&$deltatoken=latest"


def user(number: int, *licenses: Any, **members: Any) -> User:
    """A user by number."""
    members.setdefault("display_name", f"User {number}")
    return User(f"user{number}@contoso.example", licenses, **members)


def of(*users: User, **members: Any) -> Tenant:
    """The tenant with these users."""
    return tenant(users=users, **members)


def latest(emulated: World) -> str:
    """A link to what changes from now on."""
    answer = emulated.get(LATEST).json()
    assert answer["value"] == []
    link: str = answer["@odata.deltaLink"]
    return link


def become(emulated: World, *tenants: Tenant) -> None:
    """Let the tenants be others."""
    app = emulated.http._transport.app  # type: ignore[attr-defined]
    app.change(scenario(*tenants))


def read(emulated: World, link: str) -> tuple[list[list[dict[str, Any]]], str]:
    """The pages of a round, and the link at its end."""
    pages = []
    while True:
        answer = emulated.get(link)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
        pages.append(page["value"])
        if "@odata.deltaLink" in page:
            return pages, page["@odata.deltaLink"]
        link = page["@odata.nextLink"]


def told(emulated: World, link: str) -> dict[str, Any]:
    """What a round tells of each user, by object ID."""
    pages, _ = read(emulated, link)
    return {each["id"]: each for page in pages for each in page}


def test_a_first_round_tells_everybody_in_pages_that_nobody_can_size() -> None:
    emulated = world(of(*(user(number, E3) for number in range(401))))
    pages, end = read(emulated, SELECTED)
    assert [len(page) for page in pages] == [200, 200, 1]
    assert set(pages[0][0]) == {"id", "displayName", "assignedLicenses", "licenseAssignmentStates"}
    assert read(emulated, end)[0] == [[]]


def test_a_round_tells_who_is_new_changed_removed_and_purged() -> None:
    emulated = world(of(*(user(number, E3) for number in range(5))))
    link = latest(emulated)
    gone, purged = user(1).object_id, user(2).object_id
    become(emulated, of(user(0, E3), user(3, E5), user(4, E3), user(9), purged=(purged,)))
    found = told(emulated, link)
    assert found.pop(gone) == {"id": gone, "@removed": {"reason": "changed"}}
    assert found.pop(purged) == {"id": purged, "@removed": {"reason": "deleted"}}
    assert {each["displayName"]: [held["skuId"] for held in each["assignedLicenses"]] for each in found.values()} == {
        "User 3": [E5],
        "User 9": [],
    }


def test_a_restored_user_comes_without_a_note() -> None:
    emulated = world(of(user(1, E3)))
    link = latest(emulated)
    become(emulated, of())
    _, link = read(emulated, link)
    become(emulated, of(user(1, E3)))
    assert "@removed" not in told(emulated, link)[user(1).object_id]


def test_ways_of_assignment_that_change_alone_bring_nobody_into_a_round() -> None:
    emulated = world(of(user(1, E3)))
    link = latest(emulated)
    become(emulated, of(user(1, LicenseAssignment(E3, group_id="g"))))
    assert told(emulated, link) == {}
    become(emulated, of(user(1, LicenseAssignment(E3, group_id="g"), display_name=None)))
    (found,) = told(emulated, link).values()
    assert found["licenseAssignmentStates"][0]["assignedByGroup"] == "g", "whoever comes, comes as things are"
    assert "displayName" not in found, "what was never set is absent"


def test_only_selected_properties_are_tracked() -> None:
    emulated = world(of(user(1, E3)))
    link = emulated.get("users/delta?$select=assignedLicenses&$deltatoken=latest").json()["@odata.deltaLink"]
    become(emulated, of(user(1, E3, account_enabled=False)))
    assert told(emulated, link) == {}
    become(emulated, of(user(1)))
    assert told(emulated, link) == {user(1).object_id: {"id": user(1).object_id, "assignedLicenses": []}}


def test_a_round_without_changes_ends_with_a_new_link() -> None:
    emulated = world()
    link = latest(emulated)
    pages, end = read(emulated, link)
    assert pages == [[]]
    assert end != link


def test_an_old_link_tells_everything_since_then_once_more() -> None:
    emulated = world(of(user(1, E3)))
    link = latest(emulated)
    become(emulated, of(user(1, E5), user(2, E3)))
    first, end = read(emulated, link)
    assert read(emulated, link)[0] == first
    assert read(emulated, end)[0] == [[]]


def test_a_link_is_good_for_seven_days() -> None:
    emulated = world()
    link = latest(emulated)
    emulated.clock.now += delta.TOKEN_LIFE
    assert emulated.get(link).status_code == 200
    emulated.clock.now += 1
    answer = emulated.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "syncStateNotFound")
    assert answer.headers["location"].endswith("/v1.0/users/delta?$deltatoken=")
    assert len(read(emulated, answer.headers["location"])[0][0]) == 5, "the link in Location starts a whole round"


@pytest.mark.parametrize("token", ["unknown", "latest2"])
def test_a_link_of_another_emulator_is_lost(token: str) -> None:
    answer = world().get(f"users/delta?$deltatoken={token}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "resyncRequired")


def test_a_link_of_another_tenant_is_lost() -> None:
    other = "7c9d2e64-1f3b-4a58-b0c7-2e5a9f8d4b13"
    emulated = world(tenant(), tenant(other, domain="fabrikam.example"))
    link = latest(emulated)
    assert emulated.get(link, bearer=emulated.token(TENANT_ID)).status_code == 200
    assert emulated.get(link, bearer=emulated.token(other)).status_code == 410


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$top=10", 400),
        ("$orderby=displayName", 400),
        ("$expand=manager", 400),
        ("$search=x", 400),
        ("$count=true", 400),
        ("$select=nothing", 400),
        ("$skiptoken=RFNwdAgarbage", 400),
        ("$filter=id eq '1'", 501),
    ],
)
def test_what_a_list_takes_and_a_round_does_not_is_refused(query: str, status: int) -> None:
    assert world().get(f"users/delta?{query}").status_code == status


def test_permissions_are_those_of_users() -> None:
    emulated = World(Scenario((tenant(applications=()),)))
    assert emulated.get(LATEST, bearer="nothing").status_code == 401


@pytest.mark.parametrize(
    ("fault", "pages"),
    [
        (EmptyPage(), [[], ["0", "1"], ["2"]]),
        (Overlap(1), [["0", "1"], ["1", "2"]]),
    ],
)
def test_pages_can_be_bent_as_those_of_a_list(
    monkeypatch: pytest.MonkeyPatch, fault: EmptyPage | Overlap, pages: list[list[str]]
) -> None:
    monkeypatch.setattr(delta, "PAGE", 2)
    emulated = world(of(*map(user, range(3)), faults=(Fault(fault, "/v1.0/users/delta"),)))
    found, _ = read(emulated, SELECTED)
    assert [[each["displayName"].removeprefix("User ") for each in page] for page in found] == pages


def test_a_link_can_lead_elsewhere() -> None:
    emulated = world(of(user(1), faults=(Fault(ForeignLink(), "*/delta"),)))
    assert emulated.get(SELECTED).json()["@odata.nextLink"].startswith("https://graph.microsoft.example/")
