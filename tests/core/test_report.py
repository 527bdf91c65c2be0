"""The report as a value: verdict, coverage, next steps, money, changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from reconciler.findings import count_mismatch
from reconciler.model import (
    DeclaredEntitlement,
    ErrorInfo,
    Import,
    ImportOutcome,
    PortalState,
    Presence,
    Price,
    Product,
    ProductEntry,
    Reason,
    Settings,
    Status,
    Suspension,
)
from reconciler.next_steps import NextStep, Rank
from reconciler.portal_report import ProductReport
from reconciler.render.verdict import verdict
from reconciler.report import Coverage, Report, make_report
from reconciler.transition import delete, stamp
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    LATER,
    NOW,
    OTHER_TENANT,
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


def report_of(*states: PortalState, settings: Settings | None = None, today: date = TODAY) -> Report:
    """The report over these states."""
    return make_report(known(*states), settings or Settings(), today)


def item_of(item: Product, *entries: ProductEntry) -> ProductReport:
    """The report of one product under these entries."""
    return report_of(portal_state(item, declared=portal(products=entries))).portals[0].products[0]


def named(id_: str, state: PortalState) -> PortalState:
    """The same state as that of another portal."""
    return replace(state, portal=replace(state.portal, id=id_, name=id_.capitalize()))


FINE = portal_state(product())
SHORT = portal_state(product(consumers=105), product(license_(E5), consumers=102))
NEVER = PortalState(portal())
FAILED = applied(FINE, portal(), failed(), now=LATER)
UNREAD = applied(None, portal(), failed(), now=LATER)


# --- verdict and coverage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), "There are no products. 0 of 0 portals read."),
        ((NEVER,), "No product is known. 0 of 1 portal read, 1 never read."),
        ((FINE,), "None of 1 product is short of licenses. 1 of 1 portal read."),
        ((SHORT,), "Of 2 products: 2 short, by 7 licenses in all. 1 of 1 portal read."),
        ((FAILED,), "None of 1 product is short of licenses. 0 of 1 portal read, 1 failed."),
        ((delete(SHORT),), "Of 2 products: 2 that cannot be synchronized. 0 of 0 portals read."),
        (
            (
                portal_state(product(consumers=101), product(license_(E5, enabled=None)), product(license_(FLOW))),
                named("north", portal_state(product(reason=Reason.EXCLUDED, consumers=500))),
            ),
            "Of 4 products: 1 short, by 1 license in all; 1 with a calculation error; 1 that cannot be synchronized. "
            "2 of 2 portals read.",
        ),
    ],
)
def test_the_verdict_is_one_line(states: tuple[PortalState, ...], expected: str) -> None:
    assert verdict(report_of(*states)) == expected


def test_coverage_counts_every_portal_by_what_became_of_it() -> None:
    states = [
        FINE,
        named("late", with_import(FINE, as_of=LATER)),
        named("stale", FAILED),
        named("unread", UNREAD),
        named("never", NEVER),
        named("paused", applied(FINE, portal(suspend=Suspension("Migration")))),
        named("gone", delete(FINE)),
    ]
    assert report_of(*states).coverage == Coverage(
        portals=6,
        read=2,
        failed=2,
        kept=1,
        stale=0,
        never=1,
        suspended=1,
        deleted=1,
        oldest=NOW,
        newest=LATER,
        exclusions=0,
    )


def test_a_portal_that_failed_and_was_read_before_keeps_old_numbers() -> None:
    reports = report_of(named("fine", FINE), named("kept", FAILED), named("unread", UNREAD)).portals
    assert [item.keeps_old_numbers for item in reports] == [False, True, False]


def test_coverage_counts_a_portal_that_has_failed_for_long_as_stale() -> None:
    days = [report_of(FAILED, today=LATER.date() + timedelta(days=days)).coverage.stale for days in (2, 3)]
    assert days == [0, 1]
    assert report_of(delete(FINE)).coverage.stale == 0


def test_coverage_counts_exclusions_that_are_in_force() -> None:
    declared = portal(exclusions=(exclusion("A"), exclusion("B", until=TODAY), exclusion("C", until=date(2026, 1, 1))))
    state = applied(None, declared, complete(license_()))
    paused = applied(state, replace(declared, suspend=Suspension("Migration")))
    assert report_of(state).coverage.exclusions == 2
    assert report_of(paused).coverage.exclusions == 2
    assert [item.in_force for item in report_of(state).portals[0].exclusions] == [True, True, False]


def test_a_deleted_portal_excludes_nothing_any_more() -> None:
    state = delete(applied(None, portal(exclusions=(exclusion(until=date(2026, 1, 1)),)), complete(license_())))
    report = report_of(state)
    assert (report.coverage.exclusions, report.portals[0].exclusions) == (0, ())
    assert [step.why for step in report.next_steps] == ["the portal is no longer declared; products still known: 1"]


def test_every_status_is_counted() -> None:
    state = portal_state(product(), product(license_(E5), consumers=101), product(license_(FLOW, applies_to="Company")))
    report = report_of(state, named("north", portal_state(product())))
    assert report.statuses == {
        **dict.fromkeys(Status, 0),
        Status.FULLY_LICENSED: 2,
        Status.NOT_ENOUGH_LICENSES: 1,
        Status.NOT_METERED: 1,
    }
    assert report.products == 4


def test_portals_stand_by_id_and_products_by_title() -> None:
    items = (product(license_(E3)), product(license_(E5)), product(license_(FLOW)))
    state = portal_state(*items)
    report = report_of(named("b", state), named("a", state))
    assert [item.state.id for item in report.portals] == ["a", "b"]
    titles = [item.name for item in report.portals[0].products]
    assert titles == ["A - Microsoft 365 E5", "A - Microsoft Power Automate Free", "A - Office 365 E3"]


def test_one_emulated_portal_makes_the_report_emulated() -> None:
    assert not report_of(FINE).emulated
    assert report_of(FINE, named("demo", with_import(FINE, emulated="demo"))).emulated


# --- remedies and next steps -----------------------------------------------------------------------------------------


def steps(*states: PortalState, today: date = TODAY) -> list[tuple[Rank, str, str]]:
    """Rank, subject and reason of every next step."""
    return [(step.rank, step.subject, step.why) for step in report_of(*states, today=today).next_steps]


def test_nothing_is_to_be_done_when_all_is_well() -> None:
    assert steps(FINE) == []
    assert steps(NEVER) == []


def test_next_steps_stand_worst_first() -> None:
    busy = portal_state(
        replace(product(license_(E3), consumers=110), reclaimable={"disabled_account": 3}),
        product(license_(E5), consumers=120),
        product(license_(FLOW, enabled=None)),
        product(license_("00000000-0000-4000-8000-000000000001", part_number="GRACE", enabled=60, warning=40)),
        product(license_("00000000-0000-4000-8000-000000000002", part_number="GONE"), reason=Reason.GONE_FROM_PORTAL),
        declared=portal(exclusions=(exclusion("OLD_FREE", until=date(2026, 1, 1)),)),
    )
    assert steps(busy, named("down", UNREAD)) == [
        (Rank.FAILED_IMPORT, "Down", "the import failed: Could not connect to GraphAPI server."),
        (Rank.SHORTAGE, "Contoso - Microsoft 365 E5", "20 too few: 120 consumed, 100 entitled"),
        (Rank.SHORTAGE, "Contoso - Office 365 E3", "10 too few: 110 consumed, 100 entitled"),
        (
            Rank.CALCULATION_ERROR,
            "Contoso - Microsoft Power Automate Free",
            "a number is missing, negative or not whole",
        ),
        (Rank.GRACE, "Contoso - GRACE", "covered only by units in grace: 97 consumed, 60 paid for"),
        (Rank.NOT_SYNCHRONIZED, "Contoso - GONE", "the license is gone from the portal"),
        (Rank.RECLAIMABLE, "Contoso - Office 365 E3", "3 of 110 consumers do not need it: 3 disabled accounts"),
        (Rank.ENDED_EXCLUSION, "OLD_FREE", "its exclusion ended on 2026-01-01"),
    ]


def test_the_larger_shortage_stands_first_and_equals_by_portal() -> None:
    small, large = portal_state(product(consumers=101)), portal_state(product(consumers=999))
    order = [step.portal_id for step in report_of(named("a", small), named("b", large), named("c", small)).next_steps]
    assert order == ["b", "a", "c"]


def test_a_failed_import_brings_its_own_remedy() -> None:
    error = ErrorInfo("AADSTS7000222", "The secret has expired.", "Create a new secret.")
    state = applied(FINE, portal(), failed(error))
    assert report_of(state).next_steps == (
        NextStep(
            Rank.FAILED_IMPORT,
            0,
            "contoso",
            "Contoso",
            "the import failed: The secret has expired.",
            "Create a new secret.",
        ),
    )


def test_an_old_failure_of_a_suspended_portal_is_nothing_to_do() -> None:
    assert steps(applied(FAILED, portal(suspend=Suspension("Migration")), now=LATER)) == []


def test_suspended_units_are_named_as_a_way_out_of_a_shortage() -> None:
    item = item_of(product(enabled=0, suspended=10, consumed_units=4, consumers=4))
    assert item.remedy is not None
    assert item.remedy.startswith("Reactivate the suspended subscription")
    state = portal_state(item.product)
    assert steps(state) == [
        (Rank.SHORTAGE, "Contoso - Office 365 E3", "4 too few: 4 consumed, 0 entitled, 10 suspended")
    ]
    assert report_of(state).next_steps[0].step == item.remedy


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (delete(portal_state(product())), "restore the portal's file"),
        (applied(portal_state(product()), portal(exclusions=(exclusion("ENTERPRISEPACK"),))), "take the exclusion out"),
        (portal_state(product(reason=Reason.GONE_FROM_PORTAL)), "recovers when"),
        (portal_state(product(enabled=None)), "admin center"),
        (portal_state(product(consumers=101)), "Buy the missing licenses"),
    ],
)
def test_every_bad_status_has_a_remedy(state: PortalState, words: str) -> None:
    (item,) = report_of(state).portals[0].products
    assert words in (item.remedy or "")


@pytest.mark.parametrize(
    "item", [product(), product(applies_to="Company"), product(enabled=0, consumed_units=0, consumers=0)]
)
def test_a_good_status_needs_no_remedy(item: Product) -> None:
    assert item_of(item).remedy is None


def test_an_exclusion_is_reported_from_the_day_after_its_last() -> None:
    state = applied(None, portal(exclusions=(exclusion(until=TODAY),)), complete(license_()))
    assert steps(state) == []
    assert steps(state, today=LATER.date()) == [
        (Rank.ENDED_EXCLUSION, "FLOW_FREE", "its exclusion ended on 2026-11-23")
    ]


# --- money -----------------------------------------------------------------------------------------------------------


MOST = (2**63 - 1) * 999_999_999_999_999_999
"""The most licenses at the highest price, in millionths: more digits than Decimal keeps by default."""


def priced(amount: str) -> ProductEntry:
    """An entry with a price in euro a month."""
    return ProductEntry("ENTERPRISEPACK", price=Price(Decimal(amount), "EUR", "month"))


@pytest.mark.parametrize(
    ("item", "amount", "true_up", "idle"),
    [
        (product(consumers=103), "34.40", "103.20", "0.00"),
        (product(), "34.40", "0.00", "103.20"),
        (product(), "0.1", "0.0", "0.3"),
        (product(), "0", "0", "0"),
        (product(enabled=3, consumed_units=0, consumers=0), "0.000001", "0.000000", "0.000003"),
        (product(consumers=100), "34.40", "0.00", "0.00"),
        (
            product(enabled=2**63 - 1, consumed_units=0, consumers=0),
            "999999999999.999999",
            "0.000000",
            f"{MOST // 10**6}.{MOST % 10**6:06}",
        ),
    ],
)
def test_money_is_exact(item: Product, amount: str, true_up: str, idle: str) -> None:
    found = item_of(item, priced(amount)).costs
    assert found is not None
    assert (str(found.true_up), str(found.idle)) == (true_up, idle)


@pytest.mark.parametrize(
    "item",
    [
        product(applies_to="Company"),
        product(enabled=None),
        product(reason=Reason.EXCLUDED),
    ],
)
def test_there_is_no_cost_where_nothing_can_be_counted(item: Product) -> None:
    assert item_of(item, priced("34.40")).costs is None


def test_there_is_no_cost_without_a_price() -> None:
    entry = ProductEntry(E3, entitlement=DeclaredEntitlement(500))
    assert item_of(product(), entry).costs is None
    assert item_of(product(), entry).entry == entry
    assert item_of(product()).entry is None
    assert item_of(product()).costs is None


@pytest.mark.parametrize(
    ("applies_to", "consumed_units", "consumers", "expected"),
    [
        ("User", 97, 97, 0),
        ("User", 99, 97, 2),
        ("User", 95, 97, -2),
        ("User", 0, 97, -97),
        ("User", None, 97, None),
        ("User", 97, None, None),
        ("User", -5, 97, None),
        ("Company", 99, 97, None),
        ("", 99, 97, None),
    ],
)
def test_a_mismatch_is_graphs_count_minus_ours_where_both_count_users(
    applies_to: str, consumed_units: int | None, consumers: int | None, expected: int | None
) -> None:
    assert count_mismatch(applies_to, consumed_units, consumers) == expected
    item = replace(product(consumed_units=consumed_units, applies_to=applies_to), consumers=consumers)
    assert item_of(item).mismatch == expected


def test_subscriptions_and_units_that_differ_are_found_on_products_that_are_synchronized() -> None:
    item = product(subscriptions=(subscription(total_licenses=70),))
    assert item_of(item).subscription_mismatch == -30
    assert item_of(replace(item, reason=Reason.GONE_FROM_PORTAL)).subscription_mismatch == 0


def test_old_numbers_of_consumers_who_do_not_need_a_license_do_not_count() -> None:
    item = replace(product(), reclaimable={"disabled_account": 3})
    assert item_of(item).reclaimable == 3
    assert item_of(replace(item, reason=Reason.EXCLUDED)).reclaimable == 0


def test_an_entitlement_that_means_several_licenses_belongs_to_none() -> None:
    entry = ProductEntry("ENTERPRISEPACK", directory="A", entitlement=DeclaredEntitlement(20))
    twin = product(license_(E5, part_number="ENTERPRISEPACK"))
    (found,) = report_of(portal_state(product(), twin, declared=portal(products=(entry,)))).portals
    assert [(item.proof, item.entry) for item in found.products] == [(None, replace(entry, entitlement=None))] * 2
    assert [(item.entry, item.sku_ids) for item in found.ambiguous] == [(entry, (E5, E3))]


# --- changes ---------------------------------------------------------------------------------------------------------


def test_only_the_changes_of_the_last_run_that_changed_something_are_shown() -> None:
    first = applied(None, portal(), complete(license_()))
    second = applied(None, portal("north", tenant_id=OTHER_TENANT), complete(license_()))
    later = applied(second, second.portal, complete(license_(enabled=101)), now=LATER)
    assert [item.portal_id for item in report_of(first, second).changes] == ["contoso", "north"]
    report = report_of(first, later)
    assert (report.changed_at, [item.portal_id for item in report.changes]) == (LATER, ["north"])
    assert [change.field for change in report.changes[0].changes] == ["enabled"]


def test_without_any_state_nothing_has_changed() -> None:
    assert (report_of().changed_at, report_of().changes) == (None, ())


def test_a_deletion_is_among_the_changes_of_its_run() -> None:
    gone = stamp(FINE, delete(FINE), LATER)
    assert report_of(gone, named("north", FINE)).changes[0].portal_id == "contoso"
    assert gone.presence is Presence.DELETED


def test_count_warning_reaches_the_numbers_of_the_report() -> None:
    state = portal_state(product(enabled=60, warning=40))
    assert report_of(state).portals[0].products[0].numbers.entitled == 100
    numbers = report_of(state, settings=Settings(count_warning=False)).portals[0].products[0].numbers
    assert (numbers.entitled, numbers.shortfall) == (60, 37)


def test_statuses_follow_the_settings_as_the_numbers_do() -> None:
    state = portal_state(product(enabled=60, warning=40, consumed_units=90, consumers=90))
    report = report_of(state, settings=Settings(count_warning=False))
    item = report.portals[0].products[0]
    assert (item.numbers.balance, item.product.status) == (-30, Status.NOT_ENOUGH_LICENSES)
    assert report.statuses[Status.NOT_ENOUGH_LICENSES] == 1
    assert [step.why for step in report.next_steps] == ["30 too few: 90 consumed, 60 entitled"]


def test_a_portal_that_was_never_read_has_an_empty_report() -> None:
    item = report_of(NEVER).portals[0]
    assert (item.products, item.state.last_import) == ((), Import())
    assert item.state.last_import.outcome is ImportOutcome.NEVER
