"""``reconcile validate`` and ``reconcile schema``, and problems in the forms they print."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.cli.main import main
from reconciler.config.problems import Problem
from reconciler.render.problems import render_github, render_json
from reconciler.resources import folder
from tests.config.config_world import TENANT, portal_yaml, repository

INVALID = portal_yaml("clod: globl\ncloud: azure\n")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_valid_portals_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(tmp_path, {"a.yaml": portal_yaml()})
    assert run(capsys, "--chdir", str(tmp_path), "validate") == (0, "1 portal is valid.\n", "")
    other = portal_yaml(name="Fabrikam", tenant_id=TENANT.replace("0f0a", "1f0a"))
    repository(tmp_path, {"b.yaml": other})
    assert run(capsys, "--chdir", str(tmp_path), "validate") == (0, "2 portals are valid.\n", "")


def test_a_warning_is_printed_and_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(tmp_path, {"a.yaml": portal_yaml(), "b.yaml": portal_yaml(name="Fabrikam")})
    code, out, _ = run(capsys, "--chdir", str(tmp_path), "validate")
    assert code == 0
    assert out.startswith("portals.d/b.yaml:2:12: same-tenant ")
    assert out.endswith("2 portals are valid.\n")


def test_what_has_ended_is_printed_beside_problems_and_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(tmp_path, {"a.yaml": portal_yaml("suspend: {reason: Migration, until: 2026-11-22}\n")})
    arguments = ["--chdir", str(tmp_path), "--now", "2026-11-22T23:59:59Z", "validate"]
    assert run(capsys, *arguments) == (0, "1 portal is valid.\n", "")
    arguments[3] = "2026-11-23T00:00:00Z"
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert out.startswith("portals.d/a.yaml:5:37: ended-suspension This pause ended on 2026-11-22: ")
    repository(tmp_path, {"b.yaml": INVALID.replace("Contoso", "Fabrikam")})
    code, out, _ = run(capsys, *arguments)
    assert code == 1
    assert "ended-suspension" in out
    assert "unknown-key" in out
    assert out.endswith("2 problems and 2 warnings.\n")


@pytest.mark.parametrize("format_", ["text", "json", "github"])
def test_problems_are_printed_in_each_form_and_fail(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    repository(tmp_path, {"a.yaml": INVALID, "b.yaml": portal_yaml(name="Fabrikam")})
    code, out, err = run(capsys, "--chdir", str(tmp_path), "validate", "--format", format_)
    assert (code, err) == (1, "")
    assert out == snapshot


def test_json_stays_json_when_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(tmp_path, {"a.yaml": portal_yaml()})
    code, out, _ = run(capsys, "--chdir", str(tmp_path), "validate", "--format", "json")
    assert code == 0
    assert json.loads(out) == {"problems": []}


def test_validate_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(tmp_path, {"a.yaml": INVALID})
    run(capsys, "--chdir", str(tmp_path), "validate")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.yaml", "portals.d"]


def test_validate_needs_a_folder_of_portals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--chdir", str(tmp_path), "validate")
    assert (code, out) == (1, "")
    assert "no-portals" in err


def test_an_annotation_escapes_what_github_would_obey() -> None:
    problem = Problem("portals.d/a,b:c.yaml", 2, 3, "unknown-key", "100 % of `a::b`", "Did\nyou?")
    assert render_github([problem]) == (
        "::error file=portals.d/a%2Cb%3Ac.yaml,line=2,col=3,title=unknown-key::100 %25 of `a:\\x3ab`%0ADid%0Ayou?\n"
    )
    warning = Problem("a.yaml", 1, 1, "same-tenant", "x", severity="warning")
    assert render_github([warning]) == "::warning file=a.yaml,line=1,col=1,title=same-tenant::x\n"


def test_json_holds_every_field_of_a_problem() -> None:
    problem = Problem("a.yaml", 2, 3, "unknown-key", "Ü\x1b", None, "error")
    assert json.loads(render_json([problem])) == {
        "problems": [
            {
                "file": "a.yaml",
                "line": 2,
                "column": 3,
                "code": "unknown-key",
                "severity": "error",
                "message": "Ü\\x1b",
                "hint": None,
            }
        ]
    }


@pytest.mark.parametrize("name", ["portal", "settings", "removals"])
def test_schema_prints_the_shipped_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "schema", name)
    assert code == 0
    assert out == (folder("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")


def test_schema_without_a_name_lists_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "schema")
    assert code == 0
    assert {"portal", "settings", "removals"} <= set(out.splitlines())


def test_an_unknown_schema_is_a_usage_error_that_lists_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "schema", "portals")
    assert (code, out) == (64, "")
    assert "portal, " in err


def test_the_commands_import_no_heavy_library_before_they_run() -> None:
    heavy = "{'yaml', 'jsonschema', 'httpx', 'msal', 'rich', 'sqlite_utils', 'msgspec', 'cryptography'}"
    program = f"import sys, reconciler.cli.validate, reconciler.cli.schema; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
