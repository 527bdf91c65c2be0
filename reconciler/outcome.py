"""How a run ended, as a value: what became of each portal, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model import ErrorInfo, Failed, Observation, PortalState, State
from reconciler.report import Report


@dataclass(frozen=True)
class Result:
    """What became of one portal. ``observation`` is None for a portal that is not read."""

    before: PortalState | None
    after: PortalState
    observation: Observation | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``report`` on the selected portals; ``written`` says whether any file but the DB changed.

    ``known`` is the state of all portals afterwards; ``left_out`` are entries of removals.yaml that were refused.
    """

    results: tuple[Result, ...]
    report: Report
    written: bool
    known: State
    left_out: tuple[ErrorInfo, ...] = ()

    @property
    def failed(self) -> tuple[Result, ...]:
        """The portals that could not be read."""
        return tuple(result for result in self.results if isinstance(result.observation, Failed))

    @property
    def exit_code(self) -> int:
        """0, or 1 when every portal failed, or 4 when some did or an entry of removals.yaml was refused."""
        if not self.failed:
            return 4 if self.left_out else 0
        attempted = sum(result.observation is not None for result in self.results)
        return 1 if len(self.failed) == attempted else 4
