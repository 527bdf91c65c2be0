"""A pull request from a stranger: validate and plan work without a secret, and read none that is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.pipeline_world import without_outer_git

MARK = "marked-secret-1b7f"
VARIABLE = "MARKED_SECRET"
WATCH = """
import atexit, json, os, sys
seen = {"opened": [], "read": []}
sys.addaudithook(lambda event, args: seen["opened"].append(str(args[0])) if event == "open" else None)
sys.addaudithook(lambda event, args: seen["opened"].append(event) if event == "socket.connect" else None)
original = os._Environ.__getitem__
def watched(self, key):
    seen["read"].append(key)
    return original(self, key)
os._Environ.__getitem__ = watched
target = sys.argv.pop(1)
def write():
    with open(target, "w") as file:
        json.dump(seen, file)
atexit.register(write)
from reconciler.cli.main import run
run()
"""
"""Runs the command line and writes down every file that it opened and every variable that it read."""

PULL_REQUESTS = {
    "github": {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
    },
    "gitlab": {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"},
    "azure": {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/pull/7/merge"},
}

WAYS = {
    "secret": "type: secret\n  secret: {SECRET}",
    "certificate": "type: certificate\n  public_certificate: {SECRET}\n  private_key: {SECRET}\n  passphrase: {SECRET}",
    "pfx": "type: certificate\n  pfx: {SECRET}\n  passphrase: {SECRET}",
    "federated": "type: federated\n  token: {SECRET}",
}
"""Ways to name a secret in a portal's file."""


@dataclass(frozen=True)
class Read:
    """What a command printed, opened and looked up."""

    code: int
    printed: str
    opened: list[str]
    variables: list[str]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with a secret outside of the repository."""
    file = tmp_path / "outside" / "secret.pem"
    file.parent.mkdir()
    file.write_text(f"-----BEGIN CERTIFICATE-----\n{MARK}\n-----END CERTIFICATE-----\n")
    return file


@pytest.fixture
def repository(tmp_path: Path, secret: Path) -> Path:
    """What a stranger wrote: portals that name a marked variable and a marked file in every way there is."""
    root = tmp_path / "repository"
    (root / "portals.d").mkdir(parents=True)
    number = 0
    for kind, way in WAYS.items():
        for reference in (f"env: {VARIABLE}", f"file: {secret}"):
            if kind == "federated" and reference.startswith("env"):
                continue
            number += 1
            (root / f"portals.d/p{number}.yaml").write_text(
                f"name: P{number}\ntenant_id: 10000000-0000-4000-8000-{number:012d}\n"
                f"client_id: 20000000-0000-4000-8000-{number:012d}\n"
                f"authentication:\n  {way.replace('SECRET', reference)}\n"
            )
    return root


def read(root: Path, arguments: list[str], variables: Mapping[str, str]) -> Read:
    """Run a command and see what it reads."""
    seen = root.parent / "seen.json"
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(seen), *arguments],
        cwd=root,
        env={**without_outer_git(os.environ), VARIABLE: MARK, "GITHUB_TOKEN": MARK, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = json.loads(seen.read_text())
    return Read(done.returncode, done.stdout + done.stderr, found["opened"], found["read"])


@pytest.mark.parametrize("ci", PULL_REQUESTS)
@pytest.mark.parametrize(
    "arguments",
    [["validate"], ["validate", "--format", "github"], ["plan"], ["plan", "--format", "markdown"], ["-vv", "plan"]],
    ids=" ".join,
)
def test_no_file_and_no_variable_is_read_that_a_portal_names(
    repository: Path, secret: Path, arguments: list[str], ci: str
) -> None:
    found = read(repository, arguments, PULL_REQUESTS[ci])
    assert found.code == 0, found.printed
    assert MARK not in found.printed
    assert str(secret) not in found.opened
    assert VARIABLE not in found.variables
    assert "GITHUB_TOKEN" not in found.variables
    assert "socket.connect" not in found.opened


def test_the_watch_sees_what_is_read_where_somebody_approved_it(repository: Path, secret: Path) -> None:
    found = read(repository, ["plan"], {})
    assert found.code == 0, found.printed
    assert str(secret) in found.opened
    assert VARIABLE in found.variables
    assert MARK not in found.printed


@pytest.mark.parametrize(
    "link",
    [
        "portals.d/link.yaml",
        "portals.d/removals.yaml",
        "reconcile.yaml",
        "state/ledger/meta.json",
        "state/catalogue.csv",
    ],
)
def test_a_link_to_a_secret_shows_nothing_of_it(repository: Path, secret: Path, link: str) -> None:
    secret.write_text(f"{MARK}: [{MARK}\n")
    (repository / link).parent.mkdir(parents=True, exist_ok=True)
    (repository / link).symlink_to(secret)
    for command in (["validate"], ["plan", "--format", "markdown"]):
        found = read(repository, command, PULL_REQUESTS["github"])
        assert MARK not in found.printed, found.printed
