"""Which entries of ``removals.yaml`` would clear away what cannot be synchronized any more.

Only what is known as lost is proposed: a product that this very plan loses can still be had back by taking the change
back. What would recover with the next import is not proposed either, nor what a pending entry removes already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import count

from reconciler.model import PortalState, Presence, Product, Reason, Removal, Settings
from reconciler.plan import Plan, PortalPlan
from reconciler.removals import EVERYTHING, is_lifted

FACTS: dict[Reason, str] = {
    Reason.PORTAL_DELETED: "The portal is deleted",
    Reason.EXCLUDED: "The license is excluded",
    Reason.GONE_FROM_PORTAL: "Gone from the portal",
}
"""The reason of an entry for which nobody gave one."""

_PART_NUMBER = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]{0,99}")
"""A part number that may stand in a file as it is. It comes from the tenant and could be anything."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry, and the titles of the products that it would remove."""

    removal: Removal
    titles: tuple[str, ...]


def proposals(
    plan: Plan,
    settings: Settings,
    today: date,
    *,
    reason: str | None = None,
    ticket: str | None = None,
    why: Collection[Reason] = (),
) -> tuple[Proposal, ...]:
    """The entries to propose, by portal and title.

    ``why`` selects products by their reason; empty means all. Without ``reason`` each entry says the fact.
    """
    return tuple(
        _distinct(proposal, portal.after)
        for portal in plan.portals
        for proposal in _of_portal(portal, settings, today, reason, ticket, set(why) or set(Reason))
    )


def _of_portal(
    portal: PortalPlan, settings: Settings, today: date, reason: str | None, ticket: str | None, why: set[Reason]
) -> Iterator[Proposal]:
    """The entries for one portal: one for everything when it is deleted, else one a product."""
    lost = {product.sku_id for product in portal.before.products if product.reason} if portal.before else set()
    found = [
        product
        for product in sorted(portal.after.products, key=lambda item: (item.title.casefold(), item.sku_id))
        if product.sku_id in lost and product.reason in why and not is_lifted(product, portal.after, settings, today)
    ]
    if not found:
        return
    if portal.after.presence is Presence.DELETED:
        if portal.before and portal.before.presence is Presence.DELETED:
            entry = Removal(portal.id, EVERYTHING, reason or FACTS[Reason.PORTAL_DELETED], ticket)
            yield Proposal(entry, tuple(product.title for product in found))
        return
    for product in found:
        assert product.reason  # noqa: S101 - selected above
        entry = Removal(portal.id, _sku(product, portal.after), reason or FACTS[product.reason], ticket)
        yield Proposal(entry, (product.title,))


def _sku(product: Product, state: PortalState) -> str:
    """The part number where it means this product alone, else the SKU ID."""
    part_number = product.license.part_number
    same = [item for item in state.products if item.license.part_number.casefold() == part_number.casefold()]
    return part_number if len(same) == 1 and _PART_NUMBER.fullmatch(part_number) else product.sku_id


def _distinct(proposal: Proposal, state: PortalState) -> Proposal:
    """The proposal, told apart from entries that were carried out before: the same words would be taken for done."""
    done = {(item.sku.casefold(), item.reason, item.ticket) for item in state.removed}
    entry = proposal.removal
    for number in count(2):
        if (entry.sku.casefold(), entry.reason, entry.ticket) not in done:
            break
        entry = replace(entry, reason=f"{proposal.removal.reason} ({number})")
    return replace(proposal, removal=entry)
