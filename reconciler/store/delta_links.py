"""The links behind which Graph tells what changed since, one for each portal at most.

They are in the state DB only, in step with the users that they go on from.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from reconciler.incremental import DeltaLink


def load(db: Database, key: int) -> DeltaLink | None:
    """The link of a portal, or None when there is none that makes sense: all users are read then."""
    row = next(db.query("SELECT link, taken, full_read, basis FROM delta_links WHERE portal = ?", [key]), None)
    if row is None:
        return None
    try:
        taken, full_read = (datetime.fromisoformat(row[name]) for name in ("taken", "full_read"))
    except ValueError:
        return None
    return DeltaLink(row["link"], taken, full_read, row["basis"])


def save(db: Database, key: int, link: DeltaLink | None) -> None:
    """Replace the link of a portal. The caller has a transaction."""
    db.execute("DELETE FROM delta_links WHERE portal = ?", [key])
    if link is not None:
        db.execute(
            "INSERT INTO delta_links VALUES (?, ?, ?, ?, ?)",
            [key, link.link, link.taken.isoformat(), link.full_read.isoformat(), link.basis],
        )
