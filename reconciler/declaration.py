"""What of a portal's file was applied, and what of it still waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.model import Portal, PortalState, Presence

_CONNECTION = (
    "name",
    "tenant_id",
    "client_id",
    "cloud",
    "authentication",
    "second_authentication",
    "replaces_tenant_id",
)
"""The members of a portal that say which tenant its numbers belong to."""


def until_read(former: Portal, declared: Portal) -> Portal:
    """What counts of a portal's file until its tenant is read to the end.

    A portal that turns to another tenant keeps the connection to the former one, and its name, until then: numbers of
    the one must not stand under the name of the other. All else in its file takes effect.
    """
    if former.tenant_id == declared.tenant_id:
        return declared
    return replace(declared, **{name: getattr(former, name) for name in _CONNECTION})


def pending(states: Iterable[PortalState], declared: Mapping[str, Portal]) -> frozenset[str]:
    """The IDs of the known portals that are not as they are declared: a change of their file waits to be applied."""
    return frozenset(state.id for state in states if waits(state, declared.get(state.id)))


def waits(state: PortalState, declared: Portal | None) -> bool:
    """Whether a portal is not as it is declared; None is a portal that is declared no more."""
    if declared is None or state.presence is Presence.DELETED:
        return (declared is None) != (state.presence is Presence.DELETED)
    return not is_same(state.portal, declared)


def is_same(one: Portal, other: Portal) -> bool:
    """Whether two portals are declared alike. The order of entries is no difference, as in ``plan.py``."""
    return _sorted(one) == _sorted(other)


def _sorted(portal: Portal) -> Portal:
    """The portal with its entries in an order that says nothing."""
    return replace(
        portal,
        exclusions=tuple(sorted(portal.exclusions, key=repr)),
        include=tuple(sorted(portal.include, key=repr)),
        products=tuple(sorted(portal.products, key=repr)),
    )
