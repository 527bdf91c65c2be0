"""``reconcile apply`` from YAML to report: what it writes, what it keeps, what it refuses."""

from __future__ import annotations

import sqlite3
import subprocess
from dataclasses import replace
from datetime import date

import pytest

from reconciler.emulator.faults import ALWAYS, EXPIRED_PAGE_TOKEN, Cut, Drop, Fault, Reply, throttled
from reconciler.emulator.scenario import ABSENT, Application, UserGroup
from reconciler.model import Complete, Organization, Settings
from reconciler.plausibility import check_observation
from reconciler.safety import Override
from reconciler.store.state import read
from tests.cli.cli_world import (
    E3,
    FLOW,
    POWER_BI,
    World,
    client_id,
    flow,
    office,
    portal_yaml,
    power_bi,
    tenant,
    tenant_id,
)


def test_apply_writes_the_numbers_of_the_tenant(world: World) -> None:
    world.portals(one=portal_yaml())
    world.tenants(tenant())
    ended = world.run("apply")
    assert ended.code == 0
    portal = world.status()["one"]
    assert portal["import"] == {
        "outcome": "complete",
        "as_of": "2026-11-23T06:00:00Z",
        "paths_as_of": None,
        "users": 7,
        "tenant": {"display_name": "Tenant 1", "default_domain": "tenant1.example"},
        "emulated": "test",
        "failed_since": None,
        "error": None,
    }
    product = world.product()
    assert product["name"] == "Portal 1 - Office 365 E3"
    assert product["directory"] == "Microsoft 365/Portal 1"
    numbers = {name: product[name] for name in ("status", "entitled", "consumed", "consumers", "balance")}
    assert numbers == {"status": "fully_licensed", "entitled": 10, "consumed": 7, "consumers": 7, "balance": 3}
    assert product["units"] == {"enabled": 10, "warning": 0, "suspended": 0, "locked_out": 0}


def test_the_table_is_on_stdout_and_all_else_on_stderr(world: World) -> None:
    world.portals(one=portal_yaml())
    world.tenants(tenant())
    ended = world.run("apply")
    assert "Office 365 E3" in ended.out
    assert "✓ Fully licensed" in ended.out
    assert "reading" not in ended.out
    assert "one: complete, 1 SKU, 7 users counted" in ended.err


def test_applying_twice_changes_no_byte_and_says_so(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    first = world.run("apply")
    before = world.written()
    second = world.run("--now", "2026-11-24T06:00:00Z", "apply")
    assert "Changed: the report, state/reports/status.md, is written." in first.err
    assert "Nothing changed" in second.err
    assert world.written() == before
    assert world.run("plan").out == "No changes. 2 portals are as declared.\n"


def test_a_lost_database_costs_one_import_and_no_byte(world: World) -> None:
    world.portals(one=portal_yaml())
    world.tenants(tenant())
    world.run("apply")
    before = world.written()
    (world.root / "state/reconciler.db").unlink()
    assert world.run("apply").code == 0
    assert world.written() == before


def test_the_bytes_do_not_depend_on_how_many_portals_run_at_once(world: World) -> None:
    world.portals(**{f"p{number}": portal_yaml(number) for number in range(1, 7)})
    world.tenants(*[tenant(number) for number in range(1, 7)])
    world.run("--jobs", "1", "apply")
    before = world.written()
    for name in before:
        (world.root / "state" / name).unlink()
    (world.root / "state/reconciler.db").unlink()
    world.run("--jobs", "6", "apply")
    assert world.written() == before


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(Reply(401), "/v1.0/*", times=ALWAYS), id="refused token"),
        pytest.param(Fault(throttled(0), "/v1.0/users", times=ALWAYS), id="throttled"),
        pytest.param(Fault(Drop(), "/v1.0/users", page=2, times=ALWAYS), id="cut before page 2"),
        pytest.param(Fault(Drop(after=100), "/v1.0/users", page=2, times=ALWAYS), id="cut within page 2"),
        pytest.param(Fault(Cut(), "/v1.0/users", page=2, times=ALWAYS), id="half of page 2"),
        pytest.param(Fault(EXPIRED_PAGE_TOKEN, "/v1.0/users", page=2, times=ALWAYS), id="page token always expires"),
        pytest.param(Fault(Reply(200, "<html>"), "/v1.0/organization"), id="a proxy's page"),
        pytest.param(Fault(Reply(503), "*/token", "login", times=ALWAYS), id="no token"),
    ],
)
def test_a_failed_read_never_changes_a_known_number(world: World, fault: Fault) -> None:
    users = (UserGroup(1200, (E3,)),)
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1, users=users), tenant(2))
    world.run("apply")
    before = world.status()["one"]
    world.tenants(tenant(1, users=(UserGroup(1100, ()),), skus=(), faults=(fault,)), tenant(2, skus=(office(20),)))
    ended = world.run("--retry-limit", "0", "apply")
    after = world.status()["one"]
    assert ended.code == 4
    assert after["products"] == before["products"]
    assert after["import"]["outcome"] == "failed"
    assert after["import"]["as_of"] == before["import"]["as_of"]
    assert {"code", "message", "remedy"} <= after["import"]["error"].keys()
    assert world.product("two")["entitled"] == 20, "the other portal is applied"


@pytest.mark.parametrize(("path", "code"), [("/v1.0/subscribedSkus", "no-licenses"), ("/v1.0/users", "no-consumers")])
def test_an_answer_that_is_suddenly_empty_is_held_back_like_a_failed_read(world: World, path: str, code: str) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    before = world.status()["one"]
    world.tenants(tenant(1, faults=(Fault(Reply(200, {"value": []}), path),)), tenant(2))
    ended = world.run("apply")
    after = world.status()["one"]
    assert (ended.code, after["products"]) == (4, before["products"])
    assert after["import"]["error"]["code"] == code
    assert "--allow answer" in after["import"]["error"]["remedy"]
    assert world.run("apply", "one", "--allow", "answer").code == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"value": [{"id": "1", "assignedLicenses": [{"skuId": E3}]}]}),
        Reply(200, {"value": [{"id": "1", "assignedLicenses": [{"skuId": E3}]}], "@nextLink": "https://…"}),
        Reply(200, {"value": [], "error": {"code": "UnknownError", "message": ""}}),
        Reply(206, {"value": [{"id": "1", "assignedLicenses": [{"skuId": E3}]}]}),
    ],
    ids=["cut page chain", "nextLink misspelled", "error beside the values", "partial content"],
)
def test_a_success_that_holds_only_a_part_is_held_back(world: World, reply: Reply) -> None:
    users = (UserGroup(1200, (E3,)),)
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1, users=users), tenant(2))
    world.run("apply")
    before = world.status()["one"]
    world.tenants(tenant(1, users=users, faults=(Fault(reply, "/v1.0/users", times=ALWAYS),)), tenant(2))
    assert world.run("apply").code == 4
    assert world.status()["one"]["products"] == before["products"]
    assert world.status()["one"]["import"]["outcome"] == "failed"
    assert _contacts(world) == 1207


def test_a_failure_that_lasts_makes_no_new_bytes(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1, faults=(Fault(Reply(500), "/v1.0/users", times=ALWAYS),)), tenant(2))
    world.run("--retry-limit", "0", "apply")
    before = world.written()
    assert world.status()["one"]["products"] == []
    ended = world.run("--retry-limit", "0", "--now", "2026-11-24T00:00:00Z", "apply")
    assert ended.code == 4
    assert world.written() == before


def test_when_every_portal_fails_the_exit_code_is_1(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants()
    ended = world.run("apply")
    assert ended.code == 1
    assert world.status()["one"]["import"]["error"]["code"] == "AADSTS90002"


@pytest.mark.parametrize(
    ("applications", "code"),
    [
        ((Application("20000000-0000-4000-8000-000000000001", secrets=()),), "AADSTS7000215"),
        ((Application("20000000-0000-4000-8000-000000000001", roles=()),), "Authorization_RequestDenied"),
        ((), "AADSTS700016"),
    ],
    ids=["refused secret", "missing consent", "unknown application"],
)
def test_a_refused_sign_in_names_its_cause_and_a_remedy(
    world: World, applications: tuple[Application, ...], code: str
) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1, applications=applications), tenant(2))
    ended = world.run("apply")
    assert ended.code == 4
    error = world.status()["one"]["import"]["error"]
    assert error["code"] == code
    assert error["remedy"]
    assert code in ended.err
    assert error["remedy"] in ended.out


def test_a_missing_secret_names_the_reference(world: World) -> None:
    world.portals(one=portal_yaml(1).replace("TEST_SECRET", "NOT_SET"), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    assert world.run("apply").code == 4
    error = world.status()["one"]["import"]["error"]
    assert error["code"] == "secret-unresolved"
    assert "{env: NOT_SET}" in f"{error['message']} {error['detail']}"


def test_a_tenant_without_licenses_has_an_empty_but_right_report(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=(), users=()))
    assert world.run("apply").code == 0
    portal = world.status()["one"]
    assert (portal["import"]["outcome"], portal["import"]["users"], portal["products"]) == ("complete", 0, [])


def test_a_tenant_without_users_consumes_nothing(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, users=()))
    assert world.run("apply").code == 0
    assert (world.product()["consumers"], world.product()["balance"]) == (0, 10)


@pytest.mark.parametrize("number", [None, -1, 2.5, "7", ABSENT])
def test_a_number_that_is_none_makes_one_calculation_error_and_no_failure(world: World, number: object) -> None:
    broken = office(overrides={"prepaidUnits": {"enabled": number}})
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=(broken, power_bi())))
    assert world.run("apply").code == 0
    assert world.product(sku_id=E3)["status"] == "calculation_error"
    assert world.product(sku_id=POWER_BI)["status"] == "fully_licensed"


def test_an_excluded_license_that_was_never_imported_is_not_imported(world: World) -> None:
    world.portals(one=portal_yaml(1, extra="exclusions: [{sku: '*_FREE', reason: Free}]\n"))
    world.tenants(tenant(1, skus=(office(), flow()), users=(UserGroup(3, (FLOW,)), UserGroup(2, (E3,)))))
    world.run("apply")
    assert [product["sku_id"] for product in world.status()["one"]["products"]] == [E3]
    assert world.status()["one"]["import"]["users"] == 2


def test_the_three_reasons_and_the_way_back(world: World) -> None:
    both = tenant(1, skus=(office(), flow()), users=(UserGroup(3, (E3, FLOW)),))
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(both, tenant(2))
    world.run("apply")

    world.portals(one=portal_yaml(1, extra="exclusions: [{sku: FLOW_FREE, reason: Free}]\n"), two=portal_yaml(2))
    world.run("apply")
    assert (world.product(sku_id=FLOW)["status"], world.product(sku_id=FLOW)["reason"]) == (
        "cannot_be_synchronised",
        "excluded",
    )
    assert world.product(sku_id=FLOW)["consumers"] == 3, "the last known numbers stay"
    assert world.product(sku_id=FLOW)["remedy"]

    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    assert "recovers with the next complete import" in world.run("plan").out
    world.run("apply")
    assert world.product(sku_id=FLOW)["status"] == "fully_licensed"

    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    assert world.product(sku_id=FLOW)["reason"] == "gone_from_portal"

    world.portals(two=portal_yaml(2))
    assert "- one: the file of Portal 1 is gone" in world.run("plan").out
    world.run("apply")
    assert world.status()["one"]["state"] == "deleted"
    assert {product["reason"] for product in world.status()["one"]["products"]} == {"portal_deleted"}

    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(both, tenant(2))
    world.run("apply")
    assert {product["status"] for product in world.status()["one"]["products"]} == {"fully_licensed"}


def test_people_who_hold_nothing_imported_any_more_are_forgotten(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=(office(), flow()), users=(UserGroup(3, (FLOW,)), UserGroup(2, (E3,)))))
    world.run("apply")
    assert _contacts(world) == 5
    world.portals(one=portal_yaml(1, extra="exclusions: [{sku: FLOW_FREE, reason: Free}]\n"))
    world.run("apply")
    assert _contacts(world) == 2
    world.portals(two=portal_yaml(2))
    world.tenants(tenant(2))
    world.run("apply")
    assert _contacts(world) == 7, "those of the deleted portal are gone"


def _contacts(world: World) -> int:
    with sqlite3.connect(world.root / "state/reconciler.db") as db:
        (number,) = db.execute("SELECT count(*) FROM contacts").fetchone()
    db.close()
    return int(number)


def test_a_suspended_portal_is_not_read(world: World) -> None:
    pause = "suspend: {reason: Migration, until: 2026-12-31}\n"
    world.portals(one=portal_yaml(1, extra=pause), two=portal_yaml(2))
    world.tenants(tenant(2))
    assert world.run("apply").code == 0
    assert world.status()["one"]["state"] == "suspended"
    assert world.status()["one"]["suspend"] == {"reason": "Migration", "until": "2026-12-31"}
    assert world.run("--now", "2027-01-01T00:00:00Z", "apply").code == 4, "read again when the pause is over"


def test_a_renamed_file_keeps_everything_and_leaves_nothing_behind(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    before = world.product()
    world.portals(uno=portal_yaml(1))
    assert "file renamed from one.yaml" in world.run("plan").out
    assert world.run("apply").code == 0
    assert list(world.status()) == ["uno"]
    assert world.product("uno") == before
    assert {name for name in world.written() if "one" in name} == set()


def test_the_personal_data_in_the_state_cannot_be_committed_by_accident(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    subprocess.run(["git", "init", "--quiet", str(world.root)], check=True)
    command = ["git", "-C", str(world.root), "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "state/ledger/one.json" in seen
    assert "reconciler.db" not in seen
    assert ".lock" not in seen


def test_numbers_of_one_tenant_never_stand_under_the_name_of_another(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    before = world.status()["one"]
    moved = portal_yaml(1).replace(tenant_id(1), tenant_id(3))
    world.portals(one=moved, two=portal_yaml(2))
    there = tenant(3, applications=(Application(client_id(1)),), skus=(power_bi(4),), users=())
    broken = replace(there, faults=(Fault(Reply(403), "/v1.0/users"),))
    world.tenants(tenant(1), tenant(2), broken)
    assert world.run("apply").code == 3, "refused unless it is allowed"
    assert world.run("apply", "--allow", "tenant-change").code == 4
    after = world.status()["one"]
    assert (after["tenant_id"], after["products"]) == (before["tenant_id"], before["products"])
    assert after["import"]["outcome"] == "failed"
    assert world.run("apply").code == 3, "it is still to be allowed"

    world.tenants(tenant(1), tenant(2), there)
    assert world.run("apply", "--allow", "tenant-change").code == 0
    assert world.status()["one"]["tenant_id"] == tenant_id(3)
    reasons = {product["sku_id"]: product["reason"] for product in world.status()["one"]["products"]}
    assert reasons == {E3: "gone_from_portal", POWER_BI: None}


def test_only_the_named_portals_are_applied(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply", "two")
    assert list(world.status()) == ["two"]
    unknown = world.run("apply", "three")
    assert (unknown.code, "three" in unknown.err) == (64, True)


@pytest.mark.parametrize(("allowed", "code"), [((), 3), (("--allow", "empty"), 0)])
def test_an_empty_folder_deletes_nothing_unless_it_is_allowed(
    world: World, allowed: tuple[str, ...], code: int
) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    before = world.written()
    world.portals()
    ended = world.run("apply", *allowed)
    assert ended.code == code
    if code == 3:
        assert world.written() == before
        assert "no-portals-declared" in ended.err
        assert "--allow empty" in ended.err


def test_the_emulator_never_overwrites_what_a_real_tenant_said(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    ledger = world.root / "state/ledger/one.json"
    ledger.write_text(ledger.read_text().replace('"emulated": "test"', '"emulated": null'))
    (world.root / "state/reconciler.db").unlink()
    ended = world.run("apply")
    assert (ended.code, "emulation-refused" in ended.err) == (3, True)


def test_an_emulator_behind_the_proxy_is_not_taken_for_the_real_tenant(world: World) -> None:
    """The same guard when the answers came over the network, without --emulate."""
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    state = read(world.root / "state")["one"]
    real = replace(state, last_import=replace(state.last_import, emulated=None))
    seen = Complete("one", Organization(tenant_id(1), "Tenant 1", None), (), {}, 0, emulated="demo")
    refused = check_observation(real, seen, Settings(), [Override.ANSWER], date(2026, 11, 23))
    assert refused is not None
    assert refused.code == "emulated-answer"


def test_a_wrong_configuration_is_refused_before_anything_is_written(world: World) -> None:
    world.portals(one=portal_yaml(1), two="name: Two\ncolour: blue\n")
    ended = world.run("apply")
    assert ended.code == 1
    assert "portals.d/two.yaml:2:1: unknown-key" in ended.err
    assert "missing-key" in ended.err
    assert not (world.root / "state").exists()
