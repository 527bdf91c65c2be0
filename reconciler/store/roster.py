# ruff: noqa: S608 - names of temporary tables hold a number of ours; values are bound
"""The users of a portal as they are stored: one row each, kept only while a synchronized product requires it.

Statements work on whole tables and write only rows that differ. The caller has the DB's lock and a transaction, except
for ``unchanged``, which reads.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

_COLUMNS = "user_principal_name, display_name, mail, account_enabled, user_type, usage_location"
_KIND = "held, account_disabled, guest, no_usage_location"

_REQUIRED = """EXISTS (
    SELECT 1 FROM json_each(held) AS each
        JOIN products ON products.portal = ? AND products.sku_id = json_extract(each.value, '$[0]')
    WHERE products.reason IS NULL
)"""
"""Whether somebody of a kind has, or was meant to have, a license of a synchronized product."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The temporary tables with the users of one read, by their number."""

    number: int

    @property
    def users(self) -> str:
        """One row for each user; ``kind`` is a key of ``kinds``, or 0 and below for who holds nothing."""
        return f"staged_users_{self.number}"

    @property
    def kinds(self) -> str:
        """One row for each kind of users. ``stored`` is its key in the state DB, None when it is not kept there."""
        return f"staged_kinds_{self.number}"


def unchanged(db: Database, key: int, staged: Staged) -> sqlite3.Cursor:
    """The stored users whom the staged changes leave as they are, by kind: its four columns, and how many they are."""
    return db.execute(
        f"SELECT {_KIND}, users - coalesce(changed, 0) FROM kinds "
        f"LEFT JOIN (SELECT users.kind, count(*) AS changed FROM {staged.users} AS staged JOIN users "
        "ON users.portal = ? AND users.object_id = staged.object_id GROUP BY 1) AS found ON found.kind = kinds.key "
        "WHERE portal = ? AND users > coalesce(changed, 0)",
        [key, key],
    )


def replace(db: Database, key: int, staged: Staged) -> None:
    """Make the staged users those of a portal, of whom no other is left."""
    _keep_kinds(db, key, staged)
    (known,) = db.execute("SELECT total(users) FROM kinds WHERE portal = ?", [key]).fetchone()
    if known:
        db.execute(
            "DELETE FROM users WHERE portal = ? AND object_id NOT IN (SELECT object_id "
            f"FROM {staged.users} AS staged JOIN {staged.kinds} AS now ON now.key = staged.kind WHERE now.stored)",
            [key],
        )
    _upsert(db, key, staged)
    db.execute("UPDATE kinds SET users = 0 WHERE portal = ?", [key])
    _count_in(db, key, staged)


def merge_changes(db: Database, key: int, staged: Staged) -> None:
    """Apply the staged changes to the users of a portal."""
    _keep_kinds(db, key, staged)
    db.execute(
        "UPDATE kinds SET users = kinds.users - found.users FROM (SELECT users.kind, count(*) AS users "
        f"FROM {staged.users} AS staged JOIN users ON users.portal = ? AND users.object_id = staged.object_id "
        "GROUP BY 1) AS found WHERE found.kind = kinds.key",
        [key],
    )
    db.execute(
        "DELETE FROM users WHERE portal = ? AND object_id IN (SELECT object_id "
        f"FROM {staged.users} AS staged LEFT JOIN {staged.kinds} AS now ON now.key = staged.kind "
        "WHERE now.stored IS NULL)",
        [key],
    )
    _upsert(db, key, staged)
    _count_in(db, key, staged)


def drop_unneeded(db: Database, key: int) -> bool:
    """Drop the users whom no synchronized product requires any more. Returns whether there were any."""
    kinds = f"SELECT key FROM kinds WHERE portal = ? AND NOT {_REQUIRED}"
    if db.execute(f"{kinds} LIMIT 1", [key, key]).fetchone() is None:
        return False
    db.execute(f"DELETE FROM users WHERE portal = ? AND kind IN ({kinds})", [key, key, key])
    db.execute(f"DELETE FROM kinds WHERE key IN ({kinds})", [key, key])
    return True


def forget(db: Database, key: int) -> None:
    """Drop all users of a portal."""
    db.execute("DELETE FROM users WHERE portal = ?", [key])
    db.execute("DELETE FROM kinds WHERE portal = ?", [key])


def _keep_kinds(db: Database, key: int, staged: Staged) -> None:
    """Store the staged kinds that are required, and note their keys beside them."""
    db.execute(
        f"INSERT INTO kinds (portal, {_KIND}, users) SELECT ?, {_KIND}, 0 FROM {staged.kinds} "
        f"WHERE users > 0 AND {_REQUIRED} ON CONFLICT DO NOTHING",
        [key, key],
    )
    db.execute(
        f"UPDATE {staged.kinds} SET stored = (SELECT kinds.key FROM kinds WHERE portal = ? AND "
        f"({_KIND}) = ({', '.join(f'{staged.kinds}.{name}' for name in _KIND.split(', '))})) "
        f"WHERE users > 0 AND {_REQUIRED}",  # one that is not required any more may be stored still
        [key, key],
    )


def _upsert(db: Database, key: int, staged: Staged) -> None:
    """Write the staged users that are required and not stored like this, in the order of the key."""
    names = [*_COLUMNS.split(", "), "kind"]
    db.execute(
        f"INSERT INTO users SELECT ?, object_id, {_COLUMNS}, now.stored "
        f"FROM {staged.users} AS staged JOIN {staged.kinds} AS now ON now.key = staged.kind "
        "WHERE now.stored IS NOT NULL ORDER BY object_id "
        f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)} "
        f"WHERE ({', '.join(f'users.{name}' for name in names)}) "
        f"IS NOT ({', '.join(f'excluded.{name}' for name in names)})",
        [key],
    )


def _count_in(db: Database, key: int, staged: Staged) -> None:
    """Add the staged users to the numbers of their kinds, and drop the kinds that nobody is of."""
    db.execute(
        f"UPDATE kinds SET users = kinds.users + now.users FROM {staged.kinds} AS now WHERE now.stored = kinds.key"
    )
    db.execute("DELETE FROM kinds WHERE portal = ? AND users = 0", [key])
