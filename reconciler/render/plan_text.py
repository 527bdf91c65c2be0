"""The plan as text: symbols with a legend, a reason per action, one summary line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.labels import EXPIRING_SIGN
from reconciler.model import Change, Presence, Status
from reconciler.plan import Action, Plan, PortalPlan
from reconciler.render.escape import plain
from reconciler.render.words import changed_value, count

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}


def render(plan: Plan) -> str:
    """The whole plan, with a line end. Credentials that end are told also when nothing changes."""
    expiring = [line for portal in plan.portals for line in _expiring(portal)]
    ending = [*expiring, ""] if expiring else []
    if not plan.pending:
        return "\n".join([*ending, f"No changes. {_unchanged(plan)}"]) + "\n"
    lines = [line for portal in plan.pending for line in (*_portal(portal), "")]
    legend = [f"{SYMBOLS[action]} {action.value}" for action in SYMBOLS if _of(plan, action)]
    return "\n".join([*lines, *ending, f"Legend: {'  '.join(legend)}", "", summary(plan)]) + "\n"


def _expiring(portal: PortalPlan) -> Iterator[str]:
    """That a credential ends, with what to do."""
    if portal.imports and portal.credential and portal.credential.remedy:
        yield f"{EXPIRING_SIGN} {portal.id}: {portal.credential.type}: {plain(portal.credential.message)}"
        yield f"    {portal.credential.remedy}"


def _unchanged(plan: Plan) -> str:
    """How many portals stay as they are, those aside that were deleted before."""
    present = sum(portal.after.presence is not Presence.DELETED for portal in plan.portals)
    return f"{count(present, 'portal is', 'portals are')} as declared."


def _of(plan: Plan, action: Action) -> list[PortalPlan]:
    """The portals to which this happens."""
    return [portal for portal in plan.pending if portal.action is action]


def summary(plan: Plan) -> str:
    """The plan in one line, with what it does to products."""
    parts = [f"{len(_of(plan, action))} to {action.value}" for action in SYMBOLS]
    parts.append(f"{len(plan.portals) - len(plan.pending)} unchanged")
    lost = sum(portal.lost for portal in plan.portals)
    back = sum(len(portal.recoveries) for portal in plan.portals)
    effects = [f"{count(lost, 'product loses', 'products lose')} synchronization"] if lost else []
    effects += [f"{count(back, 'product recovers', 'products recover')} with the next complete import"] if back else []
    return f"Plan: {', '.join(parts)}." + (f" {'; '.join(effects)}." if effects else "")


def _portal(portal: PortalPlan) -> Iterator[str]:
    """One portal: what happens, then its own fields, then its products."""
    yield f"{SYMBOLS[portal.action]} {portal.id}: {_headline(portal)}"
    if portal.action is Action.CREATE:
        return
    own = [change for change in portal.changes if change.sku_id is None and change.field not in ("presence", "file")]
    for change in own:
        yield f"    {_field(change)}{_effect(change, portal)}"
    for sku_id in sorted({change.sku_id for change in portal.changes + portal.recoveries if change.sku_id}):
        yield from _product(sku_id, portal)


def _headline(portal: PortalPlan) -> str:
    """What happens to the portal as a whole."""
    name = plain(portal.after.portal.name)
    before, after = portal.before, portal.after
    if portal.action is Action.CREATE:
        reads = "it will be imported" if portal.imports else "suspended, not imported"
        return f"new portal {name}; {reads}"
    if portal.action is Action.DELETE:
        return f"the file of {name} is gone; {count(portal.lost, 'product')} will not be synchronized any more"
    assert before is not None  # noqa: S101 - only a new portal has no state before
    parts = [f"file renamed from {before.id}.yaml"] if before.id != after.id else []
    if before.presence is not after.presence:
        pause = after.portal.suspend
        why = f" ({plain(pause.reason)})" if after.presence is Presence.SUSPENDED and pause else ""
        parts.append(f"{before.presence.value} → {after.presence.value}{why}")
    return f"{name}: {', '.join(parts)}" if parts else name


def _field(change: Change) -> str:
    """One field with both sides; text in quotes, so that blanks show."""
    return f"{plain(change.field)}: {_value(change.before)} → {_value(change.after)}"


def _value(value: str | int | None) -> str:
    """One side of a field."""
    return "none" if value is None else f'"{plain(value)}"' if isinstance(value, str) else str(value)


def _effect(change: Change, portal: PortalPlan) -> str:
    """What a change of the portal's own fields does to its products."""
    products = len(portal.after.products)
    if not products:
        return ""
    if change.field == "directory":
        return "  (for new products; known ones stay where they are)"
    return f"  ({count(products, 'product')} with the new prefix)" if change.field == "name" else ""


def _product(sku_id: str, portal: PortalPlan) -> Iterator[str]:
    """The changes of one product."""
    changes = [change for change in portal.changes if change.sku_id == sku_id]
    back = [change for change in portal.recoveries if change.sku_id == sku_id]
    product = next(product for product in portal.after.products if product.sku_id == sku_id)
    yield f"    {plain(product.title)} ({plain(product.license.part_number)})"
    yield from (f"      {line}" for line in _product_lines(changes))
    if back:
        yield "      recovers with the next complete import"


def _product_lines(changes: Sequence[Change]) -> Iterator[str]:
    """Each change of one product; the reason of a lost synchronization stands beside its status."""
    reason = next((change for change in changes if change.field == "reason"), None)
    for change in changes:
        if change.field == "status":
            before, after = changed_value(change, change.before), changed_value(change, change.after)
            lost = change.after == Status.CANNOT_BE_SYNCHRONISED.value
            yield f"status: {before} → {after}{_because(reason) if lost else ''}"
        elif change.field == "reason":
            if not any(other.field == "status" for other in changes):
                before, after = changed_value(change, change.before), changed_value(change, change.after)
                yield f"reason: {before} → {after}{_words(change)}"
        else:
            yield _field(change)


def _because(reason: Change | None) -> str:
    """The reason behind a status."""
    if reason is None:
        return ""
    return f", {changed_value(reason, reason.after)}{_words(reason)}"


def _words(reason: Change) -> str:
    """The words of the exclusion behind a reason, where there is one."""
    return f" ({plain(reason.why)})" if reason.why else ""
