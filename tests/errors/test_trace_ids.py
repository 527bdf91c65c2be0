"""What Microsoft's support asks for is in the log of the run that failed, and in nothing that is kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.emulator.scenario import Application
from reconciler.errors import PortalError, ReportedError, Unreachable
from reconciler.importing import Importer, Reader
from reconciler.model import Failed, Portal, PortalState, Settings
from tests.cli.cli_world import World, client_id, portal_yaml, tenant
from tests.core.core_world import NOW, portal

REQUEST_ID = "1d3f6a0e-3b0a-4d0b-9b5e-6a1f0c2d7e44"
CLIENT_REQUEST_ID = "8a6c2f0d-77c5-4f4a-9a0a-0f3f2b1d9c10"
DATE = "Mon, 23 Nov 2026 05:20:11 GMT"


class NoStage:
    """A stage that nothing reaches."""

    def clear(self) -> None: ...

    def add(self, page: object) -> None: ...

    def consumption(self) -> dict[str, object]:
        return {}

    def users(self, sku_ids: list[str]) -> int:
        return 0


def observed(error: PortalError) -> Failed:
    """What an import that fails like this is seen as."""

    @contextmanager
    def connect(_: Portal) -> Iterator[Reader]:
        raise error
        yield

    seen = Importer(connect).observe(PortalState(portal()), Settings(), NoStage(), NOW)  # type: ignore[arg-type]
    assert isinstance(seen, Failed)
    return seen


def reported() -> ReportedError:
    return ReportedError(
        "Insufficient privileges.",
        code="Authorization_RequestDenied",
        status=403,
        request_id=REQUEST_ID,
        client_request_id=CLIENT_REQUEST_ID,
        date=DATE,
    )


def test_the_ids_and_the_servers_time_are_logged_and_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        seen = observed(reported())
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert all(
        word in record.getMessage()
        for word in (portal().id, "Authorization_RequestDenied", REQUEST_ID, CLIENT_REQUEST_ID, DATE)
    )
    assert not any(word in repr(seen) for word in (REQUEST_ID, CLIENT_REQUEST_ID, DATE))


@pytest.mark.parametrize("error", [Unreachable(detail="x"), ReportedError("x", code="y")], ids=["unreachable", "bare"])
def test_an_error_without_ids_logs_no_empty_line(error: PortalError, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        observed(error)
    assert caplog.records == []


def test_a_trace_names_what_is_known() -> None:
    assert ReportedError("x", code="y", date=DATE).trace() == f"at {DATE}"
    assert ReportedError("x", code="y").trace() == ""


def test_a_run_says_them_and_its_report_stays_the_same(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, applications=(Application(client_id(1), roles=()),)))
    first = world.run("--retry-limit", "0", "apply")
    kept = world.written()
    second = world.run("--retry-limit", "0", "apply")
    assert world.written() == kept
    said = [line for ended in (first, second) for line in ended.err.splitlines() if "request-id" in line]
    assert len(said) == 2
    assert said[0] != said[1], "each run has its own"
    assert "request-id" not in json.dumps(world.status())
