"""``status.json``: the report for machines. Its schema is ``schemas/report.schema.json``."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.expiry import Condition
from reconciler.labels import STATUS_LABELS
from reconciler.model import Import
from reconciler.portal_report import ExclusionReport, PortalReport, ProductReport
from reconciler.render.escape import json_text
from reconciler.report import Report

FORMAT_VERSION = 1


def render(report: Report) -> str:
    """The file's text: keys in a fixed order, portals by id, products by title."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": report.emulated,
        "portals": [_portal(portal) for portal in report.portals],
    }
    return json_text(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def moment(value: datetime | None) -> str | None:
    """A time as text, in UTC to the second."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def money(value: Decimal | None) -> str | None:
    """An amount as text, exact and without an exponent."""
    return None if value is None else f"{value:f}"


def _portal(portal: PortalReport) -> dict[str, Any]:
    """One portal."""
    declared = portal.state.portal
    pause = declared.suspend
    return {
        "id": portal.state.id,
        "name": declared.name,
        "description": declared.description,
        "tenant_id": declared.tenant_id,
        "cloud": declared.cloud.value,
        "state": portal.state.presence.value,
        "suspend": pause and {"reason": pause.reason, "until": pause.until and pause.until.isoformat()},
        "conditions": [_condition(portal.credential)] if portal.credential else [],
        "import": _import(portal.state.last_import),
        "exclusions": [_exclusion(item) for item in portal.exclusions],
        "products": [_product(product) for product in portal.products],
    }


def _condition(item: Condition) -> dict[str, Any]:
    """One condition. Its status is text, as in Kubernetes."""
    return {"type": item.type, "status": str(item.holds), "reason": item.reason.value, "message": item.message}


def _import(last: Import) -> dict[str, Any]:
    """The last import."""
    tenant = last.organization
    error = last.error
    return {
        "outcome": last.outcome.value,
        "as_of": moment(last.as_of),
        "users": last.users,
        "tenant": tenant and {"display_name": tenant.display_name, "default_domain": tenant.default_domain},
        "emulated": last.emulated,
        "failed_since": moment(last.failed_since),
        "error": error
        and {"code": error.code, "message": error.message, "remedy": error.remedy, "detail": error.detail},
    }


def _exclusion(item: ExclusionReport) -> dict[str, Any]:
    """One exclusion."""
    until = item.exclusion.until
    return {
        "sku": item.exclusion.sku,
        "reason": item.exclusion.reason,
        "until": until and until.isoformat(),
        "in_force": item.in_force,
    }


def _product(item: ProductReport) -> dict[str, Any]:
    """One product."""
    product, numbers = item.product, item.position
    license_ = product.license
    return {
        "name": item.name,
        "title": product.title,
        "sku_id": product.sku_id,
        "sku_part_number": license_.part_number,
        "directory": product.directory,
        "status": product.status.value,
        "label": STATUS_LABELS[product.status],
        "reason": product.reason and product.reason.value,
        "remedy": item.remedy,
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
        "consumers": product.consumers,
        "balance": numbers.balance,
        "only_by_grace": numbers.only_by_grace,
        "findings": dict(sorted(product.findings.items())),
        "subscriptions": [
            {
                "id": subscription.id,
                "status": subscription.status,
                "total_licenses": subscription.total_licenses,
                "is_trial": subscription.is_trial,
                "next_lifecycle": moment(subscription.next_lifecycle),
            }
            for subscription in license_.subscriptions
        ],
        **_declared(item),
    }


def _declared(item: ProductReport) -> dict[str, Any]:
    """What the portal file declares about the product, and what follows from the price."""
    price = item.entry.price if item.entry else None
    entitlement = item.entry.entitlement if item.entry else None
    return {
        "price": price and {"amount": money(price.amount), "currency": price.currency, "per": price.per},
        "true_up": money(item.true_up),
        "idle": money(item.idle),
        "declared_entitlement": entitlement
        and {
            "quantity": entitlement.quantity,
            "contract": entitlement.contract,
            "purchase_order": entitlement.purchase_order,
        },
    }
