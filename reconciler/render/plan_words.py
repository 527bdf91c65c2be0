"""From a plan to the page that people see of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.compliance import numbers
from reconciler.config.problems import Problem
from reconciler.model import Change, ErrorInfo, PortalState, Presence, Product, Settings, Status
from reconciler.plan import Action, Plan, PortalPlan, Preview
from reconciler.plan_page import (
    CredentialPage,
    Effect,
    EntryPage,
    PlanPage,
    PortalPage,
    PreviewPage,
    ProductPage,
    Standing,
    WarningPage,
)
from reconciler.removals import RemovalVerdict
from reconciler.render.plan_changes import import_words, portal_words, product_words
from reconciler.render.words import count


def make_page(
    plan: Plan, refusals: Sequence[ErrorInfo], settings: Settings, warnings: Sequence[Problem] = ()
) -> PlanPage:
    """Everything there is to see of a plan.

    ``refusals`` are why apply would not carry it out, ``warnings`` are about the configuration.
    """
    return PlanPage(
        portals=tuple(_portal(portal, settings) for portal in plan.portals),
        credentials=tuple(_credentials(plan)),
        removals=tuple(
            _entry(verdict)
            for verdicts in (*(portal.removals for portal in plan.portals), plan.stray_removals)
            for verdict in verdicts
        ),
        refusals=tuple(refusals),
        warnings=tuple(
            WarningPage(f"{item.file}:{item.line}:{item.column}", item.code, item.message, item.hint)
            for item in sorted(warnings)
        ),
        refreshed=any(portal.preview for portal in plan.portals),
    )


def _portal(portal: PortalPlan, settings: Settings) -> PortalPage:
    """One portal."""
    before, after = portal.before, portal.after
    changes = portal.changes + portal.recoveries
    return PortalPage(
        id=portal.id,
        name=after.portal.name,
        action=portal.action,
        presence=after.presence,
        imports=portal.imports,
        headline=_headline(portal),
        former_id=before.id if before and before.id != after.id else None,
        words=tuple(portal_words(before, after, changes)) if before and portal.action is not Action.DELETE else (),
        products=tuple(_products(before, after, changes, settings)),
        preview=_preview(portal, portal.preview, settings) if portal.preview else None,
    )


def _headline(portal: PortalPlan) -> str:
    """What happens to the portal as a whole."""
    name, after = portal.after.portal.name, portal.after
    if portal.action is Action.CREATE:
        pause = after.portal.suspend
        why = f": {pause.reason}" if pause else ""
        return f"new portal {name}; " + ("it will be imported" if portal.imports else f"suspended, not imported{why}")
    if portal.action is Action.DELETE:
        return f"the file of {name} is gone{_going(portal)}"
    if after.is_forgotten:
        return f"nothing is left of {name}: it disappears from reports and plans"
    return f"{name}, which is deleted" if after.presence is Presence.DELETED else name


def _going(portal: PortalPlan) -> str:
    """What becomes of the products of a portal that is deleted."""
    lost = sum(change.field == "status" for change in portal.changes)
    removed = portal.removed
    parts = [f"; {count(lost, 'product')} cannot be synchronized any more"] if lost else []
    if removed:
        parts.append(f"; {count(removed, 'product is', 'products are')} removed from the state")
    return "".join(parts)


def _products(
    before: PortalState | None, after: PortalState, changes: Sequence[Change], settings: Settings
) -> Iterator[ProductPage]:
    """Every product to which something happens, by title."""
    old = {product.sku_id: product for product in before.products} if before else {}
    new = {product.sku_id: product for product in after.products}
    concerned: dict[str, list[Change]] = {}
    for change in changes:
        if change.sku_id:
            concerned.setdefault(change.sku_id, []).append(change)
    pages = [_product(old.get(sku_id), new.get(sku_id), own, settings) for sku_id, own in concerned.items()]
    yield from sorted(pages, key=lambda page: (page.title.casefold(), page.sku_id))


def _product(old: Product | None, new: Product | None, changes: Sequence[Change], settings: Settings) -> ProductPage:
    """What happens to one product."""
    known = new or old
    assert known is not None  # noqa: S101 - a change is about a product that is there before or after
    before, after = (_standing(product, settings) if product else None for product in (old, new))
    fields = {change.field for change in changes}
    return ProductPage(
        sku_id=known.sku_id,
        sku_part_number=known.license.part_number,
        title=known.title,
        effect=_effect(fields, before, after),
        before=before,
        after=after,
        words=tuple(product_words(changes, before, after)),
        moves="directory" in fields,
    )


def _standing(product: Product, settings: Settings) -> Standing:
    """Status and numbers of a product."""
    found = numbers(product.license, product.consumers, settings)
    return Standing(product.status, product.reason, found.entitled, found.consumed, product.consumers, found.balance)


def _effect(fields: set[str], before: Standing | None, after: Standing | None) -> Effect:
    """The sign of a product."""
    lost = Status.CANNOT_BE_SYNCHRONISED
    if after is None:
        return Effect.REMOVED
    if before is None:
        return Effect.NEW
    if after.status is lost and before.status is not lost:
        return Effect.LOST
    if "recovery" in fields or (before.status is lost and after.status is not lost):
        return Effect.RECOVERS
    return Effect.MOVED if fields == {"directory"} else Effect.CHANGED


def _preview(portal: PortalPlan, preview: Preview, settings: Settings) -> PreviewPage:
    """What the import of a portal would bring."""
    return PreviewPage(
        words=tuple(import_words(portal.after, preview.after, preview.changes)),
        products=tuple(_products(portal.after, preview.after, preview.changes, settings)),
        error=preview.error,
    )


def _credentials(plan: Plan) -> Iterator[CredentialPage]:
    """Credentials that end."""
    for portal in plan.portals:
        ending = portal.credential
        if portal.imports and ending and ending.remedy:
            yield CredentialPage(portal.id, ending.type, ending.reason.value, ending.message, ending.remedy)


def _entry(verdict: RemovalVerdict) -> EntryPage:
    """One entry of ``removals.yaml``."""
    removal = verdict.removal
    return EntryPage(
        position=removal.position,
        portal=removal.portal,
        sku=removal.sku,
        reason=removal.reason,
        ticket=removal.ticket,
        outcome=verdict.outcome,
        why=verdict.why,
        sku_ids=verdict.sku_ids,
    )
