"""Every row of the catalogue about a portal happens for real, and says what the catalogue says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.error_catalogue import ANY_STATUS, CATALOGUE, find
from reconciler.error_catalogue.explanation import UNKNOWN, About
from tests.cli.cli_world import World
from tests.errors.errors_situations import SITUATIONS, Scene
from tests.errors.errors_wire import Wire

ROWS = {(row.code, "") for row in CATALOGUE.values() if row.about is About.PORTAL} | {
    (row.code, case.message) for row in CATALOGUE.values() if row.about is About.PORTAL for case in row.cases
}


def _remedy(code: str, case: str) -> str:
    """What the catalogue says to do."""
    row = CATALOGUE[code]
    return next((each.remedy for each in row.cases if each.message == case), row.remedy)


def _fits(pattern: str, text: str) -> bool:
    """Whether a text is the pattern with its unknown parts filled in."""
    return bool(re.fullmatch(".+?".join(re.escape(part) for part in pattern.split(UNKNOWN)), text, re.DOTALL))


def test_no_row_about_a_portal_is_unreachable() -> None:
    assert SITUATIONS.keys() == ROWS


@pytest.mark.parametrize(("code", "case"), SITUATIONS, ids=lambda part: part or "any")
def test_an_error_about_a_portal_has_code_message_and_remedy(
    world: World, wire: Wire, tmp_path: Path, snapshot: SnapshotAssertion, code: str, case: str
) -> None:
    situation = SITUATIONS[code, case]
    situation.arrange(Scene(world, wire, tmp_path))
    ended = world.run("--retry-limit", "0", *situation.options, "apply", emulate=situation.emulated)
    assert ended.code == 1, ended.err
    error: dict[str, Any] = world.status()["one"]["import"]["error"]
    row = find(error["code"])
    assert row is not None
    assert row.code == code
    assert error["code"].casefold() == code.casefold() or code == ANY_STATUS
    assert _fits(_remedy(code, case), error["remedy"])
    shown = "".join(f"{name + ':':<9}{error[name]}\n" for name in ("code", "message", "detail", "remedy"))
    assert re.sub("[0-9A-F]{64}", "THUMBPRINT", shown) == snapshot
