"""How licenses went over time: which records make a trend, how far it goes back, and how much of it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import DayRecord, Reason, Settings, Status
from reconciler.trends import DAYS, FEWEST, POINTS, Trend, trends
from tests.core.core_world import E3, E5, TODAY
from tests.core.history_world import YEAR, deleted, went

Seen = list[tuple[int, int, int]]


def trend_of(records: list[DayRecord], settings: Settings | None = None) -> Trend:
    """The trend of the one product that has one."""
    (found,) = trends(records, settings or Settings()).values()
    return found


def seen(trend: Trend) -> Seen:
    """A trend as ``went`` is told: days before today, entitled, consumed."""
    return [((TODAY - point.day).days, point.entitled, point.consumed) for point in trend.points]


def test_a_trend_has_a_point_for_each_day_on_which_a_number_changed() -> None:
    trend = trend_of(YEAR)
    assert seen(trend) == [(300, 90, 80), (200, 90, 95), (100, 120, 96), (10, 120, 118)]
    assert trend.days == 290
    assert (trend.lowest.day, trend.lowest.balance) == (TODAY - timedelta(days=200), -5)


@pytest.mark.parametrize("changes", range(FEWEST))
def test_what_hardly_changed_has_no_trend(changes: int) -> None:
    assert trends(went(*((30 - at, 10 + at, 5) for at in range(changes))), Settings()) == {}


def test_a_record_about_something_else_adds_no_point() -> None:
    first, second, third = went((30, 10, 1), (20, 10, 2), (10, 10, 3))
    renamed = replace(second, day=second.day + timedelta(days=5), title="Another title")
    lost = replace(third, day=TODAY, status=Status.CANNOT_BE_SYNCHRONISED, reason=Reason.EXCLUDED)
    assert seen(trend_of([first, second, renamed, third, lost])) == [(30, 10, 1), (20, 10, 2), (10, 10, 3)]


def test_a_day_without_usable_numbers_leaves_the_line_as_it_was() -> None:
    assert seen(trend_of(went((40, 10, 1), (30, 10, 2), (25, -1, 2), (20, 10, None), (10, 10, 3)))) == [
        (40, 10, 1),
        (30, 10, 2),
        (10, 10, 3),
    ]


def test_a_product_that_was_deleted_and_came_back_begins_anew() -> None:
    again = [(30, 20, 3), (20, 20, 4), (10, 20, 5)]
    assert seen(trend_of([*went((90, 10, 1), (80, 10, 2), (70, 10, 3)), deleted(60), *went(*again)])) == again
    assert trends([*YEAR, deleted(1)], Settings()) == {}


def test_products_do_not_mix() -> None:
    both = [*YEAR, *went((250, 7, 1), (150, 7, 2), (50, 7, 3), sku_id=E5)]
    found = trends(both, Settings())
    assert seen(found[E3]) == seen(trend_of(YEAR))
    assert seen(found[E5]) == [(250, 7, 1), (150, 7, 2), (50, 7, 3)]


def test_a_trend_goes_back_from_its_last_record_and_begins_with_what_held_then() -> None:
    old = went((DAYS + 700, 1, 1), (DAYS + 500, 2, 2), (DAYS + 100, 3, 3), (120, 4, 4), (10, 5, 5))
    assert seen(trend_of(old)) == [(DAYS + 10, 3, 3), (120, 4, 4), (10, 5, 5)]


def test_a_trend_counts_units_in_grace_as_the_settings_do() -> None:
    grace = [replace(record, warning=5) for record in YEAR]
    assert [point.entitled for point in trend_of(grace).points] == [95, 95, 125, 125]
    assert [point.entitled for point in trend_of(grace, Settings(count_warning=False)).points] == [90, 90, 120, 120]


def test_a_trend_takes_the_greater_of_both_counts_as_consumed() -> None:
    assert trend_of([replace(record, consumers=100) for record in YEAR]).first.consumed == 100


def test_a_picture_reaches_from_the_lowest_value_at_least_over_the_upper_quarter() -> None:
    assert trend_of(YEAR).scale == (80, 120)
    assert trend_of(went((3, 1000, 998), (2, 1000, 999), (1, 1000, 1000))).scale == (750, 1000)
    assert trend_of(went((3, 0, 1), (2, 0, 0), (1, 1, 0))).scale == (0, 1)


VALUES = st.integers(0, 50)
HISTORIES = st.lists(st.tuples(st.integers(0, 900), VALUES, VALUES), max_size=150, unique_by=lambda one: one[0])


@given(HISTORIES)
def test_a_trend_is_short_true_and_keeps_its_ends_and_its_lowest_day(days: Seen) -> None:
    told = sorted(days, reverse=True)
    begin = told[-1][0] + DAYS if told else 0
    for trend in trends(went(*told), Settings()).values():
        points = seen(trend)
        assert FEWEST <= len(points) <= POINTS
        assert points == sorted(points, key=lambda one: -one[0])
        assert points[0][0] <= begin
        assert set(points[1:]) <= set(told)
        assert points[0][1:] in [one[1:] for one in told]
        assert points[-1][1:] == told[-1][1:]
        held = [one for one in told if one[0] < begin] + [points[0]]
        assert trend.lowest.balance == min(entitled - consumed for _, entitled, consumed in held)
        assert trend.on(trend.first.day) == trend.first
        assert trend.on(TODAY + timedelta(days=1)) == trend.last


def test_of_many_changes_the_lowest_of_each_span_is_kept() -> None:
    daily = went(*((380 - day, 100, 90 + (15 if day == 101 else day % 2)) for day in range(380)))
    trend = trend_of(daily)
    assert len(trend.points) == POINTS
    assert seen(trend)[0] == (380, 100, 90)
    assert (trend.lowest.day, trend.lowest.balance) == (TODAY - timedelta(days=279), -5)


@pytest.mark.parametrize("order", [1, -1])
def test_a_history_that_somebody_put_out_of_order_gives_the_same(order: int) -> None:
    assert trend_of(YEAR[::order]) == trend_of(YEAR)
