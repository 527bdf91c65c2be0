"""``reconcile contacts``, and sign-ins, overlap and savings from a tenant to the state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.contacts import Contacts, PortalContacts, SharedContacts
from reconciler.emulator.scenario import Application, LicenseAssignment, ServicePlan, User, UserGroup
from reconciler.model import PortalState, Product
from reconciler.render import contacts_table
from reconciler.store.state import read
from tests.cli.cli_world import E3, POWER_BI, World, client_id, office, portal_yaml, power_bi, tenant


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path / "repository", capsys, monkeypatch)
    found.portals(one=portal_yaml(1), two=portal_yaml(2))
    shared = (User("anna@contoso.example", (E3,), mail="Anna@Contoso.example"), UserGroup(2, (E3,)))
    guest = User("anna_contoso.example#EXT#@tenant2.example", (E3,), mail="anna@contoso.example", user_type="Guest")
    found.tenants(tenant(1, users=shared), tenant(2, users=(guest,)))
    return found


def test_contacts_are_told_as_numbers(world: World) -> None:
    assert world.run("apply").code == 0
    ended = world.run("contacts")
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["one", "3", "1"] in lines
    assert ["two", "1", "1"] in lines
    assert ["one,", "two", "1", "1", "Office", "365", "E3"] in lines
    assert "Emulated data" in ended.out
    assert "anna" not in ended.out.casefold()


def test_contacts_as_json(world: World) -> None:
    assert world.run("apply").code == 0
    ended = world.run("contacts", "two", "--format", "json")
    assert json.loads(ended.out) == {
        "format_version": 1,
        "emulated": True,
        "portals": [{"id": "two", "contacts": 1, "in_another_portal": 1}],
        "same_person_two_portals": [
            {
                "portals": ["one", "two"],
                "persons": 1,
                "licenses": [{"sku_id": E3, "title": "Office 365 E3", "persons": 1}],
            }
        ],
    }


def test_who_is_in_two_portals_is_in_no_committed_file(world: World) -> None:
    assert world.run("apply").code == 0
    together = world.written()
    world.tenants(tenant(1, users=(UserGroup(3, (E3,)),)), tenant(2, users=(UserGroup(1, (E3,), user_type="Guest"),)))
    assert world.run("apply").code == 0
    assert world.run("contacts").out.count("IN BOTH") == 0
    assert world.written() == together


def test_a_fresh_clone_says_that_an_import_is_needed(world: World) -> None:
    assert world.run("apply").code == 0
    (world.root / "state/reconciler.db").unlink()
    ended = world.run("contacts")
    assert ended.code == 0
    assert "an import is needed (reconcile import one two)" in ended.out
    assert json.loads(world.run("contacts", "one", "--format", "json").out)["portals"] == [
        {"id": "one", "contacts": None, "in_another_portal": 0}
    ]


def test_a_portal_that_was_never_read_has_an_unknown_number_of_contacts(world: World) -> None:
    world.portals(three=portal_yaml(3), two=portal_yaml(2))
    world.run("apply")
    found = json.loads(world.run("contacts", "--format", "json").out)["portals"]
    assert {each["id"]: each["contacts"] for each in found} == {"three": None, "two": 1}
    assert ["three", "–", "–"] in [line.split() for line in world.run("contacts").out.splitlines()]


def test_before_the_first_import_nothing_is_known(world: World) -> None:
    ended = world.run("contacts")
    assert (ended.code, ended.out) == (0, "No portal is known yet: an import is needed (reconcile import).\n")


def test_a_portal_that_nobody_knows_is_a_usage_error(world: World) -> None:
    assert world.run("apply").code == 0
    ended = world.run("contacts", "three")
    assert ended.code == 64
    assert "Known portals: one, two." in ended.err


def test_of_very_many_pairs_the_table_shows_those_with_most_in_common() -> None:
    pairs = tuple(SharedContacts(("one", f"portal{number}"), 99 - number) for number in range(60))
    text = contacts_table.render(Contacts((PortalContacts("one", 5, 5),), pairs))
    assert "portal49 " in text
    assert "portal50" not in text
    assert text.endswith("… and 10 more pairs; --format json has all.\n")


# --- what an import finds --------------------------------------------------------------------------------------------

AWAY = datetime(2026, 5, 1, tzinfo=UTC)
AUDITOR = Application(client_id(1), roles=("User.Read.All", "Organization.Read.All", "AuditLog.Read.All"))
MAIL, CHARTS = ServicePlan("aaaaaaaa-1", "MAIL"), ServicePlan("aaaaaaaa-2", "CHARTS")
SKUS = (office(20, service_plans=(MAIL, CHARTS)), power_bi(service_plans=(CHARTS,)))
PEOPLE = (
    UserGroup(4, (E3,), signed_in=AWAY),
    UserGroup(2, (E3, POWER_BI)),
    UserGroup(1, (LicenseAssignment(E3, disabled_plans=("AAAAAAAA-2",)), POWER_BI)),
    UserGroup(3, (E3,), account_enabled=False, signed_in=AWAY),
    UserGroup(1, (LicenseAssignment(POWER_BI, disabled_plans=("aaaaaaaa-2",)),), signed_in=None, created=AWAY),
    UserGroup(2, (LicenseAssignment(E3, state="Error", error="CountViolation"),)),
)


def known(world: World, **members: object) -> tuple[PortalState, Product, Product]:
    """The state of one portal with its two products after an import of such a tenant."""
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=SKUS, users=PEOPLE, **{"applications": (AUDITOR,), **members}))
    assert world.run("apply").code == 0
    state = read(world.root / "state")["one"]
    office_365, power_bi_pro = sorted(state.products, key=lambda each: each.title)
    return state, office_365, power_bi_pro


def test_findings_and_savings_arrive_in_the_state(world: World) -> None:
    state, office_365, power_bi_pro = known(world)
    assert state.last_import.sign_ins
    assert office_365.consumers == 10
    assert office_365.findings == {"disabled_account": 3, "assignment_error": 2, "inactive": 7}
    assert office_365.errors == {"CountViolation": 2}
    assert office_365.reclaimable == {"disabled_account": 3, "inactive": 4}
    assert power_bi_pro.findings == {"overlap": 2, "plans_disabled": 1, "never_signed_in": 1}
    assert power_bi_pro.reclaimable == {"overlap": 2}


@pytest.mark.parametrize(
    "members", [{"premium": False}, {"applications": (Application(client_id(1)),)}], ids=["no premium", "no role"]
)
def test_without_sign_ins_the_findings_about_them_are_absent(world: World, members: dict[str, object]) -> None:
    state, office_365, power_bi_pro = known(world, **members)
    assert not state.last_import.sign_ins
    assert office_365.findings == {"disabled_account": 3, "assignment_error": 2}
    assert office_365.reclaimable == {"disabled_account": 3}
    assert power_bi_pro.findings == {"overlap": 2, "plans_disabled": 1}


def test_inactive_is_who_stayed_away_for_the_days_in_the_settings(world: World) -> None:
    (world.root / "reconcile.yaml").write_text("thresholds: {inactive_days: 300}\n")
    _, office_365, _ = known(world)
    assert "inactive" not in office_365.findings


def test_a_pair_in_the_settings_overlaps(world: World) -> None:
    (world.root / "reconcile.yaml").write_text("overlaps: [{sku: POWER_BI_PRO, includes: ENTERPRISEPACK}]\n")
    _, office_365, power_bi_pro = known(world)
    assert office_365.findings["overlap"] == 3
    assert power_bi_pro.findings["overlap"] == 2
    savings = office_365.reclaimable.get("overlap", 0) + power_bi_pro.reclaimable.get("overlap", 0)
    assert savings == 3, "each of the three has one license too many"


def test_a_second_run_finds_the_same(world: World) -> None:
    known(world)
    before = world.written()
    assert "Nothing changed" in world.run("apply").err
    assert world.written() == before
