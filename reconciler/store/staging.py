"""Where users land while a tenant is read: temporary tables, so that a read that fails leaves no trace.

Rows stream in page by page and are counted in SQL; memory does not grow with the tenant. The temporary tables belong
to the connection, never to the file of the state DB.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import count
from threading import RLock

from sqlite_utils import Database

from reconciler.findings import FINDINGS
from reconciler.model import Consumption, UserPage
from reconciler.store.sqlite_errors import explained

_numbers = count(1)

_CONDITIONS = {
    "disabled_account": "holds AND account_enabled = 0",
    "guest_licensed": "holds AND user_type = 'Guest'",
    "no_usage_location": "holds AND coalesce(usage_location, '') = ''",
    "direct_and_group": "holds AND direct AND via_group",
    "assignment_error": "error IS NOT NULL",
}
"""Finding id to the SQL that counts it. The ids are those of ``findings.py``; a test keeps them equal."""


class Staging:
    """The staged users of one portal. Safe to fill from a thread of its own: every call takes the DB's lock.

    Every call raises StateError when SQLite cannot go on, because the disk is full for example.
    """

    def __init__(self, db: Database, lock: RLock) -> None:
        self._db, self._lock = db, lock
        number = next(_numbers)
        self._contacts, self._assignments = f"staged_contacts_{number}", f"staged_assignments_{number}"
        with lock:
            db.execute(
                f"CREATE TEMP TABLE {self._contacts} (object_id TEXT PRIMARY KEY, user_principal_name TEXT, "
                "display_name TEXT, mail TEXT, account_enabled INTEGER, user_type TEXT, usage_location TEXT) "
                "WITHOUT ROWID"
            )
            db.execute(
                f"CREATE TEMP TABLE {self._assignments} (object_id TEXT, sku_id TEXT, holds INTEGER, direct INTEGER, "
                "via_group INTEGER, error TEXT, PRIMARY KEY (object_id, sku_id)) WITHOUT ROWID"
            )

    def clear(self) -> None:
        """Forget everything, because the listing starts again."""
        with self._lock, explained(), self._db.atomic():
            self._db.execute(f"DELETE FROM {self._contacts}")
            self._db.execute(f"DELETE FROM {self._assignments}")

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._db.execute(f"DROP TABLE {self._contacts}")
            self._db.execute(f"DROP TABLE {self._assignments}")

    def add(self, page: UserPage) -> None:
        """Stage one page. A user who was on an earlier page is replaced: the later answer is the newer one."""
        connection = self._db.conn
        with self._lock, explained(), self._db.atomic():
            before = connection.total_changes
            connection.executemany(
                f"INSERT OR IGNORE INTO {self._contacts} VALUES (?, ?, ?, ?, ?, ?, ?)", page.contacts
            )
            if connection.total_changes - before < len(page.contacts):
                self._replace(page)
            connection.executemany(
                f"INSERT OR REPLACE INTO {self._assignments} VALUES (?, ?, ?, ?, ?, ?)", page.assignments
            )

    def _replace(self, page: UserPage) -> None:
        """Take out what earlier pages said of this page's users."""
        ids = [(contact.object_id,) for contact in page.contacts]
        self._db.conn.executemany(f"DELETE FROM {self._assignments} WHERE object_id = ?", ids)
        self._db.conn.executemany(
            f"INSERT OR REPLACE INTO {self._contacts} VALUES (?, ?, ?, ?, ?, ?, ?)", page.contacts
        )

    def consumption(self) -> dict[str, Consumption]:
        """Consumers and findings of each SKU."""
        sums = ", ".join(f"sum({_CONDITIONS[name]}) AS {name}" for name in FINDINGS)
        with self._lock, explained():
            rows = list(
                self._db.query(
                    f"SELECT sku_id, sum(holds) AS consumers, {sums} "
                    f"FROM {self._assignments} JOIN {self._contacts} USING (object_id) GROUP BY sku_id ORDER BY sku_id"
                )
            )
        return {
            row["sku_id"]: Consumption(row["consumers"], {name: row[name] for name in FINDINGS if row[name]})
            for row in rows
        }

    def users(self, sku_ids: Collection[str]) -> int:
        """How many distinct users hold at least one of these SKUs."""
        with self._lock, explained():
            (number,) = self._db.execute(
                f"SELECT count(DISTINCT object_id) FROM {self._assignments} WHERE holds "
                "AND sku_id IN (SELECT value FROM json_each(?))",
                [json.dumps(sorted(sku_ids))],
            ).fetchone()
        return int(number)

    def merge(self, key: int) -> None:
        """Make these the consumers of the portal with this key. The caller has the lock and a transaction.

        Only assignments of SKUs that the portal has a synchronized product of, and contacts that hold one, are kept.
        """
        self._db.execute("DELETE FROM assignments WHERE portal = ?", [key])
        self._db.execute("DELETE FROM contacts WHERE portal = ?", [key])
        self._db.execute(
            f"INSERT INTO assignments SELECT ?, object_id, sku_id, direct, via_group, error FROM {self._assignments} "
            "WHERE holds AND sku_id IN (SELECT sku_id FROM products WHERE portal = ? AND reason IS NULL)",
            [key, key],
        )
        self._db.execute(
            f"INSERT INTO contacts SELECT ?, * FROM {self._contacts} "
            "WHERE object_id IN (SELECT object_id FROM assignments WHERE portal = ?)",
            [key, key],
        )
