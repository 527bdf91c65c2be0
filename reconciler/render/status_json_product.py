"""A product in ``status.json``, and the values that are written alike everywhere in that file."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.facets import Proof
from reconciler.labels import STATUS_LABELS
from reconciler.lifecycle import Cliff, Phase
from reconciler.model import DeclaredEntitlement, License
from reconciler.money import Costs
from reconciler.portal_report import ProductReport


def moment(value: datetime | None) -> str | None:
    """A time as text, in UTC to the second."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def day(value: date | None) -> str | None:
    """A day as text."""
    return value.isoformat() if value else None


def money(value: Decimal | None) -> str | None:
    """An amount as text, exact and without an exponent."""
    return None if value is None else f"{value:f}"


def costs(item: Costs) -> dict[str, Any]:
    """Amounts of one currency and period."""
    return {
        "currency": item.currency,
        "per": item.per,
        "true_up": money(item.true_up),
        "idle": money(item.idle),
        "reclaimable": money(item.reclaimable),
    }


def entitlement(item: DeclaredEntitlement | None) -> dict[str, Any] | None:
    """What a contract says is owned."""
    if item is None:
        return None
    return {"quantity": item.quantity, "contract": item.contract, "purchase_order": item.purchase_order}


def product(item: ProductReport) -> dict[str, Any]:
    """One product."""
    known, numbers = item.product, item.numbers
    license_ = known.license
    return {
        "name": item.name,
        "title": known.title,
        "sku_id": known.sku_id,
        "sku_part_number": license_.part_number,
        "directory": known.directory,
        "status": known.status.value,
        "label": STATUS_LABELS[known.status],
        "reason": known.reason and known.reason.value,
        "remedy": item.remedy,
        "muted": item.muted is not None,
        "position": item.position and item.position.value,
        "lifecycle": item.lifecycle and item.lifecycle.value,
        "evidence": item.proof and item.proof.evidence.value,
        "applies_to": license_.applies_to,
        "capability_status": license_.capability_status,
        "units": {
            "enabled": license_.units.enabled,
            "warning": license_.units.warning,
            "suspended": license_.units.suspended,
            "locked_out": license_.units.locked_out,
        },
        "consumed_units": license_.consumed_units,
        "entitled": numbers.entitled,
        "consumed": numbers.consumed,
        "consumers": known.consumers,
        "balance": numbers.balance,
        "available": None if numbers.balance is None else numbers.available,
        "shortfall": None if numbers.balance is None else numbers.shortfall,
        "utilization": numbers.utilization,
        "only_by_grace": item.only_by_grace,
        "drift": item.mismatch,
        "findings": _findings(item),
        "assignment_errors": dict(sorted(known.errors.items())),
        "reclaimable": dict(sorted(known.reclaimable.items())),
        "hidden": _hidden(item),
        "phases": [_phase(phase) for phase in item.phases],
        "falls_short": _cliff(item.cliff),
        "subscriptions": _subscriptions(license_),
        **_declared(item),
    }


def _findings(item: ProductReport) -> dict[str, int]:
    """Every finding with its count, zeros left out."""
    found = dict(item.product.findings)
    if item.mismatch:
        found["count_mismatch"] = abs(item.mismatch)
    if item.subscription_mismatch:
        found["subscription_mismatch"] = abs(item.subscription_mismatch)
    return dict(sorted(found.items()))


def _hidden(item: ProductReport) -> list[str]:
    """What is left out of the three members before, because it is about few users."""
    groups = (
        ("findings", item.hidden.findings),
        ("assignment_errors", item.hidden.errors),
        ("reclaimable", item.hidden.reclaimable),
    )
    return sorted(f"{member}.{name}" for member, names in groups for name in names)


def _phase(phase: Phase) -> dict[str, Any]:
    """One part of the license."""
    return {
        "lifecycle": phase.lifecycle.value,
        "licenses": phase.licenses,
        "date": day(phase.on),
        "due": phase.due and phase.due.value,
        "balance": phase.balance,
    }


def _cliff(cliff: Cliff | None) -> dict[str, Any] | None:
    """When the product falls short if nothing is renewed."""
    return {"date": day(cliff.on), "short": cliff.short, "due": cliff.due.value} if cliff else None


def _subscriptions(license_: License) -> list[dict[str, Any]]:
    """What was bought."""
    return [
        {
            "id": subscription.id,
            "status": subscription.status,
            "total_licenses": subscription.total_licenses,
            "is_trial": subscription.is_trial,
            "next_lifecycle": moment(subscription.next_lifecycle),
        }
        for subscription in license_.subscriptions
    ]


def _declared(item: ProductReport) -> dict[str, Any]:
    """What the portal file declares about the product, and what follows from it."""
    price = item.entry.price if item.entry else None
    return {
        "price": price and {"amount": money(price.amount), "currency": price.currency, "per": price.per},
        "true_up": money(item.costs.true_up if item.costs else None),
        "idle": money(item.costs.idle if item.costs else None),
        "costs_a_year": costs(item.costs.a_year()) if item.costs else None,
        "declared_entitlement": entitlement(item.entry.entitlement if item.entry else None),
        "declared_difference": _difference(item.proof),
    }


def _difference(proof: Proof | None) -> int | None:
    """Declared − entitled."""
    return proof.difference if proof else None
