"""What ``apply`` says to machines: JSON by its schema, and JUnit."""

from __future__ import annotations

import json
import xml.etree.ElementTree as Xml
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import SECRET
from reconciler.resources import folder
from tests.cli.cli_world import Ended, World, portal_yaml, tenant

SCHEMA = jsonschema.Draft7Validator(json.loads((folder("schemas") / "run.schema.json").read_text(encoding="utf-8")))
HOSTILE = "<b>&\"']]>\x1b[31m\u202eevil\ufffe"
DENIED = Fault(
    Reply(403, {"error": {"code": "Authorization_RequestDenied", "message": HOSTILE}}), "/v1.0/users", times=ALWAYS
)
SUSPENDED = "suspend: {reason: Migration}\n"
REFUSED = "removals:\n  - {portal: one, sku: ENTERPRISEPACK, reason: Not gone}\n"


def everything(world: World) -> None:
    """One portal is read, one fails, one is suspended, and an entry of removals.yaml is refused."""
    world.tenants(tenant(1), tenant(2, faults=(DENIED,)), tenant(3))
    world.portals(one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3, extra=SUSPENDED))


def as_json(ended: Ended) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ended.out)
    SCHEMA.validate(document)
    return document


def portals(document: dict[str, Any]) -> dict[str, Any]:
    return {portal["id"]: portal for portal in document["portals"]}


def test_the_schema_is_valid_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA.schema)


def test_each_portal_says_how_it_ended_and_what_changed(world: World) -> None:
    everything(world)
    ended = world.run("apply", "--format", "json")
    document = as_json(ended)
    assert (ended.code, document["exit_code"], document["written"], document["shard"]) == (4, 4, True, None)
    found = portals(document)
    assert {key: portal["outcome"] for key, portal in found.items()} == {
        "one": "complete",
        "two": "failed",
        "three": "not_read",
    }
    assert found["one"]["changes"] == {
        "portal": 1,
        "products_created": 1,
        "products_updated": 0,
        "products_removed": 0,
    }
    assert found["one"]["statuses"]["fully_licensed"] == 1
    assert found["two"]["error"]["code"] == "Authorization_RequestDenied"
    assert found["two"]["error"]["remedy"]
    assert found["three"]["state"] == "suspended"


def test_a_second_run_says_that_nothing_changed(world: World) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    first = as_json(world.run("apply", "--format", "json"))
    second = as_json(world.run("apply", "--format", "json"))
    assert (first["written"], second["written"]) == (True, False)
    assert set(portals(second)["one"]["changes"].values()) == {0}
    assert portals(second)["one"]["as_of"] == portals(first)["one"]["as_of"]


def test_a_product_counts_once_however_much_of_it_changed(world: World) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    world.run("apply")
    extra = "directory: Elsewhere\nproducts:\n  - {sku: ENTERPRISEPACK, directory: Office}\n"
    extra += "exclusions:\n  - {sku: ENTERPRISEPACK, reason: Not managed}\n"
    world.portals(one=portal_yaml(extra=extra))
    changes = portals(as_json(world.run("apply", "--format", "json")))["one"]["changes"]
    assert (changes["products_created"], changes["products_updated"], changes["products_removed"]) == (0, 1, 0)
    assert changes["portal"] > 1


def test_a_rename_names_the_former_id(world: World) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    world.run("apply")
    world.portals(uno=portal_yaml())
    document = as_json(world.run("apply", "--format", "json"))
    assert [(portal["id"], portal["renamed_from"]) for portal in document["portals"]] == [("uno", "one")]


def test_the_same_run_says_the_same_bytes(world: World) -> None:
    everything(world)
    world.run("apply")
    one, two = (world.run("--now", "2026-11-24T00:00:00Z", "apply", "--format", "json") for _ in range(2))
    assert one.out == two.out


def test_stdout_has_no_secret_no_request_id_and_no_control_character(world: World) -> None:
    everything(world)
    ended = world.run("-vv", "apply", "--format", "json")
    assert SECRET not in ended.out
    assert "request-id" not in ended.out
    assert "request_id" not in ended.out
    assert ended.out.replace("\n", "").isprintable()


def test_a_refused_removal_is_in_the_json_and_a_failure_in_junit(world: World, tmp_path: Path) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    world.run("apply")
    (world.root / "portals.d/removals.yaml").write_text(REFUSED)
    document = as_json(world.run("apply", "--format", "json", "--junit", str(tmp_path / "run.xml")))
    assert document["exit_code"] == 4
    assert [error["code"] for error in document["left_out"]] == ["removal-refused"]
    (suite,) = Xml.parse(tmp_path / "run.xml").getroot()
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "removal-refused"


def test_a_run_that_is_refused_as_a_whole_prints_no_document(world: World, tmp_path: Path) -> None:
    everything(world)
    world.run("apply")
    world.portals()
    ended = world.run("apply", "--format", "json", "--junit", str(tmp_path / "run.xml"))
    assert (ended.code, ended.out) == (3, "")
    assert not (tmp_path / "run.xml").exists()


def test_junit_has_a_case_for_each_portal_and_a_failure_with_code_message_and_remedy(
    world: World, tmp_path: Path
) -> None:
    everything(world)
    path = tmp_path / "run.xml"
    ended = world.run("apply", "--junit", str(path))
    assert ended.code == 4
    assert "PORTAL" in ended.out, "the table is printed all the same"
    root = Xml.parse(path).getroot()
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    cases = {case.get("name"): case for case in suite}
    assert set(cases) == {"one", "two", "three"}
    assert len(cases["one"]) == 0
    failure = cases["two"].find("failure")
    assert failure is not None
    assert failure.get("type") == "Authorization_RequestDenied"
    assert "<b>&\"']]>" in (failure.get("message") or "")
    assert portals(as_json(world.run("apply", "--format", "json")))["two"]["error"]["remedy"] in (failure.text or "")
    assert cases["three"].find("skipped") is not None
    assert path.read_text().replace("\n", "").isprintable()


def test_junit_is_written_over_what_a_killed_run_left(world: World, tmp_path: Path) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    (tmp_path / ".run.xml.tmp").write_text("half")
    assert world.run("apply", "--junit", str(tmp_path / "run.xml")).code == 0
    assert Xml.parse(tmp_path / "run.xml").getroot().tag == "testsuites"
    assert not (tmp_path / ".run.xml.tmp").exists()


def test_junit_that_cannot_be_written_is_said(world: World, tmp_path: Path) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    ended = world.run("apply", "--junit", str(tmp_path / "missing/run.xml"))
    assert ended.code == 1
    assert "run.xml cannot be written" in ended.err


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_form_may_come_from_the_environment(world: World, form: str) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    world.monkeypatch.setenv("RECONCILE_APPLY_FORMAT", form)
    assert world.run("apply").out.startswith("{") == (form == "json")
