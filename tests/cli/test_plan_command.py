"""``plan``, its file, ``show`` and ``apply --plan``: what is approved is what is applied, and a plan writes nothing."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import Tenant, UserGroup
from reconciler.resources import folder
from tests.cli.cli_world import E3, FLOW, Ended, World, files_under, flow, office, portal_yaml, tenant

SCHEMA = json.loads((folder("schemas") / "plan.schema.json").read_text(encoding="utf-8"))
EXCLUSION = "exclusions: [{sku: FLOW_FREE, reason: 'Free SKU, not managed'}]\n"


def two_products(number: int = 1, **more: Any) -> Tenant:
    """A tenant with Office and a free license."""
    return tenant(number, skus=(office(), flow()), users=(UserGroup(7, (E3, FLOW)),), **more)


@pytest.fixture
def applied(world: World) -> World:
    """Two portals after their first apply, of which one is edited since."""
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(two_products(1), two_products(2))
    assert world.run("apply").code == 0
    world.portals(one=portal_yaml(1, extra=EXCLUSION), two=portal_yaml(2))
    return world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a plan is saved."""
    return tmp_path / "plan.json"


def plan_json(world: World, *arguments: str) -> dict[str, Any]:
    """The plan as JSON, which keeps to its schema."""
    document: dict[str, Any] = json.loads(world.run("plan", *arguments, "--format", "json").out)
    Draft7Validator(SCHEMA).validate(document)
    return document


def edit(world: World, portal: str, old: str, new: str) -> None:
    """Change a portal's file."""
    path = world.root / f"portals.d/{portal}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_the_plan_says_what_a_change_does_to_products_and_why(applied: World) -> None:
    ended = applied.run("plan")
    assert ended.code == 0
    assert "    exclusion FLOW_FREE added: Free SKU, not managed\n" in ended.out
    assert "because the license is excluded (FLOW_FREE: Free SKU, not managed)\n" in ended.out
    assert "Apply will read 2 tenants: one and two.\n" in ended.out
    assert ended.out.endswith(
        "Plan: 0 portals new, 1 changed, 0 deleted; products: 1 lost, 0 recover, 0 move, 0 removed.\n"
    )


def test_markdown_and_json_say_the_same(applied: World) -> None:
    shown = applied.run("plan", "--format", "markdown").out
    assert shown.startswith("## Plan for the license portals\n\n**Plan: 0 portals new, 1 changed")
    document = plan_json(applied)
    assert document["summary"]["text"].startswith("Plan: 0 portals new, 1 changed")
    (one, two) = document["portals"]
    assert (one["action"], two["action"]) == ("update", "none")
    (product,) = one["products"]
    assert (product["effect"], product["after"]["reason"]) == ("lost", "excluded")
    assert product["before"] == {
        "status": "fully_licensed", "reason": None, "entitled": 10_000, "consumed": 7, "consumers": 7, "balance": 9_993
    }  # fmt: skip


def test_a_warning_about_the_configuration_is_in_the_document_and_on_stderr(applied: World) -> None:
    edit(applied, "two", "name:", "exclusions: [{sku: NOSUCH_SKU, reason: A typo}]\nname:")
    ended = applied.run("plan", "--format", "json")
    (warning,) = json.loads(ended.out)["warnings"]
    assert warning["position"].startswith("portals.d/two.yaml:1:")
    assert f"{warning['position']}: {warning['code']}" in ended.err


def test_a_refusal_is_shown_and_named_on_stderr(applied: World) -> None:
    edit(applied, "two", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000003")
    ended = applied.run("plan", "--detailed-exitcode")
    assert ended.code == 3
    assert "! Refused: tenant-changed: The portal two would read tenant" in ended.out
    assert "refused: apply would stop: tenant-changed\n" in ended.err
    assert plan_json(applied)["refusals"][0]["code"] == "tenant-changed"
    assert applied.run("plan", "--allow", "tenant-change").code == 0


def test_a_refused_removal_is_shown_as_what_apply_leaves_out(applied: World) -> None:
    entry = "removals:\n  - {portal: one, sku: ENTERPRISEPACK, reason: A mistake}\n"
    (applied.root / "portals.d" / "removals.yaml").write_text(entry)
    ended = applied.run("plan")
    assert ended.code == 3
    assert "! Left out: removal-refused: portals.d/removals.yaml:2:5: Portal 1 - Office 365 E3 can be" in ended.out
    assert "! Refused" not in ended.out
    left_out = "refused: apply would leave out 1 entry of removals.yaml, do all else, and end with 4: removal-refused\n"
    assert left_out in ended.err
    assert "apply would stop" not in ended.err
    assert applied.run("apply").code == 4
    edit(applied, "two", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000003")
    ended = applied.run("plan")
    assert "refused: apply would stop: tenant-changed\n" in ended.err, "it stops, so nothing is left out"
    assert "! Left out: removal-refused" in ended.out
    assert applied.run("apply").code == 3


# --- what is deleted with all its products ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sku", "sign", "headline"),
    [
        ('"*"', "✕", "the file of Portal 2 is gone; 2 products are removed from the state"),
        (
            "FLOW_FREE",
            "-",
            "the file of Portal 2 is gone; 1 product cannot be synchronized any more; "
            "1 product is removed from the state",
        ),
    ],
)
def test_a_portal_that_is_deleted_with_products_says_what_becomes_of_each(
    sku: str, sign: str, headline: str, world: World
) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2, skus=(office(), flow())))
    assert world.run("apply").code == 0
    (world.root / "portals.d" / "two.yaml").unlink()
    entry = f"removals:\n  - {{portal: two, sku: {sku}, reason: Sold}}\n"
    (world.root / "portals.d" / "removals.yaml").write_text(entry)
    ended = world.run("plan")
    assert f"{sign} two: {headline}\n" in ended.out
    legend = next(line for line in ended.out.splitlines() if line.startswith("Legend: "))
    assert ("cannot be synchronized any more" in legend) is (sign == "-")


# --- --refresh -------------------------------------------------------------------------------------------------------


def test_refresh_shows_what_the_imports_would_bring(applied: World) -> None:
    applied.tenants(
        tenant(1, skus=(office(5),), users=(UserGroup(7, (E3,)),)), two_products(2),
    )  # fmt: skip
    ended = applied.run("plan", "--refresh")
    assert ended.code == 0
    assert "status: Fully licensed → Not enough licenses assigned\n" in ended.out
    assert "entitled 10 → 5, balance 3 → −2\n" in ended.out
    assert ended.out.endswith("Import: 2 tenants read; products: 0 new, 0 lost, 0 recover, 1 otherwise changed.\n")
    document = plan_json(applied, "--refresh")
    assert document["refreshed"]
    assert [portal["preview"]["error"] for portal in document["portals"]] == [None, None]


def test_what_refresh_showed_is_what_apply_then_does(applied: World) -> None:
    applied.tenants(tenant(1, skus=(office(5), flow()), users=(UserGroup(9, (E3, FLOW)),)), two_products(2))
    one, _ = plan_json(applied, "--refresh")["portals"]
    (shown,) = [item["after"] for item in one["preview"]["products"] if item["sku_id"] == E3]
    applied.run("apply")
    product = applied.product("one")
    assert shown == {name: product[name] for name in shown}


def test_refresh_without_anything_new_says_so(applied: World) -> None:
    applied.run("apply")
    ended = applied.run("plan", "--refresh", "--detailed-exitcode")
    assert (ended.code, ended.out.splitlines()[-2:]) == (
        0,
        ["No changes. 2 portals are as declared.", "Import: 2 tenants read; nothing would change."],
    )


def test_a_change_that_only_the_tenant_brings_is_pending_too(applied: World) -> None:
    applied.run("apply")
    applied.tenants(two_products(1), tenant(2, skus=(office(11), flow()), users=(UserGroup(7, (E3, FLOW)),)))
    assert applied.run("plan", "--detailed-exitcode").code == 0
    assert applied.run("plan", "--refresh", "--detailed-exitcode").code == 2


DEAD = Fault(Reply(403, {"error": {"code": "Forbidden", "message": "No."}}), "/v1.0/subscribedSkus", times=ALWAYS)


@pytest.mark.parametrize(("number", "code"), [(1, 4), (2, 1)])
def test_refresh_ends_like_apply_when_tenants_cannot_be_read(number: int, code: int, applied: World) -> None:
    faults = [(DEAD,) if each < number else () for each in range(2)]
    applied.tenants(two_products(1, faults=faults[0]), two_products(2, faults=faults[1]))
    ended = applied.run("plan", "--refresh", "--detailed-exitcode")
    assert ended.code == code
    assert ended.out.count("! The tenant could not be read: Forbidden: No.") == number
    assert applied.run("apply").code == code


def test_a_refused_plan_reads_no_tenant(applied: World) -> None:
    edit(applied, "two", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000003")
    ended = applied.run("plan", "--refresh")
    assert ended.code == 3
    assert "reading" not in ended.err


# --- it writes nothing -----------------------------------------------------------------------------------------------


def everything(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file and folder with its bytes, its time and its rights."""
    return {
        path.relative_to(root).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in sorted((root, *root.rglob("*")))
    }


def protect(root: Path, *, writable: bool) -> None:
    """Take everybody's right to write away, or give the owner's back. It does not stop root: bytes are compared."""
    for path in (root, *root.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if writable else mode & ~0o222)


@pytest.mark.parametrize("read_only", [False, True], ids=["writable", "read-only"])
@pytest.mark.parametrize("refresh", [False, True], ids=["plain", "refresh"])
@pytest.mark.parametrize("state", ["none", "whole", "without database", "without ledger"])
def test_a_plan_changes_no_byte_of_the_repository(world: World, state: str, refresh: bool, read_only: bool) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(two_products(1))
    if state != "none":
        assert world.run("apply").code == 0
    if state == "without database":
        (world.root / "state/reconciler.db").unlink()
    if state == "without ledger":
        for path in (world.root / "state/ledger").rglob("*.json*"):
            path.unlink()
    world.portals(one=portal_yaml(1, name="Renamed", extra=EXCLUSION))
    protect(world.root, writable=not read_only)
    before = everything(world.root)
    try:
        ended = world.run("plan", *(["--refresh"] if refresh else []))
        assert ended.code == 0, ended.err
        assert "Renamed" in ended.out
        assert everything(world.root) == before
    finally:
        protect(world.root, writable=True)


def test_a_saved_plan_is_the_only_file_that_is_written(applied: World, file: Path) -> None:
    before, beside = everything(applied.root), set(file.parent.iterdir())
    assert applied.run("plan", "--refresh", "--out", str(file)).code == 0
    assert applied.run("show", str(file)).code == 0
    assert everything(applied.root) == before
    assert set(file.parent.iterdir()) - beside == {file}


# --- the file --------------------------------------------------------------------------------------------------------


def test_the_file_is_what_format_json_prints_and_always_the_same_bytes(applied: World, file: Path) -> None:
    ended = applied.run("plan", "--out", str(file), "--format", "json")
    assert file.read_text(encoding="utf-8") == ended.out
    assert f"reconcile apply --plan {file}" in ended.err
    first = file.read_bytes()
    assert applied.run("plan", "--out", str(file)).code == 0
    assert file.read_bytes() == first
    for word in (str(applied.root), os.uname().nodename):
        assert word.encode() not in first


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
@pytest.mark.parametrize("refresh", [(), ("--refresh",)])
def test_show_prints_what_plan_printed(form: str, refresh: tuple[str, ...], applied: World, file: Path) -> None:
    planned = applied.run("plan", *refresh, "--out", str(file), "--format", form)
    shown = applied.run("show", str(file), "--format", form, emulate=False)
    assert (shown.code, shown.out, shown.err) == (0, planned.out, "")


@pytest.mark.parametrize("place", ["state/plan.json", "portals.d/plan.json", "state/reports/plan.json", "x/../state/p"])
def test_a_plan_is_not_saved_among_what_counts(place: str, applied: World) -> None:
    before = everything(applied.root)
    ended = applied.run("plan", "--out", str(applied.root / place))
    assert ended.code == 64
    assert "must not be saved in the folder" in ended.err
    assert everything(applied.root) == before


def test_a_link_into_the_state_is_not_written_through(applied: World, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(applied.root / "state/ledger/one.json")
    before = files_under(applied.root)
    assert applied.run("plan", "--out", str(link)).code == 64
    assert files_under(applied.root) == before


@pytest.mark.parametrize("content", ["precious notes", '{"format_version": 1}', "[]", "null", "\xff"])
def test_what_is_no_plan_is_not_overwritten(content: str, applied: World, file: Path) -> None:
    file.write_text(content, encoding="latin-1")
    ended = applied.run("plan", "--out", str(file))
    assert ended.code == 64
    assert "is no plan" in ended.err
    assert file.read_text(encoding="latin-1") == content


def test_a_folder_that_is_not_there_is_an_error_without_a_traceback(applied: World, tmp_path: Path) -> None:
    ended = applied.run("plan", "--out", str(tmp_path / "nowhere/plan.json"))
    assert ended.code == 1
    assert "plan.json" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "truncated"),
        ("{}", "it says no format version"),
        ('{"format_version": 2}', "it has format version 2"),
        ('{"format_version": 1}', "it does not say what it was made from"),
        ('{"format_version": 1, "basis": {}, "portals": []}', "missing required field"),
        ('{"a": ' * 100_000, "recursion"),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("apply", "--plan")])
def test_a_file_that_is_no_plan_is_a_clear_error(
    command: tuple[str, ...], content: str, why: str, world: World, file: Path
) -> None:
    file.write_text(content)
    ended = world.run(*command, str(file))
    assert ended.code == 1
    assert ended.err.startswith("error: plan-unreadable: plan.json is no plan that this tool can read. (")
    assert why in ended.err
    assert not (world.root / "state").exists()


# --- apply --plan ----------------------------------------------------------------------------------------------------


def approved(world: World, file: Path, *arguments: str) -> Ended:
    """Save a plan; return how applying it ends when it is called."""
    assert world.run("plan", *arguments, "--out", str(file)).code == 0
    return world.run("apply", "--plan", str(file))


@pytest.mark.parametrize("arguments", [(), ("--refresh",), ("one",)])
def test_an_approved_plan_is_applied(arguments: tuple[str, ...], applied: World, file: Path) -> None:
    ended = approved(applied, file, *arguments)
    assert ended.code == 0, ended.err
    assert applied.product("one", FLOW)["status"] == "cannot_be_synchronised"


def test_only_the_portals_of_the_plan_are_applied(applied: World, file: Path) -> None:
    edit(applied, "two", "Portal 2", "Other")
    assert approved(applied, file, "one").code == 0
    assert applied.status()["two"]["name"] == "Portal 2"


def test_a_change_of_a_portal_that_was_not_selected_makes_no_plan_stale(applied: World, file: Path) -> None:
    assert applied.run("plan", "one", "--out", str(file)).code == 0
    edit(applied, "two", "Portal 2", "Other")
    (applied.root / "portals.d/removals.yaml").write_text("removals: [{portal: two, sku: NO_SUCH, reason: Gone}]\n")
    assert applied.run("apply", "two").code == 0
    assert applied.run("apply", "--plan", str(file)).code == 0


def test_what_the_plan_allows_is_allowed_when_it_is_applied(applied: World, file: Path) -> None:
    edit(applied, "two", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000003")
    applied.tenants(two_products(1), two_products(3, applications=two_products(2).applications))
    assert approved(applied, file, "--allow", "tenant-change").code == 0
    assert applied.status()["two"]["tenant_id"].endswith("3")


def test_a_refused_plan_stays_refused(applied: World, file: Path) -> None:
    edit(applied, "two", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000003")
    assert applied.run("plan", "--out", str(file)).code == 3
    ended = applied.run("apply", "--plan", str(file))
    assert ended.code == 3
    assert ended.err.startswith("error: tenant-changed: ")


def _settings(world: World) -> None:
    (world.root / "reconcile.yaml").write_text("count_warning: false\n")


def _removal(world: World) -> None:
    (world.root / "portals.d/removals.yaml").write_text("removals: [{portal: one, sku: NO_SUCH, reason: Gone}]\n")


def _new_portal(world: World) -> None:
    (world.root / "portals.d/three.yaml").write_text(portal_yaml(3))


def _no_portal(world: World) -> None:
    (world.root / "portals.d/two.yaml").unlink()


STALE = [
    (lambda world: edit(world, "two", "Portal 2", "Other"), "portals.d/two.yaml changed since"),
    (lambda world: world.run("apply"), "portal one changed since: serial 2 instead of 1"),
    (_settings, "reconcile.yaml changed since"),
    (_removal, "portals.d/removals.yaml changed since"),
    (_new_portal, "portals.d/three.yaml is new"),
    (_no_portal, "portals.d/two.yaml is gone"),
]


@pytest.mark.parametrize(("change", "why"), STALE, ids=[why for _, why in STALE])
def test_a_stale_plan_is_refused_and_changes_nothing(change: Any, why: str, applied: World, file: Path) -> None:
    assert applied.run("plan", "--out", str(file)).code == 0
    change(applied)
    before = applied.written()
    ended = applied.run("apply", "--plan", str(file))
    assert ended.code == 3
    assert ended.err.startswith(f"error: plan-stale: The plan is stale: {why}.\n  Make it again with `reconcile plan")
    assert applied.written() == before
    assert "reading" not in ended.err


def test_a_plan_about_a_portal_that_nobody_knows_any_more_is_stale(applied: World, file: Path) -> None:
    _new_portal(applied)
    assert applied.run("plan", "three", "--out", str(file)).code == 0
    (applied.root / "portals.d/three.yaml").unlink()
    ended = applied.run("apply", "--plan", str(file))
    assert ended.code == 3
    assert (
        "plan-stale: The plan is stale: a portal is neither declared nor known any more (There is no portal three)."
        in ended.err
    )


def test_a_day_that_changes_what_the_plan_does_makes_it_stale(applied: World, file: Path) -> None:
    edit(applied, "one", "not managed'}", "not managed', until: 2027-06-30}")
    now = ["--now", "2027-06-30T00:00:00Z"]
    assert applied.run(*now, "plan", "--out", str(file)).code == 0
    ended = applied.run("--now", "2027-07-01T00:00:00Z", "apply", "--plan", str(file))
    assert (ended.code, "portal one comes out differently today" in ended.err) == (3, True)
    assert applied.run(*now, "apply", "--plan", str(file)).code == 0


def test_a_plan_that_was_edited_is_not_applied(applied: World, file: Path) -> None:
    assert applied.run("plan", "--out", str(file)).code == 0
    document = json.loads(file.read_text())
    document["portals"][0]["products"] = []
    file.write_text(json.dumps(document))
    assert applied.run("apply", "--plan", str(file)).code == 3


def test_a_plan_for_the_emulator_is_not_applied_to_real_tenants(applied: World, file: Path) -> None:
    assert applied.run("plan", "--out", str(file)).code == 0
    ended = applied.run("apply", "--plan", str(file), emulate=False)
    assert (ended.code, "it was made for the emulator" in ended.err) == (3, True)


@pytest.mark.parametrize("more", [("one",), ("--allow", "loss")])
def test_a_plan_file_goes_with_no_other_choice(more: tuple[str, ...], applied: World, file: Path) -> None:
    assert applied.run("plan", "--out", str(file)).code == 0
    ended = applied.run("apply", "--plan", str(file), *more)
    assert ended.code == 64
    assert "With --plan, portals and --allow are those of the plan file" in ended.err
