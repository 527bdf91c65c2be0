"""Every part of the documentation that can be made from the code is as the code makes it, and every step runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS
from reconciler.config.explanations import PROBLEMS
from reconciler.error_catalogue import CATALOGUE
from tests.docs import docs_tables
from tests.docs.docs_console import is_run, replayed
from tests.docs.docs_pages import ROOT, name, pages
from tests.docs.generate import generated

AGAIN = "run `make docs` (python -m tests.docs.generate) and review what it changes"


def _texts() -> dict[str, str]:
    return {name(page): page.read_text(encoding="utf-8") for page in pages()}


@pytest.mark.parametrize("page", [page for page, text in _texts().items() if "<!-- generated: " in text])
def test_a_generated_region_is_what_the_code_says(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert generated(text) == text, f"{page} is behind the code: {AGAIN}"


@pytest.mark.parametrize("page", [page for page, text in _texts().items() if is_run(text)])
def test_the_commands_of_a_page_print_what_it_shows(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert replayed(text, tmp_path) == text, f"{page} shows other output than its commands print: {AGAIN}"


def test_the_tutorial_really_goes_through_its_story() -> None:
    """A replay that printed nothing but errors would equal itself; so the turning points are named here."""
    story = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    turns = [
        "1 portal is valid.",
        "4 problems.",
        "Plan: 1 portal new",
        "✗ Not enough licenses assigned",
        "Nothing changed",
        "products: 1 lost",
        "⊘ Product cannot be synchronised: the license is excluded",
        "recovers with the next complete import",
        "exit code 2",
        "Microsoft Fabric (Free)           ✓ Fully licensed",
    ]
    places = [story.find(turn) for turn in turns]
    assert -1 not in places, f"missing: {[turn for turn, place in zip(turns, places, strict=True) if place < 0]}"
    rest = story
    for turn in turns:
        assert turn in rest, f"out of order: {turn}"
        rest = rest.split(turn, 1)[1]


def test_every_command_has_a_section_with_its_help() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    missing = [command for command in COMMANDS if f"<!-- generated: help {command} -->" not in text]
    assert not missing, f"docs/reference/commands.md has no section with the help of {missing}"


def test_the_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [command for command in COMMANDS if f"| `reconcile {command}" not in text]
    assert not missing, f"the table of commands in README.md lacks {missing}"


def test_the_page_on_errors_and_the_catalogue_have_the_same_codes() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    shown = re.findall("^### `([^`]+)`$", text, re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert set(shown) == set(CATALOGUE)
    table = text.split("## Problems of the configuration", 1)[1].split("## ", 1)[0]
    assert re.findall("^\\| `([^`]+)`", table, re.MULTILINE) == list(PROBLEMS)


def test_every_member_of_status_json_is_explained() -> None:
    text = (ROOT / "docs/reference/report.md").read_text(encoding="utf-8")
    table = text.split("| Member | Meaning |", 1)[1]
    explained = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert explained == docs_tables.members(), "the table of docs/reference/report.md and schemas/report.schema.json"


def test_readme_and_reference_agree_on_exit_codes() -> None:
    def codes(page: str) -> dict[str, str]:
        rows = [line.split("|") for line in (ROOT / page).read_text(encoding="utf-8").splitlines()]
        return {
            row[1].strip(): row[2].split(":")[0].strip() for row in rows if len(row) > 3 and row[1].strip().isdigit()
        }

    reference = codes("docs/reference/exit-codes.md")
    assert set(reference) == {"0", "1", "2", "3", "4", "64", "130", "141"}
    assert codes("README.md").items() <= reference.items()
