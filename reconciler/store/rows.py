"""Portal states as rows of the state DB and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlite_utils import Database

from reconciler.model import PortalState, Product
from reconciler.store.documents import Document, from_document, to_document

Row = dict[str, Any]

_IMPORT = ("outcome", "as_of", "users", "emulated", "failed_since", "paths_as_of", "counted_with")


def load_states(db: Database) -> dict[str, PortalState]:
    """Every portal of the DB, by id in order. Raises ValueError when a row makes no sense."""
    products: dict[int, list[Document]] = {}
    for row in db.query("SELECT * FROM licenses JOIN products USING (portal, sku_id) ORDER BY portal, sku_id"):
        products.setdefault(row["portal"], []).append(_product_document(row))
    portals = db.query("SELECT * FROM portals JOIN imports ON imports.portal = portals.key ORDER BY id")
    return {row["id"]: from_document(_document(row, products.get(row["key"], []))) for row in portals}


def _document(row: Row, products: list[Document]) -> Document:
    """One portal's document."""
    return {
        "serial": row["serial"],
        "presence": row["presence"],
        "credential_expires": row["credential_expires"],
        "portal": json.loads(row["configuration"]),
        "import": {
            **{name: row[name] for name in _IMPORT},
            "organization": _loads(row["organization"]),
            "error": _loads(row["error"]),
            "excluded": json.loads(row["excluded"]),
            "sign_ins": bool(row["sign_ins"]),
        },
        "changed": _loads(row["changed"]),
        "products": products,
        "removed": json.loads(row["removed"]),
    }


_UNITS = ("enabled", "warning", "suspended", "locked_out")
_LICENSE = ("sku_id", "part_number", "applies_to", "capability_status", "consumed_units")
_PRODUCT = ("title", "directory", "consumers", "status", "reason")
_COUNTS = ("findings", "errors", "reclaimable")


def _product_document(row: Row) -> Document:
    """One product's document."""
    return {
        **{name: row[name] for name in _PRODUCT},
        **{name: json.loads(row[name]) for name in _COUNTS},
        "license": {
            **{name: row[name] for name in _LICENSE},
            "units": {name: row[name] for name in _UNITS},
            "subscriptions": json.loads(row["subscriptions"]),
        },
    }


def save_state(db: Database, key: int | None, state: PortalState) -> int:
    """Write one portal in place of the row ``key``, or as a new one; return its key. The caller has a transaction."""
    document = to_document(state)
    last = document["import"]
    portal: Row = {
        **{name: document["portal"][name] for name in ("id", "name", "cloud", "tenant_id", "client_id")},
        "presence": document["presence"],
        "credential_expires": document["credential_expires"],
        "serial": document["serial"],
        "configuration": _dumps(document["portal"]),
        "changed": document["changed"] and _dumps(document["changed"]),
        "removed": _dumps(document["removed"]),
    }
    if key is None:
        key = db.table("portals").insert(portal, pk="key").last_pk
    else:
        db.table("portals").update(key, portal)
        db.execute("DELETE FROM licenses WHERE portal = ?", [key])
    db.table("imports").insert(
        {
            "portal": key,
            **{name: last[name] for name in (*_IMPORT, "sign_ins")},
            "organization": last["organization"] and _dumps(last["organization"]),
            "error": last["error"] and _dumps(last["error"]),
            "excluded": _dumps(last["excluded"]),
        },
        pk="portal",
        replace=True,
    )
    assert isinstance(key, int)  # noqa: S101 - portals.key is an INTEGER PRIMARY KEY
    _insert_products(db, key, state.products)
    return key


def _insert_products(db: Database, key: int, products: Iterable[Product]) -> None:
    """Write the products of one portal, each with its license."""
    licenses: list[Row] = []
    rows: list[Row] = []
    for product in products:
        document = msgspec.to_builtins(product)
        license_ = document["license"]
        licenses.append(
            {
                "portal": key,
                **{name: license_[name] for name in _LICENSE},
                **license_["units"],
                "subscriptions": _dumps(license_["subscriptions"]),
            }
        )
        rows.append(
            {
                "portal": key,
                "sku_id": license_["sku_id"],
                **{name: document[name] for name in _PRODUCT},
                **{name: _dumps(document[name]) for name in _COUNTS},
            }
        )
    db.table("licenses").insert_all(licenses)
    db.table("products").insert_all(rows)


def _dumps(value: object) -> str:
    """Canonical JSON for a column."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _loads(text: str | None) -> Any:
    """A JSON column that may be empty."""
    return None if text is None else json.loads(text)
