"""The history lines of the page: true to scale, named, beside the same in numbers."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from reconciler.history import History
from reconciler.model import DayRecord, PortalState, Settings
from reconciler.render.html import page
from reconciler.render.html.history import HEIGHT, TITLE, WIDTH
from reconciler.report import make_report
from tests.core.core_world import E5, LATER, known, license_, portal_state, product
from tests.core.history_world import YEAR, only, went
from tests.html.html_world import Element, page_of, report_with_history, tree_of

STATE = portal_state(product(), product(license_(E5)))


def page_with(history: History, *states: PortalState) -> str:
    """The page over these states with their history."""
    return page.render(report_with_history(*(states or (STATE,)), history=history))


def pictures(text: str) -> list[Element]:
    """Every history line."""
    return [svg for svg in tree_of(text).tagged("svg") if "line" in svg.attributes["class"].split()]


def steps(picture: Element, name: str) -> list[tuple[int, int]]:
    """The corners of one line, from left to right and from top to bottom."""
    (path,) = (path for path in picture.tagged("path") if path.attributes["class"] == name)
    drawn = re.findall(r"([MHV])(\d+)(?: (\d+))?", path.attributes["d"])
    assert "".join(f"{kind}{one}{other and ' ' + other}" for kind, one, other in drawn) == path.attributes["d"]
    corners = [(int(drawn[0][1]), int(drawn[0][2]))]
    for kind, value, _ in drawn[1:]:
        along, down = corners[-1]
        corners.append((int(value), down) if kind == "H" else (along, int(value)))
    return corners


def test_a_product_with_a_history_has_one_line_with_a_name_beside_its_numbers() -> None:
    text = page_with(only(YEAR))
    (picture,) = pictures(text)
    assert picture.attributes["role"] == "img"
    assert picture.attributes["aria-label"] == (
        "2026-01-27 to 2026-11-13: entitled 90 to 120, consumed 80 to 118, lowest balance −5 on 2026-05-07"
    )
    (table,) = (one for one in tree_of(text).tagged("table") if TITLE in one.text)
    cells = [cell.text.strip() for cell in table.tagged("tbody")[0].tagged("td")]
    assert cells == ["", "2026-01-27", "2026-11-13", "90 → 120", "80 → 118", "−5", "2026-05-07"]
    link = table.tagged("a")[0].attributes["href"].removeprefix("#")
    assert "Office 365 E3" in tree_of(text).by_id(link).text


def test_little_history_is_not_mentioned() -> None:
    assert page_with(only(YEAR[:2])) == page_of(STATE)
    assert TITLE not in page_of(STATE)


@pytest.mark.parametrize(("most", "drawn"), [(1, True), (0, False)])
def test_a_page_with_too_many_lines_says_where_they_are(
    most: int, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_LINES", most)
    text = page_with(only(YEAR))
    assert (len(pictures(text)), TITLE in text) == (drawn, drawn)
    assert (
        "1 products have a history: too many to draw here. The portals&#39; own pages have it." in text
    ) is not drawn


def test_a_line_is_true_to_scale() -> None:
    picture, *_ = pictures(page_with(only(YEAR)))
    assert steps(picture, "entitled") == [(0, 29), (120, 29), (120, 2), (WIDTH, 2)]
    consumed = steps(picture, "consumed")
    assert consumed[0] == (0, HEIGHT - 2)
    assert consumed[-1][0] == WIDTH
    assert consumed[-1][1] == HEIGHT - 2 - 38 * 36 // 40
    for one, other in pairwise(consumed):
        assert (one[0] == other[0]) != (one[1] == other[1])
        assert one[0] <= other[0]


@pytest.mark.parametrize(
    "history",
    [
        went((3, 0, 0), (2, 0, 1), (1, 0, 0)),
        went((3, 5, 5), (2, 10**9, 5), (1, 5, 5)),
        went(*((400 - day, day % 7, day % 5) for day in range(400))),
    ],
)
def test_no_line_leaves_its_picture(history: list[DayRecord]) -> None:
    (picture,) = pictures(page_with(only(history)))
    assert picture.attributes["viewbox"] == f"0 0 {WIDTH} {HEIGHT}"
    for name in ("entitled", "consumed"):
        assert all(0 <= along <= WIDTH and 0 < down < HEIGHT for along, down in steps(picture, name))


@pytest.mark.parametrize(("consumed", "is_short"), [(120, False), (121, True)])
def test_a_product_that_is_short_now_is_drawn_so(consumed: int, is_short: bool) -> None:
    (picture,) = pictures(page_with(only([*YEAR, *went((0, 120, consumed))])))
    assert picture.attributes["class"].split() == (["line", "short"] if is_short else ["line"])


def test_no_line_moves_while_nothing_changed() -> None:
    later = make_report(known(STATE), Settings(), LATER.date(), only(YEAR))
    assert page.render(later) == page_with(only(YEAR))


def test_a_change_of_one_product_moves_the_line_of_no_other() -> None:
    other = went((70, 9, 1), (60, 9, 2), (50, 9, 3), sku_id=E5)
    pages = [page_with(only([*YEAR, *other, *more])) for more in ([], went((0, 120, 50)))]
    (old, new) = ([line for line in text.splitlines() if '<svg class="line' in line] for text in pages)
    assert [was == now for was, now in zip(old, new, strict=True)] == [True, False]


def test_ten_thousand_lines_stay_small() -> None:
    daily = went(*((390 - day, 100 + day % 9, 50 + (day * 7) % 61) for day in range(390)))
    with_line, without = page_with(only(daily), portal_state(product())), page_of(portal_state(product()))
    assert len(with_line) - len(without) < 1_600
