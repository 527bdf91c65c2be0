"""The state DB as a file: who may see it, what reading leaves alone, and what a damaged one means."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils
from sqlite_utils import Migrations

from reconciler.errors import Refused, StateError
from reconciler.store import database, tables
from reconciler.store.database import open_for_reading, open_for_writing
from reconciler.store.state import OpenState
from tests.store.store_world import StateFolder, files_under, page, portal_state, product

ONE, TWO = portal_state(serial=1), portal_state(serial=2)
MANY = portal_state(products=tuple(product(f"{number:08}-0000-4000-8000-000000000000") for number in range(200)))


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


# --- who may see it --------------------------------------------------------------------------------------------------


def test_only_the_owner_may_open_the_database_from_its_first_instant(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    monkeypatch.setattr(Path, "chmod", lambda path, _: modes.append(mode(path)))  # it would come too late
    before = os.umask(0)
    try:
        folder.apply(ONE)
    finally:
        os.umask(before)

    assert modes == [0o600]
    assert mode(folder.database) == 0o600


def test_a_database_that_everybody_may_read_is_closed_to_them(folder: StateFolder) -> None:
    folder.apply(ONE)
    folder.database.chmod(0o644)
    folder.apply(ONE)

    assert mode(folder.database) == 0o600


def test_staged_users_fill_the_disk_and_not_the_memory(folder: StateFolder) -> None:
    with folder.opened() as opened:
        assert opened.database._db.execute("PRAGMA temp_store").fetchone() == (1,)  # FILE


# --- reading ---------------------------------------------------------------------------------------------------------


def no_database(folder: StateFolder) -> None:
    folder.database.unlink()


def level(folder: StateFolder) -> None:
    """The ordinary case."""


def ahead(folder: StateFolder) -> None:
    folder.apply(TWO, killed=True)


def older_tables(folder: StateFolder) -> None:
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.execute("DELETE FROM _sqlite_migrations")
        connection.execute("DROP TABLE revisions")
        connection.commit()


def no_tables(folder: StateFolder) -> None:
    folder.database.write_bytes(b"")


def no_tables_but_a_journal(folder: StateFolder) -> None:
    folder.leave_half_a_transaction()
    folder.database.write_bytes(b"")


def half_a_transaction(folder: StateFolder) -> None:
    folder.leave_half_a_transaction()


def damaged(folder: StateFolder) -> None:
    folder.database.write_bytes(b"no database at all" * 1000)


READABLE: dict[Callable[[StateFolder], None], object] = {
    no_database: {"contoso": ONE},
    level: {"contoso": ONE},
    ahead: {"contoso": TWO},
    older_tables: {"contoso": ONE},
    no_tables: {"contoso": ONE},
    no_tables_but_a_journal: {"contoso": ONE},
    half_a_transaction: {"contoso": ONE},
    damaged: StateError,
}


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A checkout that may not be written; root may all the same, so bytes and times are compared too."""
    paths = [folder, *folder.rglob("*")]
    before = {path: mode(path) for path in paths}
    for path in reversed(paths):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(before[path])


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
@pytest.mark.parametrize(
    ("situation", "expected"), READABLE.items(), ids=lambda value: getattr(value, "__name__", None)
)
def test_reading_never_writes(
    folder: StateFolder, situation: Callable[[StateFolder], None], expected: object, writable: bool
) -> None:
    folder.apply(ONE, users=(page(1),))
    situation(folder)

    with read_only(folder.path) if not writable else nullcontext():
        before = files_under(folder.path)
        if expected is StateError:
            with pytest.raises(StateError):
                folder.read()
        else:
            assert folder.read() == expected
        assert files_under(folder.path) == before


def test_reading_where_nothing_is_makes_nothing(folder: StateFolder) -> None:
    assert folder.read() == {}
    assert not folder.path.exists()


def test_what_is_read_is_of_one_instant_also_while_another_run_writes(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.apply(ONE)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    with open_for_reading(folder.path) as reading, open_for_writing(folder.path) as writing:
        assert reading is not None
        real = reading._db.query

        def query(sql: str, *arguments: object) -> object:
            if "FROM portals" in sql:  # products were read just now
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    writing.save(TWO)
            return real(sql, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(reading._db, "query", query)
        assert reading.load() == {"contoso": ONE}


def test_half_a_transaction_is_undone_by_the_next_run(folder: StateFolder) -> None:
    folder.apply(TWO, users=(page(1, 2),))
    folder.leave_half_a_transaction()

    folder.apply()

    assert folder.read() == {"contoso": TWO}
    assert folder.people() == {"id-000001", "id-000002"}
    assert folder.rows("PRAGMA integrity_check") == [("ok",)]


def test_older_tables_are_brought_up_to_date_by_the_next_run(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.apply(ONE, users=(page(1),))
    newer = Migrations("reconciler")
    newer(name="m001_first_tables")(tables.m001_first_tables)

    @newer()
    def m002(db: SqliteUtils) -> None:
        db.execute("ALTER TABLE users ADD COLUMN department TEXT")

    monkeypatch.setattr(database, "migrations", newer)
    with open_for_reading(folder.path) as reading:
        assert reading is None
    assert folder.read() == {"contoso": ONE}

    folder.apply()

    with open_for_reading(folder.path) as reading:
        assert reading is not None
    assert folder.rows("SELECT object_id, department FROM users") == [("id-000001", None)]


TWO_TABLES_OF_USERS = """
DROP VIEW contacts; DROP VIEW assignments; DROP VIEW consumed_by_kind;
DROP TABLE users; DROP TABLE kinds; DROP TABLE delta_links;
ALTER TABLE imports DROP COLUMN paths_as_of;
ALTER TABLE imports DROP COLUMN counted_with;
CREATE TABLE contacts (portal INTEGER NOT NULL, object_id TEXT NOT NULL, PRIMARY KEY (portal, object_id));
CREATE TABLE assignments (portal INTEGER NOT NULL, object_id TEXT NOT NULL, sku_id TEXT NOT NULL);
INSERT INTO contacts VALUES (1, 'id-000001');
"""
"""Leads from today's tables to those of before the fourth migration, as far as that looks at them."""


def test_users_in_two_tables_are_dropped_and_the_next_import_brings_them_back(folder: StateFolder) -> None:
    folder.apply(ONE, users=(page(1),))
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.executescript(f"{TWO_TABLES_OF_USERS} DELETE FROM _sqlite_migrations WHERE name >= 'm004'")

    folder.apply()
    assert folder.read() == {"contoso": ONE}
    assert folder.people() == set()

    folder.apply(TWO, users=(page(1),))
    assert folder.people() == {"id-000001"}


def test_tables_of_before_the_history_keep_their_rows_and_get_defaults(folder: StateFolder) -> None:
    folder.apply(ONE, users=(page(1),))
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.executescript(
            f"{TWO_TABLES_OF_USERS} DROP TABLE history; "
            "ALTER TABLE portals DROP COLUMN removed; "
            "ALTER TABLE imports DROP COLUMN excluded; "
            "ALTER TABLE imports DROP COLUMN sign_ins; "
            "ALTER TABLE products DROP COLUMN errors; "
            "ALTER TABLE products DROP COLUMN reclaimable; "
            "DELETE FROM _sqlite_migrations WHERE name >= 'm003'"
        )
    shutil.rmtree(folder.ledger)

    folder.apply()

    assert folder.read() == {"contoso": ONE}
    assert folder.history() == []


# --- damage ----------------------------------------------------------------------------------------------------------


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pages_overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 8 :] = b"\xff" * (len(content) - len(content) // 8)
    path.write_bytes(content)


def another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (unlike TEXT)")


def spoiled(sql: str) -> Callable[[Path], None]:
    """A row that makes no sense."""

    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)
            connection.commit()

    return spoil


SPOILED = (
    "UPDATE portals SET configuration = '{'",
    "UPDATE portals SET configuration = '[]'",
    "UPDATE products SET status = 'splendid'",
    "UPDATE imports SET as_of = 'yesterday'",
)


@pytest.mark.parametrize("change", SPOILED)
def test_what_the_ledger_says_is_not_read_from_the_database_again(folder: StateFolder, change: str) -> None:
    folder.apply(MANY)
    spoiled(change)(folder.database)
    assert folder.read() == {"contoso": MANY}
    with pytest.raises(StateError, match=r"reconciler\.db cannot be read"):
        folder.apply()


@pytest.mark.parametrize(
    "damage",
    [
        overwritten,
        cut_short,
        pages_overwritten,
        *(spoiled(f"{change}; DELETE FROM revisions") for change in SPOILED),
    ],
)
def test_a_damaged_database_is_an_error_with_a_remedy_that_works(
    folder: StateFolder, damage: Callable[[Path], None]
) -> None:
    folder.apply(MANY)
    damage(folder.database)
    before = folder.database.read_bytes()

    for attempt in (folder.read, folder.apply):
        with pytest.raises(StateError, match=r"reconciler\.db cannot be read") as caught:
            attempt()
        assert caught.value.code == "database-unreadable"
    assert folder.database.read_bytes() == before

    assert "Delete state/reconciler.db" in caught.value.remedy
    folder.database.unlink()
    folder.apply()
    assert folder.read() == {"contoso": MANY}


def test_the_database_of_another_program_is_not_taken_for_ours(folder: StateFolder) -> None:
    folder.apply(ONE)
    another_program(folder.database)

    assert folder.read() == {"contoso": ONE}
    with pytest.raises(StateError, match=r"reconciler\.db cannot be read"):
        folder.apply()


@pytest.mark.parametrize("exclusive", [False, True], ids=["writing", "committing"])
def test_a_database_that_another_program_holds_is_refused_and_not_called_damaged(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch, exclusive: bool
) -> None:
    folder.apply(ONE)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    attempts: list[Callable[[], object]] = [lambda: folder.apply(TWO)]
    if exclusive:
        attempts.append(folder.read)
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.execute("BEGIN EXCLUSIVE" if exclusive else "BEGIN IMMEDIATE")
        for attempt in attempts:
            with pytest.raises(Refused) as caught:
                attempt()
            assert (caught.value.code, caught.value.exit_code) == ("locked", 3)

    folder.apply(TWO)
    assert folder.read() == {"contoso": TWO}


def fill_the_disk(opened: OpenState) -> None:
    """Save more users than there is room for."""
    (pages,) = opened.database._db.execute("PRAGMA page_count").fetchone()
    opened.database._db.execute(f"PRAGMA max_page_count = {pages}")
    with opened.database.staging() as staged:
        staged.add(page(*range(5000)))
        opened.database.save(TWO, None, staged)


def test_a_full_disk_is_not_called_damage_and_nothing_is_lost(folder: StateFolder) -> None:
    folder.apply(ONE, users=(page(1, 2),))
    with pytest.raises(StateError, match="cannot be used") as caught, folder.opened() as opened:
        fill_the_disk(opened)

    assert caught.value.code == "database-unusable"
    assert "free space" in caught.value.remedy
    assert folder.read() == {"contoso": ONE}
    assert folder.people() == {"id-000001", "id-000002"}


def test_a_mistake_in_our_sql_is_not_blamed_on_the_file(folder: StateFolder) -> None:
    with pytest.raises(sqlite3.IntegrityError), folder.opened() as opened:
        opened.database._db.execute("INSERT INTO users (portal, object_id, kind) VALUES (99, 'nobody', 1)")
