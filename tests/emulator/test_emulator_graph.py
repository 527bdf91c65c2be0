"""Graph answers what Graph answers, to those who may ask, and refuses what Graph refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.emulator.app import SCENARIO_HEADER
from reconciler.emulator.metadata import USER_DEFAULT
from reconciler.emulator.scenario import ABSENT, Application, LicenseAssignment, Sku, User, UserGroup
from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import Cloud
from tests.emulator.builders import E3, E5, GRAPH, NOW, TENANT_ID, World, tenant, world

EVENTUAL = {"ConsistencyLevel": "eventual"}
GROUP = "2f6a6f0e-0a0e-4a3b-8e57-3f9f4d2b7c11"
HELD = "users?$select=id&$count=true&$filter=assignedLicenses/$count ne 0"

BY_SKU = "users?$filter=assignedLicenses/any(x:x/skuId eq"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def with_roles(*roles: str) -> World:
    return world(tenant(applications=(Application(roles=roles),)))


# --- who may ask -----------------------------------------------------------------------------------------------------


def forged(emulated: World) -> str:
    claims = jwt.decode(emulated.token(), options={"verify_signature": False})
    return jwt.encode({**claims, "roles": ["Directory.Read.All"]}, "0" * 32, algorithm="HS256")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (lambda _: "", "Access token is empty."),
        (lambda _: "Bearer ", "Access token is empty."),
        (lambda _: "Basic eDp5", "Access token is empty."),
        (lambda _: "Bearer garbage", "IDX14100"),
        (lambda emulated: f"Bearer {forged(emulated)}", "Invalid signature"),
    ],
)
def test_a_request_without_a_good_token_is_refused(authorization: Any, message: str) -> None:
    emulated = world()
    answer = emulated.http.get(f"{GRAPH}/organization", headers={"Authorization": authorization(emulated)})
    assert code_of(answer) == (401, "InvalidAuthenticationToken")
    assert message in answer.json()["error"]["message"]
    assert answer.headers["www-authenticate"].startswith('Bearer realm=""')


def test_a_token_ends_with_its_lifetime() -> None:
    emulated = world(tenant(applications=(Application(token_lifetime=600),)))
    token = emulated.token()
    emulated.clock.now = NOW + 599
    assert emulated.get("organization", bearer=token).status_code == 200
    emulated.clock.now = NOW + 600
    answer = emulated.get("organization", bearer=token)
    assert code_of(answer) == (401, "InvalidAuthenticationToken")
    assert "expired" in answer.json()["error"]["message"]


def test_a_token_is_good_for_its_own_cloud_only() -> None:
    emulated = world(tenant(cloud=Cloud.USGOV))
    token = emulated.token(cloud=Cloud.USGOV)
    right = emulated.get(f"{ENDPOINTS[Cloud.USGOV].graph_root}/organization", bearer=token)
    wrong = emulated.get(f"{ENDPOINTS[Cloud.USGOV_DOD].graph_root}/organization", bearer=token)
    assert right.status_code == 200
    assert code_of(wrong) == (401, "InvalidAuthenticationToken")
    assert "Invalid audience" in wrong.json()["error"]["message"]


PATHS = ["organization", "subscribedSkus", "directory/subscriptions", "users"]


@pytest.mark.parametrize(
    ("role", "open_paths"),
    [
        ("Organization.Read.All", {"organization", "subscribedSkus", "directory/subscriptions"}),
        ("LicenseAssignment.Read.All", {"subscribedSkus"}),
        ("User.Read.All", {"users"}),
        ("Directory.Read.All", set(PATHS)),
        ("Mail.Read", set()),
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_each_path_needs_a_role_of_its_own(role: str, open_paths: set[str], path: str) -> None:
    answer = with_roles(role).get(path)
    if path in open_paths:
        assert answer.status_code == 200
    else:
        assert code_of(answer) == (403, "Authorization_RequestDenied")


def test_without_consent_everything_is_denied() -> None:
    assert {code_of(with_roles().get(path)) for path in PATHS} == {(403, "Authorization_RequestDenied")}


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "status", "code", "words"),
    [
        ("subscribedSkus?$top=5", 400, "Request_UnsupportedQuery", "does not support custom page sizes"),
        ("subscribedSkus?$filter=skuPartNumber eq 'A'", 400, "Request_UnsupportedQuery", "$filter"),
        ("directory/subscriptions?$top=5", 400, "Request_UnsupportedQuery", "$top"),
        ("users?$top=0", 400, "Request_UnsupportedQuery", "'0'. Must be between 1 and 999 inclusive."),
        ("users?$top=1000", 400, "Request_UnsupportedQuery", "Invalid page size specified: '1000'"),
        ("users?%24top=-1", 400, "Request_UnsupportedQuery", "Invalid page size specified: '-1'"),
        ("users?$top=many", 400, "BadRequest", "'many'"),
        ("users?$skip=5", 400, "Request_UnsupportedQuery", "$skip"),
        ("users?$search=\"displayName:a\"", 400, "Request_UnsupportedQuery", "ConsistencyLevel: eventual"),
        ("users?$select=id,nope", 400, "BadRequest", "named 'nope' on type 'microsoft.graph.user'"),
        ("users?$select=skuId", 400, "BadRequest", "named 'skuId' on type 'microsoft.graph.user'"),
        ("subscribedSkus?$select=mail", 400, "BadRequest", "named 'mail' on type 'microsoft.graph.subscribedSku'"),
        ("organization?$select=skuId", 400, "BadRequest", "'microsoft.graph.organization'"),
        ("directory/subscriptions?$select=mail", 400, "BadRequest", "'microsoft.graph.companySubscription'"),
        ("users?$select=", 400, "BadRequest", "named ''"),
        ("users?$select=id&$select=mail", 400, "BadRequest", "more than once"),
        ("users?$nope=1", 400, "BadRequest", "$nope"),
        ("users?$select=mailboxSettings", 501, "NotImplemented", "not yet supported"),
        ("users/$count", 400, "Request_BadRequest", "$count is not currently supported"),
        ("users/nobody@contoso.example", 404, "Request_ResourceNotFound", "nobody@contoso.example"),
        ("nope", 400, "BadRequest", "Resource not found for the segment 'nope'."),
        ("directory/nope", 400, "BadRequest", "Resource not found for the segment 'nope'."),
        ("https://graph.microsoft.com/v2.0/users", 400, "BadRequest", "Invalid version: v2.0."),
        (HELD, 400, "Request_UnsupportedQuery", "'NotEqualsMatch' is not supported"),
        (f"{BY_SKU} '{E3}')", 400, "Request_UnsupportedQuery", "'assignedLicenses'"),
        ("users?$skiptoken=RFNwdAgarbage", 400, "Request_BadRequest", "The page token is not valid."),
    ],
)  # fmt: skip
def test_graph_refuses(url: str, status: int, code: str, words: str) -> None:
    answer = world().get(url)
    assert code_of(answer) == (status, code)
    assert words in answer.json()["error"]["message"]


def test_the_filter_on_a_count_needs_the_count_option_beside_the_header() -> None:
    answer = world().get(HELD.replace("$count=true&", ""), **EVENTUAL)
    assert code_of(answer) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    "url",
    [
        "users/delta?$filter=id eq '1'",
        "$batch",
        "users?$orderby=displayName",
        "users?$filter=accountEnabled eq true",
        "users?$filter=signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z",
        "https://graph.microsoft.com/beta/users",
    ],
)
def test_what_graph_has_and_the_emulator_lacks_is_not_mistaken_for_a_rule_of_graphs(url: str) -> None:
    assert code_of(world().get(url)) == (501, "NotEmulated")


def test_nothing_can_be_written() -> None:
    emulated = world()
    answer = emulated.http.post(f"{GRAPH}/users", headers={"Authorization": f"Bearer {emulated.token()}"}, json={})
    assert code_of(answer) == (405, "Request_BadRequest")


def test_an_unknown_host_gets_an_answer_that_says_so() -> None:
    answer = world().http.get("https://graph.microsoft.example/v1.0/users")
    assert answer.status_code == 404
    assert "graph.microsoft.example" in answer.text


# --- what is answered ------------------------------------------------------------------------------------------------


def test_every_answer_has_the_headers_of_graph() -> None:
    answer = world().get("users?$select=id", **{"client-request-id": "8a6c2f0d-77c5-4f4a-9a0a-0f3f2b1d9c10"})
    assert answer.headers["client-request-id"] == "8a6c2f0d-77c5-4f4a-9a0a-0f3f2b1d9c10"
    assert answer.headers["request-id"] != answer.headers["client-request-id"]
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal;odata.streaming=true")
    assert answer.headers["date"] == "Mon, 23 Nov 2026 06:00:00 GMT"
    assert answer.headers["x-ms-resource-unit"] == "1"
    assert answer.headers[SCENARIO_HEADER] == "test"
    assert "ServerInfo" in answer.headers["x-ms-ags-diagnostic"]


def test_without_a_client_request_id_both_ids_are_equal_also_in_errors() -> None:
    answer = world().get("users?$top=0")
    inner = answer.json()["error"]["innerError"]
    assert inner["request-id"] == inner["client-request-id"] == answer.headers["request-id"]
    assert inner["date"] == "2026-11-23T06:00:00"
    assert answer.headers["content-type"] == "application/json"


def test_an_answer_is_compressed_only_for_those_who_accept_it() -> None:
    plain = world().get("users", **{"Accept-Encoding": "identity"})
    packed = world().get("users", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["value"] == plain.json()["value"]
    assert int(packed.headers["content-length"]) < len(plain.content)


def test_the_organization_says_who_the_tenant_is() -> None:
    (only,) = world().get("organization").json()["value"]
    assert (only["id"], only["displayName"]) == (TENANT_ID, "Contoso")
    assert [domain["name"] for domain in only["verifiedDomains"] if domain["isDefault"]] == ["contoso.example"]


def test_a_sku_tells_its_units_and_counts_its_holders() -> None:
    owned = Sku(E3, "ENTERPRISEPACK", enabled=5, warning=2, suspended=1)
    (sku,) = world(tenant(skus=(owned,))).get("subscribedSkus").json()["value"]
    assert sku["prepaidUnits"] == {"enabled": 5, "warning": 2, "suspended": 1, "lockedOut": 0}
    assert (sku["consumedUnits"], sku["capabilityStatus"], sku["appliesTo"]) == (3, "Enabled", "User")
    assert (sku["skuId"], sku["skuPartNumber"], sku["id"]) == (E3, "ENTERPRISEPACK", f"{TENANT_ID}_{E3}")


def test_subscriptions_belong_to_their_sku_and_add_up_to_its_units() -> None:
    emulated = world(tenant(skus=(Sku(E3, "ENTERPRISEPACK", enabled=5, warning=2), Sku(E5, "SPE_E5", suspended=4))))
    skus = emulated.get("subscribedSkus").json()["value"]
    purchases = {each["id"]: each for each in emulated.get("directory/subscriptions").json()["value"]}
    for sku in skus:
        own = [purchases.pop(key) for key in sku["subscriptionIds"]]
        assert sum(each["totalLicenses"] for each in own) == sum(sku["prepaidUnits"].values())
        assert {each["skuId"] for each in own} == {sku["skuId"]}
    assert purchases == {}


def test_a_scenario_may_send_numbers_that_are_none() -> None:
    lying = Sku(E3, "A", enabled=5, overrides={"prepaidUnits": {"enabled": None, "warning": "2"}, "consumedUnits": 1.5})
    silent = Sku(E5, "B", overrides={"consumedUnits": ABSENT, "prepaidUnits": ABSENT})
    first, second = world(tenant(skus=(lying, silent))).get("subscribedSkus").json()["value"]
    assert first["prepaidUnits"] == {"enabled": None, "warning": "2", "suspended": 0, "lockedOut": 0}
    assert first["consumedUnits"] == 1.5
    assert not {"consumedUnits", "prepaidUnits"} & second.keys()


def test_a_selection_shows_in_the_members_and_in_the_context() -> None:
    emulated = world()
    skus = emulated.get("subscribedSkus?$select=skuId,consumedUnits").json()
    users = emulated.get("users?$select=userPrincipalName,department").json()
    assert skus["@odata.context"].endswith("/v1.0/$metadata#subscribedSkus(skuId,consumedUnits)")
    assert skus["value"] == [{"skuId": E3, "consumedUnits": 3}]
    assert users["value"][0] == {"userPrincipalName": "user0001@contoso.example", "department": None}


def test_without_a_selection_users_say_nothing_about_licenses() -> None:
    first = world().get("users").json()["value"][0]
    assert set(first) == set(USER_DEFAULT)


def test_a_license_from_two_sources_is_held_once_with_the_plans_that_either_gives() -> None:
    both = User(
        "anna@contoso.example",
        (LicenseAssignment(E3, GROUP, disabled_plans=("a", "b")), LicenseAssignment(E3, disabled_plans=("b", "c"))),
    )
    (user,) = world(tenant(users=(both,))).get("users?$select=assignedLicenses,licenseAssignmentStates").json()["value"]
    assert user["assignedLicenses"] == [{"disabledPlans": ["b"], "skuId": E3}]
    assert [(way["assignedByGroup"], way["state"], way["error"]) for way in user["licenseAssignmentStates"]] == [
        (GROUP, "Active", "None"),
        (None, "Active", "None"),
    ]


@pytest.mark.parametrize(("state", "held"), [("Error", 0), ("ActiveWithError", 1), ("Disabled", 0)])
def test_an_assignment_in_error_is_not_held_and_consumes_nothing(state: str, held: int) -> None:
    anna = User("anna@contoso.example", (LicenseAssignment(E3, GROUP, state, "CountViolation"),))
    emulated = world(tenant(users=(anna,)))
    (user,) = emulated.get("users?$select=assignedLicenses,licenseAssignmentStates").json()["value"]
    assert len(user["assignedLicenses"]) == held
    assert user["licenseAssignmentStates"][0]["error"] == "CountViolation"
    assert emulated.get("subscribedSkus").json()["value"][0]["consumedUnits"] == held


def test_one_user_is_found_by_id_and_by_name() -> None:
    emulated = world(tenant(users=(UserGroup(3), UserGroup(2, user_type="Guest"))))
    guest = emulated.listed("users?$select=id,userPrincipalName")[0][-1]
    assert guest["userPrincipalName"] == "guest0002_partner.example#EXT#@contoso.example"
    by_id = emulated.get(f"users/{guest['id']}?$select=id,userType").json()
    by_name = emulated.get("users/USER0003@contoso.example?$select=displayName").json()
    assert (by_id["id"], by_id["userType"]) == (guest["id"], "Guest")
    assert by_name["displayName"] == "User 0003"


# --- sign-ins --------------------------------------------------------------------------------------------------------

AUDITOR = Application(roles=("User.Read.All", "Organization.Read.All", "AuditLog.Read.All"))
SIGN_INS = "users?$select=id,signInActivity,createdDateTime"


def test_a_user_tells_when_it_last_signed_in() -> None:
    moment = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
    people = (User("a@contoso.example", created=moment, signed_in=moment), User("b@contoso.example", signed_in=None))
    first, second = world(tenant(users=people, applications=(AUDITOR,))).get(SIGN_INS).json()["value"]
    assert first["createdDateTime"] == "2026-02-01T09:30:00Z"
    assert first["signInActivity"]["lastSuccessfulSignInDateTime"] == "2026-02-01T09:30:00Z"
    assert set(second) == {"id", "createdDateTime"}, "who never signed in has no such member"


def test_sign_ins_need_a_permission_of_their_own() -> None:
    assert code_of(world().get(SIGN_INS)) == (403, "Authorization_RequestDenied")
    assert world().get("users?$select=id,createdDateTime").status_code == 200


def test_sign_ins_need_a_premium_tenant() -> None:
    code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    emulated = world(tenant(applications=(AUDITOR,), premium=False))
    assert code_of(emulated.get(SIGN_INS)) == (403, code)
    assert emulated.get("users?$select=id").status_code == 200


@pytest.mark.parametrize(("top", "sizes"), [("", [100] * 11), ("&$top=999", [500, 500, 100]), ("&$top=400", [400] * 3)])
def test_a_page_with_sign_ins_holds_no_more_than_five_hundred_users(top: str, sizes: list[int]) -> None:
    emulated = world(tenant(users=(UserGroup(1100),), applications=(AUDITOR,)))
    pages = emulated.listed(SIGN_INS + top)
    assert [len(page) for page in pages] == [*sizes[:-1], 1100 - sum(sizes[:-1])]


def test_the_sign_ins_of_one_user_are_found_by_id_only() -> None:
    anna = User("anna@contoso.example")
    emulated = world(tenant(users=(anna,), applications=(AUDITOR,)))
    found = emulated.get(f"users/{anna.object_id}?$select=signInActivity")
    assert found.json()["signInActivity"]["lastSuccessfulSignInDateTime"]
    assert code_of(emulated.get("users/anna@contoso.example?$select=signInActivity")) == (400, "BadRequest")
    assert emulated.get("users/anna@contoso.example?$select=id").status_code == 200


def test_an_assignment_tells_when_it_was_last_touched() -> None:
    way = LicenseAssignment(E3, updated=datetime(2026, 11, 1, 8, tzinfo=UTC))
    emulated = world(tenant(users=(User("anna@contoso.example", (way,)),)))
    (user,) = emulated.get("users?$select=licenseAssignmentStates").json()["value"]
    assert user["licenseAssignmentStates"][0]["lastUpdatedDateTime"] == "2026-11-01T08:00:00Z"


# --- pages -----------------------------------------------------------------------------------------------------------


def test_a_page_holds_a_hundred_users_when_the_request_does_not_say() -> None:
    pages = world(tenant(users=(UserGroup(250),))).listed("users?$select=id")
    assert [len(page) for page in pages] == [100, 100, 50]


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 7), max_size=6), top=st.integers(1, 9))
def test_every_user_is_listed_exactly_once(counts: list[int], top: int) -> None:
    groups = [UserGroup(count, user_type=("Member", "Guest")[index % 2]) for index, count in enumerate(counts)]
    people = (*groups, User("anna@contoso.example"), UserGroup(2))
    pages = world(tenant(users=people)).listed(f"users?$select=id,userPrincipalName&$top={top}")
    listed = [user["id"] for page in pages for user in page]
    assert len(listed) == len(set(listed)) == sum(counts) + 3
    assert all(len(page) == top for page in pages[:-1])


def test_a_next_link_is_absolute_and_repeats_the_options() -> None:
    answer = world().get("users?$select=id,mail&$top=2").json()
    link = httpx.URL(answer["@odata.nextLink"])
    assert (link.scheme, link.host, link.path) == ("https", "graph.microsoft.com", "/v1.0/users")
    assert (link.params["$select"], link.params["$top"]) == ("id,mail", "2")
    assert link.params["$skiptoken"].startswith("RFNwdA")


def test_a_page_token_is_good_for_its_own_query_and_tenant_only() -> None:
    other = "c41b8f37-5d62-4e0a-93f8-6b7d2a1c0e59"
    emulated = world(tenant(), tenant(other, domain="other.example"))
    link = emulated.get("users?$select=id&$top=2").json()["@odata.nextLink"]
    assert emulated.get(link).status_code == 200
    assert code_of(emulated.get(link.replace("$top=2", "$top=3"))) == (400, "Request_BadRequest")
    assert code_of(emulated.get(link, bearer=emulated.token(other))) == (400, "Request_BadRequest")


def test_the_count_stands_on_the_first_page_only_and_needs_the_header() -> None:
    emulated = world()
    first = emulated.get("users?$select=id&$top=2&$count=true", **EVENTUAL).json()
    second = emulated.get(first["@odata.nextLink"], **EVENTUAL).json()
    silent = emulated.get("users?$select=id&$top=2&$count=true").json()
    assert first["@odata.count"] == 5
    assert "@odata.count" not in second
    assert "@odata.count" not in silent


def test_users_are_counted_in_plain_text() -> None:
    answer = world().get("users/$count", **EVENTUAL)
    assert (answer.text, answer.headers["content-type"]) == ("5", "text/plain")
    assert world().get("users/$count?$filter=assignedLicenses/$count eq 0", **EVENTUAL).text == "2"


def test_a_filter_lists_holders_across_pages() -> None:
    emulated = world(tenant(users=(UserGroup(2), UserGroup(3, (E3,)), UserGroup(2, (E5,)), UserGroup(1, (E5, E3)))))
    holders = emulated.listed(f"{HELD}&$top=4", **EVENTUAL)
    of_e3 = emulated.listed(f"users?$count=true&$filter=assignedLicenses/any(x:x/skuId eq {E3})&$top=2", **EVENTUAL)
    assert [len(page) for page in holders] == [4, 2]
    assert [len(page) for page in of_e3] == [2, 2]


def test_a_filter_by_sku_without_the_header_breaks_on_the_second_page() -> None:
    emulated = world()
    first = emulated.get(f"users?$filter=assignedLicenses/any(x:x/skuId eq {E3})&$top=2")
    assert first.status_code == 200
    second = emulated.get(first.json()["@odata.nextLink"])
    assert code_of(second) == (400, "Directory_ExpiredPageToken")


def test_the_header_must_come_with_every_page() -> None:
    emulated = world()
    link = emulated.get(f"{HELD}&$top=2", **EVENTUAL).json()["@odata.nextLink"]
    assert code_of(emulated.get(link)) == (400, "Request_UnsupportedQuery")
