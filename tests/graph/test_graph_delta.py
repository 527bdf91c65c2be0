"""Delta rounds as the client reads them: what each page says, and when Graph does not go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import PortalError, ReportedError
from reconciler.graph.delta import DeltaPage, changed_page
from reconciler.incremental import FullReadNeeded
from reconciler.model import ChangedPage
from tests.graph.graph_world import E3, Connection, HandMade, as_json, connect

LINK = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=one"
NEXT = "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=two"
END = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=end"


def user(id_: str = "A", **members: Any) -> dict[str, Any]:
    """A changed user who holds one license."""
    return {"id": id_, "assignedLicenses": [{"skuId": E3}], **members}


def page(*values: dict[str, Any], **links: str) -> ChangedPage:
    """What a page with these values says."""
    body = {"value": values, **{f"@odata.{name}": link for name, link in links.items()}}
    return changed_page(msgspec.json.decode(msgspec.json.encode(body), type=DeltaPage))


def told(found: ChangedPage) -> dict[str, str]:
    """What a page says of each user, in a word."""
    words = {contact.object_id: "present" for contact in found.present.contacts}
    return {**words, **dict.fromkeys(found.gone, "gone"), **dict.fromkeys(found.unclear, "unclear")}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (user(), "present"),
        (user(assignedLicenses=[]), "gone"),
        ({"id": "A", "@removed": {"reason": "changed"}}, "gone"),
        ({"id": "A", "@removed": {"reason": "deleted"}}, "gone"),
        ({**user(), "@removed": {"reason": "changed"}}, "gone"),
        ({"id": "A", "displayName": "No licenses told"}, "unclear"),
        ({"id": "A", "assignedLicenses": None}, "unclear"),
        (
            user(assignedLicenses=[], licenseAssignmentStates=[{"skuId": E3, "state": "Error", "error": "Other"}]),
            "present",
        ),
    ],
)
def test_what_a_change_means(value: dict[str, Any], word: str) -> None:
    assert told(page(value)) == {"a": word}


kinds = st.sampled_from(["present", "gone", "unclear"])


@given(st.lists(st.tuples(st.sampled_from("aAbBc"), kinds)))
def test_of_several_answers_about_a_user_the_last_counts_and_none_that_is_clear_is_lost(
    changes: list[tuple[str, str]],
) -> None:
    values = {
        "present": lambda id_: user(id_),
        "gone": lambda id_: {"id": id_, "@removed": {"reason": "changed"}},
        "unclear": lambda id_: {"id": id_},
    }
    found = page(*(values[word](id_) for id_, word in changes))
    last = {id_.lower(): word for id_, word in changes}
    clear = {id_.lower(): word for id_, word in changes if word != "unclear"}
    assert told(found) == last
    assert found.present.received == len(changes)
    present = {id_ for id_, word in clear.items() if word == "present" and last[id_] != "gone"}
    assert {contact.object_id for contact in found.present.contacts} == present
    assert not set(found.gone) & (present | set(found.unclear))


def test_the_next_link_is_that_of_the_last_page() -> None:
    assert page(deltaLink=END).link == END
    assert page(nextLink=NEXT).link is None
    assert page().link is None
    assert page(nextLink=NEXT, deltaLink=END).link is None


def answering(*answers: httpx.Response) -> Connection:
    """A client of a server that gives these answers in turn."""
    left = list(answers)
    return connect(HandMade(lambda _: left.pop(0)))


def error(status: int, code: str = "", message: str = "") -> httpx.Response:
    """A refusal of Graph's."""
    return as_json({"error": {"code": code, "message": message}}, status)


def test_a_round_is_read_page_by_page_to_its_end() -> None:
    connection = answering(
        as_json({"value": [user()], "@odata.nextLink": NEXT}),
        as_json({"value": [], "@odata.nextLink": f"{NEXT}2"}),
        as_json({"value": [user("B")], "@odata.deltaLink": END}),
    )
    pages = list(connection.graph.changes(LINK))
    assert [told(each) for each in pages] == [{"a": "present"}, {}, {"b": "present"}]
    assert [each.link for each in pages] == [None, None, END]
    asked = [str(request.url) for request in connection.wire.to("/users/delta")]
    assert asked == [LINK, NEXT, f"{NEXT}2"]


@pytest.mark.parametrize(
    "answer",
    [
        error(410, "resyncRequired"),
        error(410, "SyncStateNotFound"),
        error(400, "syncStateNotFound"),
        error(404, "Directory_ResyncRequired"),
        error(400, "BadRequest", "Sync must reach steady state within 30 days."),
        error(400, "Directory_ExpiredPageToken"),
        error(403, "Authorization_RequestDenied"),
        error(405, "Request_BadRequest"),
        httpx.Response(410, stream=httpx.ByteStream(b"")),
        as_json({"unexpected": 1}),
    ],
    ids=lambda answer: str(answer.status_code),
)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "on the second page"])
def test_a_round_that_graph_does_not_go_on_with_needs_a_full_read(answer: httpx.Response, late: bool) -> None:
    first = [as_json({"value": [user()], "@odata.nextLink": NEXT})] if late else []
    body = answer.stream
    copy = httpx.Response(answer.status_code, headers=answer.headers, stream=body)
    with pytest.raises(FullReadNeeded, match="does not go on"):
        list(answering(*first, copy).graph.changes(LINK))


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_a_round_that_was_not_answered_can_be_read_again(status: int) -> None:
    with pytest.raises(ReportedError):
        list(connect(HandMade(lambda _: error(status, "Busy"))).graph.changes(LINK))


@pytest.mark.parametrize(
    "link",
    ["https://graph.microsoft.example/v1.0/users/delta", "http://graph.microsoft.com/v1.0/users/delta", "nonsense"],
)
@pytest.mark.parametrize("stored", [False, True], ids=["from Graph", "from the state DB"])
def test_the_token_goes_to_the_portals_own_host_only(link: str, stored: bool) -> None:
    connection = answering(as_json({"value": [], "@odata.nextLink": link}))
    with pytest.raises(FullReadNeeded):
        list(connection.graph.changes(link if stored else LINK))
    assert len(connection.wire.to("/users/delta")) == (0 if stored else 1)
    assert answering(as_json({"value": [], "@odata.deltaLink": link})).graph.latest() is None
    with pytest.raises(FullReadNeeded):
        list(answering(as_json({"value": [], "@odata.deltaLink": link})).graph.changes(LINK))


def test_the_latest_link_is_asked_for_with_what_is_selected_of_users() -> None:
    connection = answering(as_json({"value": [], "@odata.deltaLink": END}))
    assert connection.graph.latest() == END
    (request,) = connection.wire.to("/users/delta")
    assert request.url.params["$deltatoken"] == "latest"
    assert "assignedLicenses" in request.url.params["$select"]


def nobody(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


REFUSALS: list[Callable[[httpx.Request], httpx.Response]] = [
    lambda _: error(400, "Request_UnsupportedQuery"),
    lambda _: error(403, "Authorization_RequestDenied"),
    lambda _: error(503, "Busy"),
    lambda _: as_json({"value": []}),
    lambda _: as_json({"nonsense": True}),
    lambda _: as_json({"value": [], "@odata.nextLink": "https://elsewhere.example/"}),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_tenant_without_delta_queries_is_one_without_a_link(
    refusal: Callable[[httpx.Request], httpx.Response],
) -> None:
    assert connect(HandMade(refusal)).graph.latest() is None


def test_no_connection_is_not_taken_for_a_tenant_without_delta_queries() -> None:
    with pytest.raises(PortalError):
        connect(HandMade(nobody)).graph.latest()
