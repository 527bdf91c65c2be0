"""``reconcile history`` from end to end: what apply records, and how a person asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator.scenario import UserGroup
from tests.cli.cli_world import (
    E3,
    FLOW,
    POWER_BI,
    Ended,
    World,
    files_under,
    flow,
    office,
    portal_yaml,
    power_bi,
    tenant,
)

FIRST, SECOND = "2026-11-23T06:00:00Z", "2026-11-24T06:00:00Z"


def applied(world: World, now: str, *skus: Any, consumers: int = 7, extra: str = "") -> None:
    """A run on a day: the tenant owns these SKUs, and so many users hold Office."""
    world.portals(one=portal_yaml(1, extra=extra))
    world.tenants(tenant(1, skus=skus or (office(),), users=(UserGroup(consumers, (E3,)),)))
    ended = world.run("--now", now, "apply")
    assert ended.code == 0, ended.err


def rows(ended: Ended) -> list[dict[str, Any]]:
    """The records that a command printed as JSON."""
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)["records"]
    return found


def test_apply_records_each_day_on_which_something_changed(world: World) -> None:
    applied(world, FIRST, office(), power_bi())
    applied(world, "2026-11-23T11:00:00Z", office(), power_bi(), consumers=8)
    applied(world, "2026-11-23T16:00:00Z", office(), power_bi(), consumers=8)
    applied(world, SECOND, office(enabled=5), power_bi(), consumers=8)
    applied(world, "2026-11-25T06:00:00Z", office(enabled=5), power_bi(), consumers=8)

    found = rows(world.run("history", "one", "--format", "json"))

    assert [(row["day"], row["sku_part_number"], row["units"]["enabled"], row["consumers"]) for row in found] == [
        ("2026-11-23", "ENTERPRISEPACK", 10, 8),
        ("2026-11-23", "POWER_BI_PRO", 10, 0),
        ("2026-11-24", "ENTERPRISEPACK", 5, 8),
    ]
    assert found[-1]["status"] == "not_enough_licenses"
    assert found[-1]["changes"] == [
        {"field": "status", "before": "fully_licensed", "after": "not_enough_licenses"},
        {"field": "enabled", "before": 10, "after": 5},
    ]


def test_applying_again_moves_no_byte_of_the_history(world: World) -> None:
    applied(world, FIRST)
    before = world.written()
    applied(world, SECOND)

    assert world.written() == before
    assert "ledger/history/one.jsonl" in before


def test_a_failed_read_is_no_record(world: World) -> None:
    applied(world, FIRST)
    world.tenants()
    assert world.run("--now", SECOND, "apply").code == 1

    assert [row["day"] for row in rows(world.run("history", "one", "--format", "json"))] == ["2026-11-23"]


def test_an_exclusion_is_a_record_with_its_reason(world: World) -> None:
    applied(world, FIRST, office(), flow())
    applied(world, SECOND, office(), flow(), extra="exclusions: [{sku: FLOW_FREE, reason: Free}]\n")

    (_, last) = rows(world.run("history", "one", "FLOW_FREE", "--format", "json"))
    assert (last["day"], last["status"], last["reason"]) == ("2026-11-24", "cannot_be_synchronised", "excluded")


def test_the_history_survives_the_loss_of_the_database_and_a_renamed_file(world: World) -> None:
    applied(world, FIRST)
    applied(world, SECOND, office(enabled=20))
    before = rows(world.run("history", "one", "--format", "json"))
    (world.root / "state/reconciler.db").unlink()

    assert rows(world.run("history", "one", "--format", "json")) == before
    world.portals(two=portal_yaml(1))
    assert world.run("--now", SECOND, "apply").code == 0
    assert rows(world.run("history", "two", "--format", "json")) == before


def test_it_needs_no_credential_no_configuration_and_no_network_and_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(world, FIRST)
    monkeypatch.delenv("TEST_SECRET")
    (world.root / "portals.d/one.yaml").write_text("not: valid")
    before = files_under(world.root)

    ended = world.run("history", "one", emulate=False)

    assert ended.code == 0
    assert "Emulated data" in ended.out
    assert "2026-11-23" in ended.out
    assert not ended.err
    assert files_under(world.root) == before


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("enterprisepack", {E3}),
        (POWER_BI.upper(), {POWER_BI}),
        ("*_*", {POWER_BI, FLOW}),
        ("*", {E3, POWER_BI, FLOW}),
    ],
)
def test_a_sku_is_a_part_number_an_id_or_a_glob(world: World, sku: str, expected: set[str]) -> None:
    applied(world, FIRST, office(), power_bi(), flow())

    assert {row["sku_id"] for row in rows(world.run("history", "one", sku, "--format", "json"))} == expected


def test_an_unknown_portal_is_a_usage_error_that_names_the_known_ones(world: World) -> None:
    applied(world, FIRST)
    ended = world.run("history", "ome")

    assert (ended.code, ended.out) == (64, "")
    assert "There is no portal ome." in ended.err
    assert "Known portals: one." in ended.err


def test_an_unknown_sku_is_a_usage_error_that_names_the_nearest(world: World) -> None:
    applied(world, FIRST)
    ended = world.run("history", "one", "ENTERPRISEPAK")

    assert (ended.code, ended.out) == (64, "")
    assert "The portal one has and had no product 'ENTERPRISEPAK'. Did you mean 'ENTERPRISEPACK'?" in ended.err


def test_without_a_state_no_portal_is_known(world: World) -> None:
    ended = world.run("history", "one")

    assert ended.code == 64
    assert "Known portals: none." in ended.err
    assert not (world.root / "state").exists()
