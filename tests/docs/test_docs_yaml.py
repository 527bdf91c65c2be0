"""Every YAML that the documentation shows is one that the program, or GitHub, would take."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.config.loader import load
from tests.docs.docs_console import program_folder
from tests.docs.docs_pages import ROOT, Block, blocks, name, pages

PORTAL = {
    "name": "Contoso",
    "tenant_id": "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10",
    "client_id": "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77",
    "authentication": {"type": "secret", "secret": {"env": "CONTOSO_SECRET"}},
}
"""What a part of a portal file is completed with."""

KEYVAULT = {"keyvault": {key: PORTAL[key] for key in ("tenant_id", "client_id", "authentication")}}
"""Settings for a portal file that refers to a key vault."""


def _keys(schema: str) -> set[str]:
    document = json.loads((ROOT / f"schemas/{schema}.schema.json").read_text(encoding="utf-8"))
    return set(document["properties"])


def _shown() -> list[tuple[str, Block]]:
    return [
        (name(page), block)
        for page in pages()
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "yaml"
    ]


def _kind(block: Block) -> str:
    """What a block is by its top-level keys."""
    keys = {str(key) for key in yaml.load(block.text, Loader=yaml.BaseLoader)}
    for schema in ("portal", "settings", "removals"):
        if keys <= _keys(schema):
            return schema
    return "workflow" if "jobs" in keys else f"neither portal, settings, removals nor workflow: {sorted(keys)}"


def _of(kind: str) -> list[Any]:
    return [pytest.param(block, id=f"{page}-{block.start}") for page, block in _shown() if _kind(block) == kind]


def test_every_yaml_block_is_of_a_known_kind() -> None:
    unknown = [
        f"{page}: {_kind(block)}"
        for page, block in _shown()
        if _kind(block) not in ("portal", "settings", "removals", "workflow")
    ]
    assert not unknown


@pytest.mark.parametrize("block", _of("portal"))
def test_a_portal_that_is_shown_is_valid(block: Block, tmp_path: Path) -> None:
    folder = tmp_path / "portals.d"
    folder.mkdir()
    shown = yaml.load(block.text, Loader=yaml.BaseLoader)
    missing = {key: value for key, value in PORTAL.items() if key not in shown}
    completed = f"{block.text}\n{yaml.safe_dump(missing) if missing else ''}"
    (folder / "contoso.yaml").write_text(completed, encoding="utf-8")
    (tmp_path / "reconcile.yaml").write_text(yaml.safe_dump(KEYVAULT), encoding="utf-8")
    desired = load(tmp_path, folder)
    assert list(desired.portals) == ["contoso"]
    assert not desired.warnings


@pytest.mark.parametrize("block", _of("settings"))
def test_settings_that_are_shown_are_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "reconcile.yaml").write_text(block.text, encoding="utf-8")
    assert load(tmp_path, tmp_path / "portals.d").settings


@pytest.mark.parametrize("block", _of("removals"))
def test_removals_that_are_shown_are_valid(block: Block, tmp_path: Path) -> None:
    folder = tmp_path / "portals.d"
    folder.mkdir()
    (folder / "removals.yaml").write_text(block.text, encoding="utf-8")
    assert load(tmp_path, folder).removals


def test_the_complete_portal_file_shows_every_key() -> None:
    page = (ROOT / "docs/reference/portal-file.md").read_text(encoding="utf-8")
    assert set(yaml.safe_load(blocks(page)[0].text)) == _keys("portal")


def _workflow() -> dict[str, Any]:
    (block,) = [block for _, block in _shown() if _kind(block) == "workflow"]
    workflow: dict[str, Any] = yaml.safe_load(block.text)
    return workflow


def test_the_workflow_pins_the_actions_that_our_own_ci_pins() -> None:
    ours = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    steps = [step for job in _workflow()["jobs"].values() for step in job["steps"]]
    used = {step["uses"] for step in steps if "uses" in step}
    assert used
    assert used <= set(re.findall(r"uses: (\S+)", ours))


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    return done.stdout


@pytest.mark.parametrize(("client_id", "code"), [("e2a7c06d-9b15-4f83-a4de-5c8b1d7f3062", 0), (PORTAL["client_id"], 1)])
def test_the_workflow_commits_what_apply_wrote_and_then_ends_as_apply_did(
    client_id: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the second client ID the sign-in fails: that the portal failed is committed too."""
    (script,) = [step["run"] for step in _workflow()["jobs"]["apply"]["steps"] if "git push" in step.get("run", "")]
    monkeypatch.setenv("PATH", f"{program_folder(tmp_path)}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RECONCILE_EMULATE", "demo")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    origin, clone = tmp_path / "origin.git", tmp_path / "clone"
    _git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    _git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (clone / ".gitignore").write_text("state/*.db*\nstate/.lock\n")
    (clone / "portals.d").mkdir()
    northwind = (ROOT / "portals.d/northwind.yaml").read_text(encoding="utf-8")
    northwind = re.sub("client_id: .*", f"client_id: {client_id}", northwind)
    (clone / "portals.d/northwind.yaml").write_text(northwind, encoding="utf-8")
    ended = [
        subprocess.run(["bash", "-e", "-c", script], cwd=clone, capture_output=True, encoding="utf-8", check=False)
        for _ in range(2)
    ]
    assert [run.returncode for run in ended] == [code, code], ended[0].stderr
    assert _git(origin, "rev-list", "--count", "main").strip() == "1", "the second run has nothing to commit"
    files = _git(origin, "ls-tree", "-r", "--name-only", "main").split()
    assert "state/reports/status.md" in files
    assert not [file for file in files if file.endswith((".db", ".lock"))]
