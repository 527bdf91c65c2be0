"""The log in JSON: every line says when, which run and which portal, and never a secret."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reconciler.emulator.faults import ALWAYS, Fault, Reply, throttled
from reconciler.emulator.scenario import SECRET, UserGroup
from reconciler.graph.log_context import about, portal
from tests.cli.cli_world import E3, World, portal_yaml, tenant

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MANY = (UserGroup(1500, (E3,)),)


def lines(world: World, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The lines of the log of a run, each of which is a JSON object."""
    ended = world.run("--log-format", "json", *arguments)
    assert ended.code == code
    found = [line for line in ended.err.splitlines() if line.startswith("{")]
    assert all(line.isprintable() for line in found)
    return [json.loads(line) for line in found]


@pytest.fixture
def two(world: World) -> World:
    world.tenants(tenant(1, users=MANY), tenant(2, users=MANY))
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    return world


def requests(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if line["logger"] == "reconciler.graph" and "method" in line]


def test_every_line_says_when_and_in_which_run(two: World) -> None:
    log = lines(two, "-vv", "apply")
    assert len(log) > 10
    assert {line["run"] for line in log if GUID.fullmatch(line["run"])} == {log[0]["run"]}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"]) for line in log)


def test_a_request_says_its_portal_its_duration_and_the_ids_of_both_sides(two: World) -> None:
    made = requests(lines(two, "-vv", "apply"))
    for line in made:
        tenant_of = {"one": "1", "two": "2"}[line["portal"]]
        assert line["host"] in ("login.microsoftonline.com", "graph.microsoft.com")
        assert "/10000000-" not in line["path"] or line["path"].split("/")[1].endswith(tenant_of)
        assert line["outcome"] == 200
        assert isinstance(line["milliseconds"], int)
        assert GUID.fullmatch(line["client_request_id"])
    to_graph = [line for line in made if line["host"] == "graph.microsoft.com"]
    assert to_graph
    assert all(GUID.fullmatch(line["request_id"]) for line in to_graph)
    users = [line for line in to_graph if line["path"] == "/v1.0/users"]
    assert {line["portal"] for line in users} == {"one", "two"}, "pages are fetched by threads of their own"


def test_an_import_says_how_long_it_took_and_how_it_failed(world: World) -> None:
    world.tenants(tenant(1), tenant(2, faults=(Fault(Reply(403), "/v1.0/users", times=ALWAYS),)))
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    log = lines(world, "apply", code=4)
    ends = {line["portal"]: line for line in log if "milliseconds" in line and line["logger"] == "reconciler.progress"}
    assert set(ends) == {"one", "two"}
    assert "error" not in ends["one"]
    assert ends["two"]["error"] == "Authorization_RequestDenied"
    (warning,) = [line for line in log if line["level"] == "warning"]
    assert (warning["portal"], warning["status"]) == ("two", 403)
    assert GUID.fullmatch(warning["request_id"])


def test_a_retry_says_how_long_it_waits(world: World) -> None:
    world.tenants(tenant(faults=(Fault(throttled(0), "/v1.0/users", times=1),)))
    world.portals(one=portal_yaml())
    (retry,) = [line for line in lines(world, "-v", "apply") if "retry" in line]
    assert (retry["portal"], retry["outcome"], retry["retry"]) == ("one", 429, 1)
    assert retry["wait_milliseconds"] >= 0


@pytest.mark.parametrize("header", [SECRET, "eyJhbGciOiJSUzI1NiJ9.e30.canary", "x" * 36, "\x1b[31m"])
def test_what_is_no_request_id_is_not_logged_as_one(world: World, header: str) -> None:
    """Whatever answers in Microsoft's place may send back what it was sent."""
    answer = Reply(403, headers={"request-id": header}) if header.isprintable() else Reply(403)
    world.tenants(tenant(faults=(Fault(answer, "/v1.0/users", times=ALWAYS),)))
    world.portals(one=portal_yaml())
    log = lines(world, "-vv", "apply", code=1)
    assert header not in json.dumps(requests(log))


def test_the_log_has_no_secret(two: World) -> None:
    ended = two.run("--log-format", "json", "-vv", "apply")
    assert SECRET not in ended.err
    assert "eyJ" not in ended.err


def test_a_thread_is_about_its_portal_only_as_long_as_it_reads_it() -> None:
    assert portal() is None
    with about("one"):
        with about("two"):
            assert portal() == "two"
        assert portal() == "one"
    assert portal() is None
