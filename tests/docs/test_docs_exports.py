"""The pages on exports, policies and privacy name what there is, and nothing else."""

from __future__ import annotations

import re

from reconciler.cli.export import FORMATS
from reconciler.model import Consumers, PolicyRule
from reconciler.pseudonyms import KEY_BYTES
from reconciler.render import consumers_csv, focus_csv, products_csv
from tests.docs.docs_pages import ROOT


def _page(path: str) -> str:
    return (ROOT / "docs" / path).read_text(encoding="utf-8")


def _first_cells(text: str) -> list[str]:
    """The words of the first column of the tables in a text."""
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [word for cell in cells for word in re.findall("`([^`]+)`", cell)]


def test_every_form_of_an_export_is_explained() -> None:
    assert _first_cells(_page("reference/exports.md").split("## products.csv")[0]) == list(FORMATS)


def test_every_column_of_products_csv_is_explained_in_its_order() -> None:
    section = _page("reference/exports.md").split("## products.csv")[1].split("## Workbook")[0]
    assert _first_cells(section) == list(products_csv.COLUMNS)


def test_the_columns_of_focus_that_are_explained_are_there_and_the_empty_ones_are_named() -> None:
    section = _page("reference/exports.md").split("## FOCUS")[1].split("## CycloneDX")[0]
    named = {word for word in re.findall("`([A-Za-z_]+)`", section) if word in focus_csv.COLUMNS}
    standard = {column for column in focus_csv.COLUMNS if not column.startswith("x_")}
    assert named == standard - {"ContractCommitmentDescription"} | {"x_Emulated"}


def test_every_column_of_consumers_is_explained() -> None:
    section = _page("reference/exports.md").split("## Consumers")[1]
    assert set(_first_cells(section)) == {*consumers_csv.BY_NAME, *consumers_csv.BY_PSEUDONYM}


def test_every_rule_of_a_policy_is_explained() -> None:
    assert set(_first_cells(_page("how-to/check-policies.md"))) == set(PolicyRule)


def test_what_may_be_shown_of_persons_is_explained() -> None:
    page = _page("privacy.md")
    assert set(_first_cells(page.split("## What may be shown")[1].split("## Pseudonyms")[0])) >= set(Consumers)
    assert f"fewer than {KEY_BYTES} characters" in page
