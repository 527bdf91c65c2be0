"""What products would be like: exchanges, orders, and small groups that no difference may tell."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.model import PortalState, Price, Product, ProductEntry, Reason, ReportSettings, Settings, Status, Units
from reconciler.render.what_if import render
from reconciler.report import Report, make_report
from reconciler.what_if import Assumptions, assume, effects, is_untold, orders, without_taker
from tests.core.core_world import E3, E5, TODAY, known, license_, portal, portal_state, product, with_import

ALL = Settings()
FIVE = Settings(report=ReportSettings(small_group=5))
PRICED = portal(
    products=(
        ProductEntry("ENTERPRISEPACK", price=Price(Decimal("34.40"), "EUR", "month")),
        ProductEntry("SPE_E5", price=Price(Decimal(100), "EUR", "year")),
    )
)
SMALL = product(license_(E3, enabled=100, consumed_units=90), consumers=90)
LARGE = product(license_(E5, enabled=10, warning=40, suspended=5, consumed_units=48), consumers=47)


def reports(state: PortalState, assumptions: Assumptions, settings: Settings = ALL) -> tuple[Report, Report]:
    """The report as it is and as it would be."""
    then = assume(state, assumptions, settings)
    return make_report(known(state), settings, TODAY), make_report(known(then), settings, TODAY)


def shown(state: PortalState, assumptions: Assumptions, settings: Settings = ALL) -> str:
    """What the command prints."""
    before, after = reports(state, assumptions, settings)
    below = settings.report.small_group if is_untold(before, assumptions) else None
    return render(effects(before, after), orders(before, assumptions), before, after, below)


def by_id(state: PortalState) -> dict[str, Product]:
    return {each.sku_id: each for each in state.products}


# --- renewed as another one ------------------------------------------------------------------------------------------


def test_a_license_that_is_renewed_as_another_one_moves_there_with_who_holds_it() -> None:
    after = by_id(assume(portal_state(SMALL, LARGE), Assumptions(exchange=[("SPE_E5", "ENTERPRISEPACK")]), Settings()))
    assert after[E3].license.units == Units(155, 0, 0, 0)
    assert (after[E3].license.consumed_units, after[E3].consumers) == (138, 137)
    assert after[E5].license.units == Units(0, 0, 0, 0)
    assert (after[E5].license.consumed_units, after[E5].consumers, after[E5].status) == (0, 0, Status.CLEAR)


def test_who_does_not_need_the_old_license_does_not_need_the_new_one_unless_it_covered_the_old() -> None:
    state = portal_state(
        replace(SMALL, reclaimable={"inactive": 3}),
        replace(LARGE, reclaimable={"inactive": 2, "disabled_account": 7, "overlap": 9}),
    )
    after = by_id(assume(state, Assumptions(exchange=[("SPE_E5", "ENTERPRISEPACK")]), Settings()))
    assert after[E3].reclaimable == {"inactive": 5, "disabled_account": 7}
    assert after[E5].reclaimable == {}


def test_a_number_that_is_missing_stays_missing() -> None:
    broken = product(license_(E5, enabled=None), consumers=47)
    after = by_id(assume(portal_state(SMALL, broken), Assumptions(exchange=[("SPE_E5", "ENTERPRISEPACK")]), Settings()))
    assert after[E3].status is Status.CALCULATION_ERROR


@pytest.mark.parametrize(
    ("state", "lacking"),
    [
        (portal_state(SMALL, LARGE), []),
        (portal_state(LARGE), ["contoso"]),
        (portal_state(LARGE, product(license_(E3), reason=Reason.EXCLUDED)), ["contoso"]),
        (portal_state(SMALL), []),
    ],
    ids=["it is there", "it is not there", "it is excluded", "nothing to renew"],
)
def test_a_portal_without_the_other_product_is_named(state: PortalState, lacking: list[str]) -> None:
    assert without_taker(known(state), "SPE_E5", "ENTERPRISE*") == lacking
    assert without_taker(known(state), "SPE_E5", "*") == (["contoso"] if len(state.products) > 1 or lacking else [])


# --- what is paid for ------------------------------------------------------------------------------------------------


def test_a_purchase_says_what_it_costs_a_year() -> None:
    said = shown(portal_state(SMALL, declared=PRICED), Assumptions(buy=[("ENTERPRISEPACK", 20)]))
    assert "\nBuy 20 × Office 365 E3 (contoso), 34.40 EUR a month each: 8,256.00 EUR a year.\n" in said


def test_a_purchase_without_a_price_says_so() -> None:
    said = shown(portal_state(SMALL), Assumptions(buy=[("ENTERPRISEPACK", 20)]))
    assert "\nBuy 20 × Office 365 E3 (contoso): its price is not declared.\n" in said


def test_a_renewal_shows_what_it_renews_and_what_that_costs() -> None:
    said = shown(portal_state(LARGE, declared=PRICED), Assumptions(renew=["SPE_E5"]))
    _, _, row, order, *_ = said.splitlines()
    assert "40 → 0" in row
    assert "50 → 55" in row
    assert order == "Renew 55 × Microsoft 365 E5 (contoso), 100.00 EUR a year each: 5,500.00 EUR a year."


def test_a_renewal_that_changes_no_number_of_licenses_shows_the_grace_it_ends() -> None:
    said = shown(portal_state(product(enabled=60, warning=40)), Assumptions(renew=["ENTERPRISEPACK"]))
    assert "40 → 0" in said


def test_an_exchange_says_what_comes_in_at_its_own_price() -> None:
    said = shown(portal_state(SMALL, LARGE, declared=PRICED), Assumptions(exchange=[("SPE_E5", "ENTERPRISEPACK")]))
    assert (
        "\nRenew 55 × Office 365 E3 in place of Microsoft 365 E5 (contoso), 34.40 EUR a month each: "
        "22,704.00 EUR a year.\n"
    ) in said


def test_only_numbers_of_the_emulator_are_called_emulated() -> None:
    real, assumptions = portal_state(SMALL), Assumptions(buy=[("ENTERPRISEPACK", 20)])
    assert shown(real, assumptions).startswith("PORTAL")
    assert shown(with_import(real, emulated="demo"), assumptions).startswith("Emulated data")


# --- small groups ----------------------------------------------------------------------------------------------------


def test_no_difference_tells_how_many_a_small_group_is() -> None:
    state = portal_state(replace(SMALL, reclaimable={"guest_licensed": 4, "inactive": 6}))
    guests, both = Assumptions(reclaim=["guest_licensed"]), Assumptions(reclaim=["guest_licensed", "inactive"])
    left_out = "Findings about fewer than 5 users of a product are left out.\n"
    assert shown(state, guests, FIVE) == f"{left_out}Nothing would change.\n"
    assert "90 → 84" in shown(state, both, FIVE)
    assert "90 → 86" in shown(state, guests)
    assert left_out not in shown(state, guests)
    assert left_out not in shown(state, Assumptions(reclaim=["inactive"]), FIVE)


def test_an_exchange_tells_of_no_small_group_either() -> None:
    state = portal_state(SMALL, replace(LARGE, reclaimable={"inactive": 4, "disabled_account": 7}), declared=PRICED)
    after = by_id(assume(state, Assumptions(exchange=[("SPE_E5", "ENTERPRISEPACK")]), FIVE))
    assert after[E3].reclaimable == {"disabled_account": 7}
