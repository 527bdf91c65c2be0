"""Worlds that are played in a process of their own, and what it wrote."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cli.cli_world import PACKAGE, files_under


@dataclass(frozen=True)
class Played:
    """The repository of a world, after its last day."""

    root: Path

    @property
    def written(self) -> dict[str, bytes]:
        """Every file under ``state/`` but the database."""
        return files_under(self.root / "state", without=("reconciler.db", ".lock"))

    def report(self, name: str) -> str:
        """The text of a report."""
        return (self.root / "state/reports" / name).read_bytes().decode()

    def digests(self) -> str:
        """A line for every file that was written: its SHA-256 and its path."""
        lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in self.written.items())
        return "".join(lines)


def play_apart(
    names: Iterable[str],
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> bytes:
    """Play worlds, each in the folder of its name, and return stdout. All their days must end as is due."""
    done = subprocess.run(
        [python, "-m", "tests.scenarios.play", str(folder), ",".join(names), *options],
        cwd=PACKAGE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
