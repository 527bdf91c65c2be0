"""Contacts as numbers: how many a portal has, and how many of them are known in another portal too.

The finding ``same_person_two_portals`` is shown on demand only: a report is a function of the ledger, and a runner of
some portals does not have the contacts of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.model import PortalState


@dataclass(frozen=True, slots=True)
class PortalContacts:
    """The contacts of one portal; ``elsewhere`` of them are known in a portal of another tenant too.

    ``contacts`` is None when the state DB lacks them: they are never committed, and a fresh clone has none; or the
    portal was never read.
    """

    portal_id: str
    contacts: int | None
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class SharedLicense:
    """A SKU that ``persons`` hold in both of two portals: paid twice."""

    sku_id: str
    title: str
    persons: int


@dataclass(frozen=True, slots=True)
class SharedContacts:
    """The persons who are contacts of both of two portals. ``portals`` are their ids, in order."""

    portals: tuple[str, str]
    persons: int
    licenses: tuple[SharedLicense, ...] = ()


@dataclass(frozen=True, slots=True)
class Contacts:
    """The contacts of every portal by id in order; pairs of portals with most persons in common first.

    ``emulated``: the emulator answered for some of them, and no real tenant.
    """

    portals: tuple[PortalContacts, ...]
    pairs: tuple[SharedContacts, ...] = ()
    emulated: bool = False

    def only(self, ids: Collection[str]) -> Contacts:
        """What concerns these portals."""
        return replace(
            self,
            portals=tuple(each for each in self.portals if each.portal_id in ids),
            pairs=tuple(each for each in self.pairs if not set(ids).isdisjoint(each.portals)),
        )


def complete(known: Mapping[str, PortalState], stored: Mapping[str, int]) -> frozenset[str]:
    """The portals of which the state DB has all contacts. ``stored`` is how many it has of each that is not behind.

    A state that came back from the ledger has consumers, but nobody knows who they are until the next import.
    """
    return frozenset(
        portal_id
        for portal_id, state in known.items()
        if portal_id in stored
        and (stored[portal_id] or not any(each.consumers for each in state.products if each.reason is None))
    )
