"""The HTML page as text: well-formed, whole, the same every time, and harmless whatever the names."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from reconciler.labels import STATUS_LABELS
from reconciler.model import Price, ProductEntry, Settings, Suspension
from reconciler.money import spoken
from reconciler.render import markdown, status_json
from reconciler.render.html import page
from reconciler.render.html.strip import BARS, shares
from reconciler.render.words import percent
from reconciler.report import make_report
from tests.core.core_world import (
    E3,
    LATER,
    NOW,
    OUTAGE,
    applied,
    complete,
    exclusion,
    failed,
    known,
    license_,
    numbered,
    portal,
    portal_state,
    product,
    subscription,
)
from tests.core.report_story import SETTINGS, story, story_report
from tests.html.html_world import Element, many, numbers_in, page_of, report_of, tree_of

STORY = page.render(story_report())
TREE = tree_of(STORY)
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


class HtmlFile(SingleFileSnapshotExtension):
    """One ``.html`` file per snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "html"


def without_style_and_script(text: str) -> str:
    """The page without its style, its script and their digests: they are reviewed as files of their own."""
    text = re.sub(r"(?s)(<(style|script)>).*?(</\2>)", r"\1\3", text)
    return re.sub(r"sha256-[\w+/=]+", "sha256-…", text)


PAGES = {"story": STORY, "nothing": page_of(), "small": page_of(portal_state(product()))}


@pytest.mark.parametrize("name", PAGES)
def test_the_page(name: str, snapshot: SnapshotAssertion) -> None:
    assert without_style_and_script(PAGES[name]) == snapshot(extension_class=HtmlFile)


# --- form ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [STORY, page_of(), page_of(*many(40, 2))])
def test_every_id_is_there_once_and_every_link_leads_to_one(text: str) -> None:
    tree = tree_of(text)
    ids = [element.attributes["id"] for element in tree.all(lambda one: "id" in one.attributes)]
    assert sorted(set(ids)) == sorted(ids)
    links = [link.attributes["href"] for link in tree.tagged("a")]
    assert {link for link in links if link.removeprefix("#") not in ids or not link.startswith("#")} == set()
    named = [one.attributes["aria-labelledby"] for one in tree.elements if "aria-labelledby" in one.attributes]
    assert set(named) <= set(ids)


def test_rows_have_as_many_cells_as_their_head() -> None:
    for table in TREE.tagged("table"):
        widths = {len(row.tagged("td") + row.tagged("th")) for row in table.tagged("tr")}
        assert len(widths) == 1


def test_every_row_of_a_table_is_named_by_its_first_cell() -> None:
    rows = [row for body in TREE.tagged("tbody") for row in body.tagged("tr")]
    assert {row.tagged("th")[0].attributes["scope"] for row in rows} == {"row"}


def test_a_row_stands_on_one_line_so_that_a_changed_number_changes_one() -> None:
    state = portal_state(
        product(consumers=96, consumed_units=96), product(license_(numbered(1), consumed_units=100), consumers=100)
    )
    other = portal_state(
        product(consumers=95, consumed_units=95), product(license_(numbered(1), consumed_units=100), consumers=100)
    )
    before, after = page_of(state).splitlines(), page_of(other).splitlines()
    assert len(before) == len(after)
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len([line for line in changed if "Office 365 E3" in line]) == 2  # its row, and its portal's table
    assert len([line for line in changed if "<svg" in line or "Users with a license" in line]) == 2  # its portal
    assert len(changed) == 4


def test_the_policy_lets_in_the_pages_own_style_and_script_and_nothing_else() -> None:
    (policy,) = (one.attributes["content"] for one in TREE.tagged("meta") if "http-equiv" in one.attributes)
    (style,), (script,) = TREE.tagged("style"), TREE.tagged("script")

    def digest(element: Element) -> str:
        return f"'sha256-{b64encode(sha256(element.text.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {digest(style)}",
        f"script-src {digest(script)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not TREE.all(lambda one: "style" in one.attributes or any(name.startswith("on") for name in one.attributes))


# --- always the same -------------------------------------------------------------------------------------------------


def test_the_page_is_the_same_for_the_same_state() -> None:
    assert page.render(make_report(dict(reversed(story().items())), SETTINGS, LATER.date())) == STORY


def test_no_time_moves_when_nothing_changed() -> None:
    first = applied(None, portal(), complete(license_()))
    again = applied(first, portal(), complete(license_()), now=LATER)
    before = page.render(make_report(known(first), Settings(), NOW.date()))
    assert page.render(make_report(known(again), Settings(), LATER.date())) == before


# --- whole -----------------------------------------------------------------------------------------------------------


def values(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every number of a document with its key, written as the page writes it."""
    if isinstance(document, list):
        for item in document:
            yield from values(item, path)
    elif isinstance(document, dict):
        for key, value in document.items():
            is_sum = key == "phases"  # of subscriptions that stand alike; each of them is told
            if not is_sum:
                yield from values(value, (*path, key))
    elif isinstance(document, int) and not isinstance(document, bool):
        name = path[-1]
        yield name, percent(document).removesuffix(" %") if name == "utilization" else f"{abs(document):,}"
    elif isinstance(document, str) and path[-1] in ("amount", "true_up", "idle", "reclaimable"):
        yield path[-1], spoken(Decimal(document), "").strip()


@pytest.mark.parametrize("portal_id", sorted(story()))
def test_every_number_of_status_json_is_in_the_page(portal_id: str) -> None:
    document = json.loads(status_json.render(story_report()))
    (found,) = (item for item in document["portals"] if item["id"] == portal_id)
    for item in found["products"]:
        if item["reason"]:  # of what is not synchronised, findings and the past are not told
            item |= {"findings": {}, "assignment_errors": {}, "reclaimable": {}, "utilization": None}
        if item["balance"] is None:
            item["utilization"] = None
    rows = TREE.all(lambda one: one.attributes.get("data-portal") == portal_id and one.tag == "tr")
    there = numbers_in(TREE.by_id(f"portal-{portal_id}"), *rows)
    expected = set(values(found))
    assert {(key, value) for key, value in expected if value not in there} == set()


def test_every_number_of_a_product_stands_in_its_own_rows() -> None:
    state = portal_state(
        product(
            license_(
                enabled=5_003,
                warning=307,
                suspended=211,
                locked_out=113,
                consumed_units=4_507,
                subscriptions=(subscription(total_licenses=5_009),),
            ),
            consumers=4_409,
            findings={"disabled_account": 83},
        ),
        product(license_(numbered(1), consumed_units=1), consumers=1),
        declared=portal(products=(ProductEntry(E3, price=Price(Decimal("7.31"), "EUR", "month")),)),
    )
    tree = tree_of(page_of(state))
    rows = [row for row in tree.tagged("tr") if "Office 365 E3" in row.text]
    wanted = {"5,003", "307", "211", "113", "4,507", "5,009", "4,409", "83", "5,310", "803", "98", "84.87", "7.31"}
    assert wanted <= numbers_in(*rows)
    assert spoken(Decimal("7.31") * 803 * 12, "EUR") in " ".join(row.text for row in rows)


def test_the_overview_names_totals_and_statuses() -> None:
    report = story_report()
    head = TREE.all(lambda one: one.attributes.get("aria-label") == "At a glance")[0]
    for total in report.totals:
        assert spoken(total.true_up, total.currency) in head.text
        assert spoken(total.idle, total.currency) in head.text
        assert spoken(total.reclaimable, total.currency) in head.text
    for status, number in report.statuses.items():
        if number:
            (entry,) = head.all(
                lambda one, key=status.value: one.tag == "a" and f"{STATUS_LABELS[key]}" in one.text  # type: ignore[misc]
            )
            assert numbers_in(entry) == {f"{number:,}"}


def test_every_next_step_is_told_in_order() -> None:
    listed = [item.text for item in TREE.by_id("next-steps").tagged("li")]
    steps = story_report().next_steps
    assert len(listed) == len(steps)
    for said, step in zip(listed, steps, strict=True):
        assert step.why.isprintable() is False or step.why in said


def test_a_next_step_leads_to_its_product() -> None:
    links = [link for item in TREE.by_id("next-steps").tagged("li") for link in item.tagged("a")]
    rows = {f"#{row.attributes['id']}": row for row in TREE.by_id("all-products").tagged("tr") if row.attributes}
    leading = [link for link in links if link.attributes["href"].startswith("#product-")]
    assert len(leading) > 10
    assert all(rows[link.attributes["href"]].tagged("a")[0].text in link.text for link in leading)


def test_a_status_is_told_by_sign_and_word() -> None:
    for row in TREE.by_id("all-products").tagged("tbody")[0].tagged("tr"):
        sign, _, word = row.all(lambda one: one.attributes.get("class") == "status")[0].text.partition(" ")
        assert len(sign) == 1
        assert word in STATUS_LABELS.values()


def test_a_failed_import_stands_above_the_numbers_with_its_remedy() -> None:
    section = TREE.by_id("portal-fabrikam")
    (alert,) = section.all(lambda one: one.attributes.get("class", "").startswith("alert"))
    assert "The import has failed since 2026-11-24 06:00 UTC." in alert.text
    assert "AADSTS7000222" in alert.text
    assert "expires" in [code.text for code in alert.tagged("code")]


def test_what_ends_on_one_day_is_told_of_every_product_also_of_the_same_name() -> None:
    ending = subscription("Warning", total_licenses=40, next_lifecycle=LATER)
    twins = [product(license_(numbered(number), part_number="TWIN", subscriptions=(ending,))) for number in (1, 2)]
    tree = tree_of(page_of(portal_state(*twins)))
    rows = tree.by_id("renewals").tagged("tr")[1:]
    assert [row.tagged("a")[0].attributes["href"][-1] for row in rows] == ["1", "2"]
    assert all("2026-11-24" in row.text and "40" in row.text for row in rows)


def test_an_empty_report_says_so() -> None:
    text = tree_of(page_of()).text
    assert "There are no products." in text
    assert "Nothing to do." in text
    assert not tree_of(page_of()).tagged("table")


def test_an_exclusion_that_ended_is_a_warning() -> None:
    ended = portal(exclusions=(exclusion(until=NOW.date().replace(year=2020)),))
    tile = next(
        one for one in tree_of(page_of(portal_state(declared=ended))).tagged("li") if "Exclusions in force" in one.text
    )
    assert "warn" in tile.attributes["class"]
    assert "1 more ended" in tile.text


# --- pictures --------------------------------------------------------------------------------------------------------


def test_a_portal_with_many_products_shows_the_highest_only() -> None:
    tree = tree_of(page_of(*many(1, BARS + 20)))
    (picture,) = tree.by_id("portals").tagged("svg")
    assert sum(path.attributes["d"].count("z") for path in picture.tagged("path")) == BARS
    assert picture.attributes["aria-label"].startswith("Utilization of ")


@given(st.lists(st.integers(0, 20_000), min_size=6, max_size=6))
def test_the_bar_of_statuses_fits_and_shows_each_that_occurs(totals: list[int]) -> None:
    counts = dict(zip(STATUS_LABELS, totals, strict=True))
    found = shares(counts)
    assert {share.status for share in found} == {status.value for status, number in counts.items() if number}
    assert all(share.length >= 7 for share in found)
    assert sum(share.length for share in found) <= 1000
    assert all(one.start + one.length == other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("basis_points", "text"),
    [(None, "–"), (0, "0.00 %"), (9_366, "93.66 %"), (10_000, "100.00 %"), (123_456_789, "1,234,567.89 %")],
)
def test_a_utilization_is_exact(basis_points: int | None, text: str) -> None:
    assert percent(basis_points) == text


# --- hostile names ---------------------------------------------------------------------------------------------------


def test_hostile_names_never_become_markup() -> None:
    assert {element.tag for element in TREE.elements}.isdisjoint({"img", "i", "iframe", "object"})
    assert len(TREE.tagged("script")) == 1
    assert {link.attributes["href"] for link in TREE.tagged("link")} == {"data:,"}
    assert "<img" in TREE.text
    assert not [character for character in STORY if category(character) in UNSEEN and character != "\n"]


NAMES = st.text(min_size=1, max_size=30) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "\"' onload=x",
        "]]>",
        "<!--",
        "{{ 7*7 }}",
        "&lt;b&gt;",
        "\u202eevil",
        "\x00\x1b[2J",
    ]
)


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, NAMES)
def test_the_form_of_the_page_does_not_depend_on_names(name: str, title: str, description: str) -> None:
    def shaped(name: str, title: str, description: str) -> tuple[str, list[str]]:
        item = replace(product(), title=title)
        text = page.render(report_of(portal_state(item, declared=portal(name=name, description=description))))
        return text, [element.tag for element in tree_of(text).elements]

    text, tags = shaped(name, title, description)
    assert tags == shaped("Contoso", "Office", "Tenant")[1]
    assert not [character for character in text if category(character) in UNSEEN and character != "\n"]


# --- the same in Markdown --------------------------------------------------------------------------------------------


def markdown_rows(text: str, title: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    lines = text.partition(f"## {title}")[2].partition("\n#")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


def test_what_ends_is_in_the_page_exactly_when_it_is_in_markdown() -> None:
    report = story_report()
    overview = markdown_rows(markdown.overview(report), "Renewals")
    rows = [row.tagged("td") for row in TREE.by_id("renewals").tagged("tr")[1:]]
    assert [row[0] for row in overview] == [cells[0].text for cells in rows]
    assert TREE.by_id("renewals-title").text == "Renewals within 30 days, and grace"
    contoso = next(item for item in report.portals if item.state.id == "contoso")
    own = markdown_rows(markdown.portal_page(contoso, report), "Renewals")
    (table,) = [one for one in TREE.by_id("portal-contoso").tagged("table") if one.text.strip().startswith("Renewals")]
    rows = [row.tagged("td") for row in table.tagged("tr")[1:]]
    assert len(own) == 5
    assert [(row[0], row[2], row[3], row[4]) for row in own] == [tuple(cell.text for cell in cells) for cells in rows]


def test_what_no_price_is_known_of_is_said_beside_the_true_up() -> None:
    entry = ProductEntry(E3, price=Price(Decimal(5), "EUR", "month"))
    items = product(), product(license_(numbered(1)), consumers=103)
    priced = portal(products=(entry,))
    for states, tone in ((items, "warn"), (items[:1], "good")):
        tree = tree_of(page_of(portal_state(*states, declared=priced)))
        (tile,) = [one for one in tree.tagged("li") if "True-up a year" in one.text]
        assert f"tile {tone}" == tile.attributes["class"]
        assert ("1 short product has no price" in tile.text) == (tone == "warn")
        for part in (tree.by_id("costs"), tree.by_id("portal-contoso")):
            assert ("Not in the true-up: 1 short product has no price." in part.text) == (tone == "warn")


def test_what_no_price_is_known_of_is_said_beside_idle_and_reclaimable() -> None:
    entry = ProductEntry(E3, price=Price(Decimal(5), "EUR", "month"))
    full, idle = product(license_(numbered(1)), consumers=100), product(license_(numbered(1)), consumers=99)
    for unpriced in (full, idle):
        tree = tree_of(page_of(portal_state(product(), unpriced, declared=portal(products=(entry,)))))
        (tile,) = [one for one in tree.tagged("li") if "True-up a year" in one.text]
        assert ("both leave out 1 product without a price" in tile.text) == (unpriced is idle)
        for part in (tree.by_id("costs"), tree.by_id("portal-contoso")):
            assert ("Not in idle and reclaimable: 1 product without a price." in part.text) == (unpriced is idle)


def test_nothing_is_said_to_be_zero_of_a_portal_that_was_never_read() -> None:
    tree = tree_of(page_of(portal_state(product()), applied(None, portal("b"), failed(OUTAGE))))
    (row,) = [row for row in tree.by_id("portals").tagged("tr") if "never" in row.text or "failed" in row.text]
    assert {cell.text for cell in row.tagged("td")[2:]} == {"–"}
    assert "No products." not in tree.by_id("portal-b").text
    assert "No products." in tree_of(page_of(portal_state())).by_id("portal-contoso").text


def test_a_date_is_kept_together_and_what_stands_around_it_harmless() -> None:
    pause = Suspension("<b>2026-12-08</b> or 12026-12-081", None)
    error = replace(OUTAGE, message="<b>2026-12-08</b>\u202e 2026-12-081")
    text = page_of(applied(None, portal(suspend=pause)), applied(None, portal("b"), failed(error)))
    assert '&lt;b&gt;<span class="w">2026-12-08</span>&lt;/b&gt; or 12026-12-081' in text
    assert '&lt;b&gt;<span class="w">2026-12-08</span>&lt;/b&gt;\\u202e 2026-12-081' in text
    assert "<b>2026" not in text


def test_the_first_line_names_what_is_short() -> None:
    assert "1 short, by 4 licenses in all: Contoso - Office 365 E3." in page_of(portal_state(product(consumers=104)))
