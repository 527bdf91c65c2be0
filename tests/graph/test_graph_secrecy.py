"""No secret, key, assertion or token in any log line or exception, whatever happens."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.emulator.faults import ALWAYS, Drop, Fault, Reply
from reconciler.emulator.scenario import SECRET, Application
from reconciler.errors import PortalError
from tests.graph.graph_world import HandMade, as_json, connect, key_pair, pem_pair, tenant

CERTIFIED = tenant(applications=(Application(secrets=(), certificates=(key_pair(),)),))
ECHO = "AADSTS7000215: Invalid client secret provided."


def forbidden() -> list[str]:
    """What must be seen nowhere: each line of the key, the secret, and what every token begins with."""
    lines = key_pair().private_key_pem.decode().splitlines()
    return [SECRET, "wrong-canary", "canary-token", "eyJ", *(line for line in lines if not line.startswith("---"))]


@pytest.fixture(autouse=True)
def _nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")
    said = "\n".join(f"{record.getMessage()}\n{record.exc_text or ''}" for record in records)
    assert "reconciler.graph" in {record.name for record in records}
    assert [secret for secret in forbidden() if secret in said] == []


def login(effect: Any) -> Fault:
    return Fault(effect, "*/token", service="login", times=ALWAYS)


@pytest.mark.parametrize(
    "open_connection",
    [lambda: connect(tenant()), lambda: connect(CERTIFIED, credential=pem_pair())],
    ids=["secret", "certificate"],
)
def test_a_successful_read_leaks_nothing(open_connection: Callable[[], Any]) -> None:
    connection = open_connection()
    connection.graph.organization()
    connection.rows()


@pytest.mark.parametrize(
    "open_connection",
    [
        lambda: connect(tenant(), credential="wrong-canary"),
        lambda: connect(tenant(), credential=pem_pair()),
        lambda: connect(tenant(login(Drop()))),
        lambda: connect(tenant(login(Reply(502, "<html>")))),
        lambda: connect(tenant(login(Reply(200, b'{"access_token": "canary-token"')))),
        lambda: connect(tenant(login(Reply(200, {"access_token": "canary-token", "expires_in": "x"})))),
        lambda: connect(tenant(login(Reply(400, {"error": "x", "error_description": ECHO})))),
        lambda: connect(tenant(Fault(Drop(), times=ALWAYS))),
        lambda: connect(tenant(Fault(Reply(401), times=ALWAYS))),
        lambda: connect(tenant(Fault(Reply(200, "<html>"), times=ALWAYS))),
        lambda: connect(HandMade(lambda _: as_json({"error": {"code": "x", "message": "x"}}, 400))),
        lambda: connect(HandMade(lambda _: httpx.Response(302, headers={"location": "https://evil.example"}))),
    ],
    ids=range(12),
)
def test_a_failure_leaks_nothing(open_connection: Callable[[], Any]) -> None:
    connection = open_connection()
    with pytest.raises(PortalError) as caught:
        connection.graph.organization()
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.info()) + repr(error.args)
    shown += repr(vars(connection.tokens)) + repr(vars(connection.graph))
    assert [secret for secret in forbidden() if secret in shown] == []


def test_a_query_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    connect(tenant()).rows()
    own = [record.getMessage() for record in caplog.records if record.name == "reconciler.graph"]
    assert own
    assert not [line for line in own if "?" in line or "select" in line]
