"""The tables of the Markdown report about exclusions and what portals include against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.exclusion_report import ExclusionReport, Origin, SharedExclusion
from reconciler.model import Exclusion, ExclusionScope
from reconciler.portal_report import PortalReport
from reconciler.render.escape import markdown as safe
from reconciler.render.markdown_tables import EVERY_PORTAL, portal_link, table
from reconciler.render.words import MISSING, count, listed
from reconciler.report import Report

_EFFECTS = {ExclusionScope.IMPORT: "not imported", ExclusionScope.ALERTS: "no next steps"}
_SHOWN = 5
"""How many part numbers a cell names before the rest is counted."""


def of_all(report: Report) -> list[str]:
    """The exclusions of reconcile.yaml once, then each portal's own."""
    rows = [
        [EVERY_PORTAL, *_cells(item.exclusion, _shared(item), in_force=item.in_force)] for item in report.exclusions
    ]
    rows += [
        [portal_link(portal), *_cells(item.exclusion, _matched(item, portal), in_force=item.in_force)]
        for portal in report.portals
        for item in portal.exclusions
        if item.origin is Origin.PORTAL
    ]
    return table(("Portal", *_HEAD), rows)


def of_portal(portal: PortalReport) -> list[str]:
    """What one portal excludes, and where that is declared."""
    rows = [
        [*_cells(item.exclusion, _matched(item, portal), in_force=item.in_force), _ORIGINS[item.origin]]
        for item in portal.exclusions
    ]
    return table((*_HEAD, "Declared for"), rows)


_HEAD = ("License", "Effect", "Reason", "Until", "In force", "Matches")
_ORIGINS = {Origin.PORTAL: "this portal", Origin.REPOSITORY: EVERY_PORTAL}


def _cells(exclusion: Exclusion, matched: str, *, in_force: bool) -> list[str]:
    """What every table says of an exclusion."""
    until = str(exclusion.until) if exclusion.until else "no end"
    force = "yes" if in_force else "no, it has ended"
    return [safe(exclusion.sku), _EFFECTS[exclusion.scope], safe(exclusion.reason), until, force, matched]


def _matched(item: ExclusionReport, portal: PortalReport) -> str:
    """What an exclusion means in a portal; nobody knows before it was read."""
    return MISSING if portal.state.last_import.as_of is None else _parts(item.matched)


def _shared(item: SharedExclusion) -> str:
    """What an exclusion means over all portals."""
    where = f" in {count(item.portals, 'portal')}" if item.portals else ""
    lifted = f", lifted by {listed(map(safe, item.lifted_by))}" if item.lifted_by else ""
    return f"{_parts(item.matched)}{where}{lifted}"


def _parts(matched: Sequence[str]) -> str:
    """Part numbers in a cell."""
    shown = [safe(part) for part in matched[:_SHOWN]]
    rest = [f"{len(matched) - _SHOWN:,} more"] if len(matched) > _SHOWN else []
    return listed([*shown, *rest]) or "nothing"


def inclusions(reports: Iterable[PortalReport], *, with_portal: bool) -> list[str]:
    """What portals keep although reconcile.yaml excludes it."""
    rows = []
    for portal in reports:
        for item in portal.inclusions:
            own = [portal_link(portal)] if with_portal else []
            reason = safe(item.inclusion.reason) if item.inclusion.reason else MISSING
            known = portal.state.last_import.as_of is not None
            rows.append([*own, safe(item.inclusion.sku), reason, _parts(item.matched) if known else MISSING])
    return table([*(["Portal"] if with_portal else []), "License", "Reason", "Lifts the exclusion of"], rows)
