"""A report is the same bytes whoever runs it: hash order, time zone, language, number of threads, version of Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.pythons import MINORS, PYTHONS
from tests.scenarios.scenario_run import Played, play_apart
from tests.scenarios.worlds import WORLDS

ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""In the locale C, Python then opens files as ASCII when it is not told otherwise."""

AROUND = {
    "ascii": ("C", "1", {"PYTHONHASHSEED": "0", "TZ": "Asia/Kathmandu", **ASCII}),
    "utf-8": ("C.UTF-8", "4", {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns"}),
    "posix": ("C", "16", {"PYTHONHASHSEED": "random", "TZ": "UTC"}),
    "german": ("de_DE.UTF-8", "4", {"PYTHONHASHSEED": "random", "TZ": "Asia/Kathmandu"}),
    "turkish": ("tr_TR.UTF-8", "16", {"PYTHONHASHSEED": "0", "TZ": "America/St_Johns"}),
}
"""Locale, ``--jobs`` and variables: every hash seed, time zone, locale and number of jobs at least once."""


@dataclass(frozen=True)
class All:
    """Every world, played in one process."""

    out: bytes
    written: dict[str, bytes]


def play_all(folder: Path, *options: str, environment: Mapping[str, str] | None = None, python: str) -> All:
    """Play every world."""
    out = play_apart(WORLDS, folder, *options, environment=environment, python=python)
    files = {name: Played(folder / name).written for name in WORLDS}
    return All(out, {f"{name}/{path}": content for name in files for path, content in files[name].items()})


def same(one: All, other: All) -> None:
    """All files are there in both, with the same bytes, and so is what stood on stdout."""
    assert len(one.written) > 100
    names = one.written.keys() | other.written.keys()
    assert [name for name in sorted(names) if one.written.get(name) != other.written.get(name)] == []
    assert one.out == other.out


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> All:
    """What comes of every world as the tests run."""
    return play_all(tmp_path_factory.mktemp("here"), python=sys.executable)


@pytest.mark.parametrize("around", AROUND)
def test_no_byte_depends_on_what_is_around_the_run(
    around: str, here: All, language: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    spoken, jobs, variables = AROUND[around]
    environment = {**variables, **language(spoken)}
    same(here, play_all(tmp_path, "--jobs", jobs, environment=environment, python=sys.executable))


@pytest.mark.parametrize("minor", [minor for minor in MINORS if minor != sys.version_info.minor])
def test_no_byte_depends_on_the_version_of_python(minor: int, here: All, tmp_path: Path) -> None:
    python = PYTHONS / f"3.{minor}/bin/python"
    if not python.exists():
        pytest.skip(f"needs Python 3.{minor} and `make pythons`")
    said = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"Python 3.{minor}.")
    same(here, play_all(tmp_path, python=str(python)))
