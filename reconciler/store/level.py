"""A state DB that comes from somewhere else, such as the cache of a CI: it counts only as the past of the ledger.

In a pipeline the ledger in git is the truth. A cached DB may be newer, from a run whose push was rejected: then it
goes, and one full import makes a new one. It may be older for some portals, which other shards or runs applied: those
are taken over from the ledger, as ever, and are read in full. So a cache saves time and never decides anything.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import Refused, StateError
from reconciler.store import ledger
from reconciler.store.database import open_for_reading
from reconciler.store.files import writing
from reconciler.store.ledger import Ledger
from reconciler.store.lock import exclusive
from reconciler.store.sqlite_errors import FILE
from reconciler.store.state import merge


def drop_unless_level(state: Path) -> bool:
    """Delete the state DB when it says anything that the ledger beside it does not; whether it was deleted.

    Raises StateError when the ledger cannot be read, Refused when another run is at work.
    """
    with exclusive(state):
        written = ledger.read(state / "ledger")
        files = sorted(state.glob(f"{FILE}*"))
        if not files or _is_level(state, written):
            return False
        for path in files:
            with writing(path):
                path.unlink()
    return True


def _is_level(state: Path, written: Ledger) -> bool:
    """Whether the DB can be read, has the lineage of the ledger, and brings nothing that the ledger does not have."""
    try:
        with open_for_reading(state) as database:
            if database is None or database.lineage() != written.lineage:
                return False
            both = merge(written, database.load(), database.revision)
            return both == {portal_id: entry.state for portal_id, entry in written.entries.items()}
    except (StateError, Refused):
        return False
