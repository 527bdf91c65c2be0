"""What a CI runs for a pull request is anyone's text: it signs in nowhere unless told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.cli_world import World, portal_yaml

NO_NETWORK = ("--retry-limit", "0")


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path / "repository", capsys, monkeypatch)
    found.portals(one=portal_yaml(1))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    return found


@pytest.mark.parametrize(
    "command", [("apply",), ("import",), ("recalculate", "--completely"), ("plan", "--refresh"), ("test-connection",)]
)
def test_nothing_signs_in_for_a_pull_request(command: tuple[str, ...], world: World) -> None:
    ended = world.run(*NO_NETWORK, *command, emulate=False)
    assert ended.code == 3
    assert "untrusted-ref" in ended.err
    assert not (world.root / "state/reports").exists()


def test_a_pull_request_may_be_allowed(world: World) -> None:
    ended = world.run(*NO_NETWORK, "apply", "--allow", "untrusted", emulate=False)
    assert ended.code == 1
    assert "untrusted-ref" not in ended.err
    assert world.status()["one"]["import"]["error"]["code"] == "graph-unreachable"


def test_a_connection_may_be_tested_for_a_pull_request_that_is_allowed(world: World) -> None:
    ended = world.run(*NO_NETWORK, "test-connection", "--allow", "untrusted", emulate=False)
    assert ended.code == 1
    assert "graph-unreachable" in ended.out


def test_the_emulator_needs_no_trust(world: World) -> None:
    world.tenants()
    assert "untrusted-ref" not in world.run("apply").err
    assert "untrusted-ref" not in world.run("test-connection").err
