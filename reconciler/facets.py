"""What is to be known of a product beside its status: position, freshness, evidence.

Pure rules over counts, declarations and dates. What happens to a license over time is in ``lifecycle.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.compliance import Numbers
from reconciler.model import (
    DeclaredEntitlement,
    ImportOutcome,
    PortalState,
    Presence,
    Product,
    Reason,
    Status,
    Thresholds,
)


class Position(StrEnum):
    """How consumption lies to what is entitled."""

    UNDER = "under"
    UNUSED = "unused"
    EXACT = "exact"
    AT_CAPACITY = "at_capacity"
    SURPLUS = "surplus"
    BALANCED = "balanced"


class Freshness(StrEnum):
    """How far the numbers can be taken for today's."""

    FRESH = "fresh"
    IMPORT_FAILED = "import_failed"
    STALE = "stale"


class Evidence(StrEnum):
    """How what is declared as owned lies to what the portal gives."""

    NONE = "none"
    PROVEN = "proven"
    PARTIAL = "partial"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Proof:
    """A product's evidence. ``difference`` is declared − entitled, None where nothing is declared."""

    evidence: Evidence
    declared: int | None = None
    difference: int | None = None


def position(status: Status, found: Numbers, thresholds: Thresholds) -> Position | None:
    """The position of a product; the first rule that matches wins.

    None for a product without a balance that means something: not metered, not calculated, not synchronized, or with
    nothing entitled and nothing consumed. With the thresholds as they are by default, 95 and 5 %, ``at_capacity`` and
    ``surplus`` meet: ``balanced`` is only there for a team that sets others.
    """
    if status not in (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED):
        return None
    entitled, consumed = found.entitled or 0, found.consumed or 0
    if consumed > entitled:
        return Position.UNDER
    if consumed == 0:
        return Position.UNUSED
    if consumed == entitled:
        return Position.EXACT
    if (found.utilization or 0) >= 100 * thresholds.at_capacity_percent:
        return Position.AT_CAPACITY
    if 100 * found.available >= thresholds.surplus_percent * entitled:
        return Position.SURPLUS
    return Position.BALANCED


def freshness(state: PortalState, thresholds: Thresholds, today: date) -> Freshness | None:
    """The freshness of a portal's numbers; None when it was never read and so has none."""
    last = state.last_import
    if last.as_of is None:
        return None
    if state.presence is not Presence.PRESENT:
        return Freshness.STALE
    if last.outcome is not ImportOutcome.FAILED:
        return Freshness.FRESH
    days = (today - last.failed_since.date()).days if last.failed_since else 0
    return Freshness.STALE if days > thresholds.stale_days else Freshness.IMPORT_FAILED


def proof(product: Product, found: Numbers, owned: DeclaredEntitlement | None) -> Proof | None:
    """The evidence for a product.

    None where there is nothing to compare with: the product is excluded, its portal is deleted, or a number is
    unusable. A license that is gone from the portal counts as nothing entitled.
    """
    if product.reason in (Reason.EXCLUDED, Reason.PORTAL_DELETED):
        return None
    if owned is None:
        return Proof(Evidence.NONE)
    entitled = 0 if product.reason is Reason.GONE_FROM_PORTAL else found.entitled
    if entitled is None:
        return None
    return Proof(_evidence(owned.quantity, entitled), owned.quantity, owned.quantity - entitled)


def _evidence(declared: int, entitled: int) -> Evidence:
    """What two numbers of licenses say of each other."""
    if declared == entitled == 0:
        return Evidence.NONE
    if declared == 0 or entitled == 0:
        return Evidence.CONTRADICTED
    return Evidence.PROVEN if declared >= entitled else Evidence.PARTIAL
