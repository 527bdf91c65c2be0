"""What the pages say in prose, where that can be checked: states, hosts, codes, the emulator with another client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler.emulator import scenarios
from reconciler.emulator.serve import Server
from reconciler.error_catalogue import CATALOGUE
from reconciler.error_catalogue.state import SAFETY
from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import SafetyLimits
from reconciler.safety import Override
from reconciler.store.tables import migrations
from tests.docs.docs_pages import ROOT, blocks


def _page(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_page_on_state_names_every_table_of_the_database() -> None:
    from sqlite_utils import Database

    database = Database(memory=True)
    migrations.apply(database)
    page = _page("docs/reference/state.md")
    missing = [table for table in database.table_names() if f"`{table}`" not in page and not table.startswith("_")]
    database.conn.close()
    assert not missing


def test_the_page_on_state_explains_every_key_of_a_ledger() -> None:
    section = _page("docs/reference/state.md").split("## The ledger", 1)[1].split("## The database", 1)[0]
    ledger = json.loads(_page("state/ledger/contoso.json"))
    assert set(re.findall("^\\| `([a-z_]+)` ", section, re.MULTILINE)) == set(ledger)


def test_the_page_on_the_house_names_every_room_and_no_module_that_is_gone() -> None:
    page, package = _page("docs/explanation/how-it-works.md"), ROOT / "reconciler"
    rooms = [path.name for path in package.iterdir() if (path / "__init__.py").exists()]
    assert not [room for room in rooms if f"`{room}/`" not in page]
    assert not [module for module in re.findall("`([a-z_/]+[.]py)`", page) if not (package / module).exists()]


def test_the_page_on_security_names_every_host() -> None:
    rows = re.findall(r"\| `([a-z-]+)` \| (\S+) \| (\S+) \|", _page("docs/explanation/security.md"))
    assert {cloud: (login, graph) for cloud, login, graph in rows if login != "Sign-in"} == {
        cloud.value: (endpoints.login_host, endpoints.graph_host) for cloud, endpoints in ENDPOINTS.items()
    }


def _codes_by_override() -> dict[str, set[str]]:
    """The codes that each value of ``--allow`` goes over: those whose remedies name it."""
    found: dict[str, set[str]] = {}
    for row in CATALOGUE.values():
        remedies = " ".join([row.remedy, *(case.remedy for case in row.cases)])
        for override in re.findall("--allow ([a-z-]+)", remedies):
            found.setdefault(override, set()).add(row.code)
    return found


def test_the_page_on_commands_says_what_each_override_goes_over() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (`.*`) \|$", _page("docs/reference/commands.md"), re.MULTILINE)
    shown = {override: set(re.findall("`([a-z-]+)`", codes)) for override, codes in rows}
    assert shown == _codes_by_override()
    assert shown.keys() == {override.value for override in Override}


def test_the_page_on_safety_limits_has_every_safety_stop_and_every_limit_with_its_default() -> None:
    page = _page("docs/how-to/safety-limits.md")
    first = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", page, re.MULTILINE)
    stops = {code for cell in first for code in re.findall("`([a-z-]+)`", cell)}
    assert stops == {row.code for row in SAFETY} - {"emulated-answer"}
    limits = SafetyLimits()
    for limit in fields(limits):
        assert f"`safety.{limit.name}`" in page
        assert f"{getattr(limits, limit.name)}" in page


def test_the_changelog_keeps_the_form_of_keep_a_changelog() -> None:
    text = _page("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    assert re.search(r"^## \[Unreleased\]|^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)


def test_no_page_sends_a_reader_to_a_path_of_one_machine() -> None:
    found = [
        page
        for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
        if re.search("/(home|work|root)/", _page(page))
    ]
    found += [str(path) for path in (ROOT / "docs").rglob("*.md") if re.search("/(home|work|root)/", path.read_text())]
    assert not found


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page is about curl")
def test_the_emulator_answers_curl_as_the_page_says(tmp_path: Path) -> None:
    page = _page("docs/how-to/use-the-emulator-with-another-client.md")
    (script,) = [block.text for block in blocks(page) if "curl" in block.text]
    with Server(scenarios.load("demo"), tmp_path) as server:
        path = {"PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env={**path, **server.environment},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert '"skuPartNumber": "SPE_E3"' in done.stdout or '"skuPartNumber":"SPE_E3"' in done.stdout, done.stderr
