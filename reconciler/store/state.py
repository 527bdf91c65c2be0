"""The state as a whole: DB and ledger side by side, and which of the two is ahead.

Per portal: a ledger with a higher serial is newer than the DB (somebody else applied and pushed), so it is loaded.
A DB with a higher serial is newer than the ledger, if it knows the ledger's text as its own past (a run was killed
before it wrote the ledger, or an older commit is checked out). Anything else has diverged and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reconciler.errors import Refused, UnknownPortal
from reconciler.history import History
from reconciler.model import DayRecord, PortalState, State
from reconciler.store import history_file, ledger
from reconciler.store.database import Database, open_for_reading, open_for_writing
from reconciler.store.files import write_changed
from reconciler.store.ledger import Ledger
from reconciler.store.lock import exclusive

_IGNORED = """\
# Written by the tool. The state DB holds personal data and is rebuilt from the ledger.
/*.db
/*.db-journal
/.lock
.*.tmp
"""

Revision = Callable[[str, int], str | None]
"""The digest that a portal had in the DB, from its id and a serial; None for what the DB never had."""


@dataclass
class OpenState:
    """The state while one run works on it. ``known`` is what it was when the run began.

    ``confirmed`` is the last day on which a run read every portal completely, where the settings ask to write it down.
    """

    folder: Path
    database: Database
    lineage: str
    known: State
    confirmed: date | None = None

    def write_ledger(self) -> bool:
        """Make the ledger say what the DB says. Returns whether a file changed."""
        known, history = self.database.load(), self.database.history
        return ledger.write(self.folder / "ledger", self.lineage, known, history, self.confirmed)

    def confirm(self, day: date) -> bool:
        """Write into the ledger that every portal was read completely. Returns whether a file changed."""
        self.confirmed = day
        return ledger.confirm(self.folder / "ledger", self.lineage, day)

    def history(self, portal_id: str) -> tuple[DayRecord, ...]:
        """The history of a portal as the ledger has it, from which reports are made. Raises StateError."""
        return history_file.read(self.folder / "ledger", portal_id)


def read(folder: Path) -> dict[str, PortalState]:
    """What is known, without writing anything. Raises StateError or Refused."""
    with _reading(folder) as (known, _):
        return known


def read_history(folder: Path, portal_id: str) -> tuple[PortalState, tuple[DayRecord, ...]]:
    """One portal with its history, without writing anything. Raises UnknownPortal, StateError or Refused."""
    with _reading(folder) as (known, history):
        if portal_id not in known:
            raise UnknownPortal({portal_id}, known)
        return known[portal_id], tuple(history(portal_id))


@contextmanager
def _reading(folder: Path) -> Iterator[tuple[dict[str, PortalState], History]]:
    """What is known, and the way to a portal's history: it comes from where the portal's state comes from."""
    written = ledger.read(folder / "ledger")
    with open_for_reading(folder) as database:
        if database is None or _is_level(database, written):
            known = stored = _states(written)
        else:
            stored = database.load()
            known = _known(database, written, stored)

        def history(portal_id: str) -> Iterable[DayRecord]:
            if database and stored.get(portal_id) == known[portal_id]:
                return database.history(portal_id)
            return history_file.read(folder / "ledger", portal_id)

        yield known, history


def _is_level(database: Database, written: Ledger) -> bool:
    """Whether the DB knows the portals of the ledger as they are there, and nothing else: it need not be read then."""
    digests = {portal_id: entry.digest for portal_id, entry in written.entries.items()}
    return database.lineage() == written.lineage and database.digests() == digests


def _states(written: Ledger) -> dict[str, PortalState]:
    """The portals of the ledger alone."""
    return {portal_id: entry.state for portal_id, entry in sorted(written.entries.items())}


@contextmanager
def open_state(folder: Path, new_lineage: str) -> Iterator[OpenState]:
    """Lock the state, and load the ledger into the DB where that is missing or behind.

    ``new_lineage`` names a state that starts with this run. Raises StateError or Refused.
    """
    with exclusive(folder):
        _keep_out_of_git(folder)
        written = ledger.read(folder / "ledger")
        with open_for_writing(folder) as database:
            stored = database.load()
            known = _known(database, written, stored)
            lineage = written.lineage or database.lineage() or new_lineage
            newer = [
                (state, history_file.read(folder / "ledger", portal_id))
                for portal_id, state in known.items()
                if stored.get(portal_id) != state
            ]
            if newer or lineage != database.lineage():
                database.restore(lineage, newer, stored.keys() - known.keys())
            yield OpenState(folder, database, lineage, known, written.confirmed)


def _keep_out_of_git(folder: Path) -> None:
    """Ignore what must not be committed, above all the personal data in the DB. A file of people's own stays."""
    if not (folder / ".gitignore").exists():
        write_changed(folder, {".gitignore": _IGNORED}, ".gitignore")


def _known(database: Database, written: Ledger, stored: State) -> dict[str, PortalState]:
    """What DB and ledger say together. Raises Refused when they do not belong together.

    A DB without portals belongs to any ledger.
    """
    own = database.lineage()
    if stored and own and written.lineage and own != written.lineage:
        raise Refused(code="lineage-mismatch")
    return merge(written, stored, database.revision)


def merge(written: Ledger, stored: State, revision: Revision) -> dict[str, PortalState]:
    """The newer of ledger and DB for every portal, by id in order. Raises Refused when the two have diverged."""
    newest = dict(stored)
    for portal_id, entry in written.entries.items():
        state = stored.get(portal_id)
        own = revision(portal_id, entry.state.serial)
        if own == entry.digest or state == entry.state:
            continue  # the DB has been there: it is level, ahead, or has renamed the portal since
        if own is not None or (state is not None and state.serial > entry.state.serial):
            raise Refused(
                f"The ledger of portal {portal_id} and the state DB have gone different ways since serial "
                f"{entry.state.serial}.",
                code="state-diverged",
            )
        newest[portal_id] = entry.state
        former = [] if state else _former_ids(entry.state, written, stored)
        if len(former) == 1:
            newest.pop(former[0], None)
    return dict(sorted(newest.items()))


def _former_ids(state: PortalState, written: Ledger, stored: State) -> list[str]:
    """Under which id the DB has a portal that another run has renamed since: same tenant and client, older serial.

    A portal of which nothing is left is not renamed: its row stays as the record of what was removed.
    """
    return [
        old_id
        for old_id, old in stored.items()
        if old_id not in written.entries
        and not old.is_forgotten
        and (old.portal.tenant_id, old.portal.client_id) == (state.portal.tenant_id, state.portal.client_id)
        and old.serial < state.serial
    ]
