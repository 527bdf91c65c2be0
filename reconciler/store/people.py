"""Who is known in more than one portal: by e-mail address, in any case of its letters A to Z.

Only numbers leave this module. Two portals that read the same tenant have the same persons by nature and do not count.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from reconciler.contacts import Contacts, PortalContacts, SharedContacts, SharedLicense, complete
from reconciler.model import PortalState
from reconciler.store.database import Database, open_for_reading
from reconciler.store.state import read

_SHARED = """
CREATE TEMP TABLE shared AS
WITH people AS MATERIALIZED (
    SELECT portals.key, portals.id, tenant_id, object_id, lower(mail) AS mail
    FROM contacts JOIN portals ON portals.key = contacts.portal
    WHERE mail <> '' AND portals.id IN (SELECT value FROM json_each(?))
)
SELECT * FROM people
WHERE mail IN (SELECT mail FROM people GROUP BY mail HAVING min(tenant_id) <> max(tenant_id))
"""
"""The contacts whose address is known in portals of more than one tenant."""

_PAIRS = """
FROM shared AS one JOIN shared AS other
    ON other.mail = one.mail AND other.id > one.id AND other.tenant_id <> one.tenant_id
"""

_BOTH_HOLD = """
JOIN assignments AS mine ON mine.portal = one.key AND mine.object_id = one.object_id
JOIN assignments AS yours
    ON yours.portal = other.key AND yours.object_id = other.object_id AND yours.sku_id = mine.sku_id
JOIN products ON products.portal = one.key AND products.sku_id = mine.sku_id
"""


def read_contacts(folder: Path) -> Contacts:
    """The contacts of every portal as numbers, without writing anything. Raises StateError or Refused."""
    known = {portal_id: state for portal_id, state in read(folder).items() if not state.is_forgotten}
    with open_for_reading(folder) as database:
        stored = stored_contacts(database, known) if database else {}
        was_read = {portal_id for portal_id, state in known.items() if state.last_import.as_of}
        whole = complete(known, stored) & was_read
        elsewhere, pairs = _shared(database, whole) if database else ({}, ())
    portals = (
        PortalContacts(portal_id, stored[portal_id] if portal_id in whole else None, elsewhere.get(portal_id, 0))
        for portal_id in sorted(known)
    )
    return Contacts(tuple(portals), pairs, any(state.last_import.emulated for state in known.values()))


def stored_contacts(database: Database, known: Mapping[str, PortalState]) -> dict[str, int]:
    """How many contacts the DB has of each portal, unless it is behind: then they belong to older numbers."""
    rows = database.rows("SELECT id, serial, (SELECT count(*) FROM contacts WHERE portal = portals.key) FROM portals")
    return {id_: contacts for id_, serial, contacts in rows if id_ in known and known[id_].serial == serial}


def _shared(database: Database, portals: Collection[str]) -> tuple[dict[str, int], tuple[SharedContacts, ...]]:
    """How many contacts of each of these portals are known in another one, and what pairs of them have in common."""
    database.rows(_SHARED, [json.dumps(sorted(portals))])
    database.rows("CREATE INDEX temp.shared_by_mail ON shared (mail)")
    elsewhere = dict(database.rows("SELECT id, count(*) FROM shared GROUP BY id"))
    licenses: dict[tuple[str, str], list[SharedLicense]] = {}
    for one, other, *license_ in database.rows(
        "SELECT one.id, other.id, mine.sku_id, min(title), count(DISTINCT one.mail) AS persons "
        f"{_PAIRS} {_BOTH_HOLD} GROUP BY 1, 2, 3 ORDER BY persons DESC, 3"
    ):
        licenses.setdefault((one, other), []).append(SharedLicense(*license_))
    pairs = database.rows(
        f"SELECT one.id, other.id, count(DISTINCT one.mail) AS persons {_PAIRS} GROUP BY 1, 2 "
        "ORDER BY persons DESC, 1, 2"
    )
    return elsewhere, tuple(
        SharedContacts((one, other), persons, tuple(licenses.get((one, other), ()))) for one, other, persons in pairs
    )
