"""What the reports of five worlds look like. Those of the demo are the repository's own, under ``state/reports``.

The page is shown by its words: a line for each heading, tile and row. What is too long to be read is there by its
digest.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from reconciler.audit.rebuild import verify
from reconciler.verification import Verified
from tests.core.core_snapshots import JsonFile, MarkdownFile, TextFile
from tests.core.test_products_csv import BEGINS_A_FORMULA
from tests.html.html_world import Element, tree_of
from tests.scenarios.scenario_run import Played
from tests.scenarios.worlds import BREAKS, PORTALS, WORLDS

Play = Callable[[str], Played]

SHOWN = {
    "empty": ("status.md", "status.json", "products.csv"),
    "one": ("status.md", "contoso.md", "status.json", "products.csv"),
    "broken": ("status.md", "cut.md", "no-tenant.md", "no-skus.md", "products.csv"),
    "hostile": ("status.md", "portal-34.md"),
}
"""The reports that are there as they are, by world."""

KINDS: dict[str, type[SingleFileSnapshotExtension]] = {"md": MarkdownFile, "json": JsonFile, "csv": TextFile}
BLOCKS = ("h1", "h2", "h3", "h4", "summary", "caption", "tr", "li", "p")


def words(element: Element) -> Iterator[str]:
    """A line for each block of a page, cells apart."""
    if element.tag in BLOCKS:
        cells = [each for each in element.elements if each.tag in ("td", "th")] or [element]
        yield f"{element.tag}: " + " | ".join(" ".join(cell.text.split()) for cell in cells)
        return
    for child in element.children:
        if isinstance(child, Element):
            yield from words(child)


@pytest.mark.parametrize(("name", "report"), [(name, report) for name in SHOWN for report in SHOWN[name]])
def test_a_report_of_a_world(name: str, report: str, played: Play, snapshot: SnapshotAssertion) -> None:
    assert played(name).report(report) == snapshot(extension_class=KINDS[report.partition(".")[2]])


@pytest.mark.parametrize("name", ["empty", "one", "broken"])
def test_the_words_of_the_page_of_a_world(name: str, played: Play, snapshot: SnapshotAssertion) -> None:
    lines = words(tree_of(played(name).report("index.html")))
    assert "".join(f"{line}\n" for line in lines) == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("name", SHOWN)
def test_the_digests_of_all_that_a_world_writes(name: str, played: Play, snapshot: SnapshotAssertion) -> None:
    assert played(name).digests() == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("name", WORLDS)
def test_the_reports_of_every_world_are_verified(name: str, played: Play) -> None:
    found = verify(played(name).root)
    assert isinstance(found, Verified), found


def test_every_way_to_fail_is_told_apart_and_keeps_the_last_numbers(played: Play) -> None:
    portals = {each["id"]: each for each in json.loads(played("broken").report("status.json"))["portals"]}
    failed = {id_: each["import"]["error"]["code"] for id_, each in portals.items() if each["import"]["error"]}
    assert failed.keys() == portals.keys() - {"kept"} == BREAKS.keys() | {"no-skus", "wrong-secret", "no-tenant"}
    assert len(set(failed.values())) == len(failed) - 1, "half an answer and none at all are the same to a reader"
    never = {id_ for id_, each in portals.items() if not each["products"]}
    assert never == {"wrong-secret", "no-tenant"}
    assert {portals[id_]["products"][0]["consumers"] for id_ in portals.keys() - never} == {7}


def test_no_hostile_name_gets_through_to_a_report(played: Play) -> None:
    """Each form has its own escape; a few of the worst are looked for in all of them."""
    reports = {name: text.decode() for name, text in played("hostile").written.items() if name.startswith("reports/")}
    assert len([name for name in reports if name.startswith("reports/portal-")]) == PORTALS
    for name, text in reports.items():
        assert not [sign for sign in "\x1b\u202e\u2028\ufeff\t\r" if sign in text], name
        if name.endswith(".md"):
            assert not [bad for bad in ("<script", "<!--", "](https://evil", "| a | b |") if bad in text], name
    page = tree_of(reports["reports/index.html"])
    assert len(page.tagged("script")) == 1
    assert not [link for link in page.tagged("a") if not link.attributes["href"].startswith("#")]
    rows = list(csv.reader(io.StringIO(reports["reports/products.csv"], newline="")))
    assert len(rows) - 1 == 2 * (PORTALS - 2), (
        "two names are globs, which exclude what is named so; each is there twice"
    )
    assert not [
        cell for row in rows for cell in row if BEGINS_A_FORMULA.match(cell) and not cell.removeprefix("-").isdigit()
    ]
