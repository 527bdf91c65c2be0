"""``reconcile explain``: numbers, the rule, the lines behind it, what would change it, what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.emulator.scenario import Subscription, UserGroup
from tests.cli.cli_world import E3, FLOW, World, flow, office, portal_yaml, tenant
from tests.core.core_snapshots import TextFile


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path / "repository", capsys, monkeypatch)
    found.portals(one=portal_yaml(1))
    return found


EXCLUDING = "exclusions:\n  - sku: ENTERPRISEPACK\n    reason: Not managed here\n    until: 2026-12-31\n"
ALERTS = "exclusions: [{sku: ENTERPRISEPACK, reason: Known, scope: alerts}]\n"
PAUSED = "suspend: {reason: Migration, until: 2026-12-31}\n"


@pytest.mark.parametrize(
    ("before", "after", "settings"),
    [
        pytest.param({}, {}, "", id="enough"),
        pytest.param({"skus": (office(5),)}, {}, "", id="too few"),
        pytest.param({"skus": (office(5, warning=5),)}, {}, "", id="only by grace"),
        pytest.param({"skus": (office(5, warning=5),)}, {}, "count_warning: false\n", id="grace is not counted"),
        pytest.param({"skus": (office(0),), "users": ()}, {}, "", id="clear"),
        pytest.param({}, {}, "unmetered: [ENTERPRISE*]\n", id="unmetered"),
        pytest.param({"skus": (office(applies_to="Company"),)}, {}, "", id="for the company"),
        pytest.param(
            {"skus": (office(overrides={"prepaidUnits": {"enabled": None}}),)}, {}, "", id="a number is missing"
        ),
        pytest.param({"skus": (office(), flow())}, {"skus": (flow(),)}, "", id="gone from the portal"),
    ],
)
def test_every_status_is_explained(
    before: dict[str, object],
    after: dict[str, object],
    settings: str,
    world: World,
    snapshot: SnapshotAssertion,
) -> None:
    if settings:
        (world.root / "reconcile.yaml").write_text(settings)
    for members in (before, after or before):
        world.tenants(tenant(1, **members))
        assert world.run("apply").code == 0
    ended = world.run("explain", "one", "enterprisepack")
    assert ended.code == 0
    assert ended.out == snapshot(extension_class=TextFile)


@pytest.mark.parametrize(
    ("extra", "settings"),
    [
        pytest.param(EXCLUDING, "", id="excluded by the portal"),
        pytest.param("", "exclusions:\n  - {sku: '*PACK', reason: For everybody}\n", id="excluded by the repository"),
        pytest.param(ALERTS, "", id="out of alerts"),
        pytest.param(PAUSED, "", id="suspended"),
        pytest.param(
            "include: [{sku: E*}]\n", "exclusions: [{sku: '*PACK', reason: For everybody}]\n", id="included again"
        ),
    ],
)
def test_the_lines_behind_a_status_are_named(
    extra: str, settings: str, world: World, snapshot: SnapshotAssertion
) -> None:
    world.tenants(tenant(1))
    assert world.run("apply").code == 0
    world.portals(one=portal_yaml(1, extra=extra))
    (world.root / "reconcile.yaml").write_text(settings)
    assert world.run("apply").code == 0
    ended = world.run("explain", "one", E3)
    assert ended.out == snapshot(extension_class=TextFile)


def test_a_lifted_exclusion_waits_for_the_next_import(world: World) -> None:
    world.portals(one=portal_yaml(1, extra=EXCLUDING))
    world.tenants(tenant(1))
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert "Not imported: an exclusion keeps it out, and it never had a product." in told
    assert (
        "portals.d/one.yaml:6:5  excluded from the import as ENTERPRISEPACK: Not managed here, until 2026-12-31" in told
    )
    world.portals(one=portal_yaml(1))
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert "an exclusion keeps it out" not in told
    assert "Not imported: an exclusion kept it out of the last import, and it never had a product." in told
    assert "The next apply changes the portal: `reconcile plan` shows how." in told
    assert "The next complete import: nothing keeps it out any more." in told


def test_the_portal_of_a_deleted_file_has_no_lines_behind_it(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    world.portals(two=portal_yaml(2))
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert "✓ Fully licensed" in told
    assert "The portal's file is gone: the next apply makes a deleted portal of it." in told
    assert "The next apply makes it “Product cannot be synchronised”: the portal is no longer declared." in told
    assert "has changed" not in told
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert "The next apply" not in told
    assert "⊘ Product cannot be synchronised: the portal is no longer declared" in told
    assert "Behind it" not in told
    assert "The portal's file is restored: the next complete import updates it." in told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            "exclusions: [{sku: ENTERPRISEPACK, reason: No}]\n",
            "The next apply makes it “Product cannot be synchronised”: the license is excluded.",
        ),
        ("thresholds: {stale_days: 5}\n", None),
    ],
    ids=["an exclusion of the repository", "nothing of the portal"],
)
def test_settings_that_change_a_product_are_pending(settings: str, told: str | None, world: World) -> None:
    world.tenants(tenant(1))
    world.run("apply")
    (world.root / "reconcile.yaml").write_text(settings)
    page = world.run("explain", "one", "ENTERPRISEPACK").out
    assert ("The next apply" in page) is bool(told)
    assert (told or "") in page
    assert ("The next apply changes the portal: `reconcile plan` shows how." in page) is bool(told)


REMOVED = "removals:\n  - {portal: one, sku: FLOW_FREE, reason: Sold, ticket: T-17}\n"
FREE = "exclusions: [{sku: FLOW_FREE, reason: Free}]\n"


def test_a_product_that_was_removed_is_named_as_that(world: World) -> None:
    world.tenants(tenant(1, skus=(office(), flow())))
    world.run("apply")
    world.portals(one=portal_yaml(1, extra=FREE))
    world.run("apply")
    (world.root / "portals.d" / "removals.yaml").write_text(REMOVED)
    told = world.run("explain", "one", "FLOW_FREE").out
    assert "The next apply removes it from the state." in told
    world.run("apply")
    told = world.run("explain", "one", "FLOW_FREE").out
    removed = "its product was removed from the state on 2026-11-23 (T-17: Sold)"
    assert f"Not imported: an exclusion keeps it out, and {removed}." in told
    assert "never had a product" not in told
    world.portals(one=portal_yaml(1))
    told = world.run("explain", "one", "FLOW_FREE").out
    assert f"Not imported: an exclusion kept it out of the last import, and {removed}." in told
    assert "The next complete import: nothing keeps it out any more." in told


def test_a_product_that_was_removed_because_it_is_gone_is_still_explained(world: World) -> None:
    for skus in ((office(), flow()), (office(),)):
        world.tenants(tenant(1, skus=skus))
        world.run("apply")
    (world.root / "portals.d" / "removals.yaml").write_text(REMOVED)
    world.run("apply")
    told = world.run("explain", "one", "FLOW_FREE").out
    assert "Not known any more: its product was removed from the state on 2026-11-23 (T-17: Sold)." in told
    assert "The tenant reports the license again: the next complete import brings it." in told
    assert f"`reconcile history one {FLOW}` shows its last numbers." in told
    history = world.run("history", "one", FLOW)
    assert history.code == 0
    assert "deleted from the state" in history.out


def test_a_portal_of_which_nothing_is_left_is_sent_to_its_history(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    world.portals(two=portal_yaml(2))
    (world.root / "portals.d" / "removals.yaml").write_text("removals:\n  - {portal: one, sku: '*', reason: Sold}\n")
    assert world.run("apply").code == 0
    ended = world.run("explain", "one", "ENTERPRISEPACK")
    assert ended.code == 64
    assert "Nothing is left of the portal one: `reconcile history one` shows what it had.\n" in ended.err
    assert world.run("history", "one").code == 0
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    assert "it had. The next apply begins it anew.\n" in world.run("explain", "one", "ENTERPRISEPACK").err


@pytest.mark.parametrize("name", ["office 365 e3", "Portal 1 - Office 365 E3", "ENTERPRISPACK", "Ofice 365 E3"])
def test_a_title_leads_to_the_part_number(name: str, world: World) -> None:
    world.tenants(tenant(1))
    world.run("apply")
    ended = world.run("explain", "one", name)
    assert ended.code == 64
    assert "Did you mean 'ENTERPRISEPACK'?" in ended.err


def test_the_remedy_of_an_exclusion_names_the_one_that_counts(world: World) -> None:
    world.tenants(tenant(1))
    world.run("apply")
    everywhere = "exclusions:\n  - {sku: '*PACK', reason: For everybody}\n"
    for extra, way in (
        (EXCLUDING, "take the exclusion at portals.d/one.yaml:6:5 out: the"),
        (
            "",
            "take the exclusion at reconcile.yaml:2:5 out, or lift it for this portal alone with `include` in "
            "portals.d/one.yaml: the",
        ),
    ):
        world.portals(one=portal_yaml(1, extra=extra))
        (world.root / "reconcile.yaml").write_text(everywhere)
        assert world.run("apply").code == 0
        (found,) = json.loads(world.run("explain", "one", E3, "--format", "json").out)["explanations"]
        assert f"If not, {way} next import updates the product again." in found["remedy"]


def test_a_muted_product_asks_for_nothing(world: World) -> None:
    world.portals(one=portal_yaml(1, extra=ALERTS))
    world.tenants(tenant(1, skus=(office(3),)))
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK")
    assert "  muted: Known\n" in told.out
    assert "Buy the missing licenses" not in told.out
    assert "Nothing: it is muted, so the report asks for nothing." in told.out
    (found,) = json.loads(world.run("explain", "one", E3, "--format", "json").out)["explanations"]
    assert found["muted"] == "Known"


def test_every_entry_of_a_product_is_behind_it(world: World) -> None:
    entries = (
        f"products:\n  - {{sku: ENTERPRISEPACK, entitlement: {{quantity: 100}}}}\n  - {{sku: {E3}, directory: A}}\n"
    )
    world.portals(one=portal_yaml(1, extra=entries))
    world.tenants(tenant(1))
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert f"portals.d/one.yaml:7:5  its entry under products, {E3}" in told
    assert "portals.d/one.yaml:6:5  its entry under products, ENTERPRISEPACK" in told
    assert world.product()["declared_entitlement"]["quantity"] == 100


HOSTILE = "\x1b]0;pwned\x07\u202e\nFully licensed | <b>"


def test_what_a_tenant_says_reaches_no_terminal_as_a_command(world: World) -> None:
    world.tenants(tenant(1, skus=(office(applies_to=HOSTILE, capability_status=HOSTILE),)))
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert r"appliesTo is \x1b]0;pwned\x07\u202e\nFully licensed | <b>, not User" in told
    assert all(line.isprintable() for line in told.splitlines())


def test_a_portal_that_was_declared_and_never_applied_is_named_as_that(world: World) -> None:
    world.tenants(tenant(1))
    ended = world.run("explain", "one", "ENTERPRISEPACK")
    assert ended.code == 64
    assert "The portal one is declared but was never applied" in ended.err


def test_a_portal_whose_file_was_renamed_is_explained_under_both_names(world: World) -> None:
    world.tenants(tenant(1))
    world.run("apply")
    world.portals(first=portal_yaml(1))
    for id_ in ("one", "first"):
        told = world.run("explain", id_, "ENTERPRISEPACK").out
        assert "✓ Fully licensed" in told
        assert "portals.d/first.yaml:1:1  the portal" in told
        assert "The next apply changes the portal: `reconcile plan` shows how." in told


def test_a_renewal_that_is_overdue_is_told_as_one(world: World) -> None:
    ends = Subscription("Enabled", 10, next_lifecycle=datetime(2026, 11, 20, tzinfo=UTC))
    world.tenants(tenant(1, skus=(office(10, subscriptions=(ends,)),), users=(UserGroup(7, (E3,)),)))
    world.run("apply")
    told = world.run("explain", "one", "ENTERPRISEPACK").out
    assert "No renewal on 2026-11-20, which is over: short by 7." in told


def test_json_says_the_same(world: World) -> None:
    world.tenants(tenant(1, skus=(office(5),), users=(UserGroup(7, (E3,)),)))
    world.run("apply")
    (found,) = json.loads(world.run("explain", "one", E3, "--format", "json").out)["explanations"]
    assert (found["status"], found["rule"], found["because"]) == ("not_enough_licenses", "consumed > entitled", "7 > 5")
    assert {each["name"]: each["value"] for each in found["calculation"]}["balance"] == -2
    assert found["behind"] == [{"what": "the portal", "place": "portals.d/one.yaml:1:1"}]
    assert found["changes"] == ["2 more licenses, or as many consumers fewer: Fully licensed."]


def test_an_unknown_license_or_portal_is_a_usage_error(world: World) -> None:
    world.tenants(tenant(1))
    assert "never imported" not in world.run("apply").err
    ended = world.run("explain", "one", "ENTERPRISEPAK")
    assert ended.code == 64
    assert "Did you mean 'ENTERPRISEPACK'?" in ended.err
    assert world.run("explain", "two", E3).code == 64


def test_nothing_is_explained_before_the_first_import(world: World) -> None:
    world.tenants()
    world.run("apply")
    ended = world.run("explain", "one", E3)
    assert ended.code == 64
    assert "was never imported" in ended.err


def test_explain_writes_nothing(world: World) -> None:
    world.tenants(tenant(1))
    world.run("apply")
    before = world.written()
    world.run("explain", "one", E3)
    assert world.written() == before
