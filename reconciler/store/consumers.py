"""Who consumes what, from the state DB, some users at a time: there may be a million.

Users come in the order of the names that they are shown by. In the order of their object IDs, who has a list of the
tenant's users could tell pseudonyms: the first row would be the first of them.

This is personal data. It leaves the database only through what people ask for by name (``cli/report.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reconciler.consumer import Consumer
from reconciler.contacts import complete
from reconciler.model import PortalState
from reconciler.store.database import Database, open_for_reading
from reconciler.store.people import stored_contacts
from reconciler.store.state import read

BATCH = 10_000
"""Users that are held at once."""

ShownAs = Callable[[str, str], str]
"""The name that a user is shown by, from the IDs of tenant and user; no two users of a tenant have the same."""

_CONTACTS = "SELECT object_id FROM contacts WHERE portal = ? AND object_id > ? ORDER BY object_id LIMIT ?"

_NAMED = "INSERT INTO temp.shown SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"

_BOUND = "SELECT name FROM temp.shown WHERE name > ? ORDER BY name LIMIT 1 OFFSET ?"

_CONSUMERS = """
SELECT contacts.object_id, user_principal_name, display_name, mail, assignments.sku_id, title, part_number,
    direct, via_group, error
FROM temp.shown
    JOIN contacts ON contacts.portal = ? AND contacts.object_id = shown.object_id
    JOIN assignments ON assignments.portal = contacts.portal AND assignments.object_id = contacts.object_id
    JOIN products ON products.portal = contacts.portal AND products.sku_id = assignments.sku_id
    JOIN licenses ON licenses.portal = contacts.portal AND licenses.sku_id = assignments.sku_id
WHERE shown.name > ? AND shown.name <= ?
ORDER BY shown.name, assignments.sku_id
"""

_LAST = "\U0010ffff"
"""Behind every name."""


def lacking(folder: Path) -> tuple[str, ...]:
    """The portals of which the state DB does not have the consumers, by ID in order: it is behind, or was restored."""
    known = _known(folder)
    with open_for_reading(folder) as database:
        whole = _whole(database, known) if database else frozenset()
    return tuple(sorted(known.keys() - whole))


def _by_object_id(_tenant_id: str, object_id: str) -> str:
    """Nobody is hidden."""
    return object_id


def consumers(folder: Path, shown_as: ShownAs = _by_object_id) -> Iterator[Consumer]:
    """Every consumer of every product, by portal, name and SKU ID. Raises StateError or Refused."""
    known = _known(folder)
    with open_for_reading(folder) as database:
        if database is None:
            return
        whole = _whole(database, known)
        database.rows("PRAGMA temp_store = FILE")  # a million names must not fill the memory
        database.rows("CREATE TEMP TABLE shown (object_id TEXT, name TEXT)")
        for key, portal_id, tenant_id in database.rows("SELECT key, id, tenant_id FROM portals ORDER BY id"):
            if portal_id in whole:
                _name(database, key, tenant_id, shown_as)
                yield from _of_portal(database, key, portal_id, tenant_id)


def _known(folder: Path) -> Mapping[str, PortalState]:
    """The portals that there is something of."""
    return {portal_id: state for portal_id, state in read(folder).items() if not state.is_forgotten}


def _whole(database: Database, known: Mapping[str, PortalState]) -> frozenset[str]:
    """The portals whose consumers are all there."""
    return complete(known, stored_contacts(database, known))


def _name(database: Database, key: int, tenant_id: str, shown_as: ShownAs) -> None:
    """Give each contact of one portal the name that it is shown by."""
    database.rows("DROP INDEX IF EXISTS temp.by_name")
    database.rows("DELETE FROM temp.shown")
    after = ""
    while found := [object_id for (object_id,) in database.rows(_CONTACTS, [key, after, BATCH])]:
        database.rows(_NAMED, [json.dumps([(object_id, shown_as(tenant_id, object_id)) for object_id in found])])
        after = found[-1]
    database.rows("CREATE INDEX temp.by_name ON shown (name, object_id)")


def _of_portal(database: Database, key: int, portal_id: str, tenant_id: str) -> Iterator[Consumer]:
    """The consumers of one portal."""
    after = ""
    while True:
        bound = database.rows(_BOUND, [after, BATCH - 1])
        until = bound[0][0] if bound else _LAST
        for *who_and_what, direct, via_group, error in database.rows(_CONSUMERS, [key, after, until]):
            found = (portal_id, tenant_id, *who_and_what, bool(direct), bool(via_group), error)
            yield Consumer._make(found)
        if not bound:
            return
        after = until
