"""Whether a saved plan is still the plan: what was made from the same things comes out the same.

What was read of tenants for the plan, and how near the end of a credential is, does not count: apply reads every tenant
anew, and no credential's end is anything that apply does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.plan_page import Basis, KnownAs, PlanPage, PortalPage, SavedPlan


def staleness(saved: SavedPlan, present: SavedPlan) -> str | None:
    """What differs first, in words; None when nothing does."""
    return next(_differences(saved, present), None)


def _differences(saved: SavedPlan, present: SavedPlan) -> Iterator[str]:
    """What differs: what the plan was made from, then what comes out of it."""
    yield from _basis(saved.basis, present.basis)
    yield from _page(saved.page, present.page)


def _basis(then: Basis, now: Basis) -> Iterator[str]:
    """What the plan was made from."""
    if then.tool != now.tool:
        yield f"it was made with version {then.tool} of the tool, this is {now.tool}"
    if then.emulated != now.emulated:
        yield "it was made for the emulator" if then.emulated else "it was made for real tenants, not for the emulator"
    for portal_id in sorted(then.state.keys() | now.state.keys()):
        yield from _state(portal_id, then.state, now.state)
    for portal_id in sorted(then.portals.keys() | now.portals.keys()):
        before, after = then.portals.get(portal_id), now.portals.get(portal_id)
        if before != after:
            what = "is new" if before is None else "is gone" if after is None else "changed since"
            yield f"portals.d/{portal_id}.yaml {what}"
    if then.settings != now.settings:
        yield "reconcile.yaml changed since"
    if then.removals != now.removals:
        yield "portals.d/removals.yaml changed since"
    if (then.only, then.allowed) != (now.only, now.allowed):
        yield "it was made for other portals, or with other options --allow"


def _state(portal_id: str, then: Mapping[str, KnownAs], now: Mapping[str, KnownAs]) -> Iterator[str]:
    """What is known of one portal."""
    before, after = then.get(portal_id), now.get(portal_id)
    if before is None:
        yield f"portal {portal_id} is known since"
    elif after is None:
        yield f"portal {portal_id} is not known any more"
    elif before.serial != after.serial:
        yield f"portal {portal_id} changed since: serial {after.serial} instead of {before.serial}"
    elif before.digest != after.digest:
        yield f"portal {portal_id} is in another state than then, at the same serial {after.serial}"


def _page(then: PlanPage, now: PlanPage) -> Iterator[str]:
    """What comes out, where what went in is the same: a day has passed, titles have changed, the file was edited."""
    before, after = _by_id(then), _by_id(now)
    for portal_id in sorted(before.keys() | after.keys()):
        if before.get(portal_id) != after.get(portal_id):
            yield f"portal {portal_id} comes out differently today"
    if then.removals != now.removals:
        yield "the removals come out differently today"
    if then.refusals != now.refusals:
        yield "the safety checks come out differently today"


def _by_id(page: PlanPage) -> dict[str, PortalPage]:
    """Portals without what was read for the plan."""
    return {portal.id: replace(portal, preview=None) for portal in page.portals}
