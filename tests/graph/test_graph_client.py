"""Reading a tenant: complete or not at all, on the portal's own host only."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID
from weakref import ReferenceType, ref

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.emulator.faults import (
    ALWAYS,
    EXPIRED_PAGE_TOKEN,
    LOST_PAGE_TOKEN,
    Drop,
    EmptyPage,
    Fault,
    ForeignLink,
    Overlap,
    RepeatedLink,
    Reply,
    throttled,
)
from reconciler.emulator.scenario import (
    Application,
    LicenseAssignment,
    ServicePlan,
    Sku,
    Subscription,
    User,
    UserGroup,
)
from reconciler.errors import (
    FailureNotDeserialized,
    PortalError,
    ReportedError,
    SuccessNotDeserialized,
    UntrustedAnswer,
)
from reconciler.graph import client, pages
from reconciler.model import Cloud, Holding, Import, Organization, ServicePlans, Units
from reconciler.queries import queries
from tests.graph.graph_world import E3, E5, TENANT_ID, Connection, HandMade, as_json, connect, held_by, tenant

MANY = (UserGroup(1500, (E3,)), UserGroup(1600), UserGroup(1, (E5,)))
"""Users for four pages; the third page holds nobody with a license."""


def test_a_tenant_is_read_from_end_to_end() -> None:
    group = LicenseAssignment(E5, group_id="2f6a6f0e-0a0e-4a3b-8e57-3f9f4d2b7c11")
    missed = LicenseAssignment(E5, state="Error", error="CountViolation")
    anna = User("anna@contoso.example", (E3, group), id="7C2F1F7A-6D2B-4F57-9A35-7D1F6A0D9B01")
    bert = User("bert@contoso.example", (missed,), account_enabled=False)
    carl = User("carl@contoso.example")
    skus = (
        Sku(E3, "ENTERPRISEPACK", enabled=10, subscriptions=(Subscription("Enabled", 10),)),
        Sku(E5, "SPE_E5", warning=1, suspended=2),
    )
    connection = connect(tenant(users=(anna, bert, carl), skus=skus))
    assert connection.graph.organization() == Organization(TENANT_ID, "Contoso", "contoso.example")
    assert connection.graph.emulated == "test"
    assert [
        (each.sku_id, each.part_number, each.units, each.consumed_units) for each in connection.graph.licenses()
    ] == [
        (E5, "SPE_E5", Units(0, 1, 2, 0), 1),
        (E3, "ENTERPRISEPACK", Units(10, 0, 0, 0), 1),
    ]
    assert [
        [(one.status, one.total_licenses) for one in each.subscriptions] for each in connection.graph.licenses()
    ] in (
        [[("Warning", 1), ("Suspended", 2)], [("Enabled", 10)]],
        [[("Suspended", 2), ("Warning", 1)], [("Enabled", 10)]],
    )
    contacts, holdings = connection.rows()
    assert {contact.user_principal_name for contact in contacts} == {"anna@contoso.example", "bert@contoso.example"}
    assert holdings == {
        (anna.object_id.lower(), Holding(E3, True, True, False, None)),
        (anna.object_id.lower(), Holding(E5, True, False, True, None)),
        (bert.object_id, Holding(E5, False, False, False, "CountViolation")),
    }


@pytest.mark.parametrize("cloud", Cloud)
def test_every_cloud_is_read_at_its_own_hosts(cloud: Cloud) -> None:
    connection = connect(tenant(cloud=cloud), cloud=cloud)
    assert len(connection.rows()[1]) == 3
    assert len({request.url.host for request in connection.wire.requests}) == 2


def test_users_come_page_by_page_and_unlicensed_ones_are_only_counted() -> None:
    pages = list(connect(tenant(users=MANY)).graph.users(pytest.fail))
    assert [(page.received, len(page.contacts), len(held_by(page))) for page in pages] == [
        (999, 999, 999),
        (999, 501, 501),
        (999, 0, 0),
        (104, 1, 1),
    ]


def test_every_page_request_carries_the_same_headers_but_its_own_id() -> None:
    connection = connect(tenant(users=MANY))
    connection.rows()
    sent = connection.wire.to("/v1.0/users")
    ids = {request.headers.pop("client-request-id") for request in sent}
    assert len(sent) == len(ids) == 4
    assert len({tuple(sorted(request.headers.items())) for request in sent}) == 1
    assert "consistencylevel" not in sent[0].headers


def test_nothing_is_read_before_it_is_asked_for() -> None:
    connection = connect(tenant(users=MANY))
    pages = connection.graph.users(pytest.fail)
    assert connection.wire.requests == []
    next(pages)
    assert 1 <= len(connection.wire.to("/v1.0/users")) <= 3, "one in use, one ready, one on its way"


def test_a_tenant_without_licenses_or_users_reads_as_empty() -> None:
    connection = connect(tenant(users=(), skus=()))
    assert connection.graph.licenses() == ()
    assert connection.rows() == (set(), set())


@pytest.mark.parametrize(
    "effect",
    [throttled(7), throttled(None), Reply(503), Reply(504, "<html>"), Drop(), Drop(after=40), EmptyPage(), Overlap(5)],
    ids=repr,
)
def test_what_passes_by_itself_changes_nothing(effect: Any) -> None:
    expected = connect(tenant(users=MANY)).rows()
    assert connect(tenant(Fault(effect, "/v1.0/users", page=2), users=MANY)).rows() == expected


@pytest.mark.parametrize("expired", [EXPIRED_PAGE_TOKEN, LOST_PAGE_TOKEN], ids=["expired", "lost"])
def test_a_lost_place_starts_the_list_again(expired: Reply) -> None:
    connection = connect(tenant(Fault(expired, "/v1.0/users", page=3, times=2), users=MANY))
    restarts: list[int] = []
    received: list[int] = []

    def restarted() -> None:
        restarts.append(len(received))
        received.clear()

    for page in connection.graph.users(restarted):
        received.append(page.received)  # noqa: PERF401 - the list is emptied on the way
    assert restarts == [2, 2]
    assert received == [999, 999, 999, 104]


@pytest.mark.parametrize(
    ("code", "message", "inner"),
    [
        ("Directory_ExpiredPageToken", "", None),
        ("directory_expiredPAGEtoken", "", None),
        ("BadRequest", "", {"code": "Directory_ExpiredPageToken"}),
        ("BadRequest", "", {"code": "x", "innererror": {"code": "DirectoryPageTokenNotFoundException"}}),
        ("Request_BadRequest", "The page token is not valid.", None),
    ],
)
def test_a_lost_place_is_known_by_any_of_its_names(code: str, message: str, inner: Any) -> None:
    answers = [as_json({"error": {"code": code, "message": message, "innerError": inner}}, 400), page_of([])]
    restarts: list[bool] = []
    list(connect(HandMade(lambda _: answers.pop(0))).graph.users(lambda: restarts.append(True)))
    assert restarts == [True]


def test_another_bad_request_does_not_start_the_list_again() -> None:
    error = {"error": {"code": "Request_BadRequest", "message": "Invalid filter clause."}}
    with pytest.raises(ReportedError, match=r"Invalid filter clause\."):
        list(connect(HandMade(lambda _: as_json(error, 400))).graph.users(pytest.fail))


def test_a_place_that_is_lost_again_and_again_ends_the_import() -> None:
    connection = connect(tenant(Fault(EXPIRED_PAGE_TOKEN, "/v1.0/users", page=2, times=ALWAYS), users=MANY))
    restarts: list[bool] = []
    with pytest.raises(ReportedError) as caught:
        list(connection.graph.users(lambda: restarts.append(True)))
    assert caught.value.code == "Directory_ExpiredPageToken"
    assert "again" in caught.value.remedy
    assert len(restarts) == client.RESTARTS


@pytest.mark.parametrize("times", [1, 2])
def test_pages_that_lead_in_a_circle_are_refused(times: int) -> None:
    connection = connect(tenant(Fault(RepeatedLink(), "/v1.0/users", page=2, times=ALWAYS), users=MANY))
    with pytest.raises(UntrustedAnswer) as caught:
        connection.rows()
    assert caught.value.code == "page-loop"
    assert len(connection.wire.to("/v1.0/users")) <= 4


def test_pages_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_LIMIT", 50)
    count = iter(range(1000))
    connection = connect(HandMade(lambda _: page_of([], f"https://graph.microsoft.com/v1.0/users?p={next(count)}")))
    with pytest.raises(UntrustedAnswer) as caught:
        connection.rows()
    assert caught.value.code == "page-loop"
    assert len(connection.wire.to("/v1.0/users")) == 50


def test_a_foreign_next_link_never_gets_the_token() -> None:
    connection = connect(tenant(Fault(ForeignLink("graph.microsoft.example"), "/v1.0/users")))
    with pytest.raises(UntrustedAnswer) as caught:
        connection.rows()
    assert caught.value.code == "foreign-link"
    hosts = {request.url.host for request in connection.wire.requests}
    assert hosts == {"login.microsoftonline.com", "graph.microsoft.com"}


@pytest.mark.parametrize(
    "link",
    [
        "http://graph.microsoft.com/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com:8443/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com.example/v1.0/users",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "https://user:password@graph.microsoft.com/v1.0/users",
        "https://evil.example\\@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com./v1.0/users",
        "https://graph.microsoft.us/v1.0/users",
        "https://graph.microsoft.com/beta/users",
        "https://graph.microsoft.com/v1.0/../beta/users",
        "//evil.example/v1.0/users",
        "/v1.0/users?$skiptoken=x",
        "https://[::1/v1.0/users",
        "https://graph.microsoft.com:99999999/v1.0/",
        "javascript:alert(1)",
        "",
    ],
)
def test_only_a_link_to_the_same_graph_is_followed(link: str) -> None:
    connection = connect(HandMade(lambda _: page_of([], link)))
    with pytest.raises(UntrustedAnswer) as caught:
        connection.rows()
    assert caught.value.code == "foreign-link"
    assert len(connection.wire.to("/users")) == 1


@pytest.mark.parametrize(
    "link", ["https://GRAPH.microsoft.com:443/v1.0/users?p=2", "https://graph.microsoft.com/v1.0/x"]
)
def test_a_link_to_the_same_graph_is_followed_in_any_spelling(link: str) -> None:
    answers = [page_of([record("a", E3)], link), page_of([record("b", E3)])]
    assert len(connect(HandMade(lambda _: answers.pop(0))).rows()[0]) == 2


def test_a_redirect_is_not_followed() -> None:
    redirect = httpx.Response(302, headers={"location": "https://evil.example/v1.0/users"})
    connection = connect(HandMade(lambda _: redirect))
    with pytest.raises(FailureNotDeserialized) as caught:
        connection.rows()
    assert caught.value.detail == "graph.microsoft.com answered 302, no type, a redirect to evil.example"
    assert {request.url.host for request in connection.wire.requests} <= {
        "login.microsoftonline.com",
        "graph.microsoft.com",
    }


def test_a_token_that_expires_on_the_way_is_renewed() -> None:
    made: list[Connection] = []

    def clock() -> float:
        asked = len(made[0].wire.to("/v1.0/users"))
        return 1_795_413_600.0 + (7200.0 if asked > 2 else 0.0)

    made.append(connect(tenant(users=MANY), clock=clock))
    connection = made[0]
    assert sum(page.received for page in connection.graph.users(pytest.fail)) == 3101
    assert len(connection.wire.to("/token")) == 2
    assert len(connection.wire.to("/v1.0/users")) == 5


def test_a_token_that_is_refused_again_is_reported() -> None:
    connection = connect(tenant(Fault(Reply(401), "/v1.0/organization", times=ALWAYS)))
    with pytest.raises(ReportedError) as caught:
        connection.graph.organization()
    assert caught.value.code == "InvalidAuthenticationToken"
    assert caught.value.status == 401
    assert len(connection.wire.to("/organization")) == 2


def test_missing_consent_names_the_permissions() -> None:
    connection = connect(tenant(applications=(Application(roles=()),)))
    with pytest.raises(ReportedError) as caught:
        connection.graph.organization()
    assert caught.value.code == "Authorization_RequestDenied"
    assert caught.value.message == "Insufficient privileges to complete the operation."
    assert "User.Read.All" in caught.value.remedy
    assert "Organization.Read.All" in caught.value.remedy
    assert "consent" in caught.value.remedy


def test_missing_consent_for_users_alone_is_an_error_too() -> None:
    connection = connect(tenant(applications=(Application(roles=("Organization.Read.All",)),)))
    assert connection.graph.licenses()
    with pytest.raises(ReportedError):
        connection.rows()


def test_subscriptions_that_may_not_be_read_fail_the_licenses() -> None:
    connection = connect(tenant(Fault(Reply(403), "/v1.0/directory/subscriptions")))
    with pytest.raises(ReportedError):
        connection.graph.licenses()


def test_another_tenants_answer_is_refused() -> None:
    other = {"value": [{"id": E3, "displayName": "Fabrikam"}]}
    with pytest.raises(UntrustedAnswer) as caught:
        connect(HandMade(lambda _: as_json(other))).graph.organization()
    assert caught.value.code == "tenant-mismatch"


def test_a_tenant_id_is_the_same_in_capitals() -> None:
    assert connect(tenant(), tenant_id=TENANT_ID.upper()).graph.organization().tenant_id == TENANT_ID


def test_an_organization_without_entry_is_no_organization() -> None:
    with pytest.raises(SuccessNotDeserialized):
        connect(HandMade(lambda _: page_of([]))).graph.organization()


@pytest.mark.parametrize(
    ("overrides", "where"),
    [({"skuId": "no guid"}, "$.value[].skuId"), ({"prepaidUnits": "many"}, "$.value[].prepaidUnits")],
)
def test_a_broken_shape_says_where_it_breaks(overrides: dict[str, Any], where: str) -> None:
    connection = connect(tenant(skus=(Sku(E3, "ENTERPRISEPACK", enabled=1, overrides=overrides),)))
    with pytest.raises(SuccessNotDeserialized) as caught:
        connection.graph.licenses()
    assert caught.value.detail is not None
    assert caught.value.detail.startswith("graph.microsoft.com answered 200, application/json: ")
    assert caught.value.detail.endswith(f"at `{where}`")


@pytest.mark.parametrize("read", [lambda c: c.graph.licenses(), Connection.rows], ids=["licenses", "users"])
@pytest.mark.parametrize(
    "effect", [Reply(200, "<html>sign in</html>"), Reply(200, {}), Reply(200, b""), Reply(200, []), Reply(204, b"")]
)
def test_an_answer_that_is_no_list_is_never_an_empty_list(read: Callable[[Connection], Any], effect: Reply) -> None:
    with pytest.raises(SuccessNotDeserialized):
        read(connect(tenant(Fault(effect, "/v1.0/*", times=ALWAYS))))


@pytest.mark.parametrize("effect", [Reply(404, {}), Reply(400, "<html>"), Drop(), Reply(429), Reply(410, b"gone")])
def test_a_page_that_cannot_be_read_ends_the_list_with_an_error(effect: Any) -> None:
    connection = connect(tenant(Fault(effect, "/v1.0/users", page=3, times=ALWAYS), users=MANY))
    pages = connection.graph.users(pytest.fail)
    next(pages)
    next(pages)
    with pytest.raises(PortalError):
        next(pages)


def record(name: str, *skus: str) -> dict[str, Any]:
    """A user as Graph sends it, who holds these SKUs directly."""
    return {
        "id": name,
        "userPrincipalName": f"{name}@contoso.example",
        "assignedLicenses": [{"skuId": sku} for sku in skus],
        "licenseAssignmentStates": [{"skuId": sku, "assignedByGroup": None, "state": "Active"} for sku in skus],
    }


def page_of(users: list[dict[str, Any]], link: str | None = None) -> httpx.Response:
    """A page as Graph sends it."""
    return as_json({"value": users} if link is None else {"value": users, "@odata.nextLink": link})


def pages_of(pages: list[list[dict[str, Any]]]) -> HandMade:
    """A Graph that lists its users on exactly these pages."""

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", 0))
        link = f"https://graph.microsoft.com/v1.0/users?page={number + 1}" if number + 1 < len(pages) else None
        return page_of(pages[number], link)

    return HandMade(answer)


@settings(deadline=None)  # threads have no say in when they run
@given(data=st.data())
def test_any_split_into_pages_reads_the_same(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, 30), unique=True, max_size=12))
    held = st.lists(st.sampled_from([E3, E5]), unique=True)
    users = [record(str(UUID(int=number)), *data.draw(held)) for number in numbers]
    again = data.draw(st.lists(st.sampled_from(users), max_size=4)) if users else []
    listed = data.draw(st.permutations([*users, *again]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(listed)), max_size=6)))
    pages = [listed[start:end] for start, end in zip([0, *cuts], [*cuts, len(listed)], strict=True)]
    assert connect(pages_of(pages)).rows() == connect(pages_of([users])).rows()


# --- service plans and sign-ins --------------------------------------------------------------------------------------

SINCE = date(2026, 8, 25)
ROLES = ("User.Read.All", "Organization.Read.All")
READS_SIGN_INS = Application(roles=(*ROLES, "AuditLog.Read.All"))
AWAY = datetime(2026, 2, 1, tzinfo=UTC)
PEOPLE = (
    UserGroup(700, (E3,)),
    UserGroup(600, (E3,), signed_in=AWAY),
    UserGroup(10, (E3,), signed_in=None, created=AWAY),
    UserGroup(5, (E3,), signed_in=None),
)


def read(connection: Connection) -> tuple[Counter[str | None], int]:
    """How many users are idle in which way, and how often the list started again."""
    found: Counter[str | None] = Counter()
    restarts = 0

    def restarted() -> None:
        nonlocal restarts
        found.clear()
        restarts += 1

    for page in connection.graph.users(restarted, SINCE):
        found.update(each.idle for _, each in held_by(page))
    return found, restarts


def options(connection: Connection) -> list[tuple[bool, str]]:
    """Whether each request for users selected sign-ins, and how many users it asked for."""
    sent = [request.url.params for request in connection.wire.to("/v1.0/users")]
    return [("signInActivity" in params["$select"], params["$top"]) for params in sent]


def test_sign_ins_are_read_by_apps_that_may() -> None:
    connection = connect(tenant(users=PEOPLE, applications=(READS_SIGN_INS,)))
    assert read(connection) == ({None: 705, "inactive": 600, "never_signed_in": 10}, 0)
    assert connection.graph.sign_ins
    assert options(connection) == [(True, "500")] * 3


def test_without_the_permission_sign_ins_are_not_even_asked_for() -> None:
    connection = connect(tenant(users=PEOPLE))
    assert read(connection) == ({None: 1315}, 0)
    assert not connection.graph.sign_ins
    assert options(connection) == [(False, "999")] * 2


def test_sign_ins_that_nobody_wants_are_not_read() -> None:
    connection = connect(tenant(users=PEOPLE, applications=(READS_SIGN_INS,)))
    list(connection.graph.users(pytest.fail))
    assert not connection.graph.sign_ins
    assert options(connection) == [(False, "999")] * 2


def test_a_tenant_without_premium_is_read_without_sign_ins() -> None:
    connection = connect(tenant(users=PEOPLE, applications=(READS_SIGN_INS,), premium=False))
    assert read(connection) == ({None: 1315}, 1)
    assert not connection.graph.sign_ins
    assert options(connection) == [(True, "500"), (False, "999"), (False, "999")]


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize(
    "code",
    [
        "Authorization_RequestDenied",
        "Authentication_MSGraphPermissionMissing",
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
    ],
)
def test_sign_ins_that_are_refused_on_the_way_leave_the_list_without_them(code: str, page: int) -> None:
    refusal = Reply(403, {"error": {"code": code, "message": "No."}})
    fault = Fault(refusal, "/v1.0/users", page=page)
    connection = connect(tenant(fault, users=PEOPLE, applications=(READS_SIGN_INS,)))
    assert read(connection) == ({None: 1315}, 1)
    assert not connection.graph.sign_ins
    assert options(connection) == [(True, "500")] * page + [(False, "999")] * 2


def test_an_app_that_may_read_no_users_is_told_so_whatever_it_may_read_beside() -> None:
    roles = ("Organization.Read.All", "AuditLog.Read.All")
    connection = connect(tenant(users=PEOPLE, applications=(Application(roles=roles),)))
    with pytest.raises(ReportedError) as raised:
        read(connection)
    assert raised.value.code == "Authorization_RequestDenied"
    assert [selected for selected, _ in options(connection)] == [True, False]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_list_with_sign_ins_that_graph_does_not_give_is_read_without_them(status: int) -> None:
    refusal = Reply(status, {"error": {"code": "UnknownError", "message": "No."}})
    connection = connect(tenant(Fault(refusal, "/v1.0/users"), users=PEOPLE, applications=(READS_SIGN_INS,)))
    assert read(connection) == ({None: 1315}, 1)
    assert not connection.graph.sign_ins
    assert options(connection) == [(True, "500"), (False, "999"), (False, "999")]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_list_with_sign_ins_that_graph_cannot_give_now_is_no_list_without_them(status: int) -> None:
    busy = Reply(status, {"error": {"code": "ServiceUnavailable", "message": "Later."}})
    fault = Fault(busy, "/v1.0/users", times=ALWAYS)
    connection = connect(tenant(fault, users=PEOPLE, applications=(READS_SIGN_INS,)))
    with pytest.raises(ReportedError):
        read(connection)
    assert {selected for selected, _ in options(connection)} == {True}


@pytest.mark.parametrize("status", [400, 404])
def test_a_list_that_graph_does_not_give_at_all_is_asked_for_once_without_sign_ins(status: int) -> None:
    failure = Reply(status, {"error": {"code": "UnknownError", "message": "No."}})
    fault = Fault(failure, "/v1.0/users", times=ALWAYS)
    connection = connect(tenant(fault, users=PEOPLE, applications=(READS_SIGN_INS,)))
    with pytest.raises(ReportedError):
        read(connection)
    asked = [selected for selected, _ in options(connection)]
    assert asked == [True] * (len(asked) // 2) + [False] * (len(asked) // 2)


def test_a_lost_place_in_the_list_with_sign_ins_keeps_them() -> None:
    fault = Fault(EXPIRED_PAGE_TOKEN, "/v1.0/users", page=2)
    connection = connect(tenant(fault, users=PEOPLE, applications=(READS_SIGN_INS,)))
    assert read(connection) == ({None: 705, "inactive": 600, "never_signed_in": 10}, 1)
    assert connection.graph.sign_ins


def test_the_service_plans_come_with_the_licenses() -> None:
    plans = (ServicePlan("P1", "EXCHANGE_S_ENTERPRISE"), ServicePlan("P2", "INTUNE_O365", applies_to="Company"))
    skus = (Sku(E3, "ENTERPRISEPACK", enabled=1, service_plans=plans), Sku(E5, "SPE_E5"))
    connection = connect(tenant(skus=skus))
    connection.graph.licenses()
    found = connection.graph.service_plans
    assert found == {E3: ServicePlans(frozenset({"p1"}), frozenset({"p1"})), E5: ServicePlans()}
    assert len(connection.wire.to("/v1.0/subscribedSkus")) == 1


def test_no_page_waits_for_the_garbage_collector() -> None:
    connection = connect(tenant(users=MANY))
    answers: list[ReferenceType[httpx.Response]] = []
    get = connection.graph.pager.get

    def remembered(url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        answer = get(url, headers)
        answers.append(ref(answer))
        return answer

    connection.graph.pager.get = remembered  # type: ignore[method-assign]
    gc.disable()
    try:
        list(connection.graph.users(pytest.fail))
        assert [answer() for answer in answers] == [None] * 4
    finally:
        gc.enable()


@pytest.mark.parametrize("sign_ins", [False, True])
def test_the_queries_of_the_evidence_are_those_that_are_sent(sign_ins: bool) -> None:
    connection = connect(tenant(applications=(READS_SIGN_INS,)))
    link = connection.graph.latest()
    assert link
    connection.graph.organization()
    list(connection.graph.licenses())
    list(connection.graph.users(pytest.fail, SINCE if sign_ins else None))
    list(connection.graph.changes(link))
    sent = [
        unquote(request.url.raw_path.decode()) for request in connection.wire.requests if "/v1.0/" in str(request.url)
    ]
    first = [path.removeprefix("/v1.0").replace("&$deltatoken=latest", "") for path in sent if "=" in path]
    said = queries(Import(as_of=AWAY, sign_ins=sign_ins, paths_as_of=AWAY))
    assert {path for path in first if "$skiptoken" not in path and "$deltatoken" not in path} == set(said)
    assert queries(Import()) == ()
