"""With ``--log-format json`` every line on stderr is an object, whatever it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.emulator.scenario import Application
from tests.cli.cli_world import World, client_id, portal_yaml, tenant

ENDED = "exclusions: [{sku: FLOW_FREE, reason: Tried, until: 2020-01-01}]\n"
REMOVALS = "- {portal: one, sku: ENTERPRISEPACK, reason: Tried}\n"


def told(err: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which says when, in which run, how serious, by whom and what."""
    lines = [json.loads(line) for line in err.splitlines()]
    assert all({"time", "level", "logger", "run", "message"} <= line.keys() for line in lines)
    assert all(isinstance(line["run"], str) for line in lines)
    return lines


@pytest.fixture
def odd(world: World) -> World:
    """Three portals: one has a warning, one cannot be read."""
    world.portals(one=portal_yaml(1, extra=ENDED), two=portal_yaml(2), three=portal_yaml(3))
    world.tenants(tenant(1), tenant(2, applications=(Application(client_id(2), secrets=()),)), tenant(3))
    return world


@pytest.mark.parametrize(
    ("command", "code", "level", "said"),
    [
        ("apply", 4, "info", "Changed: the report"),
        ("apply", 4, "warning", "ended-exclusion"),
        ("-vv apply", 4, "info", "reading"),
        ("plan --out plan.json", 0, "info", "The plan is saved."),
        ("apply nosuch", 64, "error", "There is no portal nosuch"),
        ("aply", 64, "error", "Did you mean 'apply'?"),
        ("apply --shrad", 64, "error", "No such option"),
        ("plan --jobs 3", 64, "error", "--jobs belongs before the command"),
        ("prune", 0, "info", ""),
        ("catalogue show nosuch", 1, "error", "sku-unknown"),
        ("verify", 0, "info", ""),
        ("publish", 1, "error", "git"),
        ("-vv show nosuch", 1, "error", "plan-unreadable"),
        ("test-connection", 1, "info", ""),
        ("explain-error nosuch", 64, "error", "nosuch"),
        ("watch plan", 64, "error", "watch runs"),
    ],
)
def test_every_line_on_stderr_is_an_object(odd: World, command: str, code: int, level: str, said: str) -> None:
    if not command.endswith("apply"):
        odd.run("apply")
    odd.monkeypatch.chdir(odd.root)
    ended = odd.run("--log-format", "json", *command.split())
    assert ended.code == code, ended.err
    lines = told(ended.err)
    assert not said or [line for line in lines if line["level"] == level and said in line["message"]], lines


def test_an_error_has_its_code_and_a_warning_its_place(odd: World) -> None:
    lines = told(odd.run("--log-format", "json", "-vv", "apply", "nosuch").err)
    (error,) = (line for line in lines if line["level"] == "error")
    assert (error["code"], error["exit_code"]) == ("unknown-portal", 64)
    assert "Traceback" in error["traceback"]
    (warning,) = (line for line in lines if line["level"] == "warning")
    assert (warning["file"], warning["line"], warning["code"]) == ("portals.d/one.yaml", 5, "ended-exclusion")


def test_what_is_stopped_says_so_in_the_format_of_the_log(world: World) -> None:
    def stopped(_: str) -> None:
        raise KeyboardInterrupt

    world.monkeypatch.setattr("reconciler.emulator.scenarios.load", stopped)
    ended = world.run("--log-format", "json", "apply")
    assert ended.code == 130
    assert [line["message"].split(".")[0] for line in told(ended.err)] == ["Stopped"]


def test_stderr_is_written_in_one_place() -> None:
    folder = Path(reconciler.__file__).parent
    written = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if re.search(r"err=True|sys\.stderr\.write", path.read_text())
    }
    assert written == {"cli/logs.py", "cli/progress.py"}
