"""Portal states as plain documents (dicts of JSON types) and back.

One mapping serves the ledger and the JSON columns of the state DB. The names are those of the model, except that
``last_import`` is ``import``.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any, get_type_hints

import msgspec

from reconciler.model import (
    CertificateAuthentication,
    ChangeSet,
    FederatedAuthentication,
    Import,
    ManagedIdentityAuthentication,
    Portal,
    PortalState,
    Presence,
    Product,
    Removed,
    SecretAuthentication,
)

Document = dict[str, Any]

_AUTHENTICATIONS = {
    "secret": SecretAuthentication,
    "certificate": CertificateAuthentication,
    "federated": FederatedAuthentication,
    "managed_identity": ManagedIdentityAuthentication,
}
_PORTAL_HINTS = get_type_hints(Portal)


def to_document(state: PortalState) -> Document:
    """The document of one portal."""
    return {
        "id": state.id,
        "serial": state.serial,
        "presence": state.presence.value,
        "credential_expires": msgspec.to_builtins(state.credential_expires),
        "portal": portal_document(state.portal),
        "import": msgspec.to_builtins(state.last_import),
        "changed": msgspec.to_builtins(state.changed),
        "products": [msgspec.to_builtins(product) for product in state.products],
        "removed": [msgspec.to_builtins(removed) for removed in state.removed],
    }


def from_document(document: Document) -> PortalState:
    """The state in a document. Raises ValueError, with msgspec's path in its text, when it is none."""
    try:
        return PortalState(
            portal=portal_from(document["portal"]),
            presence=msgspec.convert(document["presence"], Presence),
            credential_expires=msgspec.convert(document.get("credential_expires"), date | None),
            last_import=msgspec.convert(document["import"], Import),
            products=msgspec.convert(document["products"], tuple[Product, ...]),
            removed=msgspec.convert(document.get("removed", []), tuple[Removed, ...]),
            changed=msgspec.convert(document.get("changed"), ChangeSet | None),
            serial=msgspec.convert(document["serial"], int),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def portal_document(portal: Portal) -> Document:
    """A portal's configuration as a document. References keep names, never values."""
    document: Document = msgspec.to_builtins(portal)
    return document


def portal_from(document: Document) -> Portal:
    """A portal's configuration from its document.

    The authentication is chosen by its ``type`` here, because msgspec does not convert a union of dataclasses.
    Raises KeyError, TypeError or msgspec.ValidationError.
    """
    kinds = {**_PORTAL_HINTS, "authentication": _AUTHENTICATIONS[document["authentication"]["type"]]}
    second = document.get("second_authentication")
    kinds["second_authentication"] = _AUTHENTICATIONS[second["type"]] if second else type(None)
    known = {field.name: kinds[field.name] for field in fields(Portal) if field.name in document}
    return Portal(**{name: msgspec.convert(document[name], kind) for name, kind in known.items()})
