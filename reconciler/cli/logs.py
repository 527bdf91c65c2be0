"""Log lines on stderr, as text or as JSON.

A line of JSON says when it was written, in which run, and about which portal. A record may bring more fields as
``extra={"told": {...}}``: durations, request ids, statuses. Nothing secret is ever logged, so nothing is masked here.
"""

from __future__ import annotations

import json
import logging
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from reconciler.render.escape import json_text


@cache
def run_id() -> str:
    """What the lines of one process have in common. In no report: it moves with each run."""
    return str(uuid.uuid4())


def json_line(level: str, logger: str, message: str, told: Mapping[str, Any], at: datetime | None = None) -> str:
    """One line of a log in JSON. Fields that are None are left out."""
    written = f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    line = {"time": written, "level": level, "logger": logger, "run": run_id(), "message": message, **told}
    return json_text(json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False))


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record without process, host or path."""
        from reconciler.graph.log_context import portal

        told: dict[str, Any] = {"portal": portal(), **getattr(record, "told", {})}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        at = datetime.fromtimestamp(record.created, UTC)
        return json_line(record.levelname.lower(), record.name, record.getMessage(), told, at)


def handler(log_format: str) -> logging.Handler:
    """A handler that writes to stderr."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(JsonLines() if log_format == "json" else logging.Formatter("%(levelname)s %(message)s"))
    return made
