"""The state DB: SQLite at ``state/reconciler.db``.

It is never the only copy of a fact that matters: everything but users is in the ledger too, and those come back with
one full import.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from sqlite_utils import Database as SqliteUtils

from reconciler.model import DayRecord, PortalState
from reconciler.store import delta_links, ledger, roster
from reconciler.store.files import writing
from reconciler.store.history_rows import add_history, load_history
from reconciler.store.rows import load_states, save_state
from reconciler.store.sqlite_errors import FILE, explained, unreadable
from reconciler.store.staging import Staging
from reconciler.store.tables import migrations

BUSY_SECONDS = 5.0
"""How long to wait for a program that is writing to the state DB."""


class Database:
    """An open state DB. One connection, shared by threads under one lock."""

    def __init__(self, db: SqliteUtils) -> None:
        self._db = db
        self._lock = RLock()

    def lineage(self) -> str | None:
        """The identity of this state, or None when nothing was stored yet."""
        row = next(self._db.query("SELECT value FROM meta WHERE key = 'lineage'"), None)
        return row["value"] if row else None

    def load(self) -> dict[str, PortalState]:
        """Every known portal by id, all as of one instant. Raises StateError when a row makes no sense."""
        with self._lock, self._db.atomic():
            try:
                return load_states(self._db)
            except ValueError as error:
                raise unreadable(str(error)) from None

    def digests(self) -> dict[str, str]:
        """The digest of the present state of every portal, by id."""
        return dict(
            self.rows(
                "SELECT id, digest FROM portals JOIN revisions "
                "ON revisions.portal_id = portals.id AND revisions.serial = portals.serial"
            )
        )

    def revision(self, portal_id: str, serial: int) -> str | None:
        """The digest of the state that a portal had here at a serial, or None when it was never here."""
        found = self._db.query("SELECT digest FROM revisions WHERE portal_id = ? AND serial = ?", [portal_id, serial])
        row = next(found, None)
        return row["digest"] if row else None

    @contextmanager
    def staging(self, known_as: str | None = None) -> Iterator[Staging]:
        """An empty place for the users of one portal, gone afterwards. ``known_as`` is its stored id, if any."""
        staged = Staging(self._db, self._lock, None if known_as is None else self._key_of(known_as))
        try:
            yield staged
        finally:
            staged.close()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question about consumers, of whom there is no other value than these rows."""
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def history(self, portal_id: str) -> list[DayRecord]:
        """What is recorded of a portal's products, by day and SKU ID. Raises StateError when a row makes no sense."""
        with self._lock:
            try:
                return load_history(self._db, portal_id)
            except ValueError as error:
                raise unreadable(str(error)) from None

    def save(
        self,
        state: PortalState,
        previous_id: str | None = None,
        staged: Staging | None = None,
        records: Iterable[DayRecord] = (),
    ) -> None:
        """Store one portal's state, and with it the users that were read, in one transaction.

        ``previous_id`` is the id that the portal had before its file was renamed. Without ``staged`` the consumers
        stay as they are, except of products that are no longer synchronized. ``records`` are added to the portal's
        history; of two for the same day and product the later one counts.
        """
        with self._lock, self._db.atomic():
            key = self._save(state, previous_id or state.id)
            add_history(self._db, key, records)
            if staged is not None:
                staged.merge(key)
            elif roster.drop_unneeded(self._db, key):
                delta_links.save(self._db, key, None)  # a product that comes back needs them all again

    def restore(
        self, lineage: str, newer: Iterable[tuple[PortalState, Iterable[DayRecord]]], gone: Collection[str]
    ) -> None:
        """Take over from the ledger what is newer there, states and histories, in one transaction.

        ``gone`` are ids under which the ledger has nothing any more. The consumers of these portals are dropped: they
        belong to older numbers, and the next import brings them back.
        """
        with self._lock, self._db.atomic():
            self._db.table("meta").insert({"key": "lineage", "value": lineage}, pk="key", replace=True)
            for portal_id in gone:
                self._db.execute("DELETE FROM portals WHERE id = ?", [portal_id])
            for state, records in newer:
                key = self._save(state, state.id)
                self._db.execute("DELETE FROM history WHERE portal = ?", [key])
                add_history(self._db, key, records)
                roster.forget(self._db, key)
                delta_links.save(self._db, key, None)

    def _save(self, state: PortalState, known_as: str) -> int:
        """Write one portal in place of the row that it is known by, and remember its digest; return its key."""
        self._db.table("revisions").insert(
            {"portal_id": state.id, "serial": state.serial, "digest": ledger.digest(ledger.render(state))},
            pk=("portal_id", "serial"),
            replace=True,
        )
        return save_state(self._db, self._key_of(known_as), state)

    def _key_of(self, portal_id: str) -> int | None:
        """The key of a portal's row."""
        with self._lock:
            row = next(self._db.query("SELECT key FROM portals WHERE id = ?", [portal_id]), None)
        return row["key"] if row else None


@contextmanager
def open_for_writing(state: Path) -> Iterator[Database]:
    """Open the state DB, make it when it is missing, and bring its tables up to date.

    Raises StateError, or Refused when another program holds it, here and wherever SQLite fails while it is open.
    """
    path = state / FILE
    with writing(path):  # it holds personal data: nobody else may open it, from its first instant
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    with explained(), closing(_connect(path, "rw")) as connection:
        db = SqliteUtils(connection, execute_plugins=False)
        db.execute("PRAGMA temp_store = FILE")  # staged users must not fill the memory
        migrations.apply(db)
        db.execute("PRAGMA foreign_keys = ON")
        yield Database(db)


@contextmanager
def open_for_reading(state: Path) -> Iterator[Database | None]:
    """Open the state DB without ever writing to it.

    Gives None when there is none that can be read as it is; the ledger says enough then. Raises StateError, or
    Refused when another program holds it.
    """
    path = state / FILE
    if not path.is_file():
        yield None
        return
    with explained(), closing(_connect(path, "ro")) as connection:
        db = SqliteUtils(connection, execute_plugins=False, recursive_triggers=False)
        yield Database(db) if _is_usable(db) else None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that threads may share."""
    return sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)


def _is_usable(db: SqliteUtils) -> bool:
    """Whether the tables are of this version, and no killed run left half a transaction for a writer to undo."""
    try:
        return not migrations.pending(db)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            return False
        raise
