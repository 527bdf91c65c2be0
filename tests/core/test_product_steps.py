"""What to do about products: one rule a test, with the words that people read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.model import (
    DeclaredEntitlement,
    ExcludedLicense,
    Exclusion,
    ExclusionScope,
    Inclusion,
    Portal,
    PortalState,
    Presence,
    Price,
    Product,
    ProductEntry,
    Reason,
    Removed,
    Settings,
    Subscription,
    Suspension,
    Thresholds,
)
from reconciler.next_steps import Rank
from reconciler.report import make_report
from reconciler.transition import delete
from tests.core.core_world import (
    E3,
    E5,
    LATER,
    TODAY,
    applied,
    complete,
    exclusion,
    failed,
    known,
    license_,
    portal,
    portal_state,
    product,
    subscription,
    with_import,
)


def steps(
    *items: Product,
    declared: Portal | None = None,
    settings: Settings | None = None,
    today: date = TODAY,
) -> list[tuple[Rank, str]]:
    """Rank and reason of every next step about these products."""
    return of(portal_state(*items, declared=declared), settings=settings, today=today)


def of(*states: PortalState, settings: Settings | None = None, today: date = TODAY) -> list[tuple[Rank, str]]:
    """Rank and reason of every next step about these portals."""
    return [(step.rank, step.why) for step in make_report(known(*states), settings or Settings(), today).next_steps]


def on(days: int) -> date:
    """The day so many days from today."""
    return TODAY + timedelta(days=days)


def bought(status: str, days: int, total: int, **members: bool) -> Subscription:
    """A purchase that moves on at noon so many days from today."""
    end = datetime(on(days).year, on(days).month, on(days).day, 12, tzinfo=UTC)
    return subscription(status, total_licenses=total, next_lifecycle=end, **members)


# --- assignments that failed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consumers", "errors", "expected"),
    [
        (100, {"CountViolation": 3}, "3 users did not get the license, because none is left"),
        (100, {"CountViolation": 1}, "1 user did not get the license, because none is left"),
        (99, {"CountViolation": 3}, None),
        (100, {"DependencyViolation": 3}, None),
    ],
)
def test_users_who_wait_for_a_license_are_told_while_none_is_left(
    consumers: int, errors: dict[str, int], expected: str | None
) -> None:
    item = replace(product(consumers=consumers), errors=errors)
    assert steps(item) == ([(Rank.NOT_ASSIGNED, expected)] if expected else [])


def test_users_wait_for_a_license_of_a_product_that_is_short_too() -> None:
    ranks = [rank for rank, _ in steps(replace(product(consumers=104), errors={"CountViolation": 3}))]
    assert ranks == [Rank.SHORTAGE, Rank.NOT_ASSIGNED]


# --- grace -----------------------------------------------------------------------------------------------------------


GRACE = product(enabled=60, warning=40, subscriptions=(bought("Enabled", 200, 60), bought("Warning", 15, 40)))


def test_a_product_that_only_grace_covers_is_told_with_the_day() -> None:
    why = "covered only by units in grace until 2026-12-08: 97 consumed, 60 paid for"
    assert steps(GRACE) == [(Rank.GRACE, why)]


def test_grace_covers_until_the_first_day_on_which_too_few_are_left() -> None:
    dates = (bought("Suspended", 1, 5), bought("Enabled", 90, 5), bought("Warning", 3, 10), bought("Warning", 25, 10))
    item = product(enabled=5, warning=20, consumed_units=7, consumers=7, subscriptions=dates)
    assert steps(item) == [(Rank.GRACE, "covered only by units in grace until 2026-12-18: 7 consumed, 5 paid for")]


def test_what_ends_before_the_grace_that_covers_is_told_beside_it() -> None:
    dates = (bought("Enabled", 2, 60), bought("Warning", 20, 40))
    assert steps(product(enabled=60, warning=40, subscriptions=dates)) == [
        (Rank.URGENT_RENEWAL, "a subscription ends on 2026-11-25: 57 too few from then on, unless it is renewed"),
        (Rank.GRACE, "covered only by units in grace until 2026-11-25: 97 consumed, 60 paid for"),
    ]


def test_grace_that_outlasts_a_subscription_is_told_when_it_ends_itself() -> None:
    item = product(enabled=100, warning=100, subscriptions=(bought("Enabled", 3, 100), bought("Warning", 9, 100)))
    why = "the grace of a subscription ends on 2026-12-02: 97 too few from then on, unless it is renewed"
    assert steps(item) == [(Rank.URGENT_RENEWAL, why)]


def test_grace_whose_end_nobody_can_say_is_told_without_a_day() -> None:
    item = product(enabled=60, warning=40, subscriptions=(bought("Warning", 15, 39),))
    assert steps(item) == [(Rank.GRACE, "covered only by units in grace: 97 consumed, 60 paid for")]


@pytest.mark.parametrize(
    "members",
    [{"applies_to": "Company"}, {"consumed_units": 101, "consumers": 101}, {"consumed_units": 60, "consumers": 60}],
    ids=["not metered", "short", "not needed"],
)
def test_grace_covers_only_a_product_that_is_fully_licensed_by_it(members: dict[str, Any]) -> None:
    item = product(enabled=60, warning=40, **members)
    assert Rank.GRACE not in [rank for rank, _ in steps(item)]


def test_grace_that_is_not_needed_is_nothing_to_do() -> None:
    assert steps(product(enabled=100, warning=40, subscriptions=(bought("Warning", 10, 40),))) == []


def test_grace_that_ended_while_the_portal_fails_is_told_with_its_day() -> None:
    state = applied(portal_state(GRACE), portal(), failed(), now=LATER)
    assert [rank for rank, _ in of(state, today=on(15))] == [Rank.FAILED_IMPORT, Rank.GRACE]
    assert of(state, today=on(16))[1:] == [
        (
            Rank.ENDED_GRACE,
            "the grace of 40 licenses ended on 2026-12-08, after the portal was last read, and entitled still counts "
            "them",
        )
    ]
    strict = of(state, today=on(16), settings=Settings(count_warning=False))
    assert (
        Rank.ENDED_GRACE,
        "the grace of 40 licenses ended on 2026-12-08, after the portal was last read",
    ) in strict


def test_grace_that_ended_in_a_portal_that_was_read_since_is_the_tenants_own_word() -> None:
    why = "covered only by units in grace, which was to end on 2026-12-08: 97 consumed, 60 paid for"
    assert steps(GRACE, today=on(16)) == [(Rank.GRACE, why)]


# --- renewals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (31, None),
        (30, (Rank.RENEWAL, "a subscription ends on 2026-12-23: 37 too few from then on, unless it is renewed")),
        (15, (Rank.URGENT_RENEWAL, "a subscription ends on 2026-12-08: 37 too few from then on, unless it is renewed")),
        (
            -1,
            (Rank.URGENT_RENEWAL, "a subscription ended on 2026-11-22: 37 too few from then on, unless it was renewed"),
        ),
    ],
)
def test_a_product_that_falls_short_soon_is_told_from_the_days_that_the_settings_name(
    days: int, expected: tuple[Rank, str] | None
) -> None:
    item = product(subscriptions=(bought("Enabled", 200, 60), bought("Enabled", days, 40)))
    assert steps(item) == ([expected] if expected else [])


def test_a_subscription_that_ends_without_harm_is_nothing_to_do() -> None:
    assert steps(product(subscriptions=(bought("Enabled", 200, 97), bought("Enabled", 3, 3)))) == []


@pytest.mark.parametrize("total", [70, None], ids=["subscriptions and units differ", "a number is missing"])
def test_a_subscription_that_ends_while_nobody_can_say_what_is_left_is_told_as_that(total: int | None) -> None:
    item = product(
        subscriptions=(subscription(total_licenses=total, next_lifecycle=bought("Enabled", 9, 1).next_lifecycle),)
    )
    licenses = "70 licenses" if total else "licenses"
    assert steps(item) == [
        (
            Rank.URGENT_RENEWAL,
            f"a subscription of {licenses} ends on 2026-12-02, and nobody can say what is left then: the subscriptions "
            "in use and in grace do not add up to enabled + in grace",
        )
    ]
    assert steps(replace(item, consumers=0, license=replace(item.license, consumed_units=0))) == []
    assert steps(replace(item, license=replace(item.license, applies_to="Company"))) == []


def test_the_settings_move_the_days() -> None:
    item = product(subscriptions=(bought("Enabled", 60, 100),))
    assert steps(item) == []
    thresholds = Thresholds(renewal_days=60, urgent_renewal_days=30)
    assert [rank for rank, _ in steps(item, settings=Settings(thresholds=thresholds))] == [Rank.RENEWAL]


@pytest.mark.parametrize(
    ("days", "consumers", "expected"),
    [
        (31, 0, None),
        (20, 0, (Rank.RENEWAL, "the trial of 25 licenses ends on 2026-12-13")),
        (5, 0, (Rank.URGENT_RENEWAL, "the trial of 25 licenses ends on 2026-11-28")),
        (20, 18, (Rank.RENEWAL, "the trial ends on 2026-12-13: 18 too few from then on, unless it is renewed")),
        (-2, 0, (Rank.URGENT_RENEWAL, "the trial of 25 licenses ended on 2026-11-21")),
    ],
)
def test_a_trial_that_ends_is_told_once(days: int, consumers: int, expected: tuple[Rank, str] | None) -> None:
    trial = bought("Enabled", days, 25, is_trial=True)
    item = product(enabled=25, consumed_units=consumers, consumers=consumers, subscriptions=(trial,))
    assert steps(item) == ([expected] if expected else [])


def test_a_trial_without_licenses_is_nothing_to_do() -> None:
    assert steps(product(subscriptions=(bought("Enabled", 200, 100), bought("Enabled", 5, 0, is_trial=True)))) == []


# --- evidence --------------------------------------------------------------------------------------------------------


def declaring(quantity: int) -> Portal:
    """A portal that declares so many licenses."""
    return portal(products=(ProductEntry("ENTERPRISEPACK", entitlement=DeclaredEntitlement(quantity)),))


@pytest.mark.parametrize(
    ("declared", "item", "why"),
    [
        (120, product(), "120 declared as owned, but the portal gives 100, fewer than that"),
        (60, product(), "the portal gives 100, but only 60 are declared as owned"),
        (0, product(), "the portal gives 100, but nothing is declared as owned"),
        (
            50,
            product(enabled=0, consumed_units=0, consumers=0),
            "50 declared as owned, but the portal gives none",
        ),
    ],
)
def test_a_contract_and_a_portal_that_do_not_agree_are_told(declared: int, item: Product, why: str) -> None:
    assert steps(item, declared=declaring(declared)) == [(Rank.EVIDENCE, why)]


def test_a_contract_and_a_portal_that_agree_are_nothing_to_do() -> None:
    assert steps(product(), declared=declaring(100)) == []


def test_a_declared_license_that_is_gone_is_told_beside_its_reason() -> None:
    assert steps(product(reason=Reason.GONE_FROM_PORTAL), declared=declaring(50)) == [
        (Rank.NOT_SYNCHRONIZED, "the license is gone from the portal"),
        (Rank.EVIDENCE, "50 declared as owned, but the portal gives none"),
    ]


def test_a_declared_license_that_the_portal_never_reported_is_told() -> None:
    entry = ProductEntry("SPE_E5", entitlement=DeclaredEntitlement(500, "EA-77"))
    state = portal_state(product(), declared=portal(products=(entry,)))
    assert of(state) == [
        (Rank.EVIDENCE, "500 declared as owned, but the portal does not report such a license"),
    ]
    assert of(with_import(state, excluded=(ExcludedLicense("06ebc4ee", "SPE_E5"),))) == []
    assert of(PortalState(state.portal)) == []
    assert of(portal_state(product(), declared=portal(products=(ProductEntry("SPE_E5", directory="X"),)))) == []


def test_an_entitlement_that_means_several_licenses_is_compared_with_none_of_them() -> None:
    twin = product(license_(E5, part_number="ENTERPRISEPACK"))
    assert steps(product(), twin, declared=declaring(20)) == [
        (Rank.EVIDENCE, "20 declared as owned for what means 2 licenses of the portal: compared with none of them")
    ]
    (step,) = make_report(known(portal_state(product(), twin, declared=declaring(20))), Settings(), TODAY).next_steps
    assert (step.subject, step.step) == ("ENTERPRISEPACK", f"Name the SKU ID in the portal's file: {E5} or {E3}.")
    by_id = ProductEntry(E3, entitlement=DeclaredEntitlement(100))
    assert steps(product(), twin, declared=portal(products=(*declaring(100).products, by_id))) == []


def test_an_entitlement_and_a_price_in_two_entries_are_both_kept() -> None:
    priced = ProductEntry(E3, price=Price(Decimal("10"), "EUR", "month"))
    both = portal(products=(*declaring(120).products, priced))
    assert [rank for rank, _ in steps(product(), declared=both)] == [Rank.EVIDENCE]


# --- savings ---------------------------------------------------------------------------------------------------------


def test_consumers_who_do_not_need_a_license_are_one_step_with_what_it_is_worth() -> None:
    item = replace(
        product(), consumers=90, reclaimable={"guest_licensed": 4, "inactive": 1, "disabled_account": 14, "overlap": 2}
    )
    why = "21 of 90 consumers do not need it: 14 disabled accounts, 4 guests, 2 covered by another license, 1 inactive"
    assert steps(item) == [(Rank.RECLAIMABLE, why)]
    priced = portal(products=(ProductEntry(E3, price=Price(Decimal("34.40"), "EUR", "month")),))
    assert steps(item, declared=priced) == [(Rank.RECLAIMABLE, f"{why}; worth 8,668.80 EUR a year")]
    few = replace(item, license=replace(item.license, units=replace(item.license.units, enabled=80)))
    assert dict(steps(few, declared=priced))[Rank.RECLAIMABLE] == f"{why}; worth 1,651.20 EUR a year"
    none = replace(item, license=replace(item.license, units=replace(item.license.units, enabled=70)))
    assert dict(steps(none, declared=priced))[Rank.RECLAIMABLE] == why
    free = portal(products=(ProductEntry(E3, price=Price(Decimal(0), "EUR", "month")),))
    assert steps(item, declared=free) == [(Rank.RECLAIMABLE, why)]


def test_one_consumer_who_does_not_need_it_is_told_as_one() -> None:
    item = replace(product(), reclaimable={"disabled_account": 1})
    assert steps(item) == [(Rank.RECLAIMABLE, "1 of 97 consumers does not need it: 1 disabled account")]


def test_what_saves_most_stands_first() -> None:
    states = [
        replace(portal_state(replace(product(), reclaimable={"overlap": count})), portal=portal(f"p{count}"))
        for count in (1, 9, 3)
    ]
    report = make_report(known(*states), Settings(), TODAY)
    assert [step.portal_id for step in report.next_steps] == ["p9", "p3", "p1"]


# --- what asks for nothing -------------------------------------------------------------------------------------------


BUSY = replace(
    product(consumers=120, subscriptions=(bought("Enabled", 3, 130),)),
    errors={"CountViolation": 3},
    reclaimable={"disabled_account": 4},
)
"""A product about which much is to be done."""


def test_an_exclusion_from_alerts_drops_every_step_of_its_product_and_of_no_other() -> None:
    assert [rank for rank, _ in steps(BUSY, declared=declaring(5))] == [
        Rank.SHORTAGE,
        Rank.NOT_ASSIGNED,
        Rank.URGENT_RENEWAL,
        Rank.EVIDENCE,
        Rank.RECLAIMABLE,
    ]
    muted = replace(declaring(5), exclusions=(Exclusion("ENTERPRISEPACK", "Known", scope=ExclusionScope.ALERTS),))
    other = product(license_("00000000-0000-4000-8000-000000000001"), consumers=101)
    assert [rank for rank, _ in steps(BUSY, other, declared=muted)] == [Rank.SHORTAGE]


def test_the_repository_mutes_and_a_portal_lifts_it() -> None:
    settings = Settings(exclusions=(Exclusion("*PACK", "Known", scope=ExclusionScope.ALERTS),))
    assert steps(BUSY, settings=settings) == []
    assert steps(BUSY, settings=settings, declared=portal(include=(Inclusion(E3),))) != []


def test_a_mute_that_has_ended_mutes_nothing() -> None:
    ended = Exclusion("ENTERPRISEPACK", "Known", on(-1), ExclusionScope.ALERTS)
    ranks = [rank for rank, _ in steps(BUSY, declared=portal(exclusions=(ended,)))]
    assert ranks[0] is Rank.SHORTAGE
    assert ranks[-1] is Rank.ENDED_EXCLUSION


@pytest.mark.parametrize("reason", [Reason.EXCLUDED, Reason.PORTAL_DELETED])
def test_a_product_that_is_not_synchronized_keeps_that_step_only(reason: Reason) -> None:
    lost = replace(BUSY, reason=reason)
    assert [rank for rank, _ in steps(lost, declared=declaring(5))] == [Rank.NOT_SYNCHRONIZED]


def test_a_deleted_portal_is_one_step_and_a_forgotten_one_none() -> None:
    gone = delete(portal_state(BUSY, product(license_("00000000-0000-4000-8000-000000000001"), consumers=101)))
    assert of(gone) == [(Rank.NOT_SYNCHRONIZED, "the portal is no longer declared; products still known: 2")]
    assert of(replace(gone, products=())) == []


# --- portals and exclusions ------------------------------------------------------------------------------------------


def test_a_suspension_that_has_ended_is_told_until_it_is_taken_out() -> None:
    paused = portal(suspend=Suspension("Migration", TODAY))
    state = applied(None, paused, complete(license_()))
    assert (state.presence, of(state)) == (Presence.SUSPENDED, [])
    later = applied(state, paused, complete(license_()), now=LATER)
    assert of(later, today=LATER.date()) == [
        (Rank.ENDED_SUSPENSION, "its suspension ended on 2026-11-23, and it is imported again")
    ]
    assert of(applied(later, portal(), complete(license_()), now=LATER), today=LATER.date()) == []


def test_an_ended_exclusion_of_the_repository_is_told_once_and_belongs_to_no_portal() -> None:
    settings = Settings(exclusions=(exclusion("*_FREE", until=on(-1)),))
    states = [portal_state(product()), replace(portal_state(product()), portal=portal("north"))]
    report = make_report(known(*states), settings, TODAY)
    assert [(step.portal_id, step.subject, step.why) for step in report.next_steps] == [
        (None, "*_FREE", "its exclusion ended on 2026-11-22")
    ]


def test_a_forgotten_portal_is_in_no_part_of_a_report_but_the_changes_of_the_run_that_removed_it() -> None:
    gone = delete(portal_state(product()))
    removal = Removed(E3, "ENTERPRISEPACK", "Office 365 E3", Reason.PORTAL_DELETED, "*", "Sold", None, TODAY)
    forgotten = replace(gone, products=(), removed=(removal,))
    report = make_report(known(forgotten, replace(portal_state(product()), portal=portal("north"))), Settings(), TODAY)
    assert [item.state.id for item in report.portals] == ["north"]
    assert (report.coverage.portals, report.coverage.deleted, report.products) == (1, 0, 1)
    assert [item.portal_id for item in report.changes] == ["contoso", "north"]
