"""The utilization of products as a chart: the highest, with names that Mermaid cannot act on."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import PortalState, Product, Settings
from reconciler.render import markdown
from reconciler.render.markdown_utilization import BARS, HIGHEST, utilization
from reconciler.report import make_report
from tests.core.core_world import E5, OTHER_TENANT, TODAY, known, license_, numbered, portal, portal_state, product
from tests.core.report_story import HOSTILE, story_report


def chart(*states: PortalState) -> list[str]:
    """The lines of the chart with its caption."""
    return utilization(make_report(known(*states), Settings(), TODAY).portals)


def bars(*states: PortalState) -> list[tuple[str, int]]:
    """Every bar with its name."""
    lines = chart(*states)
    names = json.loads(lines[4].strip().removeprefix("x-axis "))
    return list(zip(names, json.loads(lines[6].strip().removeprefix("bar ")), strict=True))


def used(percent: int, number: int = 1, **license_facts: object) -> Product:
    """A product with that utilization."""
    facts = {"enabled": 100, "consumed_units": percent, **license_facts}
    return product(license_(numbered(number), **facts), consumers=percent)


def test_bars_are_the_highest_first_and_named_by_portal_where_there_are_several() -> None:
    one, other = portal_state(used(40), used(115, 2)), portal_state(used(90), declared=portal("b", name="B"))
    assert bars(one) == [("SKU_0002", 115), ("SKU_0001", 40)]
    assert bars(one, other) == [("Contoso - SKU_0002", 115), ("B - SKU_0001", 90), ("Contoso - SKU_0001", 40)]
    assert chart(one)[0] == ("Consumed of entitled, the highest first. The tables of products say the same in numbers.")


def test_a_chart_has_few_bars_and_says_so() -> None:
    state = portal_state(*(used(number, number) for number in range(1, BARS + 6)))
    assert [value for _, value in bars(state)] == list(range(BARS + 5, 5, -1))
    assert f"the highest {BARS} of {BARS + 5} products." in chart(state)[0]


def test_a_bar_ends_where_the_others_can_still_be_seen() -> None:
    assert bars(portal_state(used(5_000))) == [("SKU_0001", HIGHEST)]
    assert f"A bar ends at {HIGHEST} %." in chart(portal_state(used(5_000)))[0]
    assert f"0 --> {HIGHEST}" in chart(portal_state(used(5_000)))[5]
    assert "0 --> 100" in chart(portal_state(used(7)))[5]


@pytest.mark.parametrize(
    "item",
    [
        used(0, enabled=0),
        used(3, applies_to="Company"),
        used(3, enabled=None),
    ],
)
def test_a_product_without_a_utilization_has_no_bar(item: Product) -> None:
    assert chart(portal_state(item)) == []


def test_a_shortage_of_what_is_not_entitled_at_all_is_said() -> None:
    text = chart(portal_state(used(4, enabled=0), used(50, 2)))[0]
    assert "1 product with nothing entitled has no bar." in text


def test_what_the_chart_shows_stands_in_the_table_too() -> None:
    text = markdown.overview(make_report(known(portal_state(used(93))), Settings(), TODAY))
    assert "| 7 | 93.00 % |" in text


def test_two_products_of_one_name_have_two_bars() -> None:
    twins = [replace(used(10 * number, number), title="Twin") for number in (3, 2, 1)]
    third = replace(used(5, 9), title="Twin (2)")
    assert [name for name, _ in bars(portal_state(*twins, third))] == ["Twin", "Twin (2)", "Twin (3)", "Twin (2) (2)"]


@given(st.text(max_size=60) | st.sampled_from([HOSTILE, '"]', "%%{init: {}}%%", "```", "#quot;", "---", "<b>", "a::b"]))
def test_a_name_can_do_nothing_in_a_chart(name: str) -> None:
    lines = chart(portal_state(replace(used(10), title=name)))
    assert len(lines) == 8
    ((label, value),) = bars(portal_state(replace(used(10), title=name)))
    assert value == 10
    assert 1 <= len(label) <= 36
    assert not re.search(r"""["'`%#;:<>&{}\[\]|\\/]""", label)
    assert label.isprintable()


def test_the_hostile_story_has_one_chart_that_nothing_broke() -> None:
    text = markdown.overview(story_report())
    found = re.findall(r"```mermaid\nxychart-beta horizontal\n    x-axis \[(.*)\]\n.*\n    bar \[(.*)\]\n```\n", text)
    ((names, values),) = found
    assert len(re.findall(r'"[^"]+"', names)) == len(values.split(", "))


def test_the_same_state_gives_the_same_chart_in_whatever_order() -> None:
    one = portal_state(used(50, 1), used(50, 2))
    other = portal_state(product(license_(E5)), declared=portal("b", tenant_id=OTHER_TENANT))
    assert chart(one, other) == chart(other, one)
