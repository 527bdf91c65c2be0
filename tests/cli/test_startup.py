"""A command loads what it needs and nothing else, so that ``--help`` and ``validate`` answer at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import main
from tests.cli.cli_world import PACKAGE, World, portal_yaml, tenant

HEAVY = frozenset(
    {
        "asyncio",
        "cryptography",
        "httpx",
        "jinja2",
        "jsonschema",
        "jwt",
        "msal",
        "msgspec",
        "requests",
        "rich",
        "ruamel",
        "sqlite3",
        "sqlite_utils",
        "ssl",
        "truststore",
        "yaml",
    }
)
"""Packages that take long to load, or that only those may load who use them."""

SCRIPT = """
import json, sys
from reconciler.cli.main import main
main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump(sorted(sys.modules), file)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """Every module that a command has loaded when it ends."""
    told = folder / "modules.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(told), "--chdir", str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        check=True,
    )
    return set(json.loads(told.read_text()))


@pytest.fixture
def repository(world: World) -> Path:
    """A repository that was applied once."""
    world.portals(one=portal_yaml())
    world.tenants(tenant())
    assert world.run("apply").code == 0
    return world.root


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (("--help",), set()),
        (("--version",), set()),
        (("plan", "--help"), set()),
        (("validate",), {"jsonschema", "yaml"}),
        (("plan",), {"jsonschema", "yaml", "msgspec", "sqlite3", "sqlite_utils"}),
        (("status",), {"jsonschema", "yaml", "msgspec", "sqlite3", "sqlite_utils"}),
    ],
    ids=["help", "version", "help of plan", "validate", "plan", "status"],
)
def test_a_command_loads_only_what_it_needs(repository: Path, command: tuple[str, ...], allowed: set[str]) -> None:
    modules = loaded(repository, *command)
    assert {module.partition(".")[0] for module in modules} & HEAVY == allowed


def test_help_loads_no_module_of_the_product_but_the_command_line(repository: Path) -> None:
    own = {module for module in loaded(repository, "--help") if module.startswith("reconciler")}
    assert own == {"reconciler", "reconciler.cli", "reconciler.cli.main", "reconciler.cli.invocation"}


@pytest.mark.parametrize(("cpus", "jobs"), [(1, 16), (2, 32), (64, 32), (None, 16)])
def test_how_many_portals_run_at_once_follows_from_the_machine_up_to_a_limit(
    cpus: int | None, jobs: int, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    from reconciler.cli.main import cli

    monkeypatch.setattr(os, "cpu_count", lambda: cpus)
    context = cli.make_context("reconcile", ["--chdir", str(repository), "validate"])
    assert context.params["jobs"] == jobs
    assert main(["--chdir", str(repository), "--jobs", "0", "validate"]) == 64
