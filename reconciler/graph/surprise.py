"""What nobody foresaw, met in one stage of one portal: that stage fails, and everything else goes on."""

from __future__ import annotations

import logging

from reconciler.connection import Stage
from reconciler.errors import ReconcileError, unforeseen

log = logging.getLogger(__name__)


def surprise(portal_id: str, stage: Stage, error: Exception) -> ReconcileError:
    """The internal error to report. Where it came from goes to the log at level DEBUG, which -vv shows."""
    log.debug("%s: unexpected failure at stage %s", portal_id, stage.value, exc_info=error)
    return unforeseen(error)
