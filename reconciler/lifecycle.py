"""What happens to a license over time: where its purchases stand, and when they no longer suffice.

Dates come from the tenant's subscriptions. Nothing here counts days to them, so that a report changes only when a
threshold is crossed. What is left on a day can be said only where the subscriptions add up to the units of the license.
"""

from __future__ import annotations

from collections.abc import Iterable
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


_USABLE = ("Enabled", "Warning")
"""Graph's words for subscriptions whose licenses can be used; those in ``Warning`` are in grace."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a license is measured by: ``consumed`` of ``entitled``, and whether units in grace are entitled."""

    entitled: int
    consumed: int
    count_warning: bool = True


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a license: so many ``licenses`` stand there until ``on``, if they are not renewed.

    ``balance`` are the licenses left over from that day on, negative when too few; None where nobody can say.
    """

    lifecycle: Lifecycle
    licenses: int | None = None
    on: date | None = None
    due: Due | None = None
    balance: int | None = None


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


def phases(license_: License, usage: Usage | None, thresholds: Thresholds, today: date) -> tuple[Phase, ...]:
    """The parts of a license, best first; the first one names the license's lifecycle.

    Subscriptions that stand alike until the same day are one part. What has no licenses comes last. Without
    subscriptions there is one part, from ``capabilityStatus``, without number and date; or none. Without ``usage``
    nothing is said of what is left.
    """
    found: dict[tuple[Lifecycle, date | None], list[int | None]] = {}
    for subscription in license_.subscriptions:
        where = _lifecycle(subscription, thresholds, today)
        if where is not None:
            found.setdefault((where, _end(subscription)), []).append(subscription.total_licenses)
    if not found:
        overall = _BY_STATUS.get(license_.capability_status)
        return (Phase(overall),) if overall else ()
    balances = dict(_balances(license_, usage)) if usage else {}
    parts = [
        Phase(
            where,
            _total(counts),
            on,
            due(on, thresholds, today) if on else None,
            balances.get(on) if on else None,
        )
        for (where, on), counts in found.items()
    ]
    return tuple(
        sorted(parts, key=lambda part: (part.licenses == 0, _ORDER.index(part.lifecycle), part.on or date.max))
    )


def cliff(license_: License, usage: Usage | None, thresholds: Thresholds, today: date) -> Cliff | None:
    """The first day on which what is left no longer covers the consumption, and by how many licenses.

    None when too few are there already, when enough stay, and where nobody can say.
    """
    if usage is None or usage.entitled < usage.consumed:
        return None
    for on, balance in _balances(license_, usage):
        if balance < 0:
            return Cliff(on, -balance, due(on, thresholds, today))
    return None


def subscription_mismatch(license_: License) -> int:
    """What the subscriptions in use and in grace add up to, minus the enabled units and those in grace.

    0 where they agree, and where nothing can be compared: there is no subscription, or a number is unusable.
    """
    units = license_.units
    owned, bought = _usable_sum((units.enabled, units.warning)), _bought(license_, _USABLE)
    return 0 if owned is None or bought is None or not license_.subscriptions else bought - owned


def _balances(license_: License, usage: Usage) -> list[tuple[date, int]]:
    """What is left over from each day on which a subscription moves on, in the order of the days.

    Entitled units minus all whose subscription has ended by then, minus the consumption. Empty unless the
    subscriptions that count add up to what is entitled: else nobody knows what stays.
    """
    counted = _USABLE if usage.count_warning else ("Enabled",)
    if _bought(license_, counted) != usage.entitled:
        return []
    ends = [(end, item) for item in license_.subscriptions if (end := _end(item))]
    balance, found = usage.entitled - usage.consumed, []
    for on in sorted({end for end, _ in ends}):
        balance -= sum(item.total_licenses or 0 for end, item in ends if end == on and item.status in counted)
        found.append((on, balance))
    return found


def _bought(license_: License, statuses: tuple[str, ...]) -> int | None:
    """The licenses of all subscriptions that stand so; None when a number is unusable."""
    return _usable_sum(item.total_licenses for item in license_.subscriptions if item.status in statuses)


def _usable_sum(counts: Iterable[int | None]) -> int | None:
    """The sum of numbers; None when one is missing or negative."""
    total = 0
    for number in counts:
        if number is None or number < 0:
            return None
        total += number
    return total


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
