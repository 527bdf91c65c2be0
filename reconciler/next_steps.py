"""What a person should do next, worst first, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from reconciler.labels import CALCULATION_REMEDY, REASON_LABELS, REMEDIES, SHORTAGE_REMEDY
from reconciler.model import ImportOutcome, Presence, Reason, Status
from reconciler.portal_report import PortalReport, ProductReport


class Rank(IntEnum):
    """The kinds of next steps, the most pressing first."""

    FAILED_IMPORT = 0
    URGENT_CREDENTIAL = 1
    SHORTAGE = 2
    CALCULATION_ERROR = 3
    CREDENTIAL = 4
    GRACE = 5
    NOT_SYNCHRONIZED = 6
    DISABLED_ACCOUNTS = 7
    ENDED_EXCLUSION = 8


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that a person should do, and why. ``rank`` orders by kind, ``weight`` within a kind, heavy first."""

    rank: Rank
    weight: int
    portal_id: str
    subject: str
    why: str
    step: str


def next_steps(portals: tuple[PortalReport, ...]) -> Iterator[NextStep]:
    """What people should do: about failed imports, credentials, products, and exclusions that have ended."""
    for portal in portals:
        state = portal.state
        error = state.last_import.error
        if state.presence is Presence.PRESENT and error and state.last_import.outcome is ImportOutcome.FAILED:
            why = f"the import failed: {error.message}"
            yield NextStep(Rank.FAILED_IMPORT, 0, state.id, state.portal.name, why, error.remedy)
        yield from _credential_steps(portal)
        if state.presence is Presence.DELETED and portal.products:
            why = f"the portal is no longer declared; products still known: {len(portal.products):,}"
            step = REMEDIES[Reason.PORTAL_DELETED]
            yield NextStep(Rank.NOT_SYNCHRONIZED, 0, state.id, state.portal.name, why, step)
        else:
            for item in portal.products:
                yield from _product_steps(state.id, item)
        for exclusion in portal.exclusions:
            if not exclusion.in_force:
                why = f"its exclusion ended on {exclusion.exclusion.until}"
                yield NextStep(
                    Rank.ENDED_EXCLUSION,
                    0,
                    state.id,
                    exclusion.exclusion.sku,
                    why,
                    "Renew the exclusion or take it out.",
                )


def _credential_steps(portal: PortalReport) -> Iterator[NextStep]:
    """What to do about a credential that ends. While a portal is suspended nothing signs in with it."""
    state, credential = portal.state, portal.credential
    if credential and credential.remedy and state.presence is Presence.PRESENT:
        rank = Rank.URGENT_CREDENTIAL if credential.is_urgent else Rank.CREDENTIAL
        yield NextStep(rank, 0, state.id, state.portal.name, credential.message, credential.remedy)


def _product_steps(portal_id: str, item: ProductReport) -> Iterator[NextStep]:
    """What to do about one product."""
    product, numbers = item.product, item.position
    if product.status is Status.NOT_ENOUGH_LICENSES:
        suspended = product.license.units.suspended or 0
        why = f"{numbers.shortfall:,} too few: {numbers.consumed:,} consumed, {numbers.entitled:,} entitled"
        why += f", {suspended:,} suspended" if suspended > 0 else ""
        yield NextStep(Rank.SHORTAGE, numbers.shortfall, portal_id, item.name, why, item.remedy or SHORTAGE_REMEDY)
    elif product.status is Status.CALCULATION_ERROR:
        why = "a number is missing, negative or not whole"
        yield NextStep(Rank.CALCULATION_ERROR, 0, portal_id, item.name, why, CALCULATION_REMEDY)
    elif product.reason is not None:
        yield NextStep(
            Rank.NOT_SYNCHRONIZED, 0, portal_id, item.name, REASON_LABELS[product.reason], REMEDIES[product.reason]
        )
    elif product.status is Status.FULLY_LICENSED and numbers.only_by_grace:
        until = f" until {item.grace_ends.date()}" if item.grace_ends else ""
        why = f"covered only by units in grace{until}: {numbers.consumed:,} consumed, {numbers.firm:,} paid for"
        yield NextStep(
            Rank.GRACE, 0, portal_id, item.name, why, "Renew the expired subscription, or reduce the consumers."
        )
    disabled = product.findings.get("disabled_account", 0)
    if disabled and product.reason is None:
        why = f"accounts that are disabled: {disabled:,} of {product.consumers or 0:,} consumers"
        yield NextStep(
            Rank.DISABLED_ACCOUNTS,
            disabled,
            portal_id,
            item.name,
            why,
            "Take the license from accounts that are disabled.",
        )
