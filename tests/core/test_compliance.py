"""The status of a product and the numbers behind it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.compliance import numbers, recalculate, status
from reconciler.model import Reason, Settings, Status
from tests.core.core_world import E3, license_, product

UNMETERED = Settings(unmetered=("ENTERPRISEPACK",))


@pytest.mark.parametrize(
    ("members", "consumers", "expected"),
    [
        pytest.param({}, 97, Status.FULLY_LICENSED, id="some left"),
        pytest.param({"consumed_units": 100}, 100, Status.FULLY_LICENSED, id="exact"),
        pytest.param({"consumed_units": 101}, 101, Status.NOT_ENOUGH_LICENSES, id="one too few"),
        pytest.param({"consumed_units": 0}, 0, Status.FULLY_LICENSED, id="owned and unused"),
        pytest.param({"enabled": 0, "consumed_units": 0}, 0, Status.CLEAR, id="nothing owned, nothing consumed"),
        pytest.param({"enabled": 0, "consumed_units": 1}, 1, Status.NOT_ENOUGH_LICENSES, id="nothing owned, one user"),
        pytest.param(
            {"enabled": 0, "suspended": 10, "consumed_units": 4}, 4, Status.NOT_ENOUGH_LICENSES, id="suspended"
        ),
        pytest.param(
            {"enabled": 0, "locked_out": 10, "consumed_units": 4}, 4, Status.NOT_ENOUGH_LICENSES, id="locked out"
        ),
        pytest.param({"enabled": 0, "suspended": 10, "consumed_units": 0}, 0, Status.CLEAR, id="suspended, unused"),
        pytest.param({"consumed_units": 90}, 101, Status.NOT_ENOUGH_LICENSES, id="own count above Graph's"),
        pytest.param({"consumed_units": 101}, 90, Status.NOT_ENOUGH_LICENSES, id="Graph's count above ours"),
        pytest.param({"enabled": 60, "warning": 40}, 97, Status.FULLY_LICENSED, id="grace counts"),
        pytest.param({"enabled": None}, 97, Status.CALCULATION_ERROR, id="enabled missing"),
        pytest.param({"enabled": -1}, 97, Status.CALCULATION_ERROR, id="enabled negative"),
        pytest.param({"warning": None}, 97, Status.CALCULATION_ERROR, id="warning missing"),
        pytest.param({"warning": -1}, 97, Status.CALCULATION_ERROR, id="warning negative"),
        pytest.param({"consumed_units": None}, 97, Status.CALCULATION_ERROR, id="consumed missing"),
        pytest.param({"consumed_units": -1}, 97, Status.CALCULATION_ERROR, id="consumed negative"),
        pytest.param({}, None, Status.CALCULATION_ERROR, id="users never counted"),
        pytest.param({"applies_to": "Company"}, 0, Status.NOT_METERED, id="for the company"),
        pytest.param({"applies_to": "Company", "consumed_units": 101}, 0, Status.NOT_METERED, id="company, over"),
        pytest.param(
            {"applies_to": "Company", "enabled": None}, 0, Status.CALCULATION_ERROR, id="an error before not metered"
        ),
        pytest.param(
            {"applies_to": "Company", "enabled": 0, "consumed_units": 0},
            0,
            Status.NOT_METERED,
            id="not metered before clear",
        ),
    ],
)
def test_the_first_rule_that_matches_gives_the_status(
    members: dict[str, Any], consumers: int | None, expected: Status
) -> None:
    assert status(license_(**members), consumers, None, Settings()) is expected


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_goes_before_every_number(reason: Reason) -> None:
    assert status(license_(), 97, reason, Settings()) is Status.CANNOT_BE_SYNCHRONISED
    assert status(license_(enabled=None), None, reason, UNMETERED) is Status.CANNOT_BE_SYNCHRONISED


@pytest.mark.parametrize("sku", ["ENTERPRISEPACK", "enterprisepack", E3, E3.upper(), "ENTERPRISE*", "*pack"])
def test_an_unmetered_sku_is_named_by_part_number_sku_id_or_glob(sku: str) -> None:
    over = license_(consumed_units=500)
    assert status(over, 500, None, Settings(unmetered=(sku,))) is Status.NOT_METERED


@pytest.mark.parametrize("sku", ["ENTERPRISE", "PACK", E3[:8], f"{E3[:8]}*"])
def test_a_part_of_a_name_is_no_name_and_a_glob_is_over_part_numbers_only(sku: str) -> None:
    over = license_(consumed_units=500)
    assert status(over, 500, None, Settings(unmetered=(sku,))) is Status.NOT_ENOUGH_LICENSES


def test_an_unmetered_sku_without_numbers_is_still_an_error() -> None:
    assert status(license_(enabled=None), 97, None, UNMETERED) is Status.CALCULATION_ERROR


def test_without_count_warning_units_in_grace_are_not_entitled() -> None:
    grace = license_(enabled=60, warning=40)
    assert status(grace, 97, None, Settings(count_warning=False)) is Status.NOT_ENOUGH_LICENSES
    assert numbers(grace, 97, Settings(count_warning=False)).entitled == 60


def test_without_count_warning_a_missing_warning_is_not_missed() -> None:
    assert status(license_(warning=None), 97, None, Settings(count_warning=False)) is Status.FULLY_LICENSED


@pytest.mark.parametrize(
    ("members", "consumers", "entitled", "consumed", "balance", "shortfall", "only_by_grace"),
    [
        pytest.param({}, 97, 100, 97, 3, 0, False, id="surplus"),
        pytest.param({"enabled": 80}, 92, 80, 97, -17, 17, False, id="Graph counts more"),
        pytest.param({"enabled": 80}, 99, 80, 99, -19, 19, False, id="we count more"),
        pytest.param({"enabled": 60, "warning": 40}, 97, 100, 97, 3, 0, True, id="by grace only"),
        pytest.param(
            {"enabled": 60, "warning": 40, "consumed_units": 60}, 60, 100, 60, 40, 0, False, id="paid units suffice"
        ),
        pytest.param({"enabled": 60, "warning": 40, "consumed_units": 61}, 61, 100, 61, 39, 0, True, id="one by grace"),
        pytest.param(
            {"enabled": 60, "warning": 40, "consumed_units": 101}, 9, 100, 101, -1, 1, False, id="grace is not enough"
        ),
        pytest.param({"suspended": 50, "locked_out": 50}, 97, 100, 97, 3, 0, False, id="unusable units"),
        pytest.param({"enabled": None}, 97, None, 97, None, 0, False, id="nothing known of what is owned"),
        pytest.param({}, None, 100, None, None, 0, False, id="nothing known of who consumes"),
        pytest.param({"enabled": -5}, -1, None, None, None, 0, False, id="negative numbers"),
    ],
)
def test_the_numbers_of_a_product(
    members: dict[str, Any],
    consumers: int | None,
    entitled: int | None,
    consumed: int | None,
    balance: int | None,
    shortfall: int,
    only_by_grace: bool,
) -> None:
    found = numbers(license_(**members), consumers, Settings())
    assert (found.entitled, found.consumed, found.balance) == (entitled, consumed, balance)
    assert (found.shortfall, found.only_by_grace) == (shortfall, only_by_grace)


def test_to_recalculate_changes_the_status_and_nothing_else() -> None:
    before = product(enabled=60, warning=40)
    after = recalculate(before, Settings(count_warning=False))
    assert (before.status, after.status) == (Status.FULLY_LICENSED, Status.NOT_ENOUGH_LICENSES)
    assert recalculate(after, Settings()) == before
