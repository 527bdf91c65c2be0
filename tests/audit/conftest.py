"""Fixtures of the auditor's tests: a repository under git, with two portals that were applied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.audit.audit_world import Repository
from tests.cli.cli_world import World, flow, office, portal_yaml, tenant
from tests.pipeline.pipeline_world import PERSON, without_outer_git

EXCLUSIONS = "exclusions: [{sku: FLOW_FREE, reason: Nothing is owned}, {sku: OLD, reason: Was, until: 2026-01-31}]\n"


@pytest.fixture(autouse=True)
def _no_outer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """git without the configuration and the variables of whoever runs the tests."""
    wanted = without_outer_git(os.environ) | PERSON
    for name in os.environ.keys() - wanted.keys():
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A clone with a remote, two portals that were declared by a person, and nothing applied."""
    bare, root = tmp_path / "remote.git", tmp_path / "repository"
    made = Repository(World(root, capsys, monkeypatch), bare)
    made.begin()
    made.world.tenants(tenant(1, skus=(office(), flow())), tenant(2))
    made.world.portals(one=portal_yaml(1, extra=EXCLUSIONS), two=portal_yaml(2))
    made.commit("Two portals", "Reviewed-by: Somebody Else")
    return made
