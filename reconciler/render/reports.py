"""The folder of reports: every file by name."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.render import markdown, products_csv, status_json
from reconciler.report import Report


def reports(report: Report) -> dict[str, str]:
    """Every file of ``state/reports``, by name."""
    from reconciler.render.html import page  # jinja2: only who writes reports waits for it

    return {
        "status.md": markdown.overview(report),
        "status.json": status_json.render(report),
        "products.csv": products_csv.render(report),
        "index.html": page.render(report),
        **portal_pages(report, [portal.state.id for portal in report.portals]),
    }


def portal_pages(report: Report, ids: Collection[str]) -> dict[str, str]:
    """The files that are about one portal each, of these portals."""
    chosen = [portal for portal in report.portals if portal.state.id in ids]
    return {portal_page_name(portal.state.id): markdown.portal_page(portal, report) for portal in chosen}


def portal_page_name(portal_id: str) -> str:
    """The file that is about one portal."""
    return f"{portal_id}.md"
