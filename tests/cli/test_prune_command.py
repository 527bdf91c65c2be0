"""``prune``: from what cannot be synchronized to entries that apply carries out."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.emulator.scenario import UserGroup
from tests.cli.cli_world import E3, FLOW, World, files_under, flow, office, portal_yaml, tenant
from tests.cli.test_plan_command import two_products

EXCLUSION = "exclusions: [{sku: FLOW_FREE, reason: 'Free SKU, not managed'}]\n"
MODELINE = "# yaml-language-server: $schema=../schemas/removals.schema.json\n"


@pytest.fixture
def lost(world: World) -> World:
    """A portal with a license that is gone and one that is excluded, and a portal that is deleted."""
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(two_products(1), two_products(2))
    assert world.run("apply").code == 0
    world.portals(one=portal_yaml(1, extra=EXCLUSION))
    rest = tenant(1, skus=(flow(),), users=(UserGroup(7, (FLOW,)),))
    world.tenants(rest, two_products(2))
    assert world.run("apply", "--allow", "loss").code == 0
    return world


def removals(world: World) -> Path:
    """The file that is written."""
    return world.root / "portals.d/removals.yaml"


PROPOSED = f"""{MODELINE}removals:
  - portal: one
    sku: FLOW_FREE
    reason: "The license is excluded"
  - portal: one
    sku: ENTERPRISEPACK
    reason: "Gone from the portal"
  - portal: two
    sku: "*"
    reason: "The portal is deleted"
"""


def test_the_proposal_is_a_file_that_can_be_pasted_and_applied(lost: World) -> None:
    before = files_under(lost.root)
    ended = lost.run("prune")
    assert (ended.code, ended.out) == (0, PROPOSED)
    assert "Proposed: 3 entries for 4 products." in ended.err
    assert files_under(lost.root) == before
    removals(lost).write_text(ended.out)
    assert lost.run("apply").code == 0
    assert "two" not in lost.status()
    assert lost.status()["one"]["products"] == []


def test_portals_and_reasons_can_be_chosen(lost: World) -> None:
    assert "portal: two" not in lost.run("prune", "one").out
    gone = lost.run("prune", "--why", "gone_from_portal").out
    assert ("ENTERPRISEPACK" in gone, "FLOW_FREE" in gone, "two" in gone) == (True, False, False)
    several = lost.run("prune", "--why", "excluded", "--why", "portal_deleted").out
    assert ("ENTERPRISEPACK" in several, "FLOW_FREE" in several, "two" in several) == (False, True, True)
    assert lost.run("prune", "nowhere").code == 64
    assert lost.run("prune", "--why", "tired").code == 64


def test_write_adds_the_entries_and_apply_carries_them_out(lost: World) -> None:
    removals(lost).write_text("removals: # reviewed\n- {portal: one, sku: OLD_ONE, reason: Before}\n")
    ended = lost.run("prune", "one", "--reason", "Nobody needs it", "--ticket", "CHG-1", "--write")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith(
        "Added to portals.d/removals.yaml: 2 entries for 2 products. Look at `reconcile plan`, and have the change "
        "reviewed; the next apply removes them from the state.\n"
    )
    assert removals(lost).read_text() == (
        "removals: # reviewed\n- {portal: one, sku: OLD_ONE, reason: Before}\n"
        '- portal: one\n  sku: FLOW_FREE\n  reason: "Nobody needs it"\n  ticket: "CHG-1"\n'
        '- portal: one\n  sku: ENTERPRISEPACK\n  reason: "Nobody needs it"\n  ticket: "CHG-1"\n'
    )
    assert "products: 0 lost, 0 recover, 0 move, 2 removed" in lost.run("plan").out
    assert lost.run("apply").code == 0
    assert lost.status()["one"]["products"] == []


def test_write_makes_the_file_where_there_is_none(lost: World) -> None:
    assert lost.run("prune", "two", "--reason", "Sold", "--write").code == 0
    assert removals(lost).read_text() == f'{MODELINE}removals:\n  - portal: two\n    sku: "*"\n    reason: "Sold"\n'


def test_what_was_written_is_not_written_twice(lost: World) -> None:
    assert lost.run("prune", "--reason", "Sold", "--write").code == 0
    before = removals(lost).read_bytes()
    ended = lost.run("prune", "--reason", "Other words", "--write")
    assert (ended.code, ended.out) == (0, "")
    assert "Nothing to prune" in ended.err
    assert removals(lost).read_bytes() == before


def test_a_license_that_was_removed_came_back_and_went_again_is_removed_again(lost: World) -> None:
    for _ in range(3):
        said = lost.run("prune", "one", "--why", "gone_from_portal", "--reason", "Trial", "--write").err
        assert lost.run("apply").code == 0
        assert lost.status()["one"]["products"][0]["sku_part_number"] == "FLOW_FREE"
        assert len(lost.status()["one"]["products"]) == 1
        lost.tenants(two_products(1), two_products(2))
        lost.run("apply")
        assert lost.product("one", E3)["status"] == "fully_licensed"
        lost.tenants(tenant(1, skus=(flow(),), users=(UserGroup(7, (FLOW,)),)), two_products(2))
        lost.run("apply", "--allow", "loss")
    assert removals(lost).read_text().count("reason:") == 1
    assert 'reason: "Trial (3)"' in removals(lost).read_text()
    assert said.endswith("1 of them took the place of an entry that is done: a SKU of a portal may stand there once.\n")


def test_write_needs_a_reason_and_text_is_one_line(lost: World) -> None:
    before = files_under(lost.root)
    assert "--write needs --reason TEXT" in lost.run("prune", "--write").err
    for arguments in (
        ("--write",), ("--reason", ""), ("--reason", " "), ("--reason", "a\nb"), ("--ticket", "a\x1b[2Jb"),
    ):  # fmt: skip
        assert lost.run("prune", *arguments).code == 64
    assert files_under(lost.root) == before


def test_a_file_that_is_not_valid_is_left_alone(lost: World) -> None:
    removals(lost).write_text("removals: [{portal: one}]\n")
    assert lost.run("prune", "--reason", "Sold", "--write").code == 1
    assert removals(lost).read_text() == "removals: [{portal: one}]\n"


@pytest.mark.parametrize("number", [0, 1])
def test_without_anything_to_prune_nothing_is_printed(number: int, world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=(office(),)))
    for _ in range(number):
        world.run("apply")
    ended = world.run("prune", "--reason", "Sold", "--write")
    assert (ended.code, ended.out) == (0, "")
    assert "Nothing to prune" in ended.err
    assert not removals(world).exists()
