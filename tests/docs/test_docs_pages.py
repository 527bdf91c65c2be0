"""What the pages say in prose, where that can be checked: states, hosts, codes, the emulator with another client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.emulator import scenarios
from reconciler.emulator.serve import Server
from reconciler.graph.clouds import ENDPOINTS
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


def test_the_page_on_security_names_every_host() -> None:
    rows = re.findall(r"\| `([a-z-]+)` \| (\S+) \| (\S+) \|", _page("docs/explanation/security.md"))
    assert {cloud: (login, graph) for cloud, login, graph in rows if login != "Sign-in"} == {
        cloud.value: (endpoints.login_host, endpoints.graph_host) for cloud, endpoints in ENDPOINTS.items()
    }


def test_the_page_on_commands_says_what_each_override_goes_over() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (`.*`) \|$", _page("docs/reference/commands.md"), re.MULTILINE))
    assert rows.keys() == {override.value for override in Override}
    named = {code for codes in rows.values() for code in re.findall("`([a-z-]+)`", codes)}
    safety = _page("docs/errors.md").split("## Safety stops", 1)[1].split("## State", 1)[0]
    codes = set(re.findall("^### `([a-z-]+)`$", safety, re.MULTILINE))
    assert named == codes - {"portal-protected", "emulated-answer"}


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
