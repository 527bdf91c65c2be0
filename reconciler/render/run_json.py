"""A run for machines: ``apply --format json``. Its schema is ``schemas/run.schema.json``.

No clock, host, path or request id is in it; the times are those of the state.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from reconciler.model import ErrorInfo
from reconciler.render.json_document import json_document
from reconciler.render.status_json_product import moment
from reconciler.run_report import PortalRun, RunReport

FORMAT_VERSION = 1


def render(run: RunReport) -> str:
    """The document's text: keys in a fixed order, portals by id."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": any(portal.state.last_import.emulated for portal in run.portals),
        "shard": run.shard,
        "exit_code": run.exit_code,
        "written": run.written,
        "portals": [_portal(portal) for portal in run.portals],
        "left_out": [_error(error) for error in run.left_out],
    }
    return json_document(document)


def _portal(item: PortalRun) -> dict[str, Any]:
    """One portal."""
    last = item.state.last_import
    return {
        "id": item.state.id,
        "renamed_from": item.before,
        "name": item.state.portal.name,
        "state": item.state.presence.value,
        "serial": item.state.serial,
        "outcome": item.ending.value,
        "error": item.error and _error(item.error),
        "as_of": moment(last.as_of),
        "failed_since": moment(last.failed_since),
        "users": last.users,
        "changes": asdict(item.changes),
        "statuses": {status.value: total for status, total in item.statuses.items()},
    }


def _error(error: ErrorInfo) -> dict[str, Any]:
    """What happened, and what to do."""
    return {"code": error.code, "message": error.message, "remedy": error.remedy, "detail": error.detail}
