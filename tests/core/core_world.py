"""Builders of the core's nouns: portals, licenses, products, states and observations, each with defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from reconciler import compliance
from reconciler.model import (
    CertificateAuthentication,
    Change,
    ChangeSet,
    Complete,
    Consumption,
    ErrorInfo,
    Exclusion,
    Failed,
    Import,
    ImportOutcome,
    License,
    Observation,
    Organization,
    Portal,
    PortalState,
    Product,
    Reason,
    Reference,
    Removal,
    SecretAuthentication,
    Settings,
    State,
    Subscription,
    Units,
)
from reconciler.plan import Declared, Plan, make_plan
from reconciler.transition import configure, observe, stamp

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 6, tzinfo=UTC)
TODAY = NOW.date()

TENANT = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
OTHER_TENANT = "7c9d2e64-1f3b-4a58-b0c7-2e5a9f8d4b13"
CLIENT = "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"

E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
FLOW = "f30db892-07e9-47e9-837c-80727f46fd3d"

PART_NUMBERS = {E3: "ENTERPRISEPACK", E5: "SPE_E5", FLOW: "FLOW_FREE"}
TITLES = {E3: "Office 365 E3", E5: "Microsoft 365 E5", FLOW: "Microsoft Power Automate Free"}

OUTAGE = ErrorInfo("graph-unreachable", "Could not connect to GraphAPI server.", "Check network, proxy and firewall.")


def title(sku_id: str, part_number: str) -> str:
    """The catalogue of these tests: three titles, else the part number."""
    return TITLES.get(sku_id, part_number)


def numbered(number: int) -> str:
    """A SKU ID of its own for each number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def license_(sku_id: str = E3, **members: Any) -> License:
    """A license with 100 enabled units, 97 of them consumed. Units are given by their names."""
    units = {
        name: members.pop(name, default)
        for name, default in (("enabled", 100), ("warning", 0), ("suspended", 0), ("locked_out", 0))
    }
    given = {
        "part_number": PART_NUMBERS.get(sku_id, f"SKU_{sku_id[-4:]}"),
        "applies_to": "User",
        "capability_status": "Enabled",
        "consumed_units": 97,
    }
    return License(sku_id=sku_id, units=Units(**units), **{**given, **members})


def product(
    owned: License | None = None,
    *,
    consumers: int | None = 97,
    reason: Reason | None = None,
    settings: Settings | None = None,
    findings: Mapping[str, int] | None = None,
    directory: str = "Microsoft 365/Contoso",
    **members: Any,
) -> Product:
    """A product with the status that follows from its numbers; ``members`` go to its license."""
    owned = owned or license_(**members)
    status = compliance.status(owned, consumers, reason, settings or Settings())
    known = title(owned.sku_id, owned.part_number)
    return Product(owned, known, directory, consumers, findings or {}, status, reason)


def portal(id_: str = "contoso", **members: Any) -> Portal:
    """A declared portal, named and placed after its id."""
    name = members.pop("name", id_.capitalize())
    given = {
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "authentication": secret(),
        "directory": f"Microsoft 365/{name}",
    }
    return Portal(id=id_, name=name, **{**given, **members})


def secret(expires: date | None = None) -> SecretAuthentication:
    """A secret in a variable, with its last day."""
    return SecretAuthentication(Reference("env", "CONTOSO_SECRET"), expires=expires)


def certificate(stem: str = "contoso") -> CertificateAuthentication:
    """A certificate in a pair of files."""
    return CertificateAuthentication(Reference("file", f"{stem}.crt"), Reference("file", f"{stem}.key"))


def exclusion(sku: str = "FLOW_FREE", reason: str = "Free", until: date | None = None) -> Exclusion:
    """An exclusion of the free SKU, without an end."""
    return Exclusion(sku, reason, until)


def organization(tenant_id: str = TENANT, name: str = "Contoso") -> Organization:
    """Who the tenant is."""
    return Organization(tenant_id, name, f"{name.lower()}.example")


def portal_state(*products: Product, declared: Portal | None = None, **members: Any) -> PortalState:
    """A portal that was read completely at ``NOW`` and has these products."""
    last = Import(ImportOutcome.COMPLETE, NOW, sum(item.consumers or 0 for item in products), organization())
    given = {"last_import": last, "serial": 1, "changed": ChangeSet(NOW, ())}
    ordered = tuple(sorted(products, key=lambda item: item.sku_id))
    return PortalState(declared or portal(), products=ordered, **{**given, **members})


def complete(*licenses: License, consumers: Mapping[str, int] | None = None, **members: Any) -> Complete:
    """A complete read of these licenses. Consumers of a SKU are Graph's own count unless given."""
    counts = {item.sku_id: max(0, item.consumed_units or 0) for item in licenses} | dict(consumers or {})
    given = {
        "portal_id": "contoso",
        "organization": organization(),
        "consumption": {sku_id: Consumption(number) for sku_id, number in counts.items() if number},
        "users": max(counts.values(), default=0),
    }
    return Complete(licenses=licenses, **{**given, **members})


def failed(error: ErrorInfo = OUTAGE) -> Failed:
    """A read that did not come to its end."""
    return Failed("contoso", error)


def subscription(status: str = "Enabled", **members: Any) -> Subscription:
    """One purchase."""
    return Subscription(**{"id": f"sub-{status.lower()}", "status": status, "total_licenses": 100, **members})


def plan_of(
    *declared: Portal,
    known: State | None = None,
    only: tuple[str, ...] = (),
    settings: Settings | None = None,
    credential_ends: Mapping[str, date] = {},
    removals: Sequence[Removal] = (),
) -> Plan:
    """The plan for these portals."""
    desired = {item.id: item for item in declared}
    all_ = Declared(desired, settings or Settings(), title, TODAY, removals, credential_ends)
    return make_plan(all_, known or {}, only)


def known(*states: PortalState) -> dict[str, PortalState]:
    """States by id."""
    return {state.id: state for state in states}


def applied(
    before: PortalState | None,
    declared: Portal,
    seen: Observation | None = None,
    *,
    now: datetime = NOW,
    settings: Settings | None = None,
    credential_end: date | None = None,
) -> PortalState:
    """One run over one portal, as ``reconcile.apply`` puts it together: configure, observe, stamp."""
    rules = settings or Settings()
    after = configure(before, declared, rules, title, now.date(), credential_end)
    if seen is not None:
        after = observe(after, seen, rules, title, now)
    return stamp(before, after, now)


def only_product(state: PortalState, sku_id: str = E3) -> Product:
    """The product of one SKU."""
    return next(item for item in state.products if item.sku_id == sku_id)


def changed_fields(changes: tuple[Change, ...]) -> dict[str, tuple[str | int | None, str | int | None]]:
    """Changes by field, as before and after."""
    return {change.field: (change.before, change.after) for change in changes}


def with_import(state: PortalState, **members: Any) -> PortalState:
    """The same state with parts of its last import replaced."""
    return replace(state, last_import=replace(state.last_import, **members))
