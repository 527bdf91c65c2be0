"""What the entries of ``removals.yaml`` come to: which products go, which entries are done, which are refused.

Only a product that cannot be synchronised may go. An entry is carried out once: what was removed is on record in the
portal's state, and a product that comes back is not removed again by an old entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.labels import STATUS_LABELS
from reconciler.matching import exclusion_of, matches
from reconciler.model import PortalState, Presence, Product, Reason, Removal, Settings

EVERYTHING = "*"
"""As the SKU of a removal: every product of a portal that is deleted."""


class RemovalOutcome(StrEnum):
    """What becomes of an entry."""

    REMOVES = "removes"
    DONE = "done"
    UNMATCHED = "unmatched"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RemovalVerdict:
    """What becomes of one entry, and why. ``sku_ids`` are the products that it removes."""

    removal: Removal
    outcome: RemovalOutcome
    why: str
    sku_ids: tuple[str, ...] = ()


def judge(
    removals: Iterable[Removal], portal_id: str, state: PortalState | None, settings: Settings, today: date
) -> tuple[RemovalVerdict, ...]:
    """What becomes of the entries for one portal, in their order.

    ``state`` is the portal's state after its configuration is applied; None for a portal that nobody knows.
    """
    return tuple(_verdict(entry, state, settings, today) for entry in removals if entry.portal == portal_id)


def is_lifted(product: Product, state: PortalState, settings: Settings, today: date) -> bool:
    """Whether the configuration no longer keeps a product from being synchronized: the next complete import may."""
    if state.presence is Presence.DELETED:
        return False
    if product.reason is Reason.EXCLUDED:
        return exclusion_of(state.portal, settings, product.license, today) is None
    return product.reason is Reason.PORTAL_DELETED


def _verdict(entry: Removal, state: PortalState | None, settings: Settings, today: date) -> RemovalVerdict:
    """What becomes of one entry."""
    if state is None:
        return RemovalVerdict(entry, RemovalOutcome.UNMATCHED, f"no portal {entry.portal} is known")
    done = [item.on for item in state.removed if _asked_for(item.sku, item.reason, item.ticket, entry)]
    if done:
        return RemovalVerdict(entry, RemovalOutcome.DONE, f"done on {max(done)}")
    if state.is_forgotten:
        return RemovalVerdict(entry, RemovalOutcome.DONE, "nothing is left of the portal")
    if entry.sku == EVERYTHING and state.presence is not Presence.DELETED:
        return _refused(entry, f"the portal {entry.portal} is still declared; name the products one by one")
    found = [item for item in state.products if entry.sku == EVERYTHING or matches(entry.sku, item.license)]
    if not found:
        return RemovalVerdict(entry, RemovalOutcome.UNMATCHED, f"{entry.portal} has no such product")
    for product in found:
        name = f"{state.portal.name} - {product.title}"
        if product.reason is None:
            return _refused(entry, f"{name} can be synchronized ({STATUS_LABELS[product.status]})")
        if is_lifted(product, state, settings, today):
            return _refused(entry, f"{name} can be synchronized again by the next import")
    return RemovalVerdict(entry, RemovalOutcome.REMOVES, entry.reason, tuple(item.sku_id for item in found))


def _asked_for(sku: str, reason: str, ticket: str | None, entry: Removal) -> bool:
    """Whether a removal on record was carried out for this entry."""
    return (sku.casefold(), reason, ticket) == (entry.sku.casefold(), entry.reason, entry.ticket)


def _refused(entry: Removal, why: str) -> RemovalVerdict:
    return RemovalVerdict(entry, RemovalOutcome.REFUSED, why)
