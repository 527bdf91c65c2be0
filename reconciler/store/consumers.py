"""Who consumes what, from the state DB, some users at a time: there may be a million.

This is personal data. It leaves the database only through what people ask for by name (``cli/report.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.consumer import Consumer
from reconciler.contacts import complete
from reconciler.model import PortalState
from reconciler.store.database import Database, open_for_reading
from reconciler.store.people import stored_contacts
from reconciler.store.state import read

BATCH = 10_000
"""Users that are held at once."""

_BOUND = """
SELECT object_id FROM contacts WHERE portal = ? AND object_id > ? ORDER BY object_id LIMIT 1 OFFSET ?
"""

_CONSUMERS = """
SELECT contacts.object_id, user_principal_name, display_name, mail, assignments.sku_id, title, part_number,
    direct, via_group, error
FROM contacts
    JOIN assignments ON assignments.portal = contacts.portal AND assignments.object_id = contacts.object_id
    JOIN products ON products.portal = contacts.portal AND products.sku_id = assignments.sku_id
    JOIN licenses ON licenses.portal = contacts.portal AND licenses.sku_id = assignments.sku_id
WHERE contacts.portal = ? AND contacts.object_id > ? AND contacts.object_id <= ?
ORDER BY contacts.object_id, assignments.sku_id
"""

_LAST = "\U0010ffff"
"""Behind every object ID."""


def lacking(folder: Path) -> tuple[str, ...]:
    """The portals of which the state DB does not have the consumers, by ID in order: it is behind, or was restored."""
    known = _known(folder)
    with open_for_reading(folder) as database:
        whole = _whole(database, known) if database else frozenset()
    return tuple(sorted(known.keys() - whole))


def consumers(folder: Path) -> Iterator[Consumer]:
    """Every consumer of every product, by portal, object ID and SKU ID. Raises StateError or Refused."""
    known = _known(folder)
    with open_for_reading(folder) as database:
        if database is None:
            return
        whole = _whole(database, known)
        for key, portal_id, tenant_id in database.rows("SELECT key, id, tenant_id FROM portals ORDER BY id"):
            if portal_id in whole:
                yield from _of_portal(database, key, portal_id, tenant_id)


def _known(folder: Path) -> Mapping[str, PortalState]:
    """The portals that there is something of."""
    return {portal_id: state for portal_id, state in read(folder).items() if not state.is_forgotten}


def _whole(database: Database, known: Mapping[str, PortalState]) -> frozenset[str]:
    """The portals whose consumers are all there."""
    return complete(known, stored_contacts(database, known))


def _of_portal(database: Database, key: int, portal_id: str, tenant_id: str) -> Iterator[Consumer]:
    """The consumers of one portal."""
    after = ""
    while True:
        bound = database.rows(_BOUND, [key, after, BATCH - 1])
        until = bound[0][0] if bound else _LAST
        for *who_and_what, direct, via_group, error in database.rows(_CONSUMERS, [key, after, until]):
            found = (portal_id, tenant_id, *who_and_what, bool(direct), bool(via_group), error)
            yield Consumer._make(found)
        if not bound:
            return
        after = until
