"""The folder of reports: every file by name."""

from __future__ import annotations

from reconciler.render import markdown, status_json
from reconciler.report import Report


def reports(report: Report) -> dict[str, str]:
    """Every file of ``state/reports``, by name."""
    pages = {f"{portal.state.id}.md": markdown.portal_page(portal, report) for portal in report.portals}
    return {"status.md": markdown.overview(report), "status.json": status_json.render(report), **pages}
