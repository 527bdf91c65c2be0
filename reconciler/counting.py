"""Counting consumers: how many hold each SKU, what is wrong with how many of them, and who does not need it.

SQL gathers users who are alike in everything that counts into groups; the rules here look at one user of each group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from reconciler.findings import ERRORS, FINDINGS, NONE_LEFT, SAVINGS, error_kind
from reconciler.matching import matches
from reconciler.model import Consumption, Holding, License, Overlap, ServicePlans, Settings

UNUSABLE = frozenset({"Suspended", "LockedOut", "Deleted"})
"""``capabilityStatus`` of a SKU that gives its holders nothing, so that it makes no other one unnecessary."""

GATHERED = 10_000
"""Groups of users that are gathered at once."""


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

    Whoever holds the first of a pair does not need the second. ``lacking`` are those of the ``plans`` that do not make
    the same plan elsewhere unnecessary. Of the ``unsure`` SKUs nobody knows all plans, so that nothing contains them.
    """

    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    includes: frozenset[tuple[str, str]] = frozenset()
    lacking: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()


def contents(licenses: Iterable[License], plans: Mapping[str, ServicePlans], overlaps: Collection[Overlap]) -> Contents:
    """What the licenses of a tenant contain, as the tenant says and the settings declare.

    Only a license that stays, and of it a plan that is provisioned, makes another license unnecessary.
    """
    usable = [license_ for license_ in licenses if license_.capability_status not in UNUSABLE]
    lasting = [license_ for license_ in usable if _lasts(license_)]
    pairs = {
        (one.sku_id, other.sku_id)
        for overlap in overlaps
        for one in lasting
        if matches(overlap.sku, one)
        for other in usable
        if other is not one and matches(overlap.includes, other)
    }
    known = {one.sku_id: plans.get(one.sku_id, ServicePlans()) for one in usable}
    stay = {one.sku_id for one in lasting}
    return Contents(
        {sku_id: each.for_users for sku_id, each in known.items()},
        frozenset(pairs),
        {sku_id: each.for_users - (each.working if sku_id in stay else frozenset()) for sku_id, each in known.items()},
        frozenset(sku_id for sku_id, each in known.items() if not each.all_known),
    )


def _lasts(license_: License) -> bool:
    """Whether a license has paid units that are in use: neither only units in grace nor only a trial's."""
    in_use = [each for each in license_.subscriptions if each.status == "Enabled"]
    return (license_.units.enabled or 0) > 0 and not (in_use and all(each.is_trial for each in in_use))


def counted_with(settings: Settings) -> str:
    """The settings that findings rest on, as a text that is another one when they would be others."""
    pairs = sorted(f"{each.sku.lower()} {each.includes.lower()}" for each in settings.overlaps)
    digest = sha256("\n".join(pairs).encode()).hexdigest()[:8] if pairs else "none"
    return f"inactive_days {settings.thresholds.inactive_days}, overlaps {digest}"


def count(groups: Iterable[Alike], inside: Contents, imported: Collection[str]) -> Counted:
    """Count consumers, findings, errors and savings of each SKU that somebody holds or was meant to hold.

    ``imported`` are the SKU IDs whose users count as users of the portal.
    """
    users = 0
    consumers: Counter[str] = Counter()
    findings: dict[str, Counter[str]] = {}
    errors: dict[str, Counter[str]] = {}
    reclaimable: dict[str, Counter[str]] = {}
    for alike in _gathered(groups, inside):
        users += alike.users if any(each.holds and each.sku_id in imported for each in alike.holdings) else 0
        unneeded, dispensable = overlapping(alike.holdings, inside)
        for holding in alike.holdings:
            sku_id = holding.sku_id
            consumers[sku_id] += alike.users if holding.holds else 0
            found = set(_found(alike, holding, inside, sku_id in unneeded))
            if found:
                findings.setdefault(sku_id, Counter()).update(dict.fromkeys(found, alike.users))
            if holding.error is not None and not (holding.holds and holding.error == NONE_LEFT):
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


def _gathered(groups: Iterable[Alike], inside: Contents) -> Iterator[Alike]:
    """The same users in fewer groups: a service plan that is off counts only where the license has it.

    Groups are gathered some at a time, so that memory does not grow with the tenant.
    """
    found: dict[Alike, int] = {}
    for alike in groups:
        holdings = tuple(_told_apart(holding, inside) for holding in alike.holdings)
        key = Alike(holdings, alike.account_disabled, alike.guest, alike.no_usage_location)
        found[key] = found.get(key, 0) + alike.users
        if len(found) == GATHERED:
            yield from (replace(each, users=users) for each, users in found.items())
            found.clear()
    yield from (replace(each, users=users) for each, users in found.items())


def _told_apart(holding: Holding, inside: Contents) -> Holding:
    """A holding without the plans that are off and that its license does not have."""
    if not holding.disabled_plans:
        return holding
    plans = inside.plans.get(holding.sku_id, frozenset())
    return holding._replace(disabled_plans=tuple(sorted(plans.intersection(holding.disabled_plans))))


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
    given = {
        other: plans - inside.lacking.get(other, frozenset()) for other, plans in active.items() if other != sku_id
    }
    if any((other, sku_id) in inside.includes and (plans or not inside.plans[other]) for other, plans in given.items()):
        return True
    plans = active[sku_id]
    return bool(plans) and sku_id not in inside.unsure and plans <= frozenset().union(*given.values())


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
