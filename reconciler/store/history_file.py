"""The ledger's history: one file per portal in ``state/ledger/history``, one record a line, oldest first.

A record is a product on a day. Lines are added at the end, or the last day's are replaced; the others stay byte for
byte. A file belongs to the state of its portal in the ledger: whoever believes the one believes the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from reconciler.errors import StateError
from reconciler.model import DayRecord
from reconciler.store.canonical import line

FOLDER = "history"
"""The folder of these files, within the ledger."""


def name(portal_id: str) -> str:
    """The file of a portal, as a path within the ledger."""
    return f"{FOLDER}/{portal_id}.jsonl"


def render(records: Iterable[DayRecord]) -> str:
    """The text of records that are in order."""
    return "".join(f"{line(msgspec.to_builtins(record))}\n" for record in records)


def read(ledger: Path, portal_id: str) -> tuple[DayRecord, ...]:
    """The records of one portal. Raises StateError that names the file and the line when one makes no sense."""
    path = ledger / name(portal_id)
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unreadable(portal_id, error.strerror or "") from None
    return tuple(_record(portal_id, number, text) for number, text in enumerate(lines, start=1))


def parse(text: bytes) -> DayRecord:
    """The record in the bytes of one line. Raises ValueError or RecursionError when they are none."""
    return msgspec.json.decode(text, type=DayRecord)


def _record(portal_id: str, number: int, text: bytes) -> DayRecord:
    """The record in a line of a portal's file."""
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(portal_id, f"line {number}: {error}") from None


def _unreadable(portal_id: str, why: str) -> StateError:
    """The error for one file. A merge conflict that was committed is the usual cause."""
    return StateError(f"state/ledger/{name(portal_id)} cannot be read.", code="ledger-unreadable", detail=why)
