"""One portal on the page: its row in the table of portals, its section, and the tables over all portals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.facets import Freshness
from reconciler.labels import COUNTED_AGAIN, EXPIRING_SIGN, FRESHNESS_LABELS, IMPORT_SIGNS, LIFECYCLE_LABELS
from reconciler.model import ImportOutcome, Presence, Status
from reconciler.money import Costs
from reconciler.next_steps import NextStep
from reconciler.portal_report import PortalReport
from reconciler.render import product_words as words
from reconciler.render.change_words import arrival, is_new, sentences
from reconciler.render.html import exclusions, products
from reconciler.render.html.history import history
from reconciler.render.html.products import ProductRow, product_rows
from reconciler.render.html.strip import Strip, strip
from reconciler.render.html.tables import Cell, Table, portal_anchor, portal_cell, product_cell, table
from reconciler.render.reading_words import reading
from reconciler.render.words import MISSING, count, moment, money, number
from reconciler.report import PortalChanges, Report

CHANGES_SHOWN = 20
"""How many changes of one portal are listed before the rest is counted."""

_TONES = {ImportOutcome.COMPLETE: "good", ImportOutcome.FAILED: "bad", ImportOutcome.NEVER: "warn"}


LinkedStep = tuple[NextStep, str]
"""A next step, and the address within the page of the product that it is about, or nothing."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must know before a portal's numbers: the first line in bold, the others below it."""

    tone: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PortalView:
    """One portal as the templates show it."""

    id: str
    anchor: str
    name: str
    description: str
    presence: str
    sign: str
    tone: str
    outcome: str
    as_of: str
    users: str
    size: str
    sized: str
    statuses: tuple[str, ...]
    strip: Strip | None
    note: Note | None
    facts: tuple[tuple[str, str], ...]
    steps: Sequence[LinkedStep]
    rows: tuple[ProductRow, ...]
    tables: tuple[Table, ...]
    changed_at: str
    changes: tuple[str, ...]


def portal_view(
    portal: PortalReport, steps: Sequence[LinkedStep], used: Sequence[Status], *, drawn: bool = True
) -> PortalView:
    """One portal, ``drawn`` with its history lines.

    ``used`` are the statuses that have a column in the table of portals.
    """
    state, last = portal.state, portal.state.last_import
    found = [item.product.status for item in portal.products]
    stale = ", stale" if portal.freshness is Freshness.STALE else ""
    changed = state.changed
    return PortalView(
        id=state.id,
        anchor=portal_anchor(state.id),
        name=state.portal.name,
        description=state.portal.description or "",
        presence=_presence(portal),
        sign=IMPORT_SIGNS[last.outcome],
        tone="warn" if stale and last.outcome is ImportOutcome.COMPLETE else _TONES[last.outcome],
        outcome=f"{last.outcome.value}{stale}",
        as_of=moment(last.as_of),
        users=number(portal.users),
        size=number(None if portal.is_unread else len(found)),
        sized=count(len(found), "product"),
        statuses=tuple(number(None if portal.is_unread else found.count(status)) for status in used),
        strip=strip(portal),
        note=_note(portal),
        facts=tuple(_facts(portal)),
        steps=steps,
        rows=tuple(product_rows(portal)),
        tables=tuple(item for item in _tables(portal, drawn=drawn) if item.rows),
        changed_at=moment(changed.at) if changed else "",
        changes=change_lines(PortalChanges(state.id, state.portal.name, changed.changes, last.as_of is None))
        if changed
        else (),
    )


def _tables(portal: PortalReport, *, drawn: bool) -> Iterator[Table]:
    """Everything in detail."""
    yield products.holdings(portal)
    if drawn:
        yield history(portal)
    yield products.renewals(portal)
    yield products.finding_table(portal)
    yield products.savings(portal)
    yield products.prices(portal)
    yield products.entitlements(portal)
    yield exclusions.of_portal(portal)
    yield exclusions.inclusions([portal])
    yield products.removed(portal)


def _presence(portal: PortalReport) -> str:
    """Whether a portal is imported, and until when not."""
    pause = portal.state.portal.suspend
    paused = portal.state.presence is Presence.SUSPENDED and pause and pause.until
    return f"{portal.state.presence.value} until {paused}" if paused else portal.state.presence.value


def _note(portal: PortalReport) -> Note | None:
    """The import failed, the portal is suspended or deleted."""
    state, last = portal.state, portal.state.last_import
    pause, error = state.portal.suspend, last.error
    if state.presence is Presence.DELETED:
        return Note("warn", "This portal is no longer declared.", ("The numbers are the last known.",))
    if state.presence is Presence.SUSPENDED and pause:
        until = f" until {pause.until}" if pause.until else ""
        return Note("warn", f"Imports are suspended{until}.", (pause.reason,))
    if last.outcome is not ImportOutcome.FAILED or error is None:
        return None
    since = f" since {moment(last.failed_since)}" if last.failed_since else ""
    unchanged = f"The numbers are the last known ones, unchanged since {moment(last.as_of)}."
    detail = f" ({error.detail})" if error.detail else ""
    kept = unchanged if last.as_of else "It was never read."
    return Note("bad", f"The import has failed{since}.", (kept, f"{error.code}: {error.message}{detail}", error.remedy))


def _facts(portal: PortalReport) -> Iterator[tuple[str, str]]:
    """Which tenant this is, and how it was read."""
    declared, last = portal.state.portal, portal.state.last_import
    tenant, credential = last.organization, portal.credential
    yield "Portal", f"{portal.state.id}, {_presence(portal)}{', protected' if declared.protect else ''}"
    yield "Tenant", f"{tenant.display_name} ({tenant.default_domain or MISSING})" if tenant else MISSING
    yield "Tenant ID", declared.tenant_id
    yield "Cloud", declared.cloud.value
    if credential:
        yield "Credential", f"{EXPIRING_SIGN} {credential.message}" if credential.holds else credential.message
    if last.emulated:
        yield "Data", f"emulated, scenario {last.emulated}"
    yield "Last import", f"{IMPORT_SIGNS[last.outcome]} {last.outcome.value}"
    yield "Unchanged since", moment(last.as_of)
    if portal.freshness:
        yield "Freshness", FRESHNESS_LABELS[portal.freshness]
    yield "Users with a license", number(portal.users)
    if last.as_of and portal.counted_with:
        yield "Findings", f"counted with {portal.counted_with}: {COUNTED_AGAIN}"
    yield from reading(last)


def change_lines(changed: PortalChanges) -> tuple[str, ...]:
    """What changed in one portal, in sentences, the first of them."""
    if is_new(changed.changes):
        return (f"new, {arrival(changed.changes, unread=changed.unread)}",)
    lines = sentences(changed.changes)
    rest = [f"and {count(len(lines) - CHANGES_SHOWN, 'more change')}"] if len(lines) > CHANGES_SHOWN else []
    return (*lines[:CHANGES_SHOWN], *rest) or ("details of its last import changed",)


# --- over all portals ------------------------------------------------------------------------------------------------


def renewals(report: Report) -> Table:
    """What ends soon, by date."""
    rows: list[list[str | Cell]] = [
        [
            product_cell(portal, item),
            str(on),
            portal_cell(portal),
            LIFECYCLE_LABELS[part.lifecycle],
            number(part.licenses),
            words.afterwards(part),
        ]
        for on, portal, item, part in words.renewals(report.portals, near=True)
    ]
    title = words.renewals_title(report.thresholds)
    return table(title, ("Product", "Day", "Portal", "Lifecycle", "Licenses:", "If it is not renewed"), rows)


def costs(report: Report) -> Table:
    """What the missing, the unused and the not needed cost per year: by portal, then in all."""
    rows: list[list[str | Cell]] = [
        [portal_cell(portal), *_amounts(total)] for portal in report.portals for total in portal.totals
    ]
    if sum(bool(portal.totals) for portal in report.portals) > 1:
        rows += [["All portals", *_amounts(total)] for total in report.totals]
    note = words.costs_note([item for portal in report.portals for item in portal.products])
    return table("Costs", ("Portal", "True-up a year:", "Idle a year:", "Reclaimable a year:"), rows, note)


def _amounts(total: Costs) -> list[str | Cell]:
    """True-up, idle and reclaimable in one currency."""
    return [money(amount, total.currency) for amount in (total.true_up, total.idle, total.reclaimable)]


def directories(report: Report) -> Table:
    """Every directory with the number of its products, as people look for it."""
    sizes: dict[str, int] = {}
    for portal in report.portals:
        for item in portal.products:
            sizes[item.product.directory] = sizes.get(item.product.directory, 0) + 1
    ordered = sorted(sizes, key=lambda path: [(name.casefold(), name) for name in path.split("/")])
    rows = [[path.replace("/", " / "), number(sizes[path])] for path in ordered]
    return table("Directories", ("Directory", "Products:"), rows)
