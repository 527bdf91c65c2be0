"""The whole product against ``emulator serve``: real sockets, real TLS, real host names, two variables."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cli_world import PACKAGE, files_under, reconcile


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the demo's portals."""
    root = tmp_path / "repository"
    (root / "portals.d").mkdir(parents=True)
    for path in (PACKAGE / "portals.d").glob("*.yaml"):
        (root / "portals.d" / path.name).write_bytes(path.read_bytes())
    return root


@pytest.fixture
def variables(repository: Path) -> Iterator[dict[str, str]]:
    """What ``emulator serve`` prints, while it serves."""
    command = "import sys; from reconciler.cli.main import main; sys.exit(main())"
    served = subprocess.Popen(
        [sys.executable, "-c", command, "--chdir", str(repository), "emulator", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert served.stdout is not None
        lines = [served.stdout.readline(), served.stdout.readline()]
        words = [word for line in lines for word in shlex.split(line) if word != "export"]
        yield dict(word.split("=", 1) for word in words)
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=20) == 0
        assert served.stdout is not None
        served.stdout.close()


def _numbers(root: Path) -> Any:
    """``status.json`` without the times, which are real ones here."""
    document = json.loads((root / "state/reports/status.json").read_text())
    for portal in document["portals"]:
        for name in ("as_of", "failed_since"):
            del portal["import"][name]
    return document


def test_two_variables_lead_the_real_client_to_the_emulator_with_the_same_numbers(
    repository: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    assert variables.keys() == {"HTTPS_PROXY", "SSL_CERT_FILE"}
    ended = reconcile("apply", cwd=repository, environment=variables)
    assert ended.code == 4, ended.err
    inside = tmp_path / "inside"
    inside.mkdir()
    assert reconcile("--emulate", "demo", "apply", cwd=inside).code == 4
    assert _numbers(repository) == _numbers(inside)
    again = reconcile("apply", cwd=repository, environment=variables)
    assert "Nothing changed" in again.err


def test_without_its_certificate_the_emulator_is_not_trusted(repository: Path, variables: dict[str, str]) -> None:
    system = {name: value for name, value in variables.items() if name == "HTTPS_PROXY"}
    ended = reconcile("--retry-limit", "0", "apply", cwd=repository, environment=system)
    assert ended.code == 1
    assert "Could not connect to GraphAPI server." in ended.out
    assert "certificate" in ended.out


def test_nothing_that_the_emulator_writes_can_be_committed(repository: Path, variables: dict[str, str]) -> None:
    assert variables
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    seen = subprocess.run(
        ["git", "-C", str(repository), "status", "--porcelain", "--untracked-files=all"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert ".emulator" not in seen
    assert all(
        (repository / ".emulator" / name).stat().st_mode & 0o077 == 0
        for name in files_under(repository / ".emulator")
        if name.endswith((".key", ".secret"))
    )
    assert os.access(repository / ".emulator", os.R_OK)
