"""When a plan is too dangerous to be carried out without being asked; ``plausibility.py`` does the same for an answer.

Every refusal names the numbers, the limit, and the option or setting that overrides it.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from reconciler.model import ErrorInfo, PortalState, Presence, SafetyLimits, State
from reconciler.plan import Action, Plan


class Override(StrEnum):
    """What a person may allow for one run: the values of the option ``--allow``."""

    EMPTY = "empty"
    LOSS = "loss"
    TENANT_CHANGE = "tenant-change"

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


def check_plan(plan: Plan, limits: SafetyLimits, allowed: Collection[Override]) -> list[ErrorInfo]:
    """Refusals about the plan as a whole; with any of them nothing is written."""
    refusals = [*_protected(plan), *_tenant_changes(plan, allowed)]
    known = [portal.before for portal in plan.portals if portal.before and portal.before.presence != Presence.DELETED]
    if plan.declared == 0 and known and Override.EMPTY not in allowed:
        refusals.append(
            ErrorInfo(
                "no-portals-declared",
                "portals.d declares no portal, and "
                f"{_count(len(known), 'known portal', 'known portals')} would be deleted from the state.",
                f"Restore the portal files, or allow it with {Override.EMPTY.option}.",
            )
        )
    lost = sum(portal.lost for portal in plan.portals)
    total = sum(_synchronized(state) for state in known)
    if Override.LOSS not in allowed and is_too_many(lost, total, limits):
        refusals.append(
            ErrorInfo(
                "too-many-lost",
                f"{lost} of {total} products would lose synchronization; the limit is "
                f"{limits.max_lost_percent} % (safety.max_lost_percent) above {limits.min_products} products "
                f"(safety.min_products).",
                f"If it is meant, allow it with {Override.LOSS.option} or raise the limit in reconcile.yaml.",
            )
        )
    return refusals


def is_too_many(lost: int, total: int, limits: SafetyLimits) -> bool:
    """Whether a loss is over the limit. A share of a small set says little, so small losses pass."""
    return lost > limits.min_products and lost * 100 > limits.max_lost_percent * total


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
            f"Make a new portal file for the other tenant, or allow it with {Override.TENANT_CHANGE.option}.",
        )
        for portal in plan.portals
        if portal.before and portal.before.products and portal.before.portal.tenant_id != portal.after.portal.tenant_id
    ]


def _count(number: int, one: str, many: str) -> str:
    """A number with the word that fits it."""
    return f"{number} {one if number == 1 else many}"
