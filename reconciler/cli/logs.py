"""What goes to stderr, as text or as JSON: log lines, and what a command tells people.

A line of JSON says when it was written, in which run, and about which portal. A record may bring more fields as
``extra={"told": {...}}``: durations, request ids, statuses. Nothing secret is ever logged, so nothing is masked here.
Nothing else goes to stderr with ``--log-format json``: whatever reads it as JSON must never meet another line.
"""

from __future__ import annotations

import json
import logging
import sys
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.invocation import Invocation
from reconciler.render.escape import json_text

if TYPE_CHECKING:
    from reconciler.config.problems import Problem

COMMAND = "reconciler.cli"
"""The logger of what a command itself tells."""


@cache
def run_id() -> str:
    """What the lines of one process have in common. In no report: it moves with each run."""
    return str(uuid.uuid4())


def json_line(level: str, logger: str, message: str, told: Mapping[str, Any], at: datetime | None = None) -> str:
    """One line of a log in JSON. Fields that are None are left out."""
    written = f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    line = {"time": written, "level": level, "logger": logger, "run": run_id(), "message": message, **told}
    return json_text(json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False))


def say(text: str, level: str = "info", **told: Any) -> None:
    """Tell people something on stderr in the format of the present run. ``told`` are more fields of a line of JSON."""
    context = click.get_current_context(silent=True)
    invocation = context.find_object(Invocation) if context else None
    say_as(invocation.log_format if invocation else "text", text, level, **told)


def say_as(log_format: str, text: str, level: str = "info", **told: Any) -> None:
    """The same in a format that is given."""
    click.echo(json_line(level, COMMAND, text, told) if log_format == "json" else text, err=True)


def say_problems(problems: Iterable[Problem]) -> None:
    """Tell on stderr what is wrong with the configuration, one problem at a time."""
    from reconciler.render.problems import render_problems

    for problem in problems:
        place = {"file": problem.file, "line": problem.line, "column": problem.column}
        say(render_problems([problem]).rstrip("\n"), problem.severity, code=problem.code, **place)


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
