"""Position, freshness and evidence: each value at its borders."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compliance import Numbers
from reconciler.facets import Evidence, Freshness, Position, Proof, freshness, position, proof
from reconciler.model import (
    DeclaredEntitlement,
    PortalState,
    Product,
    Reason,
    Settings,
    Status,
    Suspension,
    Thresholds,
)
from reconciler.portal_report import portal_report
from reconciler.transition import delete
from tests.core.core_world import LATER, TODAY, applied, complete, failed, license_, portal, portal_state, product

WIDE = Thresholds(at_capacity_percent=95, surplus_percent=20)
"""With room for ``balanced`` between them."""


def of(item: Product, thresholds: Thresholds) -> Position | None:
    """The position of one product, as the report has it."""
    return portal_report(portal_state(item), Settings(thresholds=thresholds), TODAY).products[0].position


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        (101, Position.UNDER),
        (0, Position.UNUSED),
        (100, Position.EXACT),
        (99, Position.AT_CAPACITY),
        (95, Position.AT_CAPACITY),
        (94, Position.BALANCED),
        (81, Position.BALANCED),
        (80, Position.SURPLUS),
        (1, Position.SURPLUS),
    ],
)
def test_the_first_rule_that_matches_gives_the_position(consumed: int, expected: Position) -> None:
    assert of(product(consumed_units=consumed, consumers=consumed), WIDE) is expected


@pytest.mark.parametrize(
    ("entitled", "consumed", "expected"),
    [
        (1_000, 950, Position.AT_CAPACITY),
        (1_000, 949, Position.SURPLUS),
        (1_001, 950, Position.SURPLUS),
        (1, 1, Position.EXACT),
        (3, 2, Position.SURPLUS),
        (10**18, 10**18 - 1, Position.AT_CAPACITY),
        (0, 1, Position.UNDER),
    ],
)
def test_by_default_at_capacity_and_surplus_meet(entitled: int, consumed: int, expected: Position) -> None:
    assert of(product(enabled=entitled, consumed_units=consumed, consumers=consumed), Thresholds()) is expected


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_by_default_nothing_is_balanced_and_the_sign_of_the_balance_agrees(entitled: int, consumed: int) -> None:
    found = of(product(enabled=entitled, consumed_units=consumed, consumers=consumed), Thresholds())
    assert found is not Position.BALANCED
    assert (found is Position.UNDER) == (consumed > entitled)
    assert (found is None) == (entitled == consumed == 0)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(product(applies_to="Company"), id="not metered"),
        pytest.param(product(enabled=None), id="calculation error"),
        pytest.param(product(enabled=0, consumed_units=0, consumers=0), id="clear"),
        *[pytest.param(product(reason=reason), id=reason.value) for reason in Reason],
    ],
)
def test_there_is_no_position_without_a_balance_that_means_something(item: Product) -> None:
    assert of(item, Thresholds()) is None


def test_units_in_grace_count_for_the_position_as_they_do_for_the_status() -> None:
    grace = product(enabled=60, warning=40)
    assert of(grace, Thresholds()) is Position.AT_CAPACITY
    strict = portal_report(portal_state(grace), Settings(count_warning=False), TODAY).products[0]
    assert (strict.product.status, strict.position) == (Status.NOT_ENOUGH_LICENSES, Position.UNDER)


# --- freshness -------------------------------------------------------------------------------------------------------


FINE = portal_state(product())
FAILED = applied(FINE, portal(), failed(), now=LATER)
FAILED_ON = LATER.date()
UNREAD = applied(None, portal(), failed(), now=LATER)
PAUSED = portal(suspend=Suspension("Migration"))


@pytest.mark.parametrize(
    ("state", "today", "expected"),
    [
        pytest.param(FINE, TODAY, Freshness.FRESH, id="read"),
        pytest.param(FINE, date(2030, 1, 1), Freshness.FRESH, id="read and the same for years"),
        pytest.param(FAILED, FAILED_ON, Freshness.IMPORT_FAILED, id="failed today"),
        pytest.param(FAILED, FAILED_ON + timedelta(days=2), Freshness.IMPORT_FAILED, id="failing for two days"),
        pytest.param(FAILED, FAILED_ON + timedelta(days=3), Freshness.STALE, id="failing for three days"),
        pytest.param(applied(FINE, PAUSED), TODAY, Freshness.STALE, id="suspended with numbers"),
        pytest.param(delete(FINE), TODAY, Freshness.STALE, id="deleted"),
        pytest.param(PortalState(portal()), TODAY, None, id="never read"),
        pytest.param(UNREAD, date(2030, 1, 1), None, id="never read, failing for years"),
        pytest.param(applied(None, PAUSED), TODAY, None, id="suspended before it was read"),
        pytest.param(applied(FAILED, portal(), complete(license_())), date(2030, 1, 1), Freshness.FRESH, id="mended"),
    ],
)
def test_freshness_says_how_far_numbers_are_those_of_today(
    state: PortalState, today: date, expected: Freshness | None
) -> None:
    assert freshness(state, Thresholds(), today) is expected
    assert [item.freshness for item in portal_report(state, Settings(), today).products] == [expected] * len(
        state.products
    )


def test_a_product_that_is_not_synchronized_is_stale_in_a_fresh_portal() -> None:
    report = portal_report(portal_state(product(reason=Reason.EXCLUDED)), Settings(), TODAY)
    assert (report.freshness, report.products[0].freshness) == (Freshness.FRESH, Freshness.STALE)


def test_the_settings_say_when_failing_imports_make_numbers_stale() -> None:
    thresholds = Thresholds(stale_days=0)
    days = [freshness(FAILED, thresholds, FAILED_ON + timedelta(days=days)) for days in (0, 1)]
    assert days == [Freshness.IMPORT_FAILED, Freshness.STALE]


# --- evidence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "entitled", "expected"),
    [
        (None, 100, Proof(Evidence.NONE)),
        (0, 0, Proof(Evidence.NONE, 0, 0)),
        (100, 100, Proof(Evidence.PROVEN, 100, 0)),
        (120, 100, Proof(Evidence.PROVEN, 120, 20)),
        (99, 100, Proof(Evidence.PARTIAL, 99, -1)),
        (1, 100, Proof(Evidence.PARTIAL, 1, -99)),
        (0, 100, Proof(Evidence.CONTRADICTED, 0, -100)),
        (100, 0, Proof(Evidence.CONTRADICTED, 100, 100)),
        (100, None, None),
        (None, None, Proof(Evidence.NONE)),
    ],
)
def test_evidence_compares_the_contract_with_the_portal(
    declared: int | None, entitled: int | None, expected: Proof | None
) -> None:
    owned = None if declared is None else DeclaredEntitlement(declared)
    assert proof(product(), Numbers(entitled, 0, entitled), owned) == expected


@pytest.mark.parametrize(
    ("reason", "declared", "expected"),
    [
        (Reason.GONE_FROM_PORTAL, 100, Proof(Evidence.CONTRADICTED, 100, 100)),
        (Reason.GONE_FROM_PORTAL, 0, Proof(Evidence.NONE, 0, 0)),
        (Reason.EXCLUDED, 100, None),
        (Reason.PORTAL_DELETED, 100, None),
    ],
)
def test_what_is_gone_counts_as_nothing_and_what_nobody_reads_is_not_compared(
    reason: Reason, declared: int, expected: Proof | None
) -> None:
    assert proof(product(reason=reason), Numbers(100, 97, 100), DeclaredEntitlement(declared)) == expected


def test_every_position_is_reached() -> None:
    reached = {
        position(Status.FULLY_LICENSED, Numbers(100, consumed, 100), WIDE) for consumed in (0, 50, 90, 97, 100, 101)
    }
    assert reached == set(Position)
