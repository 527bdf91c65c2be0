"""The history of a portal's products as JSON, oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.history import Step
from reconciler.labels import STATUS_LABELS
from reconciler.model import PortalState
from reconciler.render.json_document import json_document

FORMAT_VERSION = 1


def render(state: PortalState, steps: Sequence[Step], part_numbers: Mapping[str, str]) -> str:
    """The document's text. ``status`` is null on the day on which a product was deleted from the state."""
    document = {
        "format_version": FORMAT_VERSION,
        "portal": state.id,
        "emulated": state.last_import.emulated,
        "records": [_record(step, part_numbers[step.record.sku_id]) for step in steps],
    }
    return json_document(document)


def _record(step: Step, part_number: str) -> dict[str, Any]:
    """One record, with what it changed."""
    record = step.record
    return {
        "day": record.day.isoformat(),
        "title": record.title,
        "sku_id": record.sku_id,
        "sku_part_number": part_number or None,
        "directory": record.directory,
        "status": record.status and record.status.value,
        "label": record.status and STATUS_LABELS[record.status],
        "reason": record.reason and record.reason.value,
        "units": {
            "enabled": record.enabled,
            "warning": record.warning,
            "suspended": record.suspended,
            "locked_out": record.locked_out,
        },
        "consumed_units": record.consumed_units,
        "consumers": record.consumers,
        "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in step.changes],
    }
