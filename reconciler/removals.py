"""What the entries of ``removals.yaml`` come to: which products go, which entries are done, which are refused.

Only a product that cannot be synchronized may go. An entry is carried out once: what was removed is on record in the
portal's state, and a product that comes back is not removed again by an old entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.labels import STATUS_LABELS
from reconciler.matching import exclusion_of, matches
from reconciler.model import PortalState, Presence, Product, Reason, Removal, Removed, Settings, State

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
    removals: Iterable[Removal], state: PortalState, settings: Settings, today: date
) -> tuple[RemovalVerdict, ...]:
    """What becomes of the entries for one portal, in their order.

    ``state`` is the portal's state after its configuration is applied.
    """
    return tuple(_verdict(entry, state, settings, today) for entry in removals)


def judge_strays(removals: Iterable[Removal], portal_id: str, known: State) -> Iterator[RemovalVerdict]:
    """What becomes of entries for a portal that is neither declared nor known any more.

    What was carried out before the portal's file was renamed is found under its new id.
    """
    for entry in removals:
        done = [(state.id, item.on) for state in known.values() for item in state.removed if _is_order(item, entry)]
        if done:
            where, on = max(done, key=lambda found: found[1])
            now = "" if where == portal_id else f"; the portal is now {where}"
            yield RemovalVerdict(entry, RemovalOutcome.DONE, f"done on {on}{now}")
        elif portal_id in known:
            yield RemovalVerdict(entry, RemovalOutcome.DONE, "nothing is left of the portal")
        else:
            yield RemovalVerdict(entry, RemovalOutcome.UNMATCHED, f"no portal {portal_id} is known")


def is_lifted(product: Product, state: PortalState, settings: Settings, today: date) -> bool:
    """Whether the configuration no longer keeps a product from being synchronized: the next complete import may."""
    if state.presence is Presence.DELETED:
        return False
    if product.reason is Reason.EXCLUDED:
        return exclusion_of(state.portal, settings, product.license, today) is None
    return product.reason is Reason.PORTAL_DELETED


def _verdict(entry: Removal, state: PortalState, settings: Settings, today: date) -> RemovalVerdict:
    """What becomes of one entry."""
    done = [item.on for item in state.removed if _is_order(item, entry)]
    if done:
        return RemovalVerdict(entry, RemovalOutcome.DONE, f"done on {max(done)}")
    if entry.sku == EVERYTHING and state.presence is not Presence.DELETED:
        return _refused(entry, f"the portal {entry.portal} is still declared; name the products one by one")
    found = [item for item in state.products if entry.sku == EVERYTHING or matches(entry.sku, item.license)]
    if not found:
        return RemovalVerdict(entry, RemovalOutcome.UNMATCHED, f"{entry.portal} has no such product")
    for product in found:
        name = f"{state.portal.name} - {product.title}"
        if product.reason is None:
            earlier = [item.on for item in state.removed if item.sku_id == product.sku_id]
            again = f"; it came back after its removal on {max(earlier)}" if earlier else ""
            return _refused(entry, f"{name} can be synchronized ({STATUS_LABELS[product.status]}){again}")
        if is_lifted(product, state, settings, today):
            return _refused(entry, f"{name} can be synchronized again by the next import")
    return RemovalVerdict(entry, RemovalOutcome.REMOVES, entry.reason, tuple(item.sku_id for item in found))


def _is_order(record: Removed, entry: Removal) -> bool:
    """Whether what is on record was carried out for this entry. Other words, or another ticket, are a new order."""
    return (record.sku.casefold(), record.reason, record.ticket) == (entry.sku.casefold(), entry.reason, entry.ticket)


def _refused(entry: Removal, why: str) -> RemovalVerdict:
    return RemovalVerdict(entry, RemovalOutcome.REFUSED, why)
