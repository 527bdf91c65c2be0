"""Counting consumers: how many hold each SKU, what is wrong with how many of them, and who does not need it.

SQL gathers users who are alike in everything that counts into groups; the rules here look at one user of each group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.findings import ERRORS, FINDINGS, SAVINGS, error_kind
from reconciler.matching import matches
from reconciler.model import Consumption, License, Overlap

UNUSABLE = frozenset({"Suspended", "LockedOut", "Deleted"})
"""``capabilityStatus`` of a SKU that gives its holders nothing, so that it makes no other one unnecessary."""


class Holding(NamedTuple):
    """What counts of an assignment: all of ``Assignment`` but whose it is."""

    sku_id: str
    holds: bool
    direct: bool
    group: bool
    error: str | None
    disabled_plans: tuple[str, ...] = ()
    idle: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What comes of counting: consumption by SKU ID, and the distinct users with a license that is imported."""

    consumption: Mapping[str, Consumption]
    users: int


@dataclass(frozen=True, slots=True)
class Alike:
    """A number of users who hold the same in the same way."""

    holdings: tuple[Holding, ...]
    account_disabled: bool = False
    guest: bool = False
    no_usage_location: bool = False
    users: int = 1


@dataclass(frozen=True, slots=True)
class Contents:
    """What SKUs contain: ``plans`` by SKU ID, of usable SKUs only; ``includes`` holds declared pairs of SKU IDs.

    Whoever holds the first of a pair does not need the second.
    """

    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    includes: frozenset[tuple[str, str]] = frozenset()


def contents(
    licenses: Iterable[License], plans: Mapping[str, frozenset[str]], overlaps: Collection[Overlap]
) -> Contents:
    """What the licenses of a tenant contain, as the tenant says and the settings declare."""
    usable = [license_ for license_ in licenses if license_.capability_status not in UNUSABLE]
    pairs = {
        (one.sku_id, other.sku_id)
        for overlap in overlaps
        for one in usable
        if matches(overlap.sku, one)
        for other in usable
        if other is not one and matches(overlap.includes, other)
    }
    return Contents({one.sku_id: plans.get(one.sku_id, frozenset()) for one in usable}, frozenset(pairs))


def count(groups: Iterable[Alike], inside: Contents, imported: Collection[str]) -> Counted:
    """Count consumers, findings, errors and savings of each SKU that somebody holds or was meant to hold.

    ``imported`` are the SKU IDs whose users count as users of the portal.
    """
    users = 0
    consumers: Counter[str] = Counter()
    findings: dict[str, Counter[str]] = {}
    errors: dict[str, Counter[str]] = {}
    reclaimable: dict[str, Counter[str]] = {}
    for alike in groups:
        users += alike.users if any(each.holds and each.sku_id in imported for each in alike.holdings) else 0
        unneeded, dispensable = overlapping(alike.holdings, inside)
        for holding in alike.holdings:
            sku_id = holding.sku_id
            consumers[sku_id] += alike.users if holding.holds else 0
            found = set(_found(alike, holding, inside, sku_id in unneeded))
            if found:
                findings.setdefault(sku_id, Counter()).update(dict.fromkeys(found, alike.users))
            if holding.error is not None:
                errors.setdefault(sku_id, Counter())[error_kind(holding.error)] += alike.users
            if holding.holds and (saving := _saving(found, sku_id in dispensable)):
                reclaimable.setdefault(sku_id, Counter())[saving] += alike.users
    found_by_sku = {
        sku_id: Consumption(
            consumers[sku_id],
            _ordered(findings.get(sku_id, {}), FINDINGS),
            _ordered(errors.get(sku_id, {}), ERRORS),
            _ordered(reclaimable.get(sku_id, {}), SAVINGS),
        )
        for sku_id in sorted(consumers)
    }
    return Counted(found_by_sku, users)


def overlapping(holdings: Iterable[Holding], inside: Contents) -> tuple[frozenset[str], frozenset[str]]:
    """Of the SKUs of one user: each that the others contain, and those that can go together without losing a plan.

    Two SKUs with equal plans contain each other, but only one can go. What has the fewest plans goes first, then what
    comes first by SKU ID.
    """
    active = {
        each.sku_id: inside.plans[each.sku_id].difference(each.disabled_plans)
        for each in holdings
        if each.holds and each.sku_id in inside.plans
    }
    if len(active) < 2:
        return frozenset(), frozenset()
    contained = frozenset(sku_id for sku_id in active if _is_contained(sku_id, active, inside))
    kept = dict(active)
    for sku_id in sorted(contained, key=lambda each: (len(active[each]), each)):
        if _is_contained(sku_id, kept, inside):
            del kept[sku_id]
    return contained, frozenset(active.keys() - kept.keys())


def _is_contained(sku_id: str, active: Mapping[str, frozenset[str]], inside: Contents) -> bool:
    """Whether the other SKUs of a user give all that this one does. One that gives nothing is another finding."""
    others = [other for other in active if other != sku_id]
    if any((other, sku_id) in inside.includes for other in others):
        return True
    plans = active[sku_id]
    return bool(plans) and plans <= frozenset().union(*(active[other] for other in others))


def _found(alike: Alike, holding: Holding, inside: Contents, overlaps: bool) -> Iterator[str]:
    """The findings on one license of one user."""
    if holding.error is not None:
        yield "assignment_error"
    if not holding.holds:
        return
    if alike.account_disabled:
        yield "disabled_account"
    if alike.guest:
        yield "guest_licensed"
    if alike.no_usage_location:
        yield "no_usage_location"
    if holding.direct and holding.group:
        yield "direct_and_group"
    if overlaps:
        yield "overlap"
    plans = inside.plans.get(holding.sku_id)
    if plans and plans.issubset(holding.disabled_plans):
        yield "plans_disabled"
    if holding.idle is not None:
        yield holding.idle


def _saving(found: Collection[str], dispensable: bool) -> str | None:
    """The first finding because of which the license can be taken back."""
    return next((name for name in SAVINGS if name in found and (name != "overlap" or dispensable)), None)


def _ordered(counts: Mapping[str, int], order: Iterable[str]) -> dict[str, int]:
    """Counts in the order in which they are shown."""
    return {name: counts[name] for name in order if name in counts}
