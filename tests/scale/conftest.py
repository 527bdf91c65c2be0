"""Fixtures: an empty repository without tenants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.cli_world import World


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty repository without tenants."""
    made = World(tmp_path / "repository", capsys, monkeypatch)
    made.tenants()
    return made
