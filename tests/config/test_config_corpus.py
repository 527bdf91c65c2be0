"""The corpus of portal files: what is valid loads, and what is not gets all its problems, with positions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from reconciler.config.loader import load
from reconciler.config.problems import CODES
from reconciler.config.yaml_source import MAX_BYTES
from reconciler.render.problems import render_problems
from reconciler.resources import folder
from tests.config.config_world import CORPUS, corpus_problems, one_file, portal_yaml, problems_of, repository

INEFFECTIVE = {
    "ambiguous-product",
    "ended-exclusion",
    "ended-suspension",
    "unmatched-exclusion",
    "unmatched-include",
    "unmatched-overlap",
    "unmatched-policy",
    "unmatched-product",
    "unmatched-unmetered",
}
"""Warnings that need a date or the state; ``test_config_ineffective.py`` meets them."""

INVALID = sorted((CORPUS / "invalid").iterdir())
VALID = sorted((CORPUS / "valid").iterdir())


class TextSnapshot(SingleFileSnapshotExtension):
    """One text file per case, readable beside the corpus."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_an_invalid_file_gets_all_its_problems(case: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    problems = corpus_problems(case, tmp_path)
    assert any(problem.severity == "error" for problem in problems)
    assert render_problems(problems) == snapshot(extension_class=TextSnapshot)


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_no_value_from_below_authentication_is_ever_shown(case: Path, tmp_path: Path) -> None:
    assert "canary" not in render_problems(corpus_problems(case, tmp_path))


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_every_position_is_inside_its_file(case: Path, tmp_path: Path) -> None:
    root = case if case.is_dir() else tmp_path
    for problem in corpus_problems(case, tmp_path):
        path = root / problem.file
        lines = path.read_bytes().decode("utf-8", "replace").split("\n") if path.is_file() else [""]
        assert problem.line <= len(lines)
        assert problem.column <= len(lines[problem.line - 1]) + 1


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_a_valid_file_loads_without_a_warning(case: Path, tmp_path: Path) -> None:
    root = case if case.is_dir() else repository(tmp_path, {case.name: case.read_bytes()})
    desired = load(root, root / "portals.d")
    assert list(desired.portals) == ["contoso" if case.is_dir() else case.stem]
    assert desired.warnings == ()


def test_every_code_has_a_case_and_every_case_a_code(tmp_path: Path) -> None:
    met: set[str] = set()
    for number, case in enumerate(INVALID):
        met.update(problem.code for problem in corpus_problems(case, tmp_path / str(number)))
    met.update(problem.code for problem in one_file(tmp_path / "large", "#" * (MAX_BYTES + 1)))
    (tmp_path / "dangling").mkdir()
    (tmp_path / "dangling" / "reconcile.yaml").symlink_to("nowhere")
    met.update(problem.code for problem in problems_of(repository(tmp_path / "dangling", {"a.yaml": portal_yaml()})))
    assert met == set(CODES) - INEFFECTIVE


def test_every_code_in_a_schema_is_in_the_table() -> None:
    def codes(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["x-code"]} if "x-code" in value else set()
            return own.union(*(codes(part) for part in value.values()))
        return set().union(*(codes(part) for part in value)) if isinstance(value, list) else set()

    for name in ("portal", "settings", "removals"):
        assert codes(json.loads((folder("schemas") / f"{name}.schema.json").read_text())) <= set(CODES)
