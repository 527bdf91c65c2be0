"""What licenses cost: the missing, the unused, and those that consumers do not need.

Prices are those that portal files declare. Amounts are exact decimals, never rounded, and amounts of different
currencies are never added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Literal

from reconciler.model import Price

_EXACT = Context(prec=100)
"""The default context would round beyond 28 digits."""

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Costs:
    """Amounts in one currency, per month or year.

    ``true_up`` is what the missing licenses would cost, ``idle`` what those cost that nobody consumes,
    ``reclaimable`` what those cost that could be given back, because their consumers do not need them.
    """

    currency: str
    per: Literal["month", "year"]
    true_up: Decimal
    idle: Decimal
    reclaimable: Decimal

    def a_year(self) -> Costs:
        """The same amounts per year: twelve times those of a month."""
        if self.per == "year":
            return self
        return replace(
            self,
            per="year",
            true_up=_times(self.true_up, _MONTHS),
            idle=_times(self.idle, _MONTHS),
            reclaimable=_times(self.reclaimable, _MONTHS),
        )


def costs(price: Price, shortfall: int, available: int, reclaimable: int) -> Costs:
    """What so many licenses cost in the price's own period.

    Of the ``reclaimable`` ones those that make up for the shortfall were never paid for: nothing comes back for them.
    """
    return Costs(
        currency=price.currency,
        per=price.per,
        true_up=_times(price.amount, shortfall),
        idle=_times(price.amount, available),
        reclaimable=_times(price.amount, max(0, reclaimable - shortfall)),
    )


def a_year(price: Price, number: int) -> Decimal:
    """What so many licenses cost a year."""
    return _times(price.amount, number * (_MONTHS if price.per == "month" else 1))


def totals(rows: Iterable[Costs]) -> tuple[Costs, ...]:
    """The sums per year, one for each currency, sorted by currency."""
    sums: dict[str, Costs] = {}
    for row in rows:
        year = row.a_year()
        known = sums.get(row.currency)
        sums[row.currency] = _sum(known, year) if known else year
    return tuple(sums[currency] for currency in sorted(sums))


def spoken(amount: Decimal, currency: str) -> str:
    """An amount as people read it: thousands separators, two decimals, and more only where they are not zero."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{int(whole):,}.{fraction.rstrip('0'):0<2} {currency}"


def _sum(one: Costs, other: Costs) -> Costs:
    """Two amounts of the same currency and period as one."""
    return replace(
        one,
        true_up=_EXACT.add(one.true_up, other.true_up),
        idle=_EXACT.add(one.idle, other.idle),
        reclaimable=_EXACT.add(one.reclaimable, other.reclaimable),
    )


def _times(amount: Decimal, number: int) -> Decimal:
    """An amount so many times."""
    return _EXACT.multiply(amount, number)
