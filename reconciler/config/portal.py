"""From a valid file's plain value to the model's values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    Cloud,
    Confirm,
    Consumers,
    DeclaredEntitlement,
    Exclusion,
    ExclusionScope,
    FederatedAuthentication,
    Inclusion,
    KeyVaultSignIn,
    ManagedIdentityAuthentication,
    Overlap,
    Policy,
    PolicyRule,
    Portal,
    PortalLimits,
    Price,
    ProductEntry,
    Reference,
    ReportSettings,
    SafetyLimits,
    SecretAuthentication,
    Settings,
    Suspension,
    Thresholds,
)

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def portal(id_: str, value: Mapping[str, Any]) -> Portal:
    """The portal that a valid portal file declares."""
    given = value["authentication"]
    first, *others = [_authentication(each) for each in (given if isinstance(given, list) else [given])]
    return Portal(
        id=id_,
        name=value["name"],
        description=value.get("description"),
        cloud=Cloud(value.get("cloud", Cloud.GLOBAL)),
        tenant_id=value["tenant_id"].lower(),
        client_id=value["client_id"].lower(),
        authentication=first,
        second_authentication=others[0] if others else None,
        exclusions=_exclusions(value),
        include=tuple(Inclusion(sku(item["sku"]), item.get("reason")) for item in value.get("include", ())),
        directory=value.get("directory") or default_directory(value["name"]),
        products=tuple(_product(item) for item in value.get("products", ())),
        suspend=_suspension(value.get("suspend")),
        protect=value.get("protect", False),
        replaces_tenant_id=value["replaces_tenant_id"].lower() if "replaces_tenant_id" in value else None,
        safety=PortalLimits(**_numbers(value["safety"])) if value.get("safety") else None,
    )


def settings(value: Mapping[str, Any]) -> Settings:
    """The settings that a valid ``reconcile.yaml`` declares; what it leaves out has the model's default."""
    given: dict[str, Any] = dict(value)
    given["exclusions"] = _exclusions(value)
    given["unmetered"] = tuple(sku(item) for item in value.get("unmetered", ()))
    given["overlaps"] = tuple(Overlap(sku(item["sku"]), sku(item["includes"])) for item in value.get("overlaps", ()))
    given |= _numbers({days: value[days] for days in ("expiring_days", "urgent_days") if days in value})
    given["thresholds"] = _thresholds(_numbers(value.get("thresholds", {})))
    given["safety"] = SafetyLimits(**_numbers(value.get("safety", {})))
    if "keyvault" in given:
        given["keyvault"] = _keyvault(given["keyvault"])
    given["report"] = _report(value.get("report", {}))
    given["policies"] = tuple(_policy(item) for item in value.get("policies", ()))
    return Settings(**given)


def _thresholds(given: Mapping[str, int]) -> Thresholds:
    """Thresholds of which one may be given: what is urgent comes no earlier, and what is soon no later."""
    default = Thresholds()
    days = given.get("renewal_days", max(default.renewal_days, given.get("urgent_renewal_days", 0)))
    urgent = given.get("urgent_renewal_days", min(default.urgent_renewal_days, days))
    return Thresholds(**{**given, "renewal_days": days, "urgent_renewal_days": urgent})


def default_directory(name: str) -> str:
    """``Microsoft 365/<name>``, with the slashes of the name turned into blanks: the name is one folder."""
    part = " ".join(name.replace("/", " ").replace("\\", " ").split())
    return f"Microsoft 365/{'_' if part in ('', '.', '..') else part}"


def sku(text: str) -> str:
    """A SKU ID in lower case; a part number or a glob as it is."""
    return text.lower() if _GUID.fullmatch(text) else text


def _authentication(value: Mapping[str, Any]) -> Authentication:
    match value["type"]:
        case "secret":
            secret = _reference(value["secret"])
            assert secret is not None  # noqa: S101 - the schema requires it
            return SecretAuthentication(secret, value.get("secret_id"), _date(value.get("expires")))
        case "federated":
            return FederatedAuthentication(None if "github" in value["token"] else _reference(value["token"]))
        case "managed_identity":
            return ManagedIdentityAuthentication(value.get("assigned", "system"))
    return CertificateAuthentication(
        public_certificate=_reference(value.get("public_certificate")),
        private_key=_reference(value.get("private_key")),
        pfx=_reference(value.get("pfx")),
        passphrase=_reference(value.get("passphrase")),
    )


def _reference(value: Mapping[str, Any] | None) -> Reference | None:
    if value is None:
        return None
    if "keyvault" in value:
        return Reference("keyvault", f"{value['keyvault']['vault']}/{value['keyvault']['secret']}")
    return Reference("env", value["env"]) if "env" in value else Reference("file", value["file"])


def _keyvault(value: Mapping[str, Any]) -> KeyVaultSignIn:
    return KeyVaultSignIn(
        tenant_id=value["tenant_id"].lower(),
        client_id=value["client_id"].lower(),
        authentication=_authentication(value["authentication"]),
        cloud=Cloud(value.get("cloud", Cloud.GLOBAL)),
    )


def _report(value: Mapping[str, Any]) -> ReportSettings:
    return ReportSettings(
        consumers=Consumers(value.get("consumers", Consumers.COUNTS)),
        pseudonym_key=_reference(value.get("pseudonym_key")),
        small_group=int(value.get("small_group", 0)),
        confirm=Confirm(value.get("confirm", Confirm.NEVER)),
    )


def _policy(value: Mapping[str, Any]) -> Policy:
    return Policy(
        rule=PolicyRule(value["rule"]),
        severity=value.get("severity", "error"),
        portal=value.get("portal"),
        sku=sku(value["sku"]) if "sku" in value else None,
        **_numbers({name: value[name] for name in ("percent", "days", "licenses") if name in value}),
    )


def _exclusions(value: Mapping[str, Any]) -> tuple[Exclusion, ...]:
    """The exclusions of a portal or of the settings."""
    return tuple(
        Exclusion(
            sku=sku(item["sku"]),
            reason=item["reason"],
            until=_date(item.get("until")),
            scope=ExclusionScope(item.get("scope", ExclusionScope.IMPORT)),
        )
        for item in value.get("exclusions", ())
    )


def _numbers(value: Mapping[str, Any]) -> dict[str, int]:
    """Whole numbers by name: JSON Schema takes ``3.0`` for one too."""
    return {name: int(number) for name, number in value.items()}


def _product(value: Mapping[str, Any]) -> ProductEntry:
    price = value.get("price")
    declared = value.get("entitlement")
    return ProductEntry(
        sku=sku(value["sku"]),
        directory=value.get("directory"),
        price=Price(Decimal(price["amount"]), price["currency"], price["per"]) if price else None,
        entitlement=DeclaredEntitlement(
            int(declared["quantity"]), declared.get("contract"), declared.get("purchase_order")
        )
        if declared
        else None,
    )


def _suspension(value: Mapping[str, Any] | None) -> Suspension | None:
    return Suspension(value["reason"], _date(value.get("until"))) if value else None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
