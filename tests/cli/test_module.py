"""``python -m reconciler``: where the console script is not on the PATH."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler import __version__


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    code, said = run("--version")
    assert (code, __version__ in said) == (0, True)
    assert run("validate")[0] == 1
