"""Desired against actual: what apply will do, and what that does to statuses, before it is done.

``apply`` executes the plan that ``plan`` shows: each ``PortalPlan`` holds the state that is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from reconciler.declaration import until_read
from reconciler.diff import differences
from reconciler.errors import UnknownPortal
from reconciler.expiry import Condition, condition
from reconciler.matching import exclusion_of
from reconciler.model import (
    Change,
    ErrorInfo,
    Portal,
    PortalState,
    Presence,
    Reason,
    Removal,
    Settings,
    State,
    Status,
)
from reconciler.removals import RemovalVerdict, is_lifted, judge, judge_strays
from reconciler.renames import renamed
from reconciler.transition import Title, configure, delete, remove


class Action(StrEnum):
    """What happens to a portal."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Preview:
    """What the import of one portal would bring, read without storing it. ``error`` says why it could not be read."""

    after: PortalState
    changes: tuple[Change, ...] = ()
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class PortalPlan:
    """What happens to one portal.

    ``before`` is the known state; its id differs from ``after``'s when the portal's file was renamed. ``after`` is
    what apply stores before it imports. ``recoveries`` are products that lost their reason and come back with the
    next complete import, as changes of the field ``recovery``. ``credential`` says how near the end of the portal's
    credential is; a portal that is deleted has none. ``removals`` says what becomes of each entry of ``removals.yaml``
    about the portal. ``preview`` is what its import would bring, where the tenant was read for the plan.
    """

    action: Action
    before: PortalState | None
    after: PortalState
    changes: tuple[Change, ...] = ()
    recoveries: tuple[Change, ...] = ()
    credential: Condition | None = None
    removals: tuple[RemovalVerdict, ...] = ()
    preview: Preview | None = None

    @property
    def id(self) -> str:
        """The id of the portal after the plan."""
        return self.after.id

    @property
    def kept(self) -> PortalState:
        """What apply stores when the tenant is not read to its end."""
        if self.before is None or self.before.portal.tenant_id == self.after.portal.tenant_id:
            return self.after
        portal = until_read(self.before.portal, self.after.portal)
        return replace(self.after, portal=portal, credential_expires=self.before.credential_expires)

    @property
    def lost(self) -> int:
        """How many products lose synchronization."""
        return sum(1 for change in self.changes if _is_loss(change))

    @property
    def removed(self) -> int:
        """How many products are deleted from the state."""
        return sum(len(verdict.sku_ids) for verdict in self.removals)

    @property
    def imports(self) -> bool:
        """Whether the tenant is read when this is applied."""
        return self.after.presence is Presence.PRESENT


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to every selected portal, sorted by id. ``declared`` counts the desired portals, selected or not.

    ``stray_removals`` are entries of ``removals.yaml`` about portals that nobody knows. ``taken`` maps the new id of a
    renamed file to its old one where the new id belongs to a portal that is forgotten.
    """

    portals: tuple[PortalPlan, ...]
    declared: int
    stray_removals: tuple[RemovalVerdict, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[PortalPlan, ...]:
        """The portals that change."""
        return tuple(portal for portal in self.portals if portal.action is not Action.NONE)


def _is_loss(change: Change) -> bool:
    """Whether a change makes a product that cannot be synchronized of one that can."""
    lost = Status.CANNOT_BE_SYNCHRONISED.value
    if change.field == "product":
        return change.after is None and change.before != lost
    return change.field == "status" and change.after == lost


@dataclass(frozen=True, slots=True)
class Declared:
    """What the plan is made from, beside the state: everything that people declared, and what today is.

    ``credential_ends`` are the last days of certificates, by portal, as far as they could be read.
    """

    portals: Mapping[str, Portal]
    settings: Settings
    title: Title
    today: date
    removals: Sequence[Removal] = ()
    credential_ends: Mapping[str, date] = field(default_factory=dict)


def make_plan(declared: Declared, actual: State, only: Collection[str] = ()) -> Plan:
    """Compare what is declared with what is known.

    ``only`` selects portals by id; empty means all. Raises UnknownPortal when it names a portal that is neither
    declared nor known.
    """
    desired = declared.portals
    alive = {portal_id for portal_id, state in actual.items() if not state.is_forgotten}
    unknown = set(only) - desired.keys() - alive
    if unknown:
        raise UnknownPortal(unknown, desired.keys() | alive)
    found = renamed(desired, actual)
    former = {new: old for new, old in found.items() if new not in actual}
    chosen = set(only) or desired.keys() | alive
    removals = _by_portal(declared.removals)
    plans = tuple(
        _portal_plan(portal_id, declared, actual.get(former.get(portal_id, portal_id)), removals)
        for portal_id in sorted(desired.keys() | alive)
        if portal_id not in former.values() and (portal_id in chosen or former.get(portal_id) in chosen)
    )
    strays = sorted(removals.keys() - desired.keys() - alive) if not only else ()
    verdicts = (verdict for portal_id in strays for verdict in judge_strays(removals[portal_id], portal_id, actual))
    taken = {new: old for new, old in found.items() if new in actual}
    return Plan(plans, len(desired), tuple(verdicts), taken)


def _by_portal(removals: Sequence[Removal]) -> dict[str, list[Removal]]:
    """The entries of removals.yaml by the portal that they name, in their order."""
    found: dict[str, list[Removal]] = {}
    for entry in removals:
        found.setdefault(entry.portal, []).append(entry)
    return found


def _portal_plan(
    portal_id: str, declared: Declared, before: PortalState | None, entries: Mapping[str, Sequence[Removal]]
) -> PortalPlan:
    """What happens to one portal. In the plan that renames its file, entries about its former id count too."""
    settings, today, portal = declared.settings, declared.today, declared.portals.get(portal_id)
    if portal is None:
        assert before is not None  # noqa: S101 - every id is declared or known
        after = before if before.presence is Presence.DELETED else delete(before)
    else:
        end = declared.credential_ends.get(portal_id)
        after = configure(before, portal, settings, declared.title, today, end)
    about = list(entries.get(portal_id, ()))
    if before is not None and before.id != portal_id:
        about += entries.get(before.id, ())
    removals = judge(about, after, settings, today)
    doomed = {sku_id: verdict.removal for verdict in removals for sku_id in verdict.sku_ids}
    after = remove(after, doomed, today) if doomed else after
    known = None if before is None or before.is_forgotten else before
    changes = tuple(_explained(change, after, settings, today) for change in differences(known, after))
    recoveries = tuple(_recoveries(after, settings, today))
    action = _action(known, after, bool(changes or recoveries))
    if action is Action.NONE:
        assert before is not None  # noqa: S101 - a new portal is created
        after = before  # not `after`: the order of a file's entries is no change
    credential = None if after.presence is Presence.DELETED else condition(after, settings, today)
    return PortalPlan(action, known, after, changes, recoveries, credential, removals)


def _action(before: PortalState | None, after: PortalState, changes: bool) -> Action:
    """What a portal's plan is called."""
    if before is None:
        return Action.CREATE
    if not changes:
        return Action.NONE
    is_gone = after.presence is Presence.DELETED and before.presence is not Presence.DELETED
    return Action.DELETE if is_gone else Action.UPDATE


def _recoveries(after: PortalState, settings: Settings, today: date) -> Iterator[Change]:
    """Products that the configuration no longer keeps from being synchronized. Nothing recovers during a pause."""
    for product in after.products if after.presence is Presence.PRESENT else ():
        if product.reason and is_lifted(product, after, settings, today):
            yield Change(product.title, "recovery", product.reason.value, "next complete import", product.sku_id)


def _explained(change: Change, after: PortalState, settings: Settings, today: date) -> Change:
    """A change with the words of the exclusion or the removal behind it."""
    if change.field == "product" and change.after is None:
        record = next(item for item in reversed(after.removed) if item.sku_id == change.sku_id)
        return replace(change, why=f"{record.ticket}: {record.reason}" if record.ticket else record.reason)
    if change.field != "reason" or change.after != Reason.EXCLUDED.value:
        return change
    product = next(product for product in after.products if product.sku_id == change.sku_id)
    exclusion = exclusion_of(after.portal, settings, product.license, today)
    return replace(change, why=f"{exclusion.sku}: {exclusion.reason}" if exclusion else None)
