"""When a plan is too dangerous to be carried out without being asked; ``plausibility.py`` does the same for an answer.

Every refusal names the numbers, the limit, and the option or setting that overrides it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, replace
from enum import StrEnum

from reconciler.model import ErrorInfo, Portal, PortalLimits, PortalState, Presence, SafetyLimits, Settings, State
from reconciler.plan import Action, Plan, PortalPlan
from reconciler.removals import RemovalOutcome


class Override(StrEnum):
    """What a person may allow for one run: the values of the option ``--allow``."""

    ANSWER = "answer"
    EMPTY = "empty"
    LOSS = "loss"
    REMOVALS = "removals"
    TENANT_CHANGE = "tenant-change"
    UNTRUSTED = "untrusted"

    @property
    def option(self) -> str:
        """The option as a person types it."""
        return f"--allow {self.value}"


def check_emulation(known: State, *, emulate: bool) -> list[ErrorInfo]:
    """Whether a run against the emulator would work on what real tenants said."""
    if not emulate or not any(item.last_import.as_of and not item.last_import.emulated for item in known.values()):
        return []
    return [
        ErrorInfo(
            "emulation-refused",
            "This state holds observations of real tenants; the emulator must not overwrite them.",
            "Emulate in a folder of its own: reconcile --chdir DIR --emulate SCENARIO apply.",
        )
    ]


def check_plan(plan: Plan, settings: Settings, allowed: Collection[Override]) -> list[ErrorInfo]:
    """Refusals about the plan as a whole; with any of them nothing is written. ``allowed`` goes over some."""
    refusals = [*_protected(plan), *_taken_ids(plan), *_tenant_changes(plan, allowed)]
    known = [portal for portal in plan.portals if portal.before and portal.before.presence != Presence.DELETED]
    if plan.declared == 0 and known and Override.EMPTY not in allowed:
        refusals.append(
            ErrorInfo(
                "no-portals-declared",
                "portals.d declares no portal, and "
                f"{_count(len(known), 'known portal', 'known portals')} would be deleted from the state.",
                f"Restore the portal files, or allow it with {Override.EMPTY.option}.",
            )
        )
    if Override.LOSS not in allowed:
        refusals += _losses(plan, settings)
    if Override.REMOVALS not in allowed:
        refusals += _removals(plan, settings)
    return refusals


def limits_of(portal: Portal, settings: Settings) -> SafetyLimits:
    """The limits of one portal: its own where it has any, else those of the settings."""
    own = portal.safety or PortalLimits()
    given = {item.name: getattr(own, item.name) for item in fields(own) if getattr(own, item.name) is not None}
    return replace(settings.safety, **given)


def told(limits: SafetyLimits) -> str:
    """The limits on lost products in words."""
    return (
        f"the limits are {limits.max_lost_percent} % (safety.max_lost_percent) above {limits.min_products} products "
        f"(safety.min_products), and {limits.max_lost_products:,} products (safety.max_lost_products)"
    )


def is_too_many(lost: int, total: int, limits: SafetyLimits) -> bool:
    """Whether a loss is over a limit. A share of a small set says little, so small losses pass."""
    is_large_share = lost > limits.min_products and lost * 100 > limits.max_lost_percent * total
    return is_large_share or lost > limits.max_lost_products


def _judged_together(plan: Plan, settings: Settings) -> Iterator[tuple[str, SafetyLimits, list[PortalPlan]]]:
    """Portals that share limits, with what else helps: those of the settings, and each that has its own."""
    shared = [portal for portal in plan.portals if not _declared(portal).safety]
    yield "raise the limit in reconcile.yaml", settings.safety, shared
    for portal in plan.portals:
        if _declared(portal).safety:
            is_gone = portal.action is Action.DELETE
            way = "restore the file" if is_gone else f"raise the limit in portals.d/{portal.id}.yaml"
            yield way, limits_of(_declared(portal), settings), [portal]


def _declared(portal: PortalPlan) -> Portal:
    """The configuration whose limits count: for a portal whose file is gone, the last one."""
    return portal.after.portal


def _losses(plan: Plan, settings: Settings) -> Iterator[ErrorInfo]:
    """Too many products that lose synchronization."""
    for way, limits, portals in _judged_together(plan, settings):
        lost = sum(portal.lost for portal in portals)
        total = sum(_synchronized(portal.before) for portal in portals if portal.before)
        if is_too_many(lost, total, limits):
            yield ErrorInfo(
                "too-many-lost",
                f"{lost} of {total} products{_of(portals)} would lose synchronization; {told(limits)}.",
                f"If it is meant, allow it with {Override.LOSS.option} or {way}.",
            )


def _removals(plan: Plan, settings: Settings) -> Iterator[ErrorInfo]:
    """Too many products that are deleted from the state."""
    for way, limits, portals in _judged_together(plan, settings):
        removed = sum(portal.removed for portal in portals)
        if removed > limits.max_removals:
            yield ErrorInfo(
                "too-many-removals",
                f"{_count(removed, 'product', 'products')}{_of(portals)} would be deleted from the state; the limit is "
                f"{limits.max_removals:,} (safety.max_removals).",
                f"If it is meant, allow it with {Override.REMOVALS.option} or {way}.",
            )


def _of(portals: Sequence[PortalPlan]) -> str:
    """Which portal is meant, where it is judged by itself."""
    return f" of portal {portals[0].id}" if len(portals) == 1 and _declared(portals[0]).safety else ""


_REMOVAL_REFUSED = "removal-refused"


def is_left_out(refusal: ErrorInfo) -> bool:
    """Whether a refusal is about one entry of removals.yaml: apply leaves the entry out, and does all else."""
    return refusal.code == _REMOVAL_REFUSED


def refused_removals(plan: Plan) -> list[ErrorInfo]:
    """Entries of removals.yaml about products that can be synchronized: these are not carried out, all else is.

    A license can come back between the review of an entry and its run, which must not stop every portal.
    """
    verdicts = [verdict for portal in plan.portals for verdict in portal.removals]
    return [
        ErrorInfo(
            _REMOVAL_REFUSED,
            f"{verdict.removal.position}: {verdict.why}.",
            "Only a product that cannot be synchronized may be removed: take the entry out, or exclude the license "
            "first.",
        )
        for verdict in verdicts
        if verdict.outcome is RemovalOutcome.REFUSED
    ]


def _synchronized(state: PortalState) -> int:
    """How many products of a portal can be synchronized."""
    return sum(1 for product in state.products if product.reason is None)


def _protected(plan: Plan) -> list[ErrorInfo]:
    """Deletions of protected portals."""
    return [
        ErrorInfo(
            "portal-protected",
            f"The portal {portal.id} is protected and its file is gone.",
            "Restore the file. To delete the portal, apply it once with `protect: false`, then delete the file.",
        )
        for portal in plan.portals
        if portal.action is Action.DELETE and portal.before and portal.before.portal.protect
    ]


def _taken_ids(plan: Plan) -> list[ErrorInfo]:
    """Files that were renamed to the id of a portal whose record is kept."""
    return [
        ErrorInfo(
            "id-taken",
            f"portals.d/{old}.yaml was renamed to {new}.yaml, but {new} is the id of a portal that was removed, and "
            "its record is kept.",
            "Give the file another name.",
        )
        for new, old in sorted(plan.taken.items())
    ]


def _tenant_changes(plan: Plan, allowed: Collection[Override]) -> list[ErrorInfo]:
    """Portals that would read another tenant than before, so that two tenants' products would mix."""
    if Override.TENANT_CHANGE in allowed:
        return []
    return [
        ErrorInfo(
            "tenant-changed",
            f"The portal {portal.id} would read tenant {portal.after.portal.tenant_id} instead of "
            f"{portal.before.portal.tenant_id}; {_count(len(portal.before.products), 'product', 'products')} would be "
            "lost.",
            "Make a new portal file for the other tenant. If the portal is meant to turn to it, name the former tenant "
            f"in its file as `replaces_tenant_id`, or allow it once with {Override.TENANT_CHANGE.option}.",
        )
        for portal in plan.portals
        if portal.before
        and portal.before.products
        and portal.before.portal.tenant_id
        not in (portal.after.portal.tenant_id, portal.after.portal.replaces_tenant_id)
    ]


def _count(number: int, one: str, many: str) -> str:
    """A number with the word that fits it."""
    return f"{number} {one if number == 1 else many}"
