"""Where users land while a tenant is read: a temporary table, so that a read that fails leaves no trace.

Rows stream in page by page, in the order in which they come: a sort at the end costs far less than a key that is kept
all the time. SQL gathers those who are alike, so memory does not grow with the tenant. The table belongs to the
connection, never to the file of the state DB.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import count
from threading import RLock

import msgspec
from sqlite_utils import Database

from reconciler import counting
from reconciler.counting import Alike, Contents, Counted, Holding
from reconciler.model import UserPage
from reconciler.store.sqlite_errors import explained

_numbers = count(1)

_DECODER = msgspec.json.Decoder(tuple[Holding, ...])
_ENCODER = msgspec.json.Encoder()

_CONTACT = "object_id, user_principal_name, display_name, mail, account_enabled, user_type, usage_location"
"""The columns of a contact, as ``model.Contact`` has them."""


class Staging:
    """The staged users of one portal. Safe to fill from a thread of its own: every call takes the DB's lock.

    Every call raises StateError when SQLite cannot go on, because the disk is full for example.
    """

    def __init__(self, db: Database, lock: RLock) -> None:
        self._db, self._lock = db, lock
        self._table = f"staged_users_{next(_numbers)}"
        with lock:
            db.execute(
                f"CREATE TEMP TABLE {self._table} (object_id TEXT, user_principal_name TEXT, display_name TEXT, "
                "mail TEXT, account_enabled INTEGER, user_type TEXT, usage_location TEXT, holdings TEXT)"
            )

    def clear(self) -> None:
        """Forget everything, because the listing starts again."""
        with self._lock, explained(), self._db.atomic():
            self._db.execute(f"DELETE FROM {self._table}")

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._db.execute(f"DROP TABLE {self._table}")

    def add(self, page: UserPage) -> None:
        """Stage one page. Of a user who was on an earlier page, the later answer counts, because it is the newer."""
        holdings: dict[str, list[tuple[object, ...]]] = {}
        for assignment in page.assignments:
            holdings.setdefault(assignment.object_id, []).append(assignment[1:])
        rows = [(*contact, _text(holdings[contact.object_id])) for contact in page.contacts]
        with self._lock, explained(), self._db.atomic():
            self._db.conn.executemany(f"INSERT INTO {self._table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def count(self, inside: Contents, imported: Collection[str]) -> Counted:
        """Count them; ``inside`` is what the tenant's SKUs contain, ``imported`` the IDs of those that are imported."""
        with self._lock, explained():
            self._drop_older_answers()
            return counting.count(self._groups(), inside, imported)

    def _drop_older_answers(self) -> None:
        """Keep the latest row of each user. A list is no snapshot: a few users may come twice."""
        self._db.execute(
            f"DELETE FROM {self._table} WHERE object_id IN "
            f"(SELECT object_id FROM {self._table} GROUP BY object_id HAVING count(*) > 1) "
            f"AND rowid NOT IN (SELECT max(rowid) FROM {self._table} GROUP BY object_id HAVING count(*) > 1)"
        )

    def _groups(self) -> Iterator[Alike]:
        """The users, those who are alike together: a few thousand kinds in a tenant of any size."""
        rows = self._db.execute(
            "SELECT holdings, account_enabled IS 0, user_type IS 'Guest', coalesce(usage_location, '') = '', count(*) "
            f"FROM {self._table} GROUP BY 1, 2, 3, 4"
        )
        for holdings, disabled, guest, nowhere, users in rows:
            yield Alike(_holdings(holdings), bool(disabled), bool(guest), bool(nowhere), users)

    def merge(self, key: int) -> None:
        """Make these the consumers of the portal with this key. The caller has the lock and a transaction.

        Only assignments of SKUs that the portal has a synchronized product of, and contacts that hold one, are kept.
        """
        self._drop_older_answers()
        products = self._db.execute("SELECT sku_id FROM products WHERE portal = ? AND reason IS NULL", [key])
        wanted = frozenset(sku_id for (sku_id,) in products)
        self._db.execute("DELETE FROM assignments WHERE portal = ?", [key])
        self._db.execute("DELETE FROM contacts WHERE portal = ?", [key])
        self._db.conn.executemany("INSERT INTO assignments VALUES (?, ?, ?, ?, ?, ?)", self._consumers(key, wanted))
        self._db.execute(
            f"INSERT INTO contacts SELECT ?, {_CONTACT} FROM {self._table} "
            "WHERE object_id IN (SELECT object_id FROM assignments WHERE portal = ?) ORDER BY object_id",
            [key, key],
        )

    def _consumers(self, key: int, wanted: Collection[str]) -> Iterator[tuple[object, ...]]:
        """The rows of ``assignments``, in the order of its key."""
        for object_id, holdings in self._db.execute(
            f"SELECT object_id, holdings FROM {self._table} ORDER BY object_id"
        ):
            for each in _holdings(holdings):
                if each.holds and each.sku_id in wanted:
                    yield key, object_id, each.sku_id, each.direct, each.group, each.error


def _text(holdings: list[tuple[object, ...]]) -> str:
    """What a user holds, the same text for all who hold the same."""
    holdings.sort()
    return _ENCODER.encode(holdings).decode()


@lru_cache(maxsize=4096)
def _holdings(text: str) -> tuple[Holding, ...]:
    """What a text of ``_text`` stands for."""
    return _DECODER.decode(text)
