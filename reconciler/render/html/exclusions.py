"""The tables of the page about exclusions, and what portals include against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.exclusion_report import ExclusionReport, Origin
from reconciler.model import Exclusion, ExclusionScope
from reconciler.portal_report import PortalReport
from reconciler.render.html.tables import Cell, Table, portal_cell, table
from reconciler.render.words import MISSING, count, listed
from reconciler.report import Report

EVERY_PORTAL = "every portal"
"""Where an exclusion applies that is declared in reconcile.yaml."""

_EFFECTS = {ExclusionScope.IMPORT: "not imported", ExclusionScope.ALERTS: "no next steps"}
_SHOWN = 5
"""How many part numbers a cell names before the rest is counted."""

_HEAD = ("License", "Effect", "Reason", "Until", "In force", "Matches")


def of_all(report: Report) -> Table:
    """The exclusions of reconcile.yaml once, then each portal's own."""
    rows: list[list[str | Cell]] = []
    for shared in report.exclusions:
        where = f" in {count(shared.portals, 'portal')}" if shared.portals else ""
        lifted = f", lifted by {listed(shared.lifted_by)}" if shared.lifted_by else ""
        cells = _cells(shared.exclusion, f"{_parts(shared.matched)}{where}{lifted}", in_force=shared.in_force)
        rows.append([*cells, EVERY_PORTAL])
    for portal in report.portals:
        for own in portal.exclusions:
            if own.origin is Origin.PORTAL:
                matched = _matched(own, portal)
                rows.append([*_cells(own.exclusion, matched, in_force=own.in_force), portal_cell(portal)])
    return table("Exclusions", (*_HEAD, "Portal"), rows)


def of_portal(portal: PortalReport) -> Table:
    """What one portal excludes, and where that is declared."""
    origins = {Origin.PORTAL: "this portal", Origin.REPOSITORY: EVERY_PORTAL}
    rows = [
        [*_cells(item.exclusion, _matched(item, portal), in_force=item.in_force), origins[item.origin]]
        for item in portal.exclusions
    ]
    return table("Exclusions", (*_HEAD, "Declared for"), rows)


def inclusions(portals: Iterable[PortalReport]) -> Table:
    """What portals keep although reconcile.yaml excludes it."""
    rows: list[list[str | Cell]] = [
        [
            item.inclusion.sku,
            portal_cell(portal),
            item.inclusion.reason or MISSING,
            MISSING if portal.state.last_import.as_of is None else _parts(item.matched),
        ]
        for portal in portals
        for item in portal.inclusions
    ]
    return table("Included although excluded", ("License", "Portal", "Reason", "Lifts the exclusion of"), rows)


def _cells(exclusion: Exclusion, matched: str, *, in_force: bool) -> list[str]:
    """What every table says of an exclusion."""
    until = str(exclusion.until) if exclusion.until else "no end"
    force = "yes" if in_force else "no, it has ended"
    return [exclusion.sku, _EFFECTS[exclusion.scope], exclusion.reason, until, force, matched]


def _matched(item: ExclusionReport, portal: PortalReport) -> str:
    """What an exclusion means in a portal; nobody knows before it was read."""
    return MISSING if portal.state.last_import.as_of is None else _parts(item.matched)


def _parts(matched: Sequence[str]) -> str:
    """Part numbers in a cell."""
    rest = [f"{len(matched) - _SHOWN:,} more"] if len(matched) > _SHOWN else []
    return listed([*matched[:_SHOWN], *rest]) or "nothing"
