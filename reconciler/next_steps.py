"""What a person should do next, worst first, each with its reason: about portals, credentials and exclusions.

What is to be done about products is in ``product_steps.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from reconciler.exclusion_report import Origin, SharedExclusion
from reconciler.labels import REMEDIES
from reconciler.model import Exclusion, ImportOutcome, Presence, Reason
from reconciler.portal_report import PortalReport


class Rank(IntEnum):
    """The kinds of next steps, the most pressing first."""

    FAILED_IMPORT = 0
    URGENT_CREDENTIAL = 1
    SHORTAGE = 2
    NOT_ASSIGNED = 3
    ENDED_GRACE = 4
    URGENT_RENEWAL = 5
    CALCULATION_ERROR = 6
    CREDENTIAL = 7
    GRACE = 8
    RENEWAL = 9
    NOT_SYNCHRONIZED = 10
    EVIDENCE = 11
    RECLAIMABLE = 12
    ENDED_EXCLUSION = 13
    ENDED_SUSPENSION = 14


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that a person should do, and why. ``rank`` orders by kind, ``weight`` within a kind, heavy first.

    ``portal_id`` is None for what is about the whole repository.
    """

    rank: Rank
    weight: int
    portal_id: str | None
    subject: str
    why: str
    step: str


def portal_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about one portal, its products aside."""
    state, name = portal.state, portal.state.portal.name
    if state.presence is Presence.DELETED:
        if portal.products:
            why = f"the portal is no longer declared; products still known: {len(portal.products):,}"
            step = REMEDIES[Reason.PORTAL_DELETED]
            yield NextStep(Rank.NOT_SYNCHRONIZED, len(portal.products), state.id, name, why, step)
        return
    error = state.last_import.error
    if state.presence is Presence.PRESENT and error and state.last_import.outcome is ImportOutcome.FAILED:
        yield NextStep(Rank.FAILED_IMPORT, 0, state.id, name, f"the import failed: {error.message}", error.remedy)
    yield from _credential_steps(portal)
    for item in portal.exclusions:
        if item.origin is Origin.PORTAL and not item.in_force:
            yield _ended(item.exclusion, state.id)
    if portal.suspension_ended and state.portal.suspend:
        why = f"its suspension ended on {state.portal.suspend.until}, and it is imported again"
        step = "Take `suspend` out of the portal's file, or give it a new end."
        yield NextStep(Rank.ENDED_SUSPENSION, 0, state.id, name, why, step)
    yield from _declared_steps(portal)


def _declared_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about declared entitlements that could not be compared with a product."""
    state = portal.state
    for entry in portal.unreported:
        if entry.entitlement:
            declared = entry.entitlement.quantity
            why = f"{declared:,} declared as owned, but the portal does not report such a license"
            yield NextStep(Rank.EVIDENCE, declared, state.id, entry.sku, why, MISSING_REMEDY)
    for item in portal.ambiguous:
        if item.entry.entitlement:
            declared = item.entry.entitlement.quantity
            why = f"{declared:,} declared as owned for what means {len(item.sku_ids):,} licenses of the portal: "
            why += "compared with none of them"
            step = f"Name the SKU ID in the portal's file: {' or '.join(item.sku_ids)}."
            yield NextStep(Rank.EVIDENCE, declared, state.id, item.entry.sku, why, step)


MISSING_REMEDY = (
    "Look in the Microsoft 365 admin center, and ask who sold the licenses; or correct `entitlement` in the portal's "
    "file."
)
"""What to do about licenses that a contract promises and the portal does not give."""


def shared_steps(exclusions: Iterable[SharedExclusion]) -> Iterator[NextStep]:
    """What to do about the exclusions of reconcile.yaml."""
    for item in exclusions:
        if not item.in_force:
            yield _ended(item.exclusion, None)


def _ended(exclusion: Exclusion, portal_id: str | None) -> NextStep:
    """That an exclusion has ended."""
    why = f"its exclusion ended on {exclusion.until}"
    step = "Renew the exclusion or take it out."
    return NextStep(Rank.ENDED_EXCLUSION, 0, portal_id, exclusion.sku, why, step)


def _credential_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about a credential that ends. While a portal is suspended nothing signs in with it."""
    state, credential = portal.state, portal.credential
    if credential and credential.remedy and state.presence is Presence.PRESENT:
        rank = Rank.URGENT_CREDENTIAL if credential.is_urgent else Rank.CREDENTIAL
        yield NextStep(rank, 0, state.id, state.portal.name, credential.message, credential.remedy)
