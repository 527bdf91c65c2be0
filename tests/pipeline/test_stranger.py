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


FORMS = {
    "a pair": f"{MARK}: {MARK}\n",
    "broken YAML": f"{MARK}: [{MARK}\n",
    "JSON": f'{{"format_version": 1, "{MARK}": "{MARK}", "id": "{MARK}"}}\n',
    "lines": f"{MARK},{MARK}\n{MARK}\n",
}
"""What the file may look like that a link leads to."""


def reads_nothing(repository: Path, secret: Path) -> None:
    """No command opens the secret, or says anything of it."""
    for command in (["validate"], ["plan", "--format", "markdown"], ["-vv", "plan"], ["status"], ["init", "--check"]):
        found = read(repository, command, PULL_REQUESTS["github"])
        assert MARK not in found.printed, (command, found.printed)
        opened = {str(Path(name).resolve()) for name in found.opened if name.startswith(("/", "."))}
        assert str(secret.resolve()) not in opened, command


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "link",
    [
        "portals.d/link.yaml",
        "portals.d/removals.yaml",
        "reconcile.yaml",
        "schemas/portal.schema.json",
        ".github/workflows/plan.yml",
        "state/ledger/meta.json",
        "state/ledger/p1.json",
        "state/ledger/history/p1.jsonl",
        "state/catalogue.csv",
        "state/reconciler.db",
    ],
)
def test_a_link_to_a_secret_is_not_followed(repository: Path, secret: Path, link: str, form: str) -> None:
    secret.write_text(FORMS[form])
    (repository / link).parent.mkdir(parents=True, exist_ok=True)
    (repository / link).symlink_to(secret)
    reads_nothing(repository, secret)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("portals.d", "p.yaml"),
        ("schemas", "portal.schema.json"),
        ("state", "catalogue.csv"),
        ("state/ledger", "meta.json"),
        ("state/ledger/history", "p1.jsonl"),
    ],
)
def test_a_link_in_place_of_a_folder_is_not_followed(repository: Path, tmp_path: Path, folder: str, name: str) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / name).write_text(FORMS["a pair"])
    if (repository / folder).exists():
        (repository / folder).rename(tmp_path / "before")
    (repository / folder).parent.mkdir(parents=True, exist_ok=True)
    (repository / folder).symlink_to(outside)
    reads_nothing(repository, outside / name)


def test_what_git_keeps_for_itself_is_not_read(repository: Path) -> None:
    (repository / ".git").mkdir()
    secret = repository / ".git/config"
    secret.write_text(FORMS["a pair"])
    (repository / "reconcile.yaml").symlink_to(".git/config")
    reads_nothing(repository, secret)


def test_a_link_within_the_repository_is_followed(repository: Path) -> None:
    (repository / "settings").mkdir()
    (repository / "settings/real.yaml").write_text("colour: blue\n")
    (repository / "reconcile.yaml").symlink_to("settings/real.yaml")
    assert "colour" in read(repository, ["validate"], PULL_REQUESTS["github"]).printed
