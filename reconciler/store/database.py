"""The state DB: SQLite at ``state/reconciler.db``.

It is never the only copy of a fact that matters: everything but contacts and assignments is in the ledger too, and
those come back with one full import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from sqlite_utils import Database as SqliteUtils

from reconciler.errors import StateError
from reconciler.model import PortalState
from reconciler.store import ledger
from reconciler.store.rows import load_states, save_state
from reconciler.store.staging import Staging
from reconciler.store.tables import migrations

FILE = "reconciler.db"


class Database:
    """An open state DB. One connection, shared by threads under one lock."""

    def __init__(self, db: SqliteUtils) -> None:
        self._db = db
        self._lock = RLock()

    def lineage(self) -> str | None:
        """The identity of this state, or None when nothing was stored yet."""
        row = next(self._db.query("SELECT value FROM meta WHERE key = 'lineage'"), None)
        return row["value"] if row else None

    def start_lineage(self, lineage: str) -> None:
        """Store the identity of this state."""
        with self._lock, self._db.atomic():
            self._db.table("meta").insert({"key": "lineage", "value": lineage}, pk="key")

    def load(self) -> dict[str, PortalState]:
        """Every known portal by id."""
        with self._lock:
            return load_states(self._db)

    def revisions(self) -> Mapping[tuple[str, int], str]:
        """The digest of every state that a portal ever had here, by portal id and serial."""
        rows = self._db.query("SELECT portal_id, serial, digest FROM revisions")
        return {(row["portal_id"], row["serial"]): row["digest"] for row in rows}

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """An empty place for the users of one portal, gone afterwards."""
        staged = Staging(self._db, self._lock)
        try:
            yield staged
        finally:
            staged.close()

    def save(self, state: PortalState, previous_id: str | None = None, staged: Staging | None = None) -> None:
        """Store one portal's state, and with it the users that were read, in one transaction.

        ``previous_id`` is the id that the portal had before its file was renamed. Without ``staged`` the consumers
        stay as they are, except of products that are no longer synchronised.
        """
        with self._lock, self._db.atomic():
            key = self._key(previous_id or state.id)
            key = save_state(self._db, key, state)
            self._db.table("revisions").insert(
                {"portal_id": state.id, "serial": state.serial, "digest": ledger.digest(ledger.render(state))},
                pk=("portal_id", "serial"),
                replace=True,
            )
            if staged is not None:
                staged.merge(key)
            else:
                self._drop_unneeded(key)

    def forget_users(self, portal_id: str) -> None:
        """Drop the consumers of a portal whose state came from the ledger; the next import brings them back."""
        with self._lock, self._db.atomic():
            key = self._key(portal_id)
            self._db.execute("DELETE FROM assignments WHERE portal = ?", [key])
            self._db.execute("DELETE FROM contacts WHERE portal = ?", [key])

    def _drop_unneeded(self, key: int) -> None:
        """Drop consumers of products that are not synchronised, and contacts that hold nothing else."""
        self._db.execute(
            "DELETE FROM assignments WHERE portal = ? "
            "AND sku_id NOT IN (SELECT sku_id FROM products WHERE portal = ? AND reason IS NULL)",
            [key, key],
        )
        self._db.execute(
            "DELETE FROM contacts WHERE portal = ? "
            "AND object_id NOT IN (SELECT object_id FROM assignments WHERE portal = ?)",
            [key, key],
        )

    def _key(self, portal_id: str) -> int | None:
        """The row of a portal."""
        row = next(self._db.query("SELECT key FROM portals WHERE id = ?", [portal_id]), None)
        return row["key"] if row else None


@contextmanager
def open_for_writing(state: Path) -> Iterator[Database]:
    """Open the state DB, make it when it is missing, and bring its tables up to date."""
    path = state / FILE
    connection = _connect(path, read_only=False)
    path.chmod(0o600)  # it holds personal data
    try:
        db = SqliteUtils(connection, execute_plugins=False)
        with _readable(path):
            migrations.apply(db)
            db.execute("PRAGMA foreign_keys = ON")
        yield Database(db)
    finally:
        connection.close()


@contextmanager
def open_for_reading(state: Path) -> Iterator[Database | None]:
    """Open the state DB without ever writing to it.

    Gives None when there is none, or when its tables are those of an older version: the ledger says enough then.
    """
    path = state / FILE
    if not path.is_file():
        yield None
        return
    connection = _connect(path, read_only=True)
    try:
        db = SqliteUtils(connection, execute_plugins=False, recursive_triggers=False)
        with _readable(path):
            current = not migrations.pending(db)
        yield Database(db) if current else None
    finally:
        connection.close()


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection that threads may share."""
    mode = "ro" if read_only else "rwc"
    try:
        return sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn SQLite's complaint about a file into ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: sqlite3.Error) -> StateError:
    """The error for a file that SQLite does not take."""
    return StateError(
        f"The state DB {path.name} cannot be read.",
        code="database-unreadable",
        remedy=f"Delete state/{path.name}; the next apply restores it from the ledger and one full import.",
        detail=str(error),
    )
