"""A large tenant is read in ranges at once; what they bring counts only when it is proven to be the whole."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from random import Random
from threading import Event, Lock
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.emulator.scenario import User, UserGroup
from reconciler.errors import ReportedError, Unreachable
from reconciler.graph import client, ranges
from reconciler.graph.ranges import CONTINUES, STARTS
from tests.graph.graph_world import E3, Connection, HandMade, as_json, connect, tenant

Person = tuple[str, str]
"""Object ID and user principal name."""

NAMES = [f"{first}{number}@contoso.example" for first in ("anna", "Bob", "carl", "7of9", "_svc") for number in range(5)]


def person(name: str) -> Person:
    """A user by name."""
    return str(uuid5(NAMESPACE_URL, name)), name


class Directory(httpx.BaseTransport):
    """Users, three on a page, that can be listed, listed by the start of their names, and counted.

    ``before`` is called with the number of each request, from 1 on, and may change ``people``. ``index`` is what counts
    are made from, when that lags.
    """

    def __init__(self, names: list[str]) -> None:
        self.people = [person(name) for name in names]
        self.index: list[Person] | None = None
        self.before: Callable[[int], None] = lambda number: None
        self.answered: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self._lock = Lock()
        self._requests = 0
        self._hand_made = HandMade(self._graph)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._hand_made.handle_request(request)

    def _graph(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self._requests += 1
            self.before(self._requests)
            told = self.answered(request)
            if told is not None:
                return told
            matches = _filter(request.url.params.get("$filter"))
            if request.url.path.endswith("/$count"):
                assert request.headers["consistencylevel"] == "eventual"
                counted = self.people if self.index is None else self.index
                body = f"\ufeff{sum(map(matches, counted))}".encode()
                return httpx.Response(200, headers={"content-type": "text/plain"}, stream=httpx.ByteStream(body))
            assert "consistencylevel" not in request.headers
            return self._page(request, [each for each in self.people if matches(each)])

    def _page(self, request: httpx.Request, found: list[Person]) -> httpx.Response:
        start = int(request.url.params.get("$skiptoken", 0))
        answer: dict[str, Any] = {"value": [_record(each) for each in found[start : start + 3]]}
        if start + 3 < len(found):
            following = request.url.copy_set_param("$skiptoken", str(start + 3))
            answer["@odata.nextLink"] = str(following)
        return as_json(answer)


def _filter(text: str | None) -> Callable[[Person], bool]:
    if text is None:
        return lambda each: True
    found = re.fullmatch(r"startswith\(userPrincipalName,'((?:[^']|'')+)'\)", text)
    assert found, text
    start = found[1].replace("''", "'").casefold()
    return lambda each: each[1].casefold().startswith(start)


def _record(each: Person) -> dict[str, Any]:
    return {"id": each[0], "userPrincipalName": each[1], "assignedLicenses": [{"skuId": E3}]}


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five users make a large tenant, any list a long one, and a quarter of all users a large range."""
    monkeypatch.setattr(client, "LARGE_TENANT", 5)
    monkeypatch.setattr(client, "LONG", 0.0)
    monkeypatch.setattr(ranges, "LARGE", 4)


def read(connection: Connection) -> tuple[set[str], int]:
    """The names that count in the end, and how often the list started again."""
    names: set[str] = set()
    restarts = 0

    def restarted() -> None:
        nonlocal restarts
        names.clear()
        restarts += 1

    for page in connection.graph.users(restarted):
        names.update(contact.user_principal_name or "" for contact in page.contacts)
    return names, restarts


def filters(connection: Connection) -> list[str]:
    """The filters of the lists that were asked for, without those of counts."""
    sent = [request.url.params.get("$filter") for request in connection.wire.to("/v1.0/users")]
    return [text for text in sent if text]


def counts(connection: Connection) -> int:
    """How often something was counted."""
    return len(connection.wire.to("/users/$count"))


@pytest.mark.parametrize("streams", [2, 8, 16])
def test_a_large_tenant_is_read_in_ranges(streams: int) -> None:
    connection = connect(Directory(NAMES), streams=streams)
    assert read(connection) == (set(NAMES), 0)
    starts = {re.findall("'(.*)'", text)[0][:1] for text in filters(connection)}
    assert starts == set(STARTS), "the index must not decide what is read"


def test_ranges_bring_what_the_whole_list_brings() -> None:
    many: tuple[User | UserGroup, ...] = (
        UserGroup(1200, (E3,)),
        UserGroup(30, (E3,), user_type="Guest"),
        *(User(f"{first}@contoso.example", (E3,)) for first in ("anna", "Bob", "_svc", "o'brien", "7")),
    )
    whole = connect(tenant(users=many)).rows()
    connection = connect(tenant(users=many), streams=4)
    assert connection.rows() == whole
    assert filters(connection)
    assert len(connection.wire.to("/v1.0/users")) > len(filters(connection)), "the first page says how large it is"


def test_a_small_tenant_is_read_page_after_page() -> None:
    connection = connect(Directory(NAMES[:4]), streams=8)
    assert read(connection) == (set(NAMES[:4]), 0)
    assert (filters(connection), counts(connection)) == ([], 1)


@pytest.mark.parametrize(("seconds", "ranges"), [(1.0, False), (3.0, True)])
def test_a_large_tenant_is_read_in_ranges_where_its_list_takes_long(
    seconds: float, ranges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONG", 10.0)
    assert 7 <= len(NAMES) / 3 < 10, "so many pages the list has"
    told = iter((100.0, 100.0 + seconds))
    connection = connect(Directory(NAMES), streams=8, watch=lambda: next(told))
    assert read(connection) == (set(NAMES), 0)
    assert bool(filters(connection)) == ranges


def test_a_first_page_that_had_to_wait_says_nothing_about_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONG", 10.0)
    told = iter((100.0, 160.0))
    directory = Directory(NAMES)
    throttled = iter([httpx.Response(429, headers={"retry-after": "1"}, json={"error": {"code": "TooManyRequests"}})])
    directory.answered = lambda request: next(throttled, None) if request.url.path.endswith("/users") else None
    connection = connect(directory, streams=8, watch=lambda: next(told))
    assert read(connection) == (set(NAMES), 0)
    assert filters(connection) == []


def test_a_tenant_of_one_page_is_not_even_counted() -> None:
    connection = connect(Directory(NAMES[:3]), streams=8)
    assert read(connection) == (set(NAMES[:3]), 0)
    assert counts(connection) == 0


def test_one_stream_never_reads_in_ranges() -> None:
    connection = connect(Directory(NAMES), streams=1)
    assert read(connection) == (set(NAMES), 0)
    assert (filters(connection), counts(connection)) == ([], 0)


def test_names_that_all_start_alike_are_told_apart_by_their_next_signs() -> None:
    names = [f"e{number}@contoso.example" for number in range(40)]
    connection = connect(Directory(names), streams=4)
    assert read(connection) == (set(names), 0)
    asked = {re.findall("'(.*)'", text)[0] for text in filters(connection)}
    assert {"e" + sign.replace("'", "''") for sign in CONTINUES if sign not in "123"} <= asked
    assert "e" not in asked


@pytest.mark.parametrize("name", ["'t@contoso.example", "éva@contoso.example", ".dot@contoso.example"])
def test_a_name_with_an_unexpected_sign_is_not_lost(name: str) -> None:
    connection = connect(Directory([*NAMES, name]), streams=4)
    assert read(connection) == ({*NAMES, name}, 1)


def test_a_sign_that_nobody_expects_further_on_keeps_its_range_whole() -> None:
    names = [f"e{sign}{number}@contoso.example" for sign in "é12" for number in range(9)]
    connection = connect(Directory(names), streams=4)
    assert read(connection) == (set(names), 0)
    assert "startswith(userPrincipalName,'e')" in filters(connection)


def changed(how: str, directory: Directory) -> None:
    """Change who is in a directory while it is read."""
    people = directory.people
    match how:
        case "created":
            people.append(person("dora@contoso.example"))
        case "deleted":
            people.pop()
        case "renamed":
            people[0] = (people[0][0], "zoe@contoso.example")
        case "one twice, one missed":
            people.append((people[1][0], "zoe@contoso.example"))
            people.pop(0)


@pytest.mark.parametrize("how", ["created", "deleted", "renamed", "one twice, one missed"])
@pytest.mark.parametrize("number", [50, 70])
def test_a_change_while_ranges_are_read_never_makes_a_wrong_list(how: str, number: int) -> None:
    """Requests 3 to 44 count, what follows reads: the largest ranges first, of which the last are empty."""
    directory = Directory(NAMES)
    directory.before = lambda count: changed(how, directory) if count == number else None
    connection = connect(directory, streams=2)
    names, restarts = read(connection)
    assert names == {name for _, name in directory.people}
    assert restarts <= 1


class Renaming(Directory):
    """A user gets another name when the range 7 has been read, and z has not."""

    def __init__(self, names: list[str], old: str, new: str) -> None:
        super().__init__(names)
        self._old, self._new = old, new
        self._read, self._renamed = Event(), Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        start = request.url.path.endswith("/users") and request.url.params.get("$filter", "")[-3:-2]
        if start == "c":
            assert self._read.wait(30)
            self.people = [(id_, self._new if name == self._old else name) for id_, name in self.people]
            self._renamed.set()
        if start == "z":
            assert self._renamed.wait(30)
        answer = super().handle_request(request)
        if start == "7" and b"nextLink" not in answer.read():
            self._read.set()
        return answer


@pytest.mark.parametrize(
    ("old", "new"), [("7of90@contoso.example", "zoe@contoso.example"), ("zoe@contoso.example", "7@contoso.example")]
)
def test_a_user_who_is_renamed_from_one_range_to_another_is_neither_lost_nor_counted_twice(old: str, new: str) -> None:
    """Who moves from a range that was read to one that was not comes twice; the other way round, not at all."""
    directory = Renaming([*NAMES, "zoe@contoso.example"], old, new)
    names, restarts = read(connect(directory, streams=2))
    assert names == {name for _, name in directory.people}
    assert new in names
    assert restarts == 1


def test_an_index_that_lags_costs_time_and_nothing_else() -> None:
    directory = Directory(NAMES)
    directory.index = [person(name) for name in NAMES[2:]]
    connection = connect(directory, streams=4)
    assert read(connection) == (set(NAMES), 1)


def test_a_user_who_is_listed_twice_voids_the_ranges() -> None:
    directory = Directory(NAMES)
    directory.people.append(directory.people[0])
    connection = connect(directory, streams=4)
    assert read(connection) == (set(NAMES), 1), "the counts agree, and still somebody may be missing"


def refusing(status: int, path: str, filtered: bool) -> Callable[[httpx.Request], httpx.Response | None]:
    """Refuse requests for a path, with or without a filter."""

    def answered(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith(path) and ("$filter" in request.url.params) is filtered:
            return as_json({"error": {"code": "Request_UnsupportedQuery", "message": "No."}}, status)
        return None

    return answered


@pytest.mark.parametrize(
    ("path", "filtered", "restarts"),
    [("/users/$count", False, 0), ("/users/$count", True, 1), ("/v1.0/users", True, 1)],
)
@pytest.mark.parametrize("status", [400, 403, 501])
def test_what_graph_refuses_to_count_or_to_filter_is_listed_as_a_whole(
    path: str, filtered: bool, restarts: int, status: int
) -> None:
    directory = Directory(NAMES)
    directory.answered = refusing(status, path, filtered)
    assert read(connect(directory, streams=4)) == (set(NAMES), restarts)


@pytest.mark.parametrize("body", [b"", b"many", b"-4", b"4.0", b"9" * 40, "٤".encode(), b"<html>"])
def test_a_count_that_is_no_number_is_no_count(body: bytes) -> None:
    directory = Directory(NAMES)

    def answered(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, stream=httpx.ByteStream(body)) if request.url.path.endswith("$count") else None

    directory.answered = answered
    connection = connect(directory, streams=4)
    assert read(connection) == (set(NAMES), 0)
    assert filters(connection) == []


def test_a_place_that_is_lost_within_a_range_makes_the_whole_list_be_read() -> None:
    directory = Directory(NAMES)

    def expired(request: httpx.Request) -> httpx.Response | None:
        if {"$filter", "$skiptoken"} <= set(request.url.params):
            return as_json({"error": {"code": "Directory_ExpiredPageToken", "message": "Expired."}}, 400)
        return None

    directory.answered = expired
    assert read(connect(directory, streams=4)) == (set(NAMES), 1)


def test_a_connection_that_is_lost_within_a_range_fails_the_import() -> None:
    directory = Directory(NAMES)

    def cut(request: httpx.Request) -> None:
        if "startswith(userPrincipalName,'c')" in str(request.url.params.get("$filter")):
            raise httpx.ReadError("cut")

    directory.answered = cut
    with pytest.raises(Unreachable):
        read(connect(directory, streams=4))


def test_the_whole_list_that_fails_after_the_ranges_fails_the_import() -> None:
    directory = Directory([*NAMES, "éva@contoso.example"])
    whole = iter(range(100))

    def refused(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/v1.0/users") and "$filter" not in request.url.params and next(whole) > 1:
            return as_json({"error": {"code": "generalException", "message": "No."}}, 400)
        return None

    directory.answered = refused
    with pytest.raises(ReportedError):
        read(connect(directory, streams=4))


def test_throttling_makes_fewer_requests_at_once_and_no_other_result(caplog: pytest.LogCaptureFixture) -> None:
    directory = Directory(NAMES)
    refused = iter(range(2))

    def throttled(request: httpx.Request) -> httpx.Response | None:
        if "$skiptoken" in request.url.params and next(refused, None) is not None:
            return as_json({"error": {"code": "TooManyRequests", "message": "Wait."}}, 429, retry_after="3")
        return None

    directory.answered = throttled
    connection = connect(directory, streams=8)
    with caplog.at_level("INFO"):
        assert read(connection) == (set(NAMES), 0)
    assert connection.slept == [3.0, 3.0]
    assert "throttled: reading on with 4 streams" in caplog.text


class Shaken(httpx.BaseTransport):
    """A network that answers in an order of its own: each answer waits for a random number of others."""

    def __init__(self, inner: httpx.BaseTransport, seed: int) -> None:
        self._inner = inner
        self._random = Random(seed)
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            wait = self._random.random() * 0.003
        time.sleep(wait)
        return self._inner.handle_request(request)


@pytest.mark.parametrize("seed", range(4))
def test_the_result_does_not_depend_on_who_answers_first(seed: int) -> None:
    quiet = connect(Directory(NAMES), streams=1).rows()
    shaken = connect(Shaken(Directory(NAMES), seed), streams=8).rows()
    assert shaken == quiet


SIGNS = st.sampled_from("abe1_'.#^~é ")


@settings(max_examples=25, deadline=None)
@given(
    locals_=st.lists(st.text(SIGNS, min_size=1, max_size=4), unique_by=str.casefold, max_size=40),
    streams=st.integers(2, 9),
)
def test_any_names_are_read_to_the_last(locals_: list[str], streams: int) -> None:
    names = {f"{local}@contoso.example" for local in locals_}
    found, restarts = read(connect(Directory(sorted(names)), streams=streams))
    assert found == names
    assert restarts <= 1
