"""A state DB from a cache counts only when it says what the ledger says."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Refused
from reconciler.store.level import drop_unless_level
from reconciler.store.lock import exclusive
from tests.cli.cli_world import World, portal_yaml, tenant


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with one portal that was applied."""
    made = World(tmp_path / "repository", capsys, monkeypatch)
    made.tenants(tenant())
    made.portals(one=portal_yaml())
    assert made.run("apply").code == 0
    return made


def state(world: World) -> Path:
    return world.root / "state"


def database(world: World) -> Path:
    return state(world) / "reconciler.db"


def test_a_database_that_is_level_with_the_ledger_stays(world: World) -> None:
    assert not drop_unless_level(state(world))
    assert database(world).is_file()


def test_a_database_ahead_of_the_ledger_goes(world: World) -> None:
    """A run whose push was rejected has left it in the cache."""
    before = world.written()
    world.portals(one=portal_yaml(name="Renamed"))
    assert world.run("apply").code == 0
    for path, content in before.items():
        (state(world) / path).write_bytes(content)
    assert drop_unless_level(state(world))
    assert not list(state(world).glob("*.db*"))


def test_a_database_behind_the_ledger_stays_and_takes_over_what_is_newer_there(world: World) -> None:
    """Other shards have applied their portals since."""
    world.tenants(tenant(1), tenant(2))
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    assert world.run("apply").code == 0
    old = database(world).read_bytes()
    world.portals(one=portal_yaml(name="Renamed"), two=portal_yaml(2))
    assert world.run("apply").code == 0
    written = world.written()
    database(world).write_bytes(old)
    assert not drop_unless_level(state(world))
    ended = world.run("--verbose", "apply")
    assert "one: all users are read: no earlier read" in ended.err, "its users may be others now"
    assert "two: all users are read: Graph does not go on" in ended.err, "its link was there to ask with"
    assert world.written() == written


def test_a_database_that_went_another_way_than_the_ledger_goes(world: World) -> None:
    old, before = database(world).read_bytes(), world.written()
    world.portals(one=portal_yaml(name="Renamed here"))
    assert world.run("apply").code == 0
    other = database(world).read_bytes()
    database(world).write_bytes(old)
    (state(world) / "ledger/one.json").write_bytes(before["ledger/one.json"])
    world.portals(one=portal_yaml(name="Renamed there"))
    assert world.run("apply").code == 0
    database(world).write_bytes(other)
    assert drop_unless_level(state(world))


def test_a_database_of_another_state_goes(world: World) -> None:
    meta = state(world) / "ledger/meta.json"
    meta.write_text(meta.read_text().replace('"lineage": "', '"lineage": "0'))
    assert drop_unless_level(state(world))


def test_a_damaged_database_goes(world: World) -> None:
    database(world).write_bytes(b"damaged" * 1000)
    assert drop_unless_level(state(world))
    assert world.run("apply").code == 0


def test_a_ledger_is_made_into_a_new_database_afterwards(world: World) -> None:
    written = world.written()
    database(world).write_bytes(b"")
    assert drop_unless_level(state(world))
    assert "Nothing changed" in world.run("apply").err
    assert world.written() == written


def test_without_a_database_there_is_nothing_to_drop(tmp_path: Path) -> None:
    assert not drop_unless_level(tmp_path / "state")


def test_no_database_is_taken_from_a_run_that_is_at_work(world: World) -> None:
    with exclusive(state(world)), pytest.raises(Refused):
        drop_unless_level(state(world))
    assert database(world).is_file()
