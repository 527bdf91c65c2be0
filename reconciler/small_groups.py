"""Findings about so few users that their number may point at persons: reports name them without it.

The state and the ledger keep every number, because the next run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.model import Change, Product

_COUNTED = ("findings.", "errors.", "reclaimable.")
"""Fields of changes that count users."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is there and not told of one product: ids of findings, kinds of errors, reasons to reclaim.

    Each is about fewer than ``below`` users.
    """

    below: int = 0
    findings: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    reclaimable: frozenset[str] = frozenset()

    @property
    def number(self) -> str:
        """What stands in place of a number."""
        return f"< {self.below:,}"


def hide(product: Product, below: int) -> tuple[Product, Hidden]:
    """The product without counts of fewer than ``below`` users, and what was taken out."""
    findings, errors, reclaimable = (
        _small(counts, below) for counts in (product.findings, product.errors, product.reclaimable)
    )
    if not findings | errors | reclaimable:
        return product, Hidden(below)
    told = replace(
        product,
        findings=_without(product.findings, findings),
        errors=_without(product.errors, errors),
        reclaimable=_without(product.reclaimable, reclaimable),
    )
    return told, Hidden(below, findings, errors, reclaimable)


def told(changes: Iterable[Change], below: int) -> tuple[Change, ...]:
    """The changes without those that say how many users a small group has, or had."""
    return tuple(change for change in changes if not _tells(change, below))


def _tells(change: Change, below: int) -> bool:
    """Whether a change gives away the size of a small group."""
    sides = (change.before, change.after)
    return change.field.startswith(_COUNTED) and any(isinstance(side, int) and 0 < side < below for side in sides)


def _small(counts: Mapping[str, int], below: int) -> frozenset[str]:
    """What counts fewer than ``below``."""
    return frozenset(name for name, number in counts.items() if 0 < number < below)


def _without(counts: Mapping[str, int], names: frozenset[str]) -> dict[str, int]:
    """Counts without some of them."""
    return {name: number for name, number in counts.items() if name not in names}
