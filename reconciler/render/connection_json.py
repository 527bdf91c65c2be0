"""The test of connections for machines. Its schema is ``schemas/connection.schema.json``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.connection import ConnectionReport, StageResult
from reconciler.render.json_document import json_document

FORMAT_VERSION = 1


def render(reports: Sequence[ConnectionReport]) -> str:
    """The document's text: keys in a fixed order, portals and stages in the order of the test."""
    document = {"format_version": FORMAT_VERSION, "portals": [_portal(report) for report in reports]}
    return json_document(document)


def _portal(report: ConnectionReport) -> dict[str, Any]:
    tenant = report.organization
    return {
        "id": report.portal_id,
        "name": report.name,
        "tenant_id": report.tenant_id,
        "cloud": report.cloud and report.cloud.value,
        "verdict": report.verdict.value,
        "tenant": tenant and {"display_name": tenant.display_name, "default_domain": tenant.default_domain},
        "emulated": report.emulated,
        "stages": _stages(report.stages),
        "credentials": [
            {"type": check.type, "label": check.label, "stages": _stages(check.stages)} for check in report.credentials
        ],
    }


def _stages(results: Iterable[StageResult]) -> list[dict[str, Any]]:
    return [
        {
            "stage": result.stage.value,
            "verdict": result.verdict.value,
            "fact": result.fact,
            "error": result.error
            and {
                "code": result.error.code,
                "message": result.error.message,
                "remedy": result.error.remedy,
                "detail": result.error.detail,
            },
        }
        for result in results
    ]
