"""Fixtures: a repository with a portal, and sockets that misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cli_world import World
from tests.errors.errors_wire import Wire


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty repository without tenants."""
    made = World(tmp_path / "repository", capsys, monkeypatch)
    made.tenants()
    return made


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """The real network as this process sees it, all of it on loopback."""
    made = Wire(monkeypatch)
    yield made
    made.close()
