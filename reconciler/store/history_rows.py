"""The history as rows of the state DB and back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from reconciler.model import DayRecord


def load_history(db: Database, portal_id: str) -> list[DayRecord]:
    """The records of one portal, by day and SKU ID. Raises ValueError when a row makes no sense."""
    rows = db.query(
        "SELECT * FROM history WHERE portal = (SELECT key FROM portals WHERE id = ?) ORDER BY day, sku_id",
        [portal_id],
    )
    return [msgspec.convert(row, DayRecord) for row in rows]


def add_history(db: Database, key: int, records: Iterable[DayRecord]) -> None:
    """Add to the history of the portal ``key``, in place of records of the same days and products.

    The caller has a transaction.
    """
    rows = [{"portal": key, **msgspec.to_builtins(record)} for record in records]
    db.conn.executemany(_INSERT, rows)


_INSERT = """
INSERT OR REPLACE INTO history VALUES (
    :portal, :day, :sku_id, :title, :directory, :status, :reason,
    :enabled, :warning, :suspended, :locked_out, :consumed_units, :consumers
)
"""
