"""A run that is killed leaves the old state or the new, never a mix, and nothing that a person has to clean up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("run", "states"),
    [
        ("first_run", {"nothing", "contoso"}),
        ("rename_and_import", {"contoso", "contoso-eu"}),
        ("take_over", {"contoso-eu, fabrikam"}),
    ],
)
def test_a_run_killed_at_any_step_leaves_the_old_state_or_the_new(tmp_path: Path, run: str, states: set[str]) -> None:
    command = [sys.executable, str(Path(__file__).with_name("store_kill.py")), run, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found.pop("undone") > 0
    assert found.keys() == states
    assert sum(found.values()) > 50
