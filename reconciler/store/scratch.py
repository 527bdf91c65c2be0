"""A place for the users of one tenant that is read without storing anything: not even the state DB is needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import RLock

from sqlite_utils import Database as SqliteUtils

from reconciler.store.sqlite_errors import explained
from reconciler.store.staging import Staging


@contextmanager
def scratch() -> Iterator[Staging]:
    """An empty place for the users of one portal, gone afterwards. Raises StateError when SQLite cannot go on."""
    private_temporary_file = ""  # SQLite's own name for one: it keeps small ones in memory
    with explained(), closing(sqlite3.connect(private_temporary_file, check_same_thread=False)) as connection:
        db = SqliteUtils(connection, execute_plugins=False)
        db.execute("PRAGMA temp_store = FILE")
        staged = Staging(db, RLock())
        yield staged
