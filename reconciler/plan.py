"""Desired against actual: what apply will do, and what that does to statuses, before it is done.

``apply`` executes the plan that ``plan`` shows: each ``PortalPlan`` holds the state that is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from reconciler.diff import differences
from reconciler.errors import UnknownPortal
from reconciler.expiry import Condition, condition
from reconciler.matching import exclusion_of
from reconciler.model import Change, Portal, PortalState, Presence, Reason, Settings, State, Status
from reconciler.transition import Title, configure, delete


class Action(StrEnum):
    """What happens to a portal."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PortalPlan:
    """What happens to one portal.

    ``before`` is the known state; its id differs from ``after``'s when the portal's file was renamed. ``after`` is
    what apply stores before it imports. ``recoveries`` are products that lost their reason and come back with the
    next complete import, as changes of the field ``recovery``. ``credential`` says how near the end of the portal's
    credential is; a portal that is deleted has none.
    """

    action: Action
    before: PortalState | None
    after: PortalState
    changes: tuple[Change, ...] = ()
    recoveries: tuple[Change, ...] = ()
    credential: Condition | None = None

    @property
    def id(self) -> str:
        """The id of the portal after the plan."""
        return self.after.id

    @property
    def kept(self) -> PortalState:
        """What apply stores when the tenant is not read to its end.

        A portal that turns to another tenant stays with the former one until then, because numbers of the one must not
        stand under the name of the other.
        """
        if self.before is not None and self.before.portal.tenant_id != self.after.portal.tenant_id:
            return self.before
        return self.after

    @property
    def lost(self) -> int:
        """How many products lose synchronization."""
        return sum(1 for change in self.changes if _is_loss(change))

    @property
    def imports(self) -> bool:
        """Whether the tenant is read when this is applied."""
        return self.after.presence is Presence.PRESENT


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to every selected portal, sorted by id. ``declared`` counts the desired portals, selected or not."""

    portals: tuple[PortalPlan, ...]
    declared: int

    @property
    def pending(self) -> tuple[PortalPlan, ...]:
        """The portals that change."""
        return tuple(portal for portal in self.portals if portal.action is not Action.NONE)


def _is_loss(change: Change) -> bool:
    """Whether a change makes a product that cannot be synchronised of one that can."""
    return change.field == "status" and change.after == Status.CANNOT_BE_SYNCHRONISED.value


def make_plan(
    desired: Mapping[str, Portal],
    actual: State,
    settings: Settings,
    title: Title,
    today: date,
    only: Collection[str] = (),
    credential_ends: Mapping[str, date] = {},
) -> Plan:
    """Compare what is declared with what is known.

    ``only`` selects portals by id; empty means all. ``credential_ends`` are the last days of certificates, by portal,
    as far as they could be read. Raises UnknownPortal when it names a portal that is neither
    declared nor known.
    """
    unknown = set(only) - desired.keys() - actual.keys()
    if unknown:
        raise UnknownPortal(unknown, desired.keys() | actual.keys())
    renamed = _renamed(desired, actual)
    chosen = set(only) or desired.keys() | actual.keys()
    plans = (
        _portal_plan(portal_id, desired, actual, renamed, settings, title, today, credential_ends.get(portal_id))
        for portal_id in sorted(desired.keys() | actual.keys())
        if portal_id not in renamed.values() and (portal_id in chosen or renamed.get(portal_id) in chosen)
    )
    return Plan(tuple(plans), len(desired))


def _renamed(desired: Mapping[str, Portal], actual: State) -> dict[str, str]:
    """New id to old id, for files that were renamed: same tenant and client, and no other candidate.

    A portal that was deleted before is a candidate only where no other is: it may also come back under a new name.
    """
    orphans: dict[tuple[str, str], list[str]] = {}
    for deleted in (False, True):
        found: dict[tuple[str, str], list[str]] = {}
        for portal_id, state in actual.items():
            if portal_id not in desired and (state.presence is Presence.DELETED) is deleted:
                found.setdefault((state.portal.tenant_id, state.portal.client_id), []).append(portal_id)
        orphans = {**found, **orphans}
    arrivals: dict[tuple[str, str], list[str]] = {}
    for portal_id, portal in desired.items():
        if portal_id not in actual:
            arrivals.setdefault((portal.tenant_id, portal.client_id), []).append(portal_id)
    return {
        new[0]: orphans[key][0] for key, new in arrivals.items() if len(new) == 1 and len(orphans.get(key, ())) == 1
    }


def _portal_plan(
    portal_id: str,
    desired: Mapping[str, Portal],
    actual: State,
    renamed: Mapping[str, str],
    settings: Settings,
    title: Title,
    today: date,
    credential_end: date | None,
) -> PortalPlan:
    """What happens to one portal."""
    before = actual.get(renamed.get(portal_id, portal_id))
    portal = desired.get(portal_id)
    if portal is None:
        assert before is not None  # noqa: S101 - every id is declared or known
        if before.presence is Presence.DELETED:
            return PortalPlan(Action.NONE, before, before)
        gone = delete(before)
        return PortalPlan(Action.DELETE, before, gone, differences(before, gone))
    after = configure(before, portal, settings, title, today, credential_end)
    credential = condition(after, settings, today)
    changes = tuple(_explained(change, after, today) for change in differences(before, after))
    if before is None:
        return PortalPlan(Action.CREATE, None, after, changes, credential=credential)
    recoveries = tuple(_recoveries(after, today))
    if changes or recoveries:
        return PortalPlan(Action.UPDATE, before, after, changes, recoveries, credential)
    return PortalPlan(
        Action.NONE, before, before, credential=credential
    )  # not `after`: the order of a file's entries is no change


def _recoveries(after: PortalState, today: date) -> Iterator[Change]:
    """Products that the configuration no longer keeps from being synchronized. Nothing recovers during a pause."""
    for product in after.products if after.presence is Presence.PRESENT else ():
        lifted = product.reason is Reason.PORTAL_DELETED or (
            product.reason is Reason.EXCLUDED and exclusion_of(after.portal, product.license, today) is None
        )
        if lifted and product.reason:
            yield Change(product.title, "recovery", product.reason.value, "next complete import", product.sku_id)


def _explained(change: Change, after: PortalState, today: date) -> Change:
    """A change with the words of the exclusion behind it."""
    if change.field != "reason" or change.after != Reason.EXCLUDED.value:
        return change
    product = next(product for product in after.products if product.sku_id == change.sku_id)
    exclusion = exclusion_of(after.portal, product.license, today)
    return replace(change, why=f"{exclusion.sku}: {exclusion.reason}" if exclusion else None)
