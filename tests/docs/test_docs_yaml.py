"""Every YAML that the documentation shows is one that the program, or GitHub, would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.config.loader import load
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
    shown = yaml.load(block.text, Loader=yaml.BaseLoader)
    if isinstance(shown, list):
        return "step"
    keys = {str(key) for key in shown}
    for schema in ("portal", "settings", "removals"):
        if keys <= _keys(schema):
            return schema
    return "pre-commit" if "repos" in keys else f"of no known kind: {sorted(keys)}"


def _of(kind: str) -> list[Any]:
    return [pytest.param(block, id=f"{page}-{block.start}") for page, block in _shown() if _kind(block) == kind]


def test_every_yaml_block_is_of_a_known_kind() -> None:
    unknown = [
        f"{page}: {_kind(block)}"
        for page, block in _shown()
        if _kind(block) not in ("portal", "settings", "removals", "step", "pre-commit")
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


def test_a_step_that_is_shown_gives_the_action_what_it_takes() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = [step for _, block in _shown() if _kind(block) == "step" for step in yaml.safe_load(block.text)]
    assert steps
    for step in steps:
        assert step["uses"].startswith("OWNER/m365-license-reconciler@")
        assert step["with"].keys() <= action["inputs"].keys()


def test_the_hooks_that_are_shown_are_those_that_there_are() -> None:
    there = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    configurations = [yaml.safe_load(block.text) for _, block in _shown() if _kind(block) == "pre-commit"]
    assert configurations
    for configuration in configurations:
        for repository in configuration["repos"]:
            assert {hook["id"] for hook in repository["hooks"]} == there
