"""Where users land while a tenant is read: temporary tables, so that a read that fails leaves no trace.

Rows stream in page by page, in the order in which they come: a sort at the end costs far less than a key that is kept
all the time. What a user holds is written once for all who are alike in it, so a row is short, counting is a matter of
a few thousand kinds, and memory grows by eight bytes a user only (``distinct.py``). The tables belong to the
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
from reconciler.counting import Alike, Contents, Counted
from reconciler.distinct import Distinct
from reconciler.incremental import DeltaLink, carried_sign_ins
from reconciler.model import ChangedPage, Contact, Holding, UserPage
from reconciler.store import delta_links, roster
from reconciler.store.roster import Staged
from reconciler.store.sqlite_errors import explained

_numbers = count(1)

_DECODER = msgspec.json.Decoder(tuple[Holding, ...])
_ENCODER = msgspec.json.Encoder()

_REMEMBERED = 10_000
"""Kinds whose keys are kept in memory: some MiB at most, and more than a tenant of ordinary shape has."""

_BATCH = 5_000
"""Changed users that are looked at together."""

_GONE, _UNCLEAR = 0, -1
"""In place of a kind: who holds nothing any more, and of whom Graph did not say what they hold."""

_COLUMNS = len(Contact._fields) + 1
_ROW = f"({', '.join('?' * _COLUMNS)})"
_TOGETHER = (500, 50, 5, 1)
"""How many rows are written in one statement, as many as possible first; SQLite takes 32,766 values."""

Kind = tuple[tuple[Holding, ...], bool, bool, bool]
"""What users hold, sorted; whether the account is disabled, a guest's, without a usage location."""


class Staging:
    """The staged users of one portal. Safe to fill from a thread of its own: every call takes the DB's lock.

    They are all users of a tenant, or the changes to those that are stored; ``clear`` says which. Every call raises
    StateError when SQLite cannot go on, because the disk is full for example.
    """

    def __init__(self, db: Database, lock: RLock, key: int | None = None) -> None:
        """``key`` is the portal's row, None for one that is not stored yet."""
        self._db, self._lock, self._key = db, lock, key
        self._tables = Staged(number := next(_numbers))
        self._keys: dict[Kind, int] = {}
        self._seen = Distinct()
        self._changing = False
        self._settled = False
        self._contradicted = False
        self._next: DeltaLink | None = None
        with lock:
            db.execute(
                f"CREATE TEMP TABLE staged_users_{number} (object_id TEXT, user_principal_name TEXT, "
                "display_name TEXT, mail TEXT, account_enabled INTEGER, user_type TEXT, usage_location TEXT, "
                "kind INTEGER)"
            )
            db.execute(
                f"CREATE TEMP TABLE staged_kinds_{number} (key INTEGER PRIMARY KEY, held TEXT, "
                "account_disabled INTEGER, guest INTEGER, no_usage_location INTEGER, users INTEGER DEFAULT 0, "
                "stored INTEGER, UNIQUE (held, account_disabled, guest, no_usage_location))"
            )

    @property
    def link(self) -> DeltaLink | None:
        """Where the stored users can be gone on from."""
        with self._lock, explained():
            return None if self._key is None else delta_links.load(self._db, self._key)

    def clear(self, *, changing: bool = False) -> None:
        """Forget everything. What comes then is all users, or with ``changing`` the changes to the stored ones."""
        self._changing, self._settled, self._contradicted = changing, False, False
        self._keys.clear()
        self._seen = Distinct()
        with self._lock, explained(), self._db.atomic():
            self._db.execute(f"DELETE FROM {self._tables.users}")
            self._db.execute(f"DELETE FROM {self._tables.kinds}")

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._db.execute(f"DROP TABLE {self._tables.users}")
            self._db.execute(f"DROP TABLE {self._tables.kinds}")

    def add(self, page: UserPage) -> None:
        """Stage one page. Of a user who was on an earlier page, the later answer counts, because it is the newer."""
        values: list[object] = []
        self._seen.add(contact.object_id for contact in page.contacts)
        with self._lock, explained(), self._db.atomic():
            for contact, held in zip(page.contacts, page.held, strict=True):
                kind = (
                    held,
                    contact.account_enabled is False,
                    contact.user_type == "Guest",
                    not contact.usage_location,
                )
                values += contact
                values.append(self._keys.get(kind) or self._key_of(kind))
            self._insert(values)

    def change(self, page: ChangedPage) -> None:
        """Stage one page of changes. The later answer about a user counts, on this page and over the earlier ones."""
        self.add(page.present)
        self._seen.add((*page.gone, *page.unclear))
        nothing = (None,) * (len(Contact._fields) - 1)
        values: list[object] = []
        for kind, ids in ((_GONE, page.gone), (_UNCLEAR, page.unclear)):
            for object_id in ids:
                values += (object_id, *nothing, kind)
        with self._lock, explained(), self._db.atomic():
            self._insert(values)

    def _insert(self, values: list[object]) -> None:
        """Write rows, their values one after the other.

        Many rows go in one statement: with each, the threads that fetch and decode may take the interpreter away.
        """
        self._settled = False
        done = 0
        for rows in _TOGETHER:
            statement = f"INSERT INTO {self._tables.users} VALUES {', '.join([_ROW] * rows)}"
            while len(values) - done >= rows * _COLUMNS:
                self._db.execute(statement, values[done : done + rows * _COLUMNS])
                done += rows * _COLUMNS

    def _key_of(self, kind: Kind) -> int:
        """The key of a kind of users that is not remembered."""
        held, *flags = kind
        row = (_ENCODER.encode(held).decode(), *flags)
        table, columns = self._tables.kinds, "(held, account_disabled, guest, no_usage_location)"
        self._db.execute(f"INSERT INTO {table} {columns} VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        (key,) = self._db.execute(f"SELECT key FROM {table} WHERE {columns} = (?, ?, ?, ?)", row).fetchone()
        if len(self._keys) == _REMEMBERED:
            self._keys.clear()
        self._keys[kind] = key
        return int(key)

    def lacks_licenses(self) -> bool:
        """Whether there is a change of a user that does not say what the user holds.

        The user is a stored one, or one of whom another change said it.
        """
        with self._lock, explained():
            self._settle()
            if self._contradicted:
                return True
            found = self._db.execute(
                f"SELECT 1 FROM {self._tables.users} AS staged JOIN users "
                "ON users.portal = ? AND users.object_id = staged.object_id WHERE staged.kind = ? LIMIT 1",
                [self._key, _UNCLEAR],
            )
            return found.fetchone() is not None

    def count(self, inside: Contents, imported: Collection[str]) -> Counted:
        """Count them; ``inside`` is what the tenant's SKUs contain, ``imported`` the IDs of those that are imported.

        Changes count together with the stored users that they leave as they are.
        """
        with self._lock, explained():
            self._settle()
            return counting.count(self._groups(), inside, imported)

    def _groups(self) -> Iterator[Alike]:
        """The users, those who are alike together: a few thousand kinds in a tenant of any size."""
        unchanged = roster.unchanged(self._db, self._key, self._tables) if self._changing and self._key else ()
        staged = self._db.execute(
            f"SELECT held, account_disabled, guest, no_usage_location, users FROM {self._tables.kinds} WHERE users > 0"
        )
        for source in (unchanged, staged):
            for held, disabled, guest, nowhere, users in source:
                yield Alike(_holdings(held), bool(disabled), bool(guest), bool(nowhere), users)

    def _settle(self) -> None:
        """Make the staged rows one for each user, and count them by kind."""
        if self._settled:
            return
        with self._db.atomic():
            if self._seen.distinct() < self._seen.count:
                self._drop_older_answers()
            if self._changing:
                self._carry_sign_ins()
            self._db.execute(f"UPDATE {self._tables.kinds} SET users = 0")
            self._db.execute(
                f"UPDATE {self._tables.kinds} SET users = found.users "
                f"FROM (SELECT kind, count(*) AS users FROM {self._tables.users} GROUP BY kind) AS found "
                "WHERE found.kind = key"
            )
        self._settled = True

    def _drop_older_answers(self) -> None:
        """Keep the latest row of each user. A list is no snapshot: a few users may come twice."""
        table = self._tables.users
        both = f"SELECT 1 FROM {table} GROUP BY object_id HAVING min(kind) = ? AND max(kind) > ? LIMIT 1"
        self._contradicted |= self._db.execute(both, [_UNCLEAR, _UNCLEAR]).fetchone() is not None
        again = self._db.execute(
            f"SELECT object_id, max(rowid) FROM {table} GROUP BY object_id HAVING count(*) > 1"
        ).fetchall()
        if again:
            self._db.execute("CREATE TEMP TABLE again (object_id TEXT PRIMARY KEY, latest INTEGER)")
            self._db.conn.executemany("INSERT INTO again VALUES (?, ?)", again)
            self._db.execute(
                f"DELETE FROM {table} "
                f"WHERE rowid < (SELECT latest FROM again WHERE again.object_id = {table}.object_id)"
            )
            self._db.execute("DROP TABLE again")

    def _carry_sign_ins(self) -> None:
        """Keep what was known of the sign-ins of changed users: changes do not tell them."""
        last = 0
        while True:
            rows = self._db.execute(
                "SELECT staged.rowid, now.held, now.account_disabled, now.guest, now.no_usage_location, kinds.held "
                f"FROM {self._tables.users} AS staged JOIN {self._tables.kinds} AS now ON now.key = staged.kind "
                "JOIN users ON users.portal = ? AND users.object_id = staged.object_id "
                "JOIN kinds ON kinds.key = users.kind WHERE staged.rowid > ? ORDER BY staged.rowid LIMIT ?",
                [self._key, last, _BATCH],
            ).fetchall()
            for rowid, held, disabled, guest, nowhere, before in rows:
                told = _holdings(held)
                carried = tuple(carried_sign_ins(told, _holdings(before)))
                if carried != told:
                    kind = self._key_of((carried, bool(disabled), bool(guest), bool(nowhere)))
                    self._db.execute(f"UPDATE {self._tables.users} SET kind = ? WHERE rowid = ?", [kind, rowid])
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def go_on_from(self, link: DeltaLink | None) -> None:
        """Store with these users where the next import can go on from; None: it has to read all users."""
        self._next = link

    def merge(self, key: int) -> None:
        """Make these the users of the portal with this key. The caller has the lock and a transaction."""
        self._settle()
        if self._changing:
            roster.merge_changes(self._db, key, self._tables)
        else:
            roster.replace(self._db, key, self._tables)
        delta_links.save(self._db, key, self._next)


@lru_cache(maxsize=4096)
def _holdings(text: str) -> tuple[Holding, ...]:
    """What a text of the column ``held`` stands for."""
    return _DECODER.decode(text)
