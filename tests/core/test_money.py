"""Costs: exact, per year, and never mixed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Price, ProductEntry, Settings
from reconciler.money import Costs, costs, spoken, totals
from reconciler.report import Report, make_report
from tests.core.core_world import TODAY, known, license_, numbered, portal, portal_state, product

amounts = st.decimals("0", "999999999999.999999", places=6)
counts = st.integers(0, 10**9)
currencies = st.sampled_from(["EUR", "USD", "CHF"])
prices = st.builds(Price, amounts, currencies, st.sampled_from(["month", "year"]))
rows = st.lists(st.builds(costs, prices, counts, counts, counts), max_size=12)


def test_each_amount_is_a_count_times_the_price_in_its_own_period() -> None:
    found = costs(Price(Decimal("34.40"), "EUR", "month"), 12, 0, 18)
    assert found == Costs("EUR", "month", Decimal("412.80"), Decimal("0.00"), Decimal("206.40"))
    assert found.a_year() == Costs("EUR", "year", Decimal("4953.60"), Decimal("0.00"), Decimal("2476.80"))
    assert found.a_year().a_year() == found.a_year()


@pytest.mark.parametrize(("shortfall", "reclaimable", "back"), [(0, 18, 18), (12, 18, 6), (18, 18, 0), (19, 18, 0)])
def test_nothing_comes_back_for_what_was_never_paid_for(shortfall: int, reclaimable: int, back: int) -> None:
    assert costs(Price(Decimal(2), "EUR", "month"), shortfall, 0, reclaimable).reclaimable == 2 * back


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "0.00 EUR"),
        ("34.4", "34.40 EUR"),
        ("34.400000", "34.40 EUR"),
        ("1234567.891", "1,234,567.891 EUR"),
        ("0.000001", "0.000001 EUR"),
        ("1E+6", "1,000,000.00 EUR"),
    ],
)
def test_an_amount_is_told_with_two_decimals_and_never_rounded(amount: str, words: str) -> None:
    assert spoken(Decimal(amount), "EUR") == words


@given(rows)
def test_totals_equal_the_sum_of_their_rows_to_the_last_digit(found: list[Costs]) -> None:
    assert [total.currency for total in totals(found)] == sorted({row.currency for row in found})
    for total in totals(found):
        own = [row for row in found if row.currency == total.currency]
        assert total.per == "year"
        for name in ("true_up", "idle", "reclaimable"):
            wanted = sum(Fraction(getattr(row, name)) * (12 if row.per == "month" else 1) for row in own)
            assert Fraction(getattr(total, name)) == wanted


@given(rows, rows)
def test_the_totals_of_totals_are_those_of_all_rows_in_any_order(some: list[Costs], others: list[Costs]) -> None:
    assert totals([*totals(others), *totals(some)]) == totals([*some, *others])


priced = st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 50), prices | st.none())


def priced_report(portals: list[list[tuple[int, int, int, Price | None]]]) -> Report:
    """The report over portals whose products have these entitlements, consumers, savings and prices."""
    states = []
    for place, items in enumerate(portals):
        products = [
            replace(
                product(license_(numbered(n), part_number=f"P{n}", enabled=owned, consumed_units=used), consumers=used),
                reclaimable={"disabled_account": unneeded} if unneeded else {},
            )
            for n, (owned, used, unneeded, _) in enumerate(items)
        ]
        entries = tuple(ProductEntry(f"P{n}", price=price) for n, (*_, price) in enumerate(items))
        states.append(portal_state(*products, declared=portal(f"p{place}", products=entries)))
    return make_report(known(*states), Settings(), TODAY)


@given(st.lists(st.lists(priced, max_size=4), max_size=3))
def test_the_totals_of_a_report_equal_its_products(portals: list[list[tuple[int, int, int, Price | None]]]) -> None:
    report = priced_report(portals)
    sums = [(found.totals, items) for found, items in zip(report.portals, portals, strict=True)]
    for found, items in [*sums, (report.totals, list(chain(*portals)))]:
        assert {total.currency for total in found} == {price.currency for *_, price in items if price}
        for total in found:
            wanted = {"true_up": Fraction(0), "idle": Fraction(0), "reclaimable": Fraction(0)}
            for owned, used, unneeded, price in items:
                if price and price.currency == total.currency:
                    a_year = Fraction(price.amount) * (12 if price.per == "month" else 1)
                    wanted["true_up"] += a_year * max(0, used - owned)
                    wanted["idle"] += a_year * max(0, owned - used)
                    wanted["reclaimable"] += a_year * max(0, unneeded - max(0, used - owned))
            assert {name: Fraction(getattr(total, name)) for name in wanted} == wanted
