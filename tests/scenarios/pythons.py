"""``make pythons``: an environment under ``.venv/pythons`` for every other version of Python on this machine.

In them the tests play the scenarios again. A version that is not there, or that the libraries cannot be installed for,
is left out with a word about it, and the tests skip it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
PYTHONS = PACKAGE / ".venv/pythons"
"""One folder a version, named as ``3.12`` is."""

MINORS = (11, 12, 13)
"""Supported versions of Python 3."""


def runs(minor: int) -> Iterator[str]:
    """Programs of a version, from ``PATH`` and from pyenv, that can be started."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python3.{minor}")
    for program in [*([on_path] if on_path else []), *map(str, sorted(pyenv.glob(f"3.{minor}.*/bin/python")))]:
        if subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
            yield program


def make(minor: int) -> str:
    """Make the environment of one version; what became of it."""
    folder = PYTHONS / f"3.{minor}"
    shutil.rmtree(folder, ignore_errors=True)
    program = next(runs(minor), None)
    if program is None:
        return "is not on this machine"
    libraries = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["dependencies"]
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *libraries]
    try:
        subprocess.run([program, "-m", "venv", folder], check=True, capture_output=True)
        subprocess.run(install, check=True, capture_output=True)
    except (subprocess.CalledProcessError, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        return "has no environment: its libraries could not be installed"
    return "is ready"


if __name__ == "__main__":
    for each in MINORS:
        if each != sys.version_info.minor:
            print(f"Python 3.{each} {make(each)}.")
