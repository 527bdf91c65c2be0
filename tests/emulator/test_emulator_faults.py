"""Faults happen when the scenario says, as often as it says, and to nobody else."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from reconciler.emulator.faults import (
    ALWAYS,
    EXPIRED_PAGE_TOKEN,
    Cut,
    Delay,
    Drop,
    Effect,
    EmptyPage,
    Fault,
    ForeignLink,
    Overlap,
    RepeatedLink,
    Reply,
    throttled,
)
from reconciler.emulator.scenario import UserGroup
from tests.emulator.builders import E3, World, tenant, world

USERS = "users?$select=id&$top=2"


def faulty(*faults: Fault) -> World:
    return world(tenant(users=(UserGroup(5, (E3,)),), faults=faults))


def on_users(effect: Effect, **when: Any) -> Fault:
    return Fault(effect, path="/v1.0/users", **when)


def ids(pages: list[list[dict[str, Any]]]) -> list[str]:
    return [user["id"] for page in pages for user in page]


def test_a_fault_hits_as_many_requests_as_it_says_from_the_one_it_says() -> None:
    emulated = faulty(on_users(Reply(503), first=2, times=2))
    assert [emulated.get("users").status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_faults_count_for_each_emulator_anew() -> None:
    fault = on_users(Reply(503))
    assert [faulty(fault).get("users").status_code for _ in range(2)] == [503, 503]


def test_faults_are_counted_once_under_many_threads() -> None:
    emulated = faulty(on_users(Reply(503), times=7))
    token = emulated.token()
    with ThreadPoolExecutor(8) as pool:
        seen = Counter(pool.map(lambda _: emulated.get("users", bearer=token).status_code, range(40)))
    assert seen == {503: 7, 200: 33}


def test_a_fault_hits_its_own_path_tenant_and_service_only() -> None:
    other = "c41b8f37-5d62-4e0a-93f8-6b7d2a1c0e59"
    emulated = world(tenant(faults=(on_users(Reply(503), times=ALWAYS),)), tenant(other, domain="other.example"))
    assert emulated.get("users").status_code == 503
    assert emulated.get("organization").status_code == 200
    assert emulated.get("users", bearer=emulated.token(other)).status_code == 200


def test_a_fault_may_wait_for_a_page() -> None:
    emulated = faulty(on_users(EXPIRED_PAGE_TOKEN, page=2))
    first = emulated.get(USERS)
    second = emulated.get(first.json()["@odata.nextLink"])
    assert second.json()["error"]["code"] == "Directory_ExpiredPageToken"
    assert len(ids(emulated.listed(USERS))) == 5


@pytest.mark.parametrize(
    ("seconds", "header"), [(7, "7"), ("Mon, 23 Nov 2026 06:00:09 GMT", "Mon, 23 Nov 2026 06:00:09 GMT"), (None, None)]
)
def test_throttling_comes_with_the_headers_of_graph(seconds: int | str | None, header: str | None) -> None:
    answer = faulty(on_users(throttled(seconds))).get("users")
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "TooManyRequests"
    assert answer.headers.get("retry-after") == header
    assert answer.headers["x-ms-throttle-scope"].startswith("Tenant_Application/")
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"


def test_the_login_host_can_fail_too() -> None:
    busy = Fault(Reply(503), service="login", path="*/token")
    page = Fault(Reply(502, "<html>Bad gateway</html>"), service="login", path="*/token", first=2)
    emulated = faulty(busy, page)
    first, second, third = (emulated.sign_in() for _ in range(3))
    assert (first.status_code, first.json()["error"]) == (503, "temporarily_unavailable")
    assert (second.status_code, second.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert third.status_code == 200


def test_a_reply_may_be_anything() -> None:
    portal_page = faulty(on_users(Reply(200, "<html>Sign in to the Wi-Fi</html>"))).get("users")
    moved = faulty(on_users(Reply(302, b"", {"Location": "https://elsewhere.example/"}))).get("users")
    assert (portal_page.status_code, portal_page.text) == (200, "<html>Sign in to the Wi-Fi</html>")
    assert (moved.status_code, moved.headers["location"]) == (302, "https://elsewhere.example/")


def test_a_dropped_connection_is_an_os_error_in_process() -> None:
    with pytest.raises(ConnectionResetError):
        faulty(on_users(Drop())).get("users")


def test_a_connection_dropped_in_the_body_breaks_while_it_is_read() -> None:
    emulated = faulty(on_users(Drop(after=10)))
    headers = {"Authorization": f"Bearer {emulated.token()}"}
    with emulated.http.stream("GET", "https://graph.microsoft.com/v1.0/users", headers=headers) as answer:
        assert answer.status_code == 200
        with pytest.raises(ConnectionResetError):
            answer.read()


def test_a_delay_is_slept_and_the_answer_is_right() -> None:
    emulated = faulty(on_users(Delay(2.5)))
    assert len(ids(emulated.listed("users"))) == 5
    assert emulated.slept == [2.5]


def test_a_cut_answer_says_success_and_is_not_json() -> None:
    answer = faulty(on_users(Cut())).get("users")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_empty_page_hides_nobody(page: int) -> None:
    pages = faulty(on_users(EmptyPage(), page=page)).listed(USERS)
    assert len(pages) == 4
    assert pages[page - 1] == []
    assert len(set(ids(pages))) == len(ids(pages)) == 5


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_that_overlap_list_a_user_twice(page: int) -> None:
    listed = ids(faulty(on_users(Overlap(1), page=page)).listed(USERS))
    assert (len(listed), len(set(listed))) == (6, 5)


def test_a_repeated_link_leads_to_the_same_page_for_as_long_as_it_goes_on() -> None:
    emulated = faulty(on_users(RepeatedLink(), page=2, times=3))
    link = emulated.get(USERS).json()["@odata.nextLink"]
    answers = [emulated.get(link).json() for _ in range(4)]
    assert [answer["@odata.nextLink"] == link for answer in answers] == [True, True, True, False]
    assert answers[0]["value"] == answers[3]["value"]


@pytest.mark.parametrize("page", [1, 3])
def test_a_foreign_link_names_another_host(page: int) -> None:
    emulated = faulty(on_users(ForeignLink("graph.microsoft.example"), page=page))
    following = USERS
    for _ in range(page):
        following = emulated.get(following).json()["@odata.nextLink"]
    assert httpx.URL(following).host == "graph.microsoft.example"
