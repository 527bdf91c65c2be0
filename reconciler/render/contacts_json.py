"""Contacts of portals, as numbers, in JSON."""

from __future__ import annotations

from reconciler.contacts import Contacts
from reconciler.render.json_document import json_document

FORMAT_VERSION = 1


def render(found: Contacts) -> str:
    """The document's text. ``contacts`` is null where the state DB lacks them."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": found.emulated,
        "portals": [
            {"id": each.portal_id, "contacts": each.contacts, "in_another_portal": each.elsewhere}
            for each in found.portals
        ],
        "same_person_two_portals": [
            {
                "portals": list(pair.portals),
                "persons": pair.persons,
                "licenses": [
                    {"sku_id": each.sku_id, "title": each.title, "persons": each.persons} for each in pair.licenses
                ],
            }
            for pair in found.pairs
        ],
    }
    return json_document(document)
