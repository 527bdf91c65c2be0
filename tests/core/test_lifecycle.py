"""Where purchases stand, and the day on which they no longer suffice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.lifecycle import Cliff, Due, Lifecycle, Phase, cliff, due, phases
from reconciler.model import Subscription, Thresholds
from tests.core.core_world import TODAY, license_, subscription

USUAL = Thresholds()


def on(days: int) -> date:
    """The day so many days from today."""
    return TODAY + timedelta(days=days)


def bought(status: str = "Enabled", days: int | None = None, total: int | None = 100, **members: Any) -> Subscription:
    """A purchase that moves on at noon so many days from today."""
    end = None if days is None else datetime(on(days).year, on(days).month, on(days).day, 12, tzinfo=UTC)
    return subscription(status, total_licenses=total, next_lifecycle=end, **members)


def of(*subscriptions: Subscription, **members: Any) -> tuple[Phase, ...]:
    """The parts of a license with these purchases."""
    return phases(license_(subscriptions=subscriptions, **members), USUAL, TODAY)


# --- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-400, Due.OVER),
        (-1, Due.OVER),
        (0, Due.URGENT),
        (15, Due.URGENT),
        (16, Due.SOON),
        (30, Due.SOON),
        (31, Due.LATER),
    ],
)
def test_a_date_is_near_from_the_days_that_the_settings_name(days: int, expected: Due) -> None:
    assert due(on(days), USUAL, TODAY) is expected
    assert due(date.max, USUAL, TODAY) is Due.LATER


# --- phases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (bought(), Phase(Lifecycle.ACTIVE, 100)),
        (bought(days=31), Phase(Lifecycle.ACTIVE, 100, on(31), Due.LATER)),
        (bought(days=30), Phase(Lifecycle.EXPIRING, 100, on(30), Due.SOON)),
        (bought(days=15), Phase(Lifecycle.EXPIRING, 100, on(15), Due.URGENT)),
        (bought(days=-3), Phase(Lifecycle.EXPIRING, 100, on(-3), Due.OVER)),
        (bought(days=200, is_trial=True), Phase(Lifecycle.TRIAL, 100, on(200), Due.LATER)),
        (bought(days=5, is_trial=True), Phase(Lifecycle.TRIAL, 100, on(5), Due.URGENT)),
        (bought("Warning", 12), Phase(Lifecycle.GRACE, 100, on(12), Due.URGENT)),
        (bought("Warning", -1), Phase(Lifecycle.GRACE, 100, on(-1), Due.OVER)),
        (bought("Warning", is_trial=True), Phase(Lifecycle.GRACE, 100)),
        (bought("Suspended", 90), Phase(Lifecycle.SUSPENDED, 100, on(90), Due.LATER)),
        (bought("LockedOut"), Phase(Lifecycle.LOCKED_OUT, 100)),
        (bought("Deleted"), Phase(Lifecycle.DELETED, 100)),
    ],
)
def test_a_purchase_stands_where_its_status_and_its_date_say(item: Subscription, expected: Phase) -> None:
    assert of(item) == (expected,)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ("Enabled", (Phase(Lifecycle.ACTIVE),)),
        ("Warning", (Phase(Lifecycle.GRACE),)),
        ("Suspended", (Phase(Lifecycle.SUSPENDED),)),
        ("LockedOut", (Phase(Lifecycle.LOCKED_OUT),)),
        ("Deleted", (Phase(Lifecycle.DELETED),)),
        ("Surprising", ()),
    ],
)
@pytest.mark.parametrize("subscriptions", [(), (subscription("Unheard"),)])
def test_without_a_subscription_that_says_more_the_capability_status_counts(
    capability: str, expected: tuple[Phase, ...], subscriptions: tuple[Subscription, ...]
) -> None:
    assert of(*subscriptions, capability_status=capability) == expected


def test_the_best_part_names_the_license_and_the_others_stay_visible() -> None:
    order = [bought("Deleted"), bought("LockedOut"), bought("Suspended"), bought("Warning", 3)]
    order += [bought(days=40, is_trial=True), bought(days=3), bought(days=300)]
    assert [phase.lifecycle for phase in of(*order)] == list(Lifecycle)
    assert [phase.lifecycle for phase in of(*reversed(order))] == list(Lifecycle)


def test_what_has_no_licenses_names_nothing_while_another_part_has_some() -> None:
    assert of(bought(total=0), bought("Warning", 3, 40))[0].lifecycle is Lifecycle.GRACE
    assert of(bought(total=0))[0].lifecycle is Lifecycle.ACTIVE


def test_purchases_that_stand_alike_until_the_same_day_are_one_part() -> None:
    items = (bought(days=3, total=10), bought(days=3, total=5, id="other"), bought(days=4, total=1))
    assert [(phase.licenses, phase.on) for phase in of(*items)] == [(15, on(3)), (1, on(4))]
    assert of(bought(total=10), bought(total=None, id="other"))[0].licenses is None


def test_a_license_that_is_partly_in_grace_is_active() -> None:
    found = of(bought(days=200, total=60), bought("Warning", 15, 40), capability_status="Warning")
    assert [(phase.lifecycle, phase.licenses) for phase in found] == [(Lifecycle.ACTIVE, 60), (Lifecycle.GRACE, 40)]


# --- the cliff -------------------------------------------------------------------------------------------------------


def falls(consumed: int | None, *subscriptions: Subscription) -> Cliff | None:
    """When a license with these purchases falls short."""
    return cliff(license_(subscriptions=subscriptions), consumed, USUAL, TODAY)


@pytest.mark.parametrize(
    ("consumed", "subscriptions", "expected"),
    [
        pytest.param(97, (bought(days=200),), Cliff(on(200), 97, Due.LATER), id="the only one"),
        pytest.param(97, (bought(days=10, total=3), bought(days=200, total=97)), Cliff(on(200), 97, Due.LATER), id="b"),
        pytest.param(97, (bought(days=10, total=4), bought(days=20, total=96)), Cliff(on(10), 1, Due.URGENT), id="one"),
        pytest.param(
            97, (bought(days=20, total=50), bought(days=20, total=50)), Cliff(on(20), 97, Due.SOON), id="same day"
        ),
        pytest.param(97, (bought(days=-2),), Cliff(on(-2), 97, Due.OVER), id="not read since"),
        pytest.param(0, (bought(days=3),), None, id="nothing is consumed"),
        pytest.param(97, (bought(),), None, id="no end"),
        pytest.param(97, (bought(), bought(days=3)), None, id="the one without an end suffices"),
        pytest.param(101, (bought(days=3),), None, id="already short"),
        pytest.param(97, (), None, id="no subscriptions"),
        pytest.param(97, (bought("Warning", 3),), None, id="nothing but grace"),
        pytest.param(97, (bought(days=3, total=60), bought("Warning", 3, 40)), None, id="grace does not count"),
        pytest.param(97, (bought(days=3), bought(total=None)), None, id="a number is missing"),
        pytest.param(97, (bought(days=3), bought(total=-1)), None, id="a number is negative"),
        pytest.param(None, (bought(days=3),), None, id="nobody knows who consumes"),
    ],
)
def test_a_product_falls_short_on_the_first_day_that_its_enabled_purchases_do_not_cover(
    consumed: int | None, subscriptions: tuple[Subscription, ...], expected: Cliff | None
) -> None:
    assert falls(consumed, *subscriptions) == expected


@given(st.integers(0, 300), st.lists(st.tuples(st.integers(-5, 60) | st.none(), st.integers(0, 100)), max_size=6))
def test_the_cliff_is_the_first_day_below_zero(consumed: int, purchases: list[tuple[int | None, int]]) -> None:
    def balance(day: int) -> int:
        return sum(total for end, total in purchases if end is None or end > day) - consumed

    found = falls(consumed, *(bought(days=end, total=total, id=str(n)) for n, (end, total) in enumerate(purchases)))
    short = [day for day in range(-6, 61) if balance(day) < 0]
    if not short or not purchases or balance(-6) < 0:
        assert found is None
    else:
        assert found is not None
        assert (found.on, found.short) == (on(short[0]), -balance(short[0]))
