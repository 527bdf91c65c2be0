"""Builders: states of portals, pages of users, whole state folders, and any state that the model allows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from reconciler import history
from reconciler.model import (
    ChangeSet,
    Contact,
    DayRecord,
    Holding,
    Import,
    ImportOutcome,
    License,
    Organization,
    Portal,
    PortalState,
    Product,
    Reason,
    Reference,
    SecretAuthentication,
    Status,
    Units,
    UserPage,
)
from reconciler.store.sqlite_errors import FILE
from reconciler.store.state import OpenState, open_state, read, read_history

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TENANT_ID = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
CLIENT_ID = "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"
LINEAGE = "00000000-0000-4000-8000-000000000001"
E3, E5, F3, VISIO = (f"{number:08d}-0000-4000-8000-000000000000" for number in (1, 2, 3, 4))


def portal(id_: str = "contoso", **members: Any) -> Portal:
    """A portal that signs in with a secret."""
    members.setdefault("name", id_.title())
    members.setdefault("tenant_id", TENANT_ID)
    members.setdefault("client_id", CLIENT_ID)
    members.setdefault("authentication", SecretAuthentication(Reference("env", "CONTOSO_SECRET")))
    members.setdefault("directory", f"Microsoft 365/{members['name']}")
    return Portal(id_, **members)


def product(sku_id: str = E3, consumers: int = 7, reason: Reason | None = None) -> Product:
    """A product with ten licenses."""
    return Product(
        license=License(sku_id, f"SKU_{sku_id[:8]}", "User", "Enabled", Units(10, 0, 0, 0), consumers),
        title=f"License {sku_id[:8]}",
        directory="Microsoft 365/Contoso",
        consumers=consumers,
        findings={},
        status=Status.CANNOT_BE_SYNCHRONISED if reason else Status.FULLY_LICENSED,
        reason=reason,
    )


def portal_state(id_: str = "contoso", serial: int = 1, consumers: int | None = None, **members: Any) -> PortalState:
    """A portal with two imported products. Its numbers follow from the serial, so that states differ."""
    count = serial if consumers is None else consumers
    organization = Organization(TENANT_ID, "Contoso", "contoso.example")
    members.setdefault("portal", portal(id_))
    members.setdefault("products", (product(E3, count), product(E5, count)))
    members.setdefault("last_import", Import(ImportOutcome.COMPLETE, NOW, count, organization))
    members.setdefault("changed", ChangeSet(NOW, ()))
    return PortalState(serial=serial, **members)


def contact(number: int, **members: Any) -> Contact:
    """A person; the name says which."""
    name = f"person{number}"
    whole = Contact(f"id-{number:06}", f"{name}@contoso.example", name.title(), None, True, "Member", "NP")
    return whole._replace(**members)


def holding(sku_id: str = E3, **members: Any) -> Holding:
    """A license that somebody holds directly."""
    return Holding(sku_id, True, True, False, None)._replace(**members)


def page(*numbers: int, skus: tuple[str, ...] = (E3,)) -> UserPage:
    """A page with these people, each holding these licenses."""
    held = tuple(holding(sku_id) for sku_id in sorted(skus))
    return UserPage(len(numbers), [contact(number) for number in numbers], [held] * len(numbers))


class StateFolder:
    """A state folder on disk, and what runs do to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = path / "ledger"
        self.database = path / FILE

    @contextmanager
    def opened(self, lineage: str = LINEAGE) -> Iterator[OpenState]:
        """The state as a run has it open."""
        with open_state(self.path, lineage) as opened:
            yield opened

    def apply(
        self,
        *states: PortalState,
        previous_id: str | None = None,
        users: tuple[UserPage, ...] | None = None,
        killed: bool = False,
        lineage: str = LINEAGE,
        day: date | None = None,
    ) -> None:
        """A run that arrives at these states, with records if it has a day; it may be killed before the ledger."""
        with self.opened(lineage) as opened:
            for state in states:
                before = opened.known.get(previous_id or state.id)
                records = history.records(before, state, day) if day else ()
                with opened.database.staging() as staged:
                    for each in users or ():
                        staged.add(each)
                    opened.database.save(state, previous_id, None if users is None else staged, records)
            if not killed:
                opened.write_ledger()

    def read(self) -> dict[str, PortalState]:
        """What is known, for a command that writes nothing."""
        return read(self.path)

    def history(self, portal_id: str = "contoso") -> list[DayRecord]:
        """What is recorded, for a command that writes nothing."""
        return list(read_history(self.path, portal_id)[1])

    def lose_the_database(self) -> None:
        """As in a fresh clone."""
        self.database.unlink(missing_ok=True)

    def take_over(self, known: Mapping[str, bytes]) -> None:
        """Check other ledger files out."""
        shutil.rmtree(self.ledger, ignore_errors=True)
        self.ledger.mkdir(parents=True)
        for name, content in known.items():
            (self.ledger / name).parent.mkdir(exist_ok=True)
            (self.ledger / name).write_bytes(content)

    def written(self) -> dict[str, bytes]:
        """The ledger files."""
        paths = (path for path in self.ledger.rglob("*") if path.is_file())
        return {path.relative_to(self.ledger).as_posix(): path.read_bytes() for path in paths}

    def rows(self, sql: str) -> list[Any]:
        """Rows of the DB, read past the product."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def people(self) -> set[str]:
        """The object IDs of the stored contacts."""
        return {object_id for (object_id,) in self.rows("SELECT object_id FROM contacts")}

    def held(self) -> set[tuple[str, str]]:
        """Who holds what, as stored."""
        return set(self.rows("SELECT object_id, sku_id FROM assignments"))

    def leave_half_a_transaction(self) -> None:
        """What a run that is killed in the middle of a transaction leaves: pages half written, and SQLite's journal.

        An open transaction that outgrew its cache looks the same from outside, so its files are copied.
        """
        journal = self.database.with_name(f"{FILE}-journal")
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("PRAGMA cache_size = 1")
            connection.execute("UPDATE products SET consumers = 999")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [(f"{n}", "x" * 500) for n in range(2000)])
            files = {path: path.read_bytes() for path in (self.database, journal)}
        for path, content in files.items():
            path.write_bytes(content)


def files_under(folder: Path) -> dict[Path, tuple[bytes, int, int]]:
    """Every file and folder with what shows that it was written: bytes, time of modification, inode."""
    return {
        path: (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns, path.stat().st_ino)
        for path in [folder, *folder.rglob("*")]
    }


# --- any state that the model allows ---------------------------------------------------------------------------------

HOSTILE = (
    "",
    "two\nlines",
    "carriage\rreturn",
    "line\u2028separator",
    "next\x85line",
    "right-to-left \u202e override",
    "nul\x00",
    "\U0001f600",
    '"}, {"',
    "\\u2028",
    "<<<<<<< HEAD",
    "1",
    "null",
)

_LEAVES: dict[object, st.SearchStrategy[Any]] = {
    str: st.sampled_from(HOSTILE) | st.text(max_size=8),
    int: st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the model; what the model gains later is covered without a change here."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(values, arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})


def any_states() -> st.SearchStrategy[PortalState]:
    """Any state of a portal, under the two rules that types cannot say: ids name files, SKU IDs are unique."""
    products = st.lists(values(Product), max_size=3, unique_by=lambda each: each.sku_id)
    ordered = products.map(lambda found: tuple(sorted(found, key=lambda each: each.sku_id)))
    ids = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True).filter(lambda id_: id_ != "meta")
    return st.builds(
        lambda state, id_, found: replace(state, portal=replace(state.portal, id=id_), products=found),
        values(PortalState),
        ids,
        ordered,
    )


def types_within(hint: Any, seen: set[Any] | None = None) -> set[Any]:
    """Every type that a value of this type can be made of."""
    seen = set() if seen is None else seen
    if hint in seen:
        return seen
    seen.add(hint)
    for part in get_args(hint):
        if get_origin(hint) is not Literal:
            types_within(part, seen)
    if is_dataclass(hint) and isinstance(hint, type):
        for part in get_type_hints(hint).values():
            types_within(part, seen)
    return seen
