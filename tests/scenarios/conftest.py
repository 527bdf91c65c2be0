"""Every world, played once for the tests of a process; and the languages of machines elsewhere."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import pytest

from tests.scenarios.scenario_run import Played, play_apart


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Played]:
    """What comes of a world of that name, played as the tests run."""
    folder = tmp_path_factory.mktemp("worlds")

    @cache
    def play(name: str) -> Played:
        play_apart([name], folder)
        return Played(folder / name)

    return play


@pytest.fixture(scope="session")
def language(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """The variables for a locale. One that is not installed is made for the tests, where its definition is there."""
    folder = tmp_path_factory.mktemp("locales")

    @cache
    def variables(name: str) -> dict[str, str]:
        if name in ("C", "C.UTF-8"):
            return {"LC_ALL": name}
        made = folder / name
        if shutil.which("localedef"):
            subprocess.run(["localedef", "-i", name.partition(".")[0], "-f", "UTF-8", made], check=False)
        if not made.exists():
            pytest.skip(f"needs localedef and the definition of {name}: apt-get install locales")
        return {"LC_ALL": name, "LOCPATH": str(folder)}

    return variables
