"""What a tenant's answers and changed settings do to findings, through the commands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.scenario import Application, User, UserGroup
from reconciler.store import roster
from tests.cli.cli_world import E3, World, client_id, portal_yaml, tenant

NOW = "2026-11-23T06:00:00Z"
READS_SIGN_INS = Application(client_id(1), roles=("User.Read.All", "Organization.Read.All", "AuditLog.Read.All"))
ANNA = User("anna@contoso.example", (E3,), id="7c2f1f7a-6d2b-4f57-9a35-7d1f6a0d9b01")


def days_ago(days: int) -> datetime:
    return datetime(2026, 11, 23, 6, tzinfo=UTC) - timedelta(days=days)


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    """One portal and its tenant, seven of whose users were away for a hundred days."""
    found = World(tmp_path / "repository", capsys, monkeypatch)
    found.portals(one=portal_yaml(1))
    away = UserGroup(7, (E3,), signed_in=days_ago(100), created=days_ago(1000))
    found.tenants(tenant(1, users=(away,), applications=(READS_SIGN_INS,)))
    return found


def run(world: World, *arguments: str) -> int:
    return world.run("--now", NOW, *arguments).code


def page(world: World) -> str:
    return (world.root / "state/reports/one.md").read_text()


def settings(world: World, text: str) -> None:
    (world.root / "reconcile.yaml").write_text(text)


@pytest.mark.parametrize(("days", "inactive"), [(99, 7), (101, None)])
def test_inactive_is_who_stayed_away_for_the_days_of_the_settings(
    world: World, days: int, inactive: int | None
) -> None:
    settings(world, f"thresholds: {{inactive_days: {days}}}\n")
    assert run(world, "apply") == 0
    assert world.product()["findings"].get("inactive") == inactive


@pytest.mark.parametrize(
    "changed",
    ["thresholds: {inactive_days: 200}\n", "overlaps: [{sku: SPE_E5, includes: ENTERPRISEPACK}]\n"],
)
def test_the_page_says_when_the_settings_of_the_count_have_changed(world: World, changed: str) -> None:
    said = "counted with inactive_days 90, overlaps none"
    assert run(world, "apply") == 0
    assert said not in page(world)
    settings(world, changed)
    assert run(world, "recalculate") == 0
    assert said in page(world)
    assert run(world, "apply") == 0
    assert "counted with" not in page(world)


def test_the_settings_of_the_count_come_back_from_the_ledger(world: World) -> None:
    assert run(world, "apply") == 0
    written = world.written()
    (world.root / "state/reconciler.db").unlink()
    assert run(world, "report") == 0
    assert world.written() == written
    assert b"inactive_days 90" in b"".join(written.values())


def test_lost_sign_ins_are_unknown_in_the_changes(world: World) -> None:
    assert run(world, "apply") == 0
    world.tenants(tenant(1, users=(UserGroup(7, (E3,), signed_in=days_ago(100), created=days_ago(1000)),)))
    assert run(world, "apply") == 0
    assert "inactive users 7 → unknown" in page(world)


def test_one_user_in_two_spellings_counts_once(world: World) -> None:
    world.tenants(tenant(1, users=(ANNA, replace(ANNA, id=str(ANNA.id).upper()))))
    assert run(world, "apply") == 0
    assert world.product()["consumers"] == 1


def test_a_portal_that_cannot_be_stored_costs_the_others_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    assert run(world, "apply") == 0
    stored = roster.replace
    first = world.written()
    with closing(sqlite3.connect(world.root / "state/reconciler.db")) as db:
        (key_of_one,) = db.execute("SELECT key FROM portals WHERE id = 'one'").fetchone()
    world.tenants(tenant(1, users=(UserGroup(8, (E3,)),)), tenant(2, users=(UserGroup(8, (E3,)),)))

    def refuse(db: Any, key: int, staged: Any) -> None:
        if key == key_of_one:
            raise sqlite3.IntegrityError
        stored(db, key, staged)

    monkeypatch.setattr(roster, "replace", refuse)
    assert run(world, "apply", "--full") == 4
    portals = world.status()
    assert portals["one"]["import"]["outcome"] == "failed"
    assert portals["one"]["import"]["error"]["message"] == "Internal error: IntegrityError."
    assert portals["two"]["import"]["outcome"] == "complete"
    assert world.product("one")["consumers"] == 7, "what was known stays"
    assert world.product("two")["consumers"] == 8
    assert world.written().keys() == first.keys()
