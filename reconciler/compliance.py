"""The status of a product: pure rules over counts.

The formulas are those of the report's glossary: entitled = enabled + warning; consumed = the greater of Graph's
``consumedUnits`` and our own count of consumers; balance = entitled − consumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.matching import matches_any
from reconciler.model import License, Product, Reason, Settings, Status


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a product. Each is None where a number that it needs is missing or negative."""

    entitled: int | None
    consumed: int | None
    firm: int | None
    """Entitled without the units in grace."""

    @property
    def balance(self) -> int | None:
        """Licenses left; negative when too few."""
        return None if self.entitled is None or self.consumed is None else self.entitled - self.consumed

    @property
    def available(self) -> int:
        """How many licenses nobody consumes; 0 when there are too few or the numbers are unusable."""
        return max(0, self.balance or 0)

    @property
    def shortfall(self) -> int:
        """How many licenses are missing; 0 when there are enough or the numbers are unusable."""
        return max(0, -(self.balance or 0))

    @property
    def utilization(self) -> int | None:
        """Consumed of entitled in basis points, rounded down; None when nothing is entitled."""
        return 10_000 * self.consumed // self.entitled if self.entitled and self.consumed is not None else None

    @property
    def only_by_grace(self) -> bool:
        """Whether only units in grace cover the consumption."""
        if self.entitled is None or self.consumed is None or self.firm is None:
            return False
        return self.firm < self.consumed <= self.entitled


def _usable(number: int | None) -> int | None:
    """A count that can be calculated with."""
    return number if number is not None and number >= 0 else None


def numbers(license_: License, consumers: int | None, settings: Settings) -> Numbers:
    """Calculate the numbers of one license with its own count of consumers."""
    enabled = _usable(license_.units.enabled)
    warning = _usable(license_.units.warning) if settings.count_warning else 0
    reported, counted = _usable(license_.consumed_units), _usable(consumers)
    return Numbers(
        entitled=None if enabled is None or warning is None else enabled + warning,
        consumed=None if reported is None or counted is None else max(reported, counted),
        firm=enabled,
    )


def status(license_: License, consumers: int | None, reason: Reason | None, settings: Settings) -> Status:
    """Decide the status of a product. The first rule that matches wins."""
    if reason is not None:
        return Status.CANNOT_BE_SYNCHRONISED
    found = numbers(license_, consumers, settings)
    if found.entitled is None or found.consumed is None:
        return Status.CALCULATION_ERROR
    if license_.applies_to != "User" or matches_any(settings.unmetered, license_):
        return Status.NOT_METERED
    if found.entitled == 0 and found.consumed == 0:
        return Status.CLEAR
    if found.consumed > found.entitled:
        return Status.NOT_ENOUGH_LICENSES
    return Status.FULLY_LICENSED


def recalculate(product: Product, settings: Settings) -> Product:
    """The same product with the status that its numbers and its reason give now."""
    return replace(product, status=status(product.license, product.consumers, product.reason, settings))
