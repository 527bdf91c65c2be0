"""The tables of the state DB, as migrations.

``portals`` to ``products``, and ``history``, say the same as the ledger, in columns that can be queried. ``users``
hold personal data and exist here only; ``contacts`` and ``assignments`` show them in the terms of the product.
``revisions`` remembers the digest of every state that a portal had, so that a ledger that is merely older can be told
from one that went another way.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("reconciler")


def _execute(db: Database, statements: str) -> None:
    """Execute statements one by one: ``executescript`` would end the transaction that a migration is."""
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m001_first_tables(db: Database) -> None:
    """Everything that the first version knows."""
    _execute(db, _FIRST_TABLES)


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


@migrations()
def m004_one_row_for_each_user(db: Database) -> None:
    """One row for each user in place of two tables with keys of their own, and where the next import can go on from.

    Contacts and assignments of before are dropped: they lack what counting needs. The next import brings them back.
    """
    db.execute("ALTER TABLE imports ADD COLUMN paths_as_of TEXT")
    db.execute("DROP TABLE assignments")
    db.execute("DROP TABLE contacts")
    _execute(db, _USERS)


@migrations()
def m005_settings_of_the_count(db: Database) -> None:
    """Which settings findings were counted with."""
    db.execute("ALTER TABLE imports ADD COLUMN counted_with TEXT")


_USERS = """
CREATE TABLE kinds (
    key INTEGER PRIMARY KEY,
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    held TEXT NOT NULL,
    account_disabled INTEGER NOT NULL,
    guest INTEGER NOT NULL,
    no_usage_location INTEGER NOT NULL,
    users INTEGER NOT NULL,
    UNIQUE (portal, held, account_disabled, guest, no_usage_location)
) STRICT;

CREATE TABLE users (
    portal INTEGER NOT NULL REFERENCES portals (key) ON DELETE CASCADE,
    object_id TEXT NOT NULL,
    user_principal_name TEXT,
    display_name TEXT,
    mail TEXT,
    account_enabled INTEGER,
    user_type TEXT,
    usage_location TEXT,
    kind INTEGER NOT NULL,
    PRIMARY KEY (portal, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delta_links (
    portal INTEGER PRIMARY KEY REFERENCES portals (key) ON DELETE CASCADE,
    link TEXT NOT NULL,
    taken TEXT NOT NULL,
    full_read TEXT NOT NULL,
    basis TEXT NOT NULL
) STRICT;

CREATE VIEW consumed_by_kind AS
SELECT kinds.key AS kind, products.sku_id, json_extract(each.value, '$[2]') AS direct,
    json_extract(each.value, '$[3]') AS via_group, json_extract(each.value, '$[4]') AS error
FROM kinds, json_each(kinds.held) AS each
    JOIN products ON products.portal = kinds.portal AND products.sku_id = json_extract(each.value, '$[0]')
WHERE products.reason IS NULL AND json_extract(each.value, '$[1]');

CREATE VIEW contacts AS
SELECT portal, object_id, user_principal_name, display_name, mail, account_enabled, user_type, usage_location
FROM users WHERE kind IN (SELECT kind FROM consumed_by_kind);

CREATE VIEW assignments AS
WITH consumed AS MATERIALIZED (SELECT * FROM consumed_by_kind)
SELECT users.portal, users.object_id, consumed.sku_id, consumed.direct, consumed.via_group, consumed.error
FROM users JOIN consumed ON consumed.kind = users.kind
"""
"""``kinds``: what users hold and how they are, each combination once, with the number of ``users`` it is true of.

``held`` is the JSON of ``counting.Holding`` values. A user is kept for a license of a synchronized product that is held
or was meant to be. ``users.kind`` refers to ``kinds.key``; a declared reference would search all users for each kind
that goes.
"""

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
