"""When an import may read only what changed since the last one, and when it has to read all users again.

Graph's delta queries tell who changed since a link was taken. The link stands for the users that were stored with it,
so it serves only while those are what a full read would store under the same rules.

Sources: Microsoft Graph documentation, "Use delta query to track changes in Microsoft Graph data" (tokens of directory
objects live seven days) and user: delta (changes of ``licenseAssignmentStates`` and sign-ins are not tracked).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model import Consumption, Holding, License, Portal, PortalState, Settings

LINK_AGE = timedelta(days=6)
"""How old a link may be: Graph forgets it after seven days."""

FAILING_AGE = timedelta(days=1)
"""After how long without success the list is tried instead of the changes: they may be what is broken."""

FULL_READ_AGE = timedelta(days=7)
"""How long ago all users may have been read: ways of assignment and sign-ins are only as new as that."""


@dataclass(frozen=True, slots=True)
class DeltaLink:
    """Where the next import can go on from. ``link`` is Graph's own, ``taken`` when it was given.

    ``full_read`` is when all users were read, ``basis`` under which rules; see ``basis_of``.
    """

    link: str
    taken: datetime
    full_read: datetime
    basis: str


class FullReadNeeded(Exception):
    """The changes cannot be had, or do not fit what is stored: all users have to be read. The text says why."""


def basis_of(portal: Portal, settings: Settings, imported: Collection[str], selected: str, emulated: str | None) -> str:
    """What stored users rest on, as a text that is another one when they would be others.

    ``imported`` are the SKU IDs whose users are stored, ``selected`` the properties that are read of each user.
    """
    idle = str(settings.thresholds.inactive_days)
    tenant = (portal.cloud.value, portal.tenant_id.lower(), portal.client_id.lower(), emulated or "")
    return "\n".join((*tenant, selected, idle, *sorted(imported)))


def why_full(
    link: DeltaLink | None,
    basis: str,
    now: datetime,
    *,
    forced: bool = False,
    failing_since: datetime | None = None,
) -> str | None:
    """Why all users have to be read, or None when the changes since ``link`` will do.

    ``failing_since`` is when the imports of the portal began to fail, if they do.
    """
    if forced:
        return "asked for"
    if link is None:
        return "no earlier read to go on from"
    if link.basis != basis:
        return "what is imported has changed"
    if failing_since and now - failing_since >= FAILING_AGE:
        return "imports have failed for a day"
    if not timedelta(0) <= now - link.taken <= LINK_AGE:
        return "the last read is too long ago"
    if not timedelta(0) <= now - link.full_read < FULL_READ_AGE:
        return "the last full read is a week ago"
    return None


def check_counts(known: PortalState, licenses: Iterable[License], found: Mapping[str, Consumption]) -> None:
    """Raise FullReadNeeded when users and Graph's own count of a license are further apart than they were."""
    before = {item.sku_id: item for item in known.products if item.reason is None}
    for license_ in licenses:
        product = before.get(license_.sku_id)
        if product is None or license_.consumed_units is None:
            continue
        consumers = found[license_.sku_id].consumers if license_.sku_id in found else 0
        gap = abs(license_.consumed_units - consumers)
        if gap > _gap(product.license.consumed_units, product.consumers):
            raise FullReadNeeded(f"{license_.part_number}: users and Graph's count are further apart than before")


def _gap(consumed_units: int | None, consumers: int | None) -> int:
    """How far Graph's count and ours are apart; 0 when one of them is unknown, so that a full read settles it."""
    return 0 if consumed_units is None or consumers is None else abs(consumed_units - consumers)


def carried_sign_ins(holdings: Iterable[Holding], before: Iterable[Holding]) -> Iterator[Holding]:
    """What a changed user holds, with what was known of the user's sign-ins.

    Inactivity belongs to a license; that somebody never signed in is true of whatever the user holds.
    """
    known = {each.sku_id: each.idle for each in before if each.idle}
    never = next((idle for idle in known.values() if idle == "never_signed_in"), None)
    for each in holdings:
        yield each._replace(idle=known.get(each.sku_id, never) if each.holds else None)
