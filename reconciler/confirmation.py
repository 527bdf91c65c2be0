"""When a report is confirmed: one run has read every portal completely, and the report says on which day that was.

The day stands in the ledger. So a repository in which nothing changes has a commit a day or a week that shows that the
tenants are still read, where the settings ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from reconciler.model import Complete, Confirm, Presence
from reconciler.outcome import Result
from reconciler.run import Run

_DAYS = {Confirm.DAILY: 1, Confirm.WEEKLY: 7}


def is_due(run: Run, results: Iterable[Result], last: date | None, *, changed: bool) -> bool:
    """Whether a run that has ended confirms the report, which was confirmed last on a day, if ever.

    Where the ledger ``changed`` anyway, the new day costs no commit. A clock set back takes nothing back.
    """
    days = _DAYS.get(run.settings.report.confirm)
    if days is None or not _has_read_everything(run, results):
        return False
    return last is None or (run.today - last).days >= (1 if changed else days)


def _has_read_everything(run: Run, results: Iterable[Result]) -> bool:
    """Whether the run was over all portals and has read each of them completely, and at least one.

    Those that are suspended or no longer declared are not read, and the report says so.
    """
    if run.only or run.shard:
        return False
    read = [result.observation for result in results if result.after.presence is Presence.PRESENT]
    return bool(read) and all(isinstance(observation, Complete) for observation in read)
