"""Whether this process runs what somebody approved, or what anyone may have written into a pull request."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.ci import untrusted_reason
from reconciler.errors import Refused


def untrusted_here() -> str | None:
    """Why the configuration of this run may be anyone's; None when it may be trusted."""
    return untrusted_reason(os.environ, _default_branch())


def refuse_untrusted() -> None:
    """Raise Refused when the configuration of this run may be anyone's."""
    if reason := untrusted_here():
        raise Refused(f"This run is for {reason}.", code="untrusted-ref")


def refuse_to_publish() -> None:
    """The same before anything is pushed, which no option allows: the branch's own commits would go along."""
    if reason := untrusted_here():
        raise Refused(f"This run is for {reason}, and what nobody has approved is not published.", code="untrusted-ref")


def _default_branch() -> str | None:
    """The repository's default branch, as far as the event says it that GitHub started this run for."""
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())
        branch = event["repository"]["default_branch"]
    except (KeyError, TypeError, OSError, ValueError):
        return None
    return branch if isinstance(branch, str) else None
