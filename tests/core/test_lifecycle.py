"""Where purchases stand, and the day on which they no longer suffice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.lifecycle import Cliff, Due, Lifecycle, Phase, Usage, cliff, due, phases, subscription_mismatch
from reconciler.model import License, Subscription, Thresholds
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
    return phases(license_(subscriptions=subscriptions, **members), None, USUAL, TODAY)


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


def falls(consumed: int | None, *subscriptions: Subscription, **members: Any) -> Cliff | None:
    """When a license with these purchases falls short; its units are what they add up to."""
    given: dict[str, Any] = units(subscriptions) | members
    owned = license_(subscriptions=subscriptions, **given)
    return cliff(owned, usage(owned, consumed), USUAL, TODAY)


def units(subscriptions: tuple[Subscription, ...]) -> dict[str, int]:
    """The units that purchases add up to, unusable numbers left out."""
    return {
        name: sum(max(0, item.total_licenses or 0) for item in subscriptions if item.status == status)
        for name, status in (("enabled", "Enabled"), ("warning", "Warning"))
    }


def usage(owned: License, consumed: int | None, *, count_warning: bool = True) -> Usage | None:
    """What a license is measured by; None when nobody knows who consumes."""
    entitled = (owned.units.enabled or 0) + (owned.units.warning or 0) * count_warning
    return None if consumed is None else Usage(entitled, consumed, count_warning)


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
        pytest.param(97, (bought("Warning", 3),), Cliff(on(3), 97, Due.URGENT), id="nothing but grace"),
        pytest.param(
            7,
            (bought(total=5), bought("Warning", 3, 10), bought("Warning", 25, 10)),
            Cliff(on(25), 2, Due.SOON),
            id="grace in steps",
        ),
        pytest.param(
            97,
            (bought(days=9, total=60), bought("Warning", 3, 40)),
            Cliff(on(3), 37, Due.URGENT),
            id="grace ends before",
        ),
        pytest.param(60, (bought(), bought("Suspended", 3, 40)), None, id="suspended units are not counted before"),
        pytest.param(97, (bought(days=3), bought(total=None)), None, id="a number is missing"),
        pytest.param(97, (bought(days=3), bought(total=-1)), None, id="a number is negative"),
        pytest.param(None, (bought(days=3),), None, id="nobody knows who consumes"),
    ],
)
def test_a_product_falls_short_on_the_first_day_that_what_is_left_does_not_cover(
    consumed: int | None, subscriptions: tuple[Subscription, ...], expected: Cliff | None
) -> None:
    assert falls(consumed, *subscriptions) == expected


def test_grace_that_is_not_counted_neither_covers_nor_ends() -> None:
    purchases = (bought(days=20, total=60), bought("Warning", 3, 40))
    owned = license_(subscriptions=purchases, enabled=60, warning=40)
    strict = usage(owned, 50, count_warning=False)
    assert cliff(owned, strict, USUAL, TODAY) == Cliff(on(20), 50, Due.SOON)
    assert [part.balance for part in phases(owned, strict, USUAL, TODAY)] == [-50, 10]


@pytest.mark.parametrize(
    "members", [{"enabled": 101}, {"enabled": 99}, {"warning": 1}, {"enabled": 0, "warning": 0}], ids=str
)
def test_where_subscriptions_and_units_differ_nobody_can_say_what_is_left(members: dict[str, Any]) -> None:
    assert falls(0, bought(days=3)) is None
    assert falls(50, bought(days=3)) is not None
    assert falls(50, bought(days=3), **members) is None
    owned = license_(subscriptions=(bought(days=3),), **members)
    assert [part.balance for part in phases(owned, usage(owned, 50), USUAL, TODAY)] == [None]


def test_what_is_left_after_each_part_is_what_has_not_ended_by_then() -> None:
    purchases = (bought(total=5), bought("Warning", 3, 10), bought("Warning", 25, 10), bought("Suspended", 9, 7))
    owned = license_(subscriptions=purchases, enabled=5, warning=20)
    found = {part.on: part.balance for part in phases(owned, usage(owned, 7), USUAL, TODAY)}
    assert found == {None: None, on(3): 8, on(9): 8, on(25): -2}
    assert all(part.balance is None for part in phases(owned, None, USUAL, TODAY))


@given(
    st.integers(0, 300),
    st.lists(
        st.tuples(st.integers(-5, 60) | st.none(), st.integers(0, 100), st.sampled_from(["Enabled", "Warning"])),
        max_size=6,
    ),
)
def test_the_cliff_is_the_first_day_below_zero(consumed: int, purchases: list[tuple[int | None, int, str]]) -> None:
    def balance(day: int) -> int:
        return sum(total for end, total, _ in purchases if end is None or end > day) - consumed

    items = (bought(status, end, total, id=str(n)) for n, (end, total, status) in enumerate(purchases))
    found = falls(consumed, *items)
    short = [day for day in range(-6, 61) if balance(day) < 0]
    if not short or balance(-6) < 0:
        assert found is None
    else:
        assert found is not None
        assert (found.on, found.short) == (on(short[0]), -balance(short[0]))


# --- subscriptions against units -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "subscriptions", "expected"),
    [
        ({}, (bought(),), 0),
        ({}, (bought(total=70),), -30),
        ({}, (bought(), bought(total=5)), 5),
        ({"warning": 40}, (bought(), bought("Warning", 3, 40)), 0),
        ({"warning": 40}, (bought(total=40), bought("Warning", 3)), 0),
        ({"warning": 40}, (bought(),), -40),
        ({"suspended": 9}, (bought(), bought("Suspended", 3, 7), bought("LockedOut"), bought("Deleted")), 0),
        ({}, (bought("Suspended"),), -100),
        ({}, (), 0),
        ({}, (bought(total=70), bought(total=None)), 0),
        ({"enabled": None}, (bought(),), 0),
        ({"warning": -1}, (bought(),), 0),
    ],
)
def test_subscriptions_that_do_not_add_up_to_the_units_are_a_mismatch(
    members: dict[str, Any], subscriptions: tuple[Subscription, ...], expected: int
) -> None:
    assert subscription_mismatch(license_(subscriptions=subscriptions, **members)) == expected
