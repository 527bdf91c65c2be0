"""The tables of the state DB, as migrations.

``portals`` to ``products``, and ``history``, say the same as the ledger, in columns that can be queried. ``contacts``
and ``assignments`` hold personal data and exist here only. ``revisions`` remembers the digest of every state that a
portal had, so that a ledger that is merely older can be told from one that went another way.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("reconciler")


@migrations()
def m001_first_tables(db: Database) -> None:
    """Everything that the first version knows."""
    for statement in _FIRST_TABLES.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m002_end_of_credential_and_start_of_failure(db: Database) -> None:
    """The day on which a portal's credential ends, and since when its imports fail."""
    db.execute("ALTER TABLE portals ADD COLUMN credential_expires TEXT")
    db.execute("ALTER TABLE imports ADD COLUMN failed_since TEXT")


@migrations()
def m003_life_of_a_product(db: Database) -> None:
    """What was removed, what an import left out, what is wrong with assignments and can be saved; and the history."""
    db.execute("ALTER TABLE portals ADD COLUMN removed TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE imports ADD COLUMN excluded TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE imports ADD COLUMN sign_ins INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE products ADD COLUMN errors TEXT NOT NULL DEFAULT '{}'")
    db.execute("ALTER TABLE products ADD COLUMN reclaimable TEXT NOT NULL DEFAULT '{}'")
    db.execute(_HISTORY)


_HISTORY = """
CREATE TABLE history (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    day TEXT NOT NULL,
    sku_id TEXT NOT NULL,
    title TEXT NOT NULL,
    directory TEXT NOT NULL,
    status TEXT,
    reason TEXT,
    enabled INTEGER,
    warning INTEGER,
    suspended INTEGER,
    locked_out INTEGER,
    consumed_units INTEGER,
    consumers INTEGER,
    PRIMARY KEY (portal, day, sku_id)
) STRICT, WITHOUT ROWID
"""

_FIRST_TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE portals (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    cloud TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    presence TEXT NOT NULL,
    serial INTEGER NOT NULL,
    configuration TEXT NOT NULL,
    changed TEXT
) STRICT;

CREATE TABLE revisions (
    portal_id TEXT NOT NULL,
    serial INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (portal_id, serial)
) STRICT;

CREATE TABLE imports (
    portal INTEGER PRIMARY KEY REFERENCES portals (key) ON DELETE CASCADE,
    outcome TEXT NOT NULL,
    as_of TEXT,
    users INTEGER NOT NULL,
    emulated TEXT,
    organization TEXT,
    error TEXT
) STRICT;

CREATE TABLE licenses (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    sku_id TEXT NOT NULL,
    part_number TEXT NOT NULL,
    applies_to TEXT NOT NULL,
    capability_status TEXT NOT NULL,
    enabled INTEGER,
    warning INTEGER,
    suspended INTEGER,
    locked_out INTEGER,
    consumed_units INTEGER,
    subscriptions TEXT NOT NULL,
    PRIMARY KEY (portal, sku_id)
) STRICT;

CREATE TABLE products (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    sku_id TEXT NOT NULL,
    title TEXT NOT NULL,
    directory TEXT NOT NULL,
    consumers INTEGER,
    findings TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (portal, sku_id),
    FOREIGN KEY (portal, sku_id) REFERENCES licenses (portal, sku_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE contacts (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    object_id TEXT NOT NULL,
    user_principal_name TEXT,
    display_name TEXT,
    mail TEXT,
    account_enabled INTEGER,
    user_type TEXT,
    usage_location TEXT,
    PRIMARY KEY (portal, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE assignments (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    object_id TEXT NOT NULL,
    sku_id TEXT NOT NULL,
    direct INTEGER NOT NULL,
    via_group INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (portal, object_id, sku_id)
) STRICT, WITHOUT ROWID
"""
