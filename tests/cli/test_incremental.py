"""``apply`` twice on the command line: only what changed is read, ``--full`` reads everything, and -v says which."""

from __future__ import annotations

import pytest

from reconciler.emulator import in_process
from reconciler.emulator.app import Emulator
from reconciler.emulator.scenario import Scenario, UserGroup
from tests.cli.cli_world import E3, World, portal_yaml, tenant

LISTED = "one: all users are read: "


@pytest.fixture
def living(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose one emulator goes on from run to run."""
    emulators: list[Emulator] = []

    def reached(scenario: Scenario) -> Emulator:
        if not emulators:
            emulators.append(Emulator(scenario))
        emulators[0].change(scenario)
        return emulators[0]

    monkeypatch.setattr(in_process, "Emulator", reached)
    world.portals(one=portal_yaml())
    world.tenants(tenant())
    assert f"{LISTED}no earlier read to go on from" in world.run("-v", "apply").err
    return world


def test_the_second_apply_reads_what_changed(living: World) -> None:
    living.tenants(tenant(users=(UserGroup(9, (E3,)),)))
    ended = living.run("-v", "apply")
    assert ended.code == 0
    assert LISTED not in ended.err
    assert living.product()["consumers"] == 9
    assert living.status()["one"]["import"]["paths_as_of"] == "2026-11-23T06:00:00Z"


@pytest.mark.parametrize("command", ["apply", "import"])
@pytest.mark.parametrize("by_variable", [False, True], ids=["option", "variable"])
def test_full_reads_all_users(living: World, monkeypatch: pytest.MonkeyPatch, command: str, by_variable: bool) -> None:
    if by_variable:
        monkeypatch.setenv(f"RECONCILE_{command.upper()}_FULL", "1")
    ended = living.run("-v", command, *([] if by_variable else ["--full"]))
    assert ended.code == 0
    assert f"{LISTED}asked for" in ended.err


def test_without_v_nothing_is_said_about_how_users_are_read(living: World) -> None:
    assert "all users are read" not in living.run("apply", "--full").err


def test_a_link_is_in_nothing_that_is_written_but_the_state_db(living: World) -> None:
    assert b"deltatoken" in (living.root / "state/reconciler.db").read_bytes()
    assert not [name for name, content in living.written().items() if b"deltatoken" in content]
    assert "deltatoken" not in living.run("-vv", "apply").err
