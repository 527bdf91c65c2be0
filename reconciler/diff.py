"""The one diff engine: what differs between two states of a portal, field by field.

``plan`` shows it before apply, the report's "changes since the previous report" shows it after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum

from reconciler.findings import SIGN_INS
from reconciler.model import Change, ErrorInfo, Exclusion, ExclusionScope, Portal, PortalState, Product, ProductEntry

Scalar = str | int | None

UNKNOWN = "unknown"
"""In place of a count where there is none, which is not zero."""


def differences(before: PortalState | None, after: PortalState) -> tuple[Change, ...]:
    """Every difference, the portal's own first, then by product in SKU order.

    A portal that is new is one change with the field ``portal``; a product that is new or no more is one change with
    the field ``product``.
    """
    if before is None:
        return (Change(after.portal.name, "portal", None, after.id), *_products(PortalState(after.portal), after))
    if before == after:  # most portals of most plans, and telling their facts apart costs a hundred times more
        return ()
    own = _told_once(_fields(after.portal.name, None, _portal_facts(before), _portal_facts(after)))
    return (*own, *_products(before, after))


def _told_once(changes: list[Change]) -> list[Change]:
    """The changes without the end of a credential where the portal's file says the same day."""
    declared = any(change.field == "authentication.expires" for change in changes)
    return [change for change in changes if not (declared and change.field == "credential_expires")]


def _products(before: PortalState, after: PortalState) -> Iterator[Change]:
    """Differences of the products."""
    old = {product.sku_id: product for product in before.products}
    new = {product.sku_id: product for product in after.products}
    for sku_id in sorted(old.keys() | new.keys()):
        was, now = old.get(sku_id), new.get(sku_id)
        if was == now:
            continue
        if was is None or now is None:
            known = now or was
            assert known is not None  # noqa: S101 - the id came from one of the two
            before_status = was.status.value if was else None
            yield Change(known.title, "product", before_status, now.status.value if now else None, sku_id)
        else:
            facts, new_facts = _product_facts(was), _product_facts(now)
            if not after.last_import.sign_ins:
                _mark_unknown(new_facts, facts)
            elif not before.last_import.sign_ins:
                _mark_unknown(facts, new_facts)
            yield from _fields(now.title, sku_id, facts, new_facts)


def _mark_unknown(facts: dict[str, Scalar], others: Mapping[str, Scalar]) -> None:
    """Say of what sign-ins told of a product at the other time that it is unknown: they were not read."""
    for name in others:
        if name.partition(".")[2] in SIGN_INS:
            facts.setdefault(name, UNKNOWN)


def _fields(
    subject: str, sku_id: str | None, before: Mapping[str, Scalar], after: Mapping[str, Scalar]
) -> list[Change]:
    """Differences of two flat mappings, in the order of the new one."""
    names = list(after) + [name for name in before if name not in after]
    return [
        Change(subject, name, before.get(name), after.get(name), sku_id)
        for name in names
        if before.get(name) != after.get(name)
    ]


def _portal_facts(state: PortalState) -> dict[str, Scalar]:
    """A portal's own fields, flat. Times do not count: they say when, not what."""
    portal: dict[str, Scalar] = {"file": state.portal.id}
    for field in fields(Portal):
        if field.name not in ("id", "exclusions", "include", "products"):
            portal.update(_flat(field.name, getattr(state.portal, field.name)))
    portal.update({f"exclusions.{item.sku}": _exclusion(item) for item in state.portal.exclusions})
    portal.update({f"include.{item.sku}": item.reason or "included" for item in state.portal.include})
    portal.update({f"products.{item.sku}": _entry(item) for item in state.portal.products})
    last = state.last_import
    return {
        **portal,
        "presence": state.presence.value,
        **_flat("credential_expires", state.credential_expires),
        "import": last.outcome.value,
        "error": _described(last.error),
        "users": last.users,
        **_flat("organization", last.organization),
        "emulated": last.emulated,
        "excluded": ", ".join(sorted(item.part_number for item in last.excluded)) or None,
        "sign_ins": "yes" if last.sign_ins else None,
    }


def _exclusion(item: Exclusion) -> str:
    """What an exclusion says, in one line."""
    until = f", until {item.until}" if item.until else ""
    return f"{item.reason}{until}" + (", alerts only" if item.scope is ExclusionScope.ALERTS else "")


def _entry(item: ProductEntry) -> str:
    """What an entry of a product says, in one line."""
    price, declared = item.price, item.entitlement
    said = [f"directory {item.directory}"] if item.directory else []
    said += [f"{price.amount:f} {price.currency} per {price.per}"] if price else []
    if declared:
        papers = ", ".join(filter(None, (declared.contract, declared.purchase_order)))
        said.append(f"{declared.quantity:,} declared" + (f" ({papers})" if papers else ""))
    return "; ".join(said) or "named"


def _product_facts(product: Product) -> dict[str, Scalar]:
    """A product's fields, flat, the important ones first."""
    license_ = product.license
    facts: dict[str, Scalar] = {
        "status": product.status.value,
        "reason": product.reason.value if product.reason else None,
        "title": product.title,
        "directory": product.directory,
        **_flat("", license_.units),
        "consumed_units": license_.consumed_units,
        "consumers": product.consumers,
        "part_number": license_.part_number,
        "applies_to": license_.applies_to,
        "capability_status": license_.capability_status,
    }
    for group, counts in (
        ("findings", product.findings),
        ("errors", product.errors),
        ("reclaimable", product.reclaimable),
    ):
        facts.update({f"{group}.{name}": count for name, count in sorted(counts.items())})
    for subscription in license_.subscriptions:
        facts.update(_named(f"subscriptions.{subscription.id}", subscription, "id"))
    return facts


def _described(error: ErrorInfo | None) -> str | None:
    """What an error says happened, in one line."""
    if error is None:
        return None
    return f"{error.code}: {error.message}" + (f" ({error.detail})" if error.detail else "")


def _named(prefix: str, value: object, key: str) -> dict[str, Scalar]:
    """A value as flat fields, without the ``key`` that the prefix says already."""
    return {name: fact for name, fact in _flat(prefix, value).items() if name != f"{prefix}.{key}"}


def _flat(prefix: str, value: object) -> dict[str, Scalar]:
    """A value as flat fields ``prefix.member``; a value that is None has none."""
    if value is None:
        return {}
    if is_dataclass(value) and not isinstance(value, type):
        flat: dict[str, Scalar] = {}
        for field in fields(value):
            name = f"{prefix}.{field.name}" if prefix else field.name
            flat.update(_flat(name, getattr(value, field.name)))
        return flat
    return {prefix: _scalar(value)}


def _scalar(value: object) -> Scalar:
    """A leaf as text or number."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)
