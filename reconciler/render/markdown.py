"""The report as Markdown: ``status.md``, the overview, and one page per portal.

Cells are not padded, so that a changed number changes one line of a diff.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.labels import EMULATED_NOTICE, STATUS_LABELS
from reconciler.model import ImportOutcome, Presence
from reconciler.portal_report import PortalReport
from reconciler.render import markdown_directories as directories
from reconciler.render import markdown_exclusions as exclusions
from reconciler.render import markdown_products as products
from reconciler.render import markdown_tables as tables
from reconciler.render.escape import markdown as safe
from reconciler.render.escape import markdown_advice as advice
from reconciler.render.markdown_changes import all_changes, portal_changes
from reconciler.render.markdown_glossary import glossary
from reconciler.render.markdown_history import history
from reconciler.render.markdown_utilization import utilization
from reconciler.render.product_words import renewals_title
from reconciler.render.verdict import verdict
from reconciler.render.words import moment
from reconciler.report import Report


def overview(report: Report) -> str:
    """``status.md``: what a reader needs first stands first."""
    return _page(
        ["# Microsoft 365 license status"],
        [f"> **{EMULATED_NOTICE}**"] if report.emulated else [],
        [f"**{safe(verdict(report, named=True))}**"],
        _section("Coverage", tables.coverage(report.coverage)),
        _chart(report),
        _section("Changes since the previous report", all_changes(report)),
        _section("Next steps", tables.next_steps(report.next_steps, with_portal=True) or ["Nothing to do."]),
        _section("Portals", tables.portals(report)),
        _section(renewals_title(report.thresholds), products.renewals(report.portals, overview=True)),
        _section("Costs", tables.costs(report)),
        ["## Products"] if report.portals else [],
        _section("Utilization", utilization(report.portals), level=3),
        *[
            _section(tables.portal_link(portal), [*_state_note(portal), *_products(portal)], level=3)
            for portal in report.portals
        ],
        _section("Directories", directories.counted(report.portals)),
        _section("Exclusions", exclusions.of_all(report) or ["None."]),
        _section("Included although excluded", exclusions.inclusions(report.portals, with_portal=True), level=3),
        _section("Glossary", glossary(report.thresholds)),
    )


def portal_page(portal: PortalReport, report: Report) -> str:
    """``<id>.md``: everything about one portal."""
    declared = portal.state.portal
    steps = [step for step in report.next_steps if step.portal_id == portal.state.id]
    return _page(
        [f"# {safe(declared.name)}"],
        [f"> **{EMULATED_NOTICE}**"] if portal.state.last_import.emulated else [],
        [safe(declared.description)] if declared.description else [],
        _state_note(portal),
        tables.facts(portal),
        _section("Next steps", tables.next_steps(steps, with_portal=False) or ["Nothing to do."]),
        _section("Products", _products(portal)),
        _section("Utilization", utilization([portal]), level=3),
        _section("History", history(portal)),
        _section("Renewals", products.renewals([portal], overview=False)),
        _section("Findings", products.findings(portal)),
        _section("Consumers who do not need their license", products.savings(portal)),
        _section("Declared entitlements", products.entitlements(portal)),
        _section("Prices", products.prices(portal)),
        _section("Subscriptions", products.subscriptions(portal)),
        _section("Directories", directories.named(portal)),
        _section("Exclusions", exclusions.of_portal(portal) or ["None."]),
        _section("Included although excluded", exclusions.inclusions([portal], with_portal=False), level=3),
        _section("Removed products", products.removed(portal)),
        _section("Last change", portal_changes(portal)),
        ["[Overview](status.md), [glossary](status.md#glossary)"],
    )


def _page(*sections: Iterable[str]) -> str:
    """Sections with one blank line between them; empty ones are left out."""
    texts = ["\n".join(section).strip("\n") for section in sections]
    return "\n\n".join(text for text in texts if text) + "\n"


def _section(title: str, body: list[str], *, level: int = 2) -> list[str]:
    """A heading with what stands below it; nothing when there is nothing."""
    return [f"{'#' * level} {title}", "", *body] if body else []


def _chart(report: Report) -> list[str]:
    """Products by status as a pie. The table of portals says the same in numbers."""
    slices = [(STATUS_LABELS[status], total) for status, total in report.statuses.items() if total]
    rows = [f'    "{label}" : {total}' for label, total in slices]
    return _section("Products by status", ["```mermaid", "pie showData", *rows, "```"] if rows else [])


def _state_note(portal: PortalReport) -> list[str]:
    """What a reader must know before the numbers: the import failed, the portal is suspended or deleted."""
    state, last = portal.state, portal.state.last_import
    pause, error = state.portal.suspend, last.error
    if state.presence is Presence.DELETED:
        note = "**This portal is no longer declared.** The numbers are the last known."
    elif state.presence is Presence.SUSPENDED and pause:
        until = f" until {pause.until}" if pause.until else ""
        note = f"**Imports are suspended{until}:** {safe(pause.reason)}"
    elif last.outcome is ImportOutcome.FAILED and error:
        since = f" since {moment(last.failed_since)}" if last.failed_since else ""
        unchanged = f"The numbers are the last known ones, unchanged since {moment(last.as_of)}."
        kept = unchanged if last.as_of else "It was never read."
        detail = f" ({safe(error.detail)})" if error.detail else ""
        what = f"{safe(error.code)}: {safe(error.message)}{detail}"
        note = f"**The import has failed{since}.** {kept}\n>\n> {what}\n>\n> {advice(error.remedy)}"
    else:
        return []
    return [f"> {note}", ""]


def _products(portal: PortalReport) -> list[str]:
    """The product table, or that there is none, or that nobody knows."""
    return products.products(portal.products) or ["Products: unknown." if portal.is_unread else "No products."]
