"""Findings about so few users that their number may point at persons: reports name them without it.

The state and the ledger keep every number, because the next run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.model import Change, Product

_COUNTED = ("findings.", "errors.", "reclaimable.")
"""Fields of changes that count users."""

_SUM = "assignment_error"
"""The finding that is the sum of all kinds of errors."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is there and not told of one product: ids of findings, kinds of errors, reasons to reclaim.

    Each is about fewer than ``below`` users, except the sum of all assignment errors: where one of its kinds is not
    told, neither is the sum. It is then more than ``errors_told``, which the other kinds add up to; None otherwise.
    """

    below: int = 0
    findings: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    reclaimable: frozenset[str] = frozenset()

    errors_told: int | None = None

    @property
    def number(self) -> str:
        """What stands in place of a number."""
        return f"< {self.below:,}"

    def finding(self, name: str) -> str:
        """What stands in place of the number of a finding."""
        return self.number if name != _SUM or self.errors_told is None else f"> {self.errors_told:,}"


def hide(product: Product, below: int) -> tuple[Product, Hidden]:
    """The product without counts of fewer than ``below`` users, and what was taken out."""
    findings, errors, reclaimable = (
        _small(counts, below) for counts in (product.findings, product.errors, product.reclaimable)
    )
    if not findings | errors | reclaimable:
        return product, Hidden(below)
    told_errors, errors_told = _without(product.errors, errors), None
    if errors and _SUM in product.findings.keys() - findings:
        findings, errors_told = findings | {_SUM}, sum(told_errors.values())
    told = replace(
        product,
        findings=_without(product.findings, findings),
        errors=told_errors,
        reclaimable=_without(product.reclaimable, reclaimable),
    )
    return told, Hidden(below, findings, errors, reclaimable, errors_told)


def told(changes: Iterable[Change], below: int) -> tuple[Change, ...]:
    """The changes without those that say how many users a small group has, or had."""
    return tuple(change for change in changes if not _tells(change, below))


def _tells(change: Change, below: int) -> bool:
    """Whether a change gives away the size of a small group. A sum may, beside what the report tells of its parts."""
    if below and change.field == f"findings.{_SUM}":
        return True
    sides = (change.before, change.after)
    return change.field.startswith(_COUNTED) and any(isinstance(side, int) and 0 < side < below for side in sides)


def _small(counts: Mapping[str, int], below: int) -> frozenset[str]:
    """What counts fewer than ``below``."""
    return frozenset(name for name, number in counts.items() if 0 < number < below)


def _without(counts: Mapping[str, int], names: frozenset[str]) -> dict[str, int]:
    """Counts without some of them."""
    return {name: number for name, number in counts.items() if name not in names}
