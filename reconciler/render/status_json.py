"""``status.json``: the report for machines. Its schema is ``schemas/report.schema.json``."""

from __future__ import annotations

from typing import Any

from reconciler.exclusion_report import ExclusionReport, InclusionReport, SharedExclusion
from reconciler.expiry import Condition
from reconciler.model import Exclusion, Import, ProductEntry, Removed
from reconciler.portal_report import PortalReport
from reconciler.render.json_document import json_document
from reconciler.render.status_json_product import costs, day, entitlement, moment, product
from reconciler.report import Report

FORMAT_VERSION = 1


def render(report: Report) -> str:
    """The file's text: keys in a fixed order, portals by id, products by title."""
    document = {
        "format_version": FORMAT_VERSION,
        "emulated": report.emulated,
        **({"confirmed": day(report.coverage.confirmed)} if report.coverage.confirmed else {}),
        "statuses": {status.value: total for status, total in report.statuses.items()},
        "exclusions": [_shared(item) for item in report.exclusions],
        "totals": [costs(total) for total in report.totals],
        "portals": [_portal(portal) for portal in report.portals],
    }
    return json_document(document)


def _portal(portal: PortalReport) -> dict[str, Any]:
    """One portal."""
    declared, last = portal.state.portal, portal.state.last_import
    pause = declared.suspend
    return {
        "id": portal.state.id,
        "name": declared.name,
        "description": declared.description,
        "tenant_id": declared.tenant_id,
        "cloud": declared.cloud.value,
        "state": portal.state.presence.value,
        "suspend": pause and {"reason": pause.reason, "until": day(pause.until)},
        "protect": declared.protect,
        "freshness": portal.freshness and portal.freshness.value,
        "conditions": [_condition(portal.credential)] if portal.credential else [],
        "import": _import(last),
        "sign_ins": last.sign_ins,
        "excluded": [{"sku_id": item.sku_id, "sku_part_number": item.part_number} for item in last.excluded],
        "exclusions": [_exclusion(item) for item in portal.exclusions],
        "include": [_inclusion(item) for item in portal.inclusions],
        "unreported": [_unreported(entry) for entry in portal.unreported],
        "ambiguous": [{**_unreported(item.entry), "sku_ids": list(item.sku_ids)} for item in portal.ambiguous],
        "removed": [_removed(item) for item in portal.state.removed],
        "totals": [costs(total) for total in portal.totals],
        "products": [product(item) for item in portal.products],
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
        "paths_as_of": moment(last.paths_as_of),
        "users": last.users,
        "tenant": tenant and {"display_name": tenant.display_name, "default_domain": tenant.default_domain},
        "emulated": last.emulated,
        "failed_since": moment(last.failed_since),
        "error": error
        and {"code": error.code, "message": error.message, "remedy": error.remedy, "detail": error.detail},
    }


def _exclusion(item: ExclusionReport) -> dict[str, Any]:
    """One exclusion as a portal sees it."""
    said = _said(item.exclusion, in_force=item.in_force)
    return {**said, "declared_for": item.origin.value, "matched": list(item.matched)}


def _shared(item: SharedExclusion) -> dict[str, Any]:
    """One exclusion of reconcile.yaml."""
    said = _said(item.exclusion, in_force=item.in_force)
    return {**said, "matched": list(item.matched), "portals": item.portals, "lifted_by": list(item.lifted_by)}


def _said(item: Exclusion, *, in_force: bool) -> dict[str, Any]:
    """What an exclusion declares, and whether it applies."""
    return {
        "sku": item.sku,
        "reason": item.reason,
        "until": day(item.until),
        "scope": item.scope.value,
        "in_force": in_force,
    }


def _inclusion(item: InclusionReport) -> dict[str, Any]:
    """What a portal keeps although reconcile.yaml excludes it."""
    return {"sku": item.inclusion.sku, "reason": item.inclusion.reason, "matched": list(item.matched)}


def _unreported(entry: ProductEntry) -> dict[str, Any]:
    """A declared entitlement to what the tenant does not report."""
    return {"sku": entry.sku, "declared_entitlement": entitlement(entry.entitlement)}


def _removed(item: Removed) -> dict[str, Any]:
    """A product that was deleted from the state."""
    return {
        "sku_id": item.sku_id,
        "sku_part_number": item.part_number,
        "title": item.title,
        "was": item.was.value,
        "sku": item.sku,
        "reason": item.reason,
        "ticket": item.ticket,
        "on": day(item.on),
    }
