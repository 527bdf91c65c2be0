"""A run, killed at every step that it takes: ``python store_kill.py RUN FOLDER``. A process of its own: it forks.

Steps are SQL statements, points within long ones, and files that are opened, renamed or removed. After
each kill the state is read as it was left, then another run mends it. Prints, as JSON, how often each state was found,
and how often SQLite had half a transaction to undo.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from reconciler.history import records
from reconciler.model import PortalState
from reconciler.store import history_file, ledger
from tests.store.store_world import E3, E5, StateFolder, page, portal_state
from tests.store.store_world import NOW as INSTANT

OLD = portal_state("contoso", serial=1)
NEW = portal_state("contoso-eu", serial=2)
FABRIKAM = portal_state("fabrikam", serial=1)
OLD_USERS, NEW_USERS = range(100), range(50, 350)
TODAY = INSTANT.date()
TOMORROW = TODAY + timedelta(days=1)


def first_run(folder: StateFolder) -> None:
    """Everything is new: database, ledger, portal."""
    folder.apply(OLD, users=(page(*OLD_USERS),), day=TODAY)


def rename_and_import(folder: StateFolder) -> None:
    """The portal gets another id, other numbers and other users."""
    folder.apply(NEW, previous_id="contoso", users=(page(*NEW_USERS, skus=(E3, E5)),), day=TOMORROW)


def take_over(folder: StateFolder) -> None:
    """Another run was there, and its ledger was checked out."""
    folder.apply()


def prepared(folder: StateFolder, run: Callable[[StateFolder], None]) -> None:
    """The state before a run."""
    if run is first_run:
        return
    first_run(folder)
    if run is take_over:
        other = StateFolder(folder.path.with_name("other"))
        other.take_over(folder.written())
        other.apply(NEW, previous_id="contoso", day=TOMORROW)
        other.apply(FABRIKAM)
        folder.take_over(other.written())


def killed(run: Callable[[StateFolder], None], folder: StateFolder, step: int) -> bool:
    """Run in a child that kills itself at a step; whether it came to that."""
    child = os.fork()
    if child == 0:
        die_at(step)
        run(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def die_at(step: int) -> None:
    """Count steps, and end at this one as if the power went out."""
    steps = count(1)
    connect = sqlite3.connect
    last = ""

    def tick() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(sql: str) -> None:
        nonlocal last
        if sql[:30] != last:  # a statement for many rows is one step
            last = sql[:30]
            tick()

    def audit(event: str, _: object) -> None:
        if event in ("open", "os.rename", "os.remove"):
            tick()

    def connecting(*arguments: Any, **members: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **members)
        connection.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
        connection.set_trace_callback(trace)
        connection.set_progress_handler(tick, 5000)
        return connection

    sqlite3.connect = connecting  # type: ignore[assignment]
    sys.addaudithook(audit)


def found(folder: StateFolder, run: Callable[[StateFolder], None]) -> str:
    """Which state a killed run left: all of the old or all of the new, never a mix."""
    left: list[dict[str, PortalState]] = [{}] if run is first_run else []
    left += [{"contoso": OLD}, {"contoso-eu": NEW}, {"contoso-eu": NEW, "fabrikam": FABRIKAM}]
    assert folder.read() in left
    check_history(folder)

    folder.apply()  # the next run, with nothing to do

    known = folder.read()
    assert known in left
    assert {id_: entry.state for id_, entry in ledger.read(folder.ledger).entries.items()} == known
    for portal_id in check_history(folder):
        assert list(history_file.read(folder.ledger, portal_id)) == folder.history(portal_id)
    assert folder.rows("PRAGMA integrity_check") == [("ok",)]
    assert sorted(folder.rows("SELECT id, serial FROM portals")) == [
        (id_, state.serial) for id_, state in known.items()
    ]
    assert folder.people() == expected_people(known, run)
    assert not list(folder.path.rglob("*.tmp"))
    return ", ".join(known) or "nothing"


def check_history(folder: StateFolder) -> list[str]:
    """Every portal has the history that belongs to its state; returns their ids."""
    old, new = records(None, OLD, TODAY), records(OLD, NEW, TOMORROW)
    belonging = {"contoso": [*old], "contoso-eu": [*old, *new], "fabrikam": []}
    known = list(folder.read())
    for portal_id in known:
        assert folder.history(portal_id) == belonging[portal_id]
    return known


def expected_people(known: dict[str, PortalState], run: Callable[[StateFolder], None]) -> set[str]:
    """Who is stored with a state."""
    if "contoso" in known:
        return {f"id-{number:06}" for number in OLD_USERS}
    return {f"id-{number:06}" for number in NEW_USERS} if known and run is rename_and_import else set()


def main(run: Callable[[StateFolder], None], root: Path) -> None:
    """One run, killed at every step until it gets through."""
    results: Counter[str] = Counter()
    template = root / "template"
    template.mkdir()
    prepared(StateFolder(template / "state"), run)
    for step in count(1):
        folder = StateFolder(root / f"{step}" / "state")
        shutil.copytree(template, folder.path.parent)
        alive = not killed(run, folder, step)
        results["undone"] += folder.path.joinpath("reconciler.db-journal").exists()
        results[found(folder, run)] += 1
        shutil.rmtree(folder.path.parent)
        if alive:
            break
    print(json.dumps(results))


if __name__ == "__main__":
    main({run.__name__: run for run in (first_run, rename_and_import, take_over)}[sys.argv[1]], Path(sys.argv[2]))
