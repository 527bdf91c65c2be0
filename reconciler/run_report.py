"""What became of each portal in one run, as a value: what ``apply --format json`` and ``--junit`` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff import differences
from reconciler.model import Change, ErrorInfo, Failed, Observation, PortalState, Status


class Ending(StrEnum):
    """How the import of a portal ended in this run. One that is suspended or deleted is not read."""

    COMPLETE = "complete"
    FAILED = "failed"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many fields of a portal changed, and how many of its products."""

    portal: int = 0
    products_created: int = 0
    products_updated: int = 0
    products_removed: int = 0


@dataclass(frozen=True, slots=True)
class PortalRun:
    """What became of one portal. ``before`` is its former id where its file was renamed."""

    state: PortalState
    ending: Ending
    error: ErrorInfo | None
    changes: ChangeCounts
    before: str | None = None

    @property
    def statuses(self) -> Mapping[Status, int]:
        """How many products have each status now."""
        found = [product.status for product in self.state.products]
        return {status: found.count(status) for status in Status}


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run. ``left_out`` are the entries of removals.yaml that were refused.

    ``written`` says whether a file changed that is committed; ``shard`` is such as 3/16, None for a run over all.
    """

    portals: tuple[PortalRun, ...]
    exit_code: int
    written: bool
    shard: str | None = None
    left_out: tuple[ErrorInfo, ...] = ()


def portal_run(before: PortalState | None, after: PortalState, observation: Observation | None) -> PortalRun:
    """What became of one portal, from its state before and after and how reading its tenant ended."""
    error = observation.error if isinstance(observation, Failed) else None
    ending = Ending.NOT_READ if observation is None else Ending.FAILED if error else Ending.COMPLETE
    former = before.id if before and before.id != after.id else None
    return PortalRun(after, ending, error, _counted(differences(before, after)), former)


def _counted(changes: tuple[Change, ...]) -> ChangeCounts:
    """Changes by what they are of; a product counts once, however much of it changed."""
    whole = {change.sku_id: change for change in changes if change.sku_id and change.field == "product"}
    touched = {change.sku_id for change in changes if change.sku_id}
    return ChangeCounts(
        portal=sum(change.sku_id is None for change in changes),
        products_created=sum(change.before is None for change in whole.values()),
        products_updated=len(touched - whole.keys()),
        products_removed=sum(change.after is None for change in whole.values()),
    )
