"""The state as a whole: DB and ledger side by side, and which of the two is ahead.

Per portal: a ledger with a higher serial is newer than the DB (somebody else applied and pushed), so it is loaded.
A DB with a higher serial is newer than the ledger, if it knows the ledger's text as its own past (a run was killed
before it wrote the ledger, or an older commit is checked out). Anything else has diverged and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Refused
from reconciler.model import PortalState, State
from reconciler.store import ledger
from reconciler.store.database import Database, open_for_reading, open_for_writing
from reconciler.store.ledger import Ledger
from reconciler.store.lock import exclusive

Revisions = Mapping[tuple[str, int], str]


@dataclass
class OpenState:
    """The state while one run works on it. ``known`` is what it was when the run began."""

    folder: Path
    database: Database
    lineage: str
    known: State

    def write_ledger(self) -> bool:
        """Make the ledger say what the DB says. Returns whether a file changed."""
        return ledger.write(self.folder / "ledger", self.lineage, self.database.load())


def read(folder: Path) -> dict[str, PortalState]:
    """What is known, without writing anything. Raises StateError or Refused."""
    written = ledger.read(folder / "ledger")
    with open_for_reading(folder) as database:
        if database is None:
            return {portal_id: entry.state for portal_id, entry in sorted(written.entries.items())}
        _check_lineage(database, written)
        return merge(written, database.load(), database.revisions())


@contextmanager
def open_state(folder: Path, new_lineage: str) -> Iterator[OpenState]:
    """Lock the state, and load the ledger into the DB where that is missing or behind.

    ``new_lineage`` names a state that starts with this run. Raises StateError or Refused.
    """
    with exclusive(folder):
        written = ledger.read(folder / "ledger")
        with open_for_writing(folder) as database:
            _check_lineage(database, written)
            stored = database.load()
            known = merge(written, stored, database.revisions())
            lineage = database.lineage()
            if lineage is None:
                lineage = written.lineage or new_lineage
                database.start_lineage(lineage)
            for portal_id, state in known.items():
                if stored.get(portal_id) != state:
                    database.save(state)
                    database.forget_users(portal_id)
            yield OpenState(folder, database, lineage, known)


def merge(written: Ledger, stored: State, revisions: Revisions) -> dict[str, PortalState]:
    """The newer of ledger and DB for every portal, by id in order. Raises Refused when the two have diverged."""
    newest = dict(stored)
    for portal_id, entry in written.entries.items():
        state = stored.get(portal_id)
        own = revisions.get((portal_id, entry.state.serial))
        if own == entry.digest:
            continue  # the DB has been there: it is level, ahead, or has renamed the portal since
        if own is not None or (state is not None and state.serial > entry.state.serial):
            raise Refused(
                f"The ledger of portal {portal_id} and the state DB have gone different ways since serial "
                f"{entry.state.serial}.",
                code="state-diverged",
                remedy="To go on from the ledger in git, delete state/reconciler.db. To go on from the database, "
                "delete that ledger file.",
            )
        newest[portal_id] = entry.state
    return dict(sorted(newest.items()))


def _check_lineage(database: Database, written: Ledger) -> None:
    """Refuse a DB that belongs to another repository's state."""
    own = database.lineage()
    if own and written.lineage and own != written.lineage:
        raise Refused(
            "The state DB belongs to another state than the ledger.",
            code="lineage-mismatch",
            remedy="Delete state/reconciler.db; the next apply restores it from the ledger and one full import.",
        )
