"""What SQLite complains about, in words for people: damage, another program, a full disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import Refused, StateError

FILE = "reconciler.db"
"""The state DB, in the folder of the state."""

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_ENVIRONMENT = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


@contextmanager
def explained() -> Iterator[None]:
    """Turn SQLite's complaints about the file into ours; complaints about our SQL pass."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind
        if code in _BUSY:
            raise Refused("Another program is writing to the state DB.", code="locked") from error
        if code in _DAMAGED:
            raise unreadable(str(error)) from error
        if code in _ENVIRONMENT:
            raise StateError(code="database-unusable", detail=str(error)) from error
        raise


def unreadable(detail: str) -> StateError:
    """The error for a state DB that is damaged or none at all."""
    return StateError(code="database-unreadable", detail=detail)
