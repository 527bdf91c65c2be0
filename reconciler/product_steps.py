"""What a person should do about a product, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reconciler.facets import Freshness
from reconciler.findings import SUBSCRIPTIONS_DIFFER
from reconciler.labels import CALCULATION_REMEDY, SAVING_NOUNS, SHORTAGE_REMEDY
from reconciler.lifecycle import Cliff, Due, Lifecycle, Phase
from reconciler.model import Presence, Reason, Status
from reconciler.money import spoken
from reconciler.next_steps import MISSING_REMEDY, NextStep, Rank
from reconciler.portal_report import PortalReport, ProductReport

_NEAR = (Due.SOON, Due.URGENT, Due.OVER)
_COUNTED = (Lifecycle.ACTIVE, Lifecycle.EXPIRING, Lifecycle.TRIAL, Lifecycle.GRACE)
"""Where licenses stand that can be used."""


def product_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about a portal's products. Muted ones ask for nothing; a deleted portal's are one step of its own."""
    if portal.state.presence is Presence.DELETED:
        return
    for item in portal.products:
        if item.muted:
            continue
        for rank, weight, why, step in _steps(item):
            yield NextStep(rank, weight, portal.state.id, item.name, why, step)


_Step = tuple[Rank, int, str, str]
"""Rank, weight, why, and what to do."""


def _steps(item: ProductReport) -> Iterator[_Step]:
    """What to do about one product."""
    product = item.product
    if product.reason is not None:
        yield Rank.NOT_SYNCHRONIZED, 0, item.reason_label or "", item.remedy or ""
        if product.reason is Reason.GONE_FROM_PORTAL:
            yield from _evidence(item)
        return
    if product.status is Status.NOT_ENOUGH_LICENSES:
        yield _shortage(item)
    elif product.status is Status.CALCULATION_ERROR:
        yield Rank.CALCULATION_ERROR, 0, "a number is missing, negative or not whole", CALCULATION_REMEDY
    yield from _not_assigned(item)
    yield from _grace(item)
    yield from _renewal(item)
    yield from _evidence(item)
    yield from _reclaimable(item)


def _shortage(item: ProductReport) -> _Step:
    """That licenses are missing."""
    numbers, suspended = item.numbers, item.product.license.units.suspended or 0
    why = f"{numbers.shortfall:,} too few: {numbers.consumed:,} consumed, {numbers.entitled:,} entitled"
    why += f", {suspended:,} suspended" if suspended > 0 else ""
    return Rank.SHORTAGE, numbers.shortfall, why, item.remedy or SHORTAGE_REMEDY


def _not_assigned(item: ProductReport) -> Iterator[_Step]:
    """That users wait for a license while none is left."""
    waiting, hidden = item.product.errors.get("CountViolation", 0), "CountViolation" in item.hidden.errors
    if (waiting or hidden) and item.numbers.balance is not None and item.numbers.balance <= 0:
        who = "1 user" if waiting == 1 else f"{waiting:,} users"
        who = f"fewer than {item.hidden.below:,} users" if hidden else who
        why = f"{who} did not get the license, because none is left"
        step = "Buy licenses or free some, then reprocess the assignment in the Microsoft 365 admin center."
        yield Rank.NOT_ASSIGNED, waiting, why, step


def _grace(item: ProductReport) -> Iterator[_Step]:
    """That units in grace are needed, or that their grace has ended since the portal was last read."""
    in_grace = [phase for phase in item.phases if phase.lifecycle is Lifecycle.GRACE]
    ended = [phase for phase in in_grace if phase.due is Due.OVER]
    if ended and item.freshness is not Freshness.FRESH:
        units = "" if item.numbers.entitled == item.numbers.firm else ", and entitled still counts them"
        why = f"the grace of {_licenses(ended[0])} ended on {ended[0].on}, after the portal was last read{units}"
        step = "Look in the Microsoft 365 admin center whether they were renewed, and have the portal read again."
        yield Rank.ENDED_GRACE, ended[0].licenses or 0, why, step
    elif item.only_by_grace:
        why = f"covered only by units in grace{_until(item.cliff)}: {item.numbers.consumed:,} consumed, "
        why += f"{item.numbers.firm:,} paid for"
        yield Rank.GRACE, 0, why, "Renew the expired subscription, or reduce the consumers."


def _until(cliff: Cliff | None) -> str:
    """Until when a product is covered, as far as that is known."""
    if cliff is None:
        return ""
    return f", which was to end on {cliff.on}" if cliff.due is Due.OVER else f" until {cliff.on}"


def _renewal(item: ProductReport) -> Iterator[_Step]:
    """That the product falls short unless something is renewed, or that a part of it ends and what then is unknown."""
    cliff = item.cliff
    if cliff and cliff.due in _NEAR and not _is_told_as_grace(item, cliff):
        over = cliff.due is Due.OVER
        why = f"{_ending_on(item, cliff.on)} {'ended' if over else 'ends'} on {cliff.on}: {cliff.short:,} too few from "
        why += f"then on, unless it {'was' if over else 'is'} renewed"
        yield _rank(cliff.due), cliff.short, why, "Renew it or buy licenses in time, or reduce the consumers."
    for phase in item.phases:
        if phase.due not in _NEAR or phase.licenses == 0 or (cliff and cliff.on == phase.on):
            continue
        ends = f"of {_licenses(phase)} {'ended' if phase.due is Due.OVER else 'ends'} on {phase.on}"
        if phase.lifecycle is Lifecycle.TRIAL:
            step = "Buy the licenses in time, or let the trial end."
            yield _rank(phase.due), phase.licenses or 0, f"the trial {ends}", step
        elif (
            phase.lifecycle is Lifecycle.EXPIRING and phase.balance is None and item.position and item.numbers.consumed
        ):
            why = f"a subscription {ends}, and nobody can say what is left then: {SUBSCRIPTIONS_DIFFER}"
            yield _rank(phase.due), phase.licenses or 0, why, "Look at it in the Microsoft 365 admin center."


def _is_told_as_grace(item: ProductReport, cliff: Cliff) -> bool:
    """Whether what ends on the cliff's day is grace, and the step about grace says so."""
    ends = [phase for phase in item.phases if phase.on == cliff.on and phase.lifecycle in _COUNTED]
    is_told = item.only_by_grace or (cliff.due is Due.OVER and item.freshness is not Freshness.FRESH)
    return is_told and all(phase.lifecycle is Lifecycle.GRACE for phase in ends)


def _ending_on(item: ProductReport, day: date) -> str:
    """What ends on a day."""
    kinds = {phase.lifecycle for phase in item.phases if phase.on == day and phase.lifecycle in _COUNTED}
    if Lifecycle.TRIAL in kinds:
        return "the trial"
    return "the grace of a subscription" if kinds == {Lifecycle.GRACE} else "a subscription"


def _rank(due: Due | None) -> Rank:
    """How pressing a renewal is."""
    return Rank.RENEWAL if due is Due.SOON else Rank.URGENT_RENEWAL


def _evidence(item: ProductReport) -> Iterator[_Step]:
    """That the declared entitlement and the portal do not agree."""
    proof = item.proof
    if proof is None or proof.declared is None or not proof.difference:
        return
    entitled = proof.declared - proof.difference
    weight = abs(proof.difference)
    if proof.difference > 0:
        gives = f"{entitled:,}, fewer than that" if entitled else "none"
        why = f"{proof.declared:,} declared as owned, but the portal gives {gives}"
        yield Rank.EVIDENCE, weight, why, MISSING_REMEDY
    else:
        declared = (
            f"only {proof.declared:,} {'is' if proof.declared == 1 else 'are'}" if proof.declared else "nothing is"
        )
        why = f"the portal gives {entitled:,}, but {declared} declared as owned"
        step = "Find the contract for the rest and declare it under `entitlement` in the portal's file."
        yield Rank.EVIDENCE, weight, why, step


def _reclaimable(item: ProductReport) -> Iterator[_Step]:
    """That consumers do not need the license."""
    found, total = item.product.reclaimable, item.reclaimable
    if not total:
        return
    reasons = [f"{found[name]:,} {nouns[found[name] > 1]}" for name, nouns in SAVING_NOUNS.items() if name in found]
    does = "does" if total == 1 else "do"
    why = f"{total:,} of {item.product.consumers or 0:,} consumers {does} not need it: {', '.join(reasons)}"
    if item.costs and item.costs.reclaimable:
        year = item.costs.a_year()
        why += f"; worth {spoken(year.reclaimable, year.currency)} a year"
    yield Rank.RECLAIMABLE, total, why, "Take the license from them."


def _licenses(phase: Phase) -> str:
    """How many licenses a phase is about."""
    if phase.licenses is None:
        return "licenses"
    return "1 license" if phase.licenses == 1 else f"{phase.licenses:,} licenses"
