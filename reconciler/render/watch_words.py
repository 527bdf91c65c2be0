"""How a run of ``watch`` ended: for people, and for whoever checks the health of a container."""

from __future__ import annotations

import json
from datetime import datetime

from reconciler.watch import Ended

FORMAT_VERSION = 1


def result_text(ended: Ended, following: datetime | None) -> str:
    """One line for people."""
    more = f", {ended.failures} in a row were not complete" if ended.failures > 1 else ""
    after = f" The next one begins at {following:%Y-%m-%d %H:%M:%S} UTC." if following else ""
    return f"Run {ended.run}: {ended.result} (exit code {ended.exit_code}){more}.{after}"


def health_json(ended: Ended | None, command: str, now: datetime, following: datetime | None) -> str:
    """What the health file says; before the end of the first run ``ended`` is None.

    ``command`` is the command that was run, without its arguments.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "command": command,
        "run": ended.run if ended else 0,
        "result": ended.result if ended else "running",
        "exit_code": ended.exit_code if ended else None,
        "failures_in_a_row": ended.failures if ended else 0,
        "ended": _moment(now) if ended else None,
        "next": _moment(following),
    }
    return json.dumps(document, indent=2) + "\n"


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
