"""What happens to a license over time: where its purchases stand, and when they no longer suffice.

Dates come from the tenant's subscriptions. Nothing here counts days to them, so that a report changes only when a
threshold is crossed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.model import License, Subscription, Thresholds


class Lifecycle(StrEnum):
    """Where a purchase stands; the order is from best to worst."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    TRIAL = "trial"
    GRACE = "grace"
    SUSPENDED = "suspended"
    LOCKED_OUT = "locked_out"
    DELETED = "deleted"


class Due(StrEnum):
    """How near a date is. On its day a date is urgent; it is over from the day after."""

    LATER = "later"
    SOON = "soon"
    URGENT = "urgent"
    OVER = "over"


_BY_STATUS: dict[str, Lifecycle] = {
    "Enabled": Lifecycle.ACTIVE,
    "Warning": Lifecycle.GRACE,
    "Suspended": Lifecycle.SUSPENDED,
    "LockedOut": Lifecycle.LOCKED_OUT,
    "Deleted": Lifecycle.DELETED,
}
"""Graph's words for subscriptions and for ``capabilityStatus``. Another word says nothing that is known here."""

_ORDER = list(Lifecycle)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a license: so many ``licenses`` stand there until ``on``, if they are not renewed."""

    lifecycle: Lifecycle
    licenses: int | None = None
    on: date | None = None
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class Cliff:
    """From the day ``on`` a product is ``short`` by so many licenses, if nothing is renewed."""

    on: date
    short: int
    due: Due


def due(on: date, thresholds: Thresholds, today: date) -> Due:
    """How near a date is."""
    days = (on - today).days
    if days < 0:
        return Due.OVER
    if days <= thresholds.urgent_renewal_days:
        return Due.URGENT
    return Due.SOON if days <= thresholds.renewal_days else Due.LATER


def phases(license_: License, thresholds: Thresholds, today: date) -> tuple[Phase, ...]:
    """The parts of a license, best first; the first one names the license's lifecycle.

    Subscriptions that stand alike until the same day are one part. What has no licenses comes last. Without
    subscriptions there is one part, from ``capabilityStatus``, without number and date; or none.
    """
    found: dict[tuple[Lifecycle, date | None], list[int | None]] = {}
    for subscription in license_.subscriptions:
        where = _lifecycle(subscription, thresholds, today)
        if where is not None:
            found.setdefault((where, _end(subscription)), []).append(subscription.total_licenses)
    if not found:
        overall = _BY_STATUS.get(license_.capability_status)
        return (Phase(overall),) if overall else ()
    parts = [
        Phase(where, _total(counts), on, due(on, thresholds, today) if on else None)
        for (where, on), counts in found.items()
    ]
    return tuple(
        sorted(parts, key=lambda part: (part.licenses == 0, _ORDER.index(part.lifecycle), part.on or date.max))
    )


def cliff(license_: License, consumed: int | None, thresholds: Thresholds, today: date) -> Cliff | None:
    """When the enabled subscriptions no longer cover the consumption, and by how many.

    On a day the licenses count whose subscription moves on later. None without subscriptions whose numbers can be
    used, when too few are enabled already, and when those without a date suffice.
    """
    enabled = [item for item in license_.subscriptions if item.status == "Enabled"]
    counts = [item.total_licenses for item in enabled]
    if consumed is None or not enabled or any(number is None or number < 0 for number in counts):
        return None
    balance = sum(number or 0 for number in counts) - consumed
    if balance < 0:
        return None
    for on in sorted({end for item in enabled if (end := _end(item))}):
        balance -= sum(item.total_licenses or 0 for item in enabled if _end(item) == on)
        if balance < 0:
            return Cliff(on, -balance, due(on, thresholds, today))
    return None


def _lifecycle(subscription: Subscription, thresholds: Thresholds, today: date) -> Lifecycle | None:
    """Where one purchase stands."""
    where, end = _BY_STATUS.get(subscription.status), _end(subscription)
    if where is not Lifecycle.ACTIVE:
        return where
    if subscription.is_trial:
        return Lifecycle.TRIAL
    return Lifecycle.EXPIRING if end and due(end, thresholds, today) is not Due.LATER else Lifecycle.ACTIVE


def _end(subscription: Subscription) -> date | None:
    """The day on which a purchase moves on, in UTC."""
    return subscription.next_lifecycle.date() if subscription.next_lifecycle else None


def _total(counts: list[int | None]) -> int | None:
    """The sum, or None when a number is missing."""
    numbers = [number for number in counts if number is not None]
    return sum(numbers) if len(numbers) == len(counts) else None
