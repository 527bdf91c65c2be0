"""Output that nobody reads to its end, as behind ``head``: the program ends quietly, as Unix tools do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.cli_world import PACKAGE

UNREAD = 128 + 13
"""What a shell says of a program that SIGPIPE ended."""


def unread(folder: Path, *words: str, both: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the command line with a pipe as stdout, or as stdout and stderr, whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-c", "from reconciler.cli.main import run; run()", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            stdout=writing,
            stderr=writing if both else subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    "words", [("catalogue", "show", "E3"), ("schema", "portal"), ("--help",), ("init", "made")], ids=" ".join
)
def test_nothing_is_said_when_nobody_reads(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = unread(tmp_path, *words)
    assert ended.returncode == UNREAD
    assert "rror" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_error_that_nobody_reads_ends_quietly_too(tmp_path: Path) -> None:
    assert unread(tmp_path, "plan", both=True).returncode == UNREAD
    assert unread(tmp_path, "no-such-command", both=True).returncode == UNREAD


def test_the_work_is_done_before_anything_is_said(tmp_path: Path) -> None:
    unread(tmp_path, "init", "unread")
    subprocess.run(
        [sys.executable, "-c", "from reconciler.cli.main import run; run()", "init", "read"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        check=True,
    )
    unseen, seen = (
        {path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")} for name in ("unread", "read")
    )
    assert unseen == seen
