"""The license position as a CycloneDX bill of materials, for tools that keep inventories of software.

A product is a component, its license a commercial one with ``licensing``: licensor, licensee, purchase order, kind and
end. Numbers are properties, named as the columns of ``products.csv``. Source: CycloneDX 1.6 (ECMA-424), JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.lifecycle import Lifecycle
from reconciler.model import Subscription
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.cells import Cell, text_of
from reconciler.render.escape import plain
from reconciler.render.json_document import json_document
from reconciler.render.products_csv import PUBLISHER, rows
from reconciler.report import Report

NAMESPACE = "m365-license-reconciler"
"""What the names of properties begin with."""

_SAID_ELSEWHERE = frozenset({"publisher", "title", "purchase_order"})


def render(report: Report, version: str) -> str:
    """The document's text, without serial number and time, so that it moves only with the report.

    ``version`` is that of the tool.
    """
    found = [(portal, item) for portal in report.portals for item in portal.products]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": NAMESPACE, "version": version}]},
            "properties": [{"name": f"{NAMESPACE}:emulated", "value": text_of(report.emulated)}],
        },
        "components": [_component(portal, item, row) for (portal, item), row in zip(found, rows(report), strict=True)],
    }
    return json_document(document)


def _component(portal: PortalReport, item: ProductReport, row: dict[str, Cell]) -> dict[str, Any]:
    """One product."""
    return {
        "type": "application",
        "bom-ref": f"{portal.state.id}/{item.product.sku_id}",
        "publisher": PUBLISHER,
        "name": plain(item.product.title),
        "licenses": [{"license": _license(portal, item)}],
        "properties": [
            {"name": f"{NAMESPACE}:{column}", "value": plain(text_of(value))}
            for column, value in row.items()
            if value is not None and column not in _SAID_ELSEWHERE
        ],
    }


def _license(portal: PortalReport, item: ProductReport) -> dict[str, Any]:
    """The license of one product."""
    owned = item.entry.entitlement if item.entry else None
    licensing: dict[str, Any] = {}
    bought = [each for each in item.product.license.subscriptions if each.id]
    if bought:
        licensing["altIds"] = list(dict.fromkeys(plain(each.id) for each in bought))
    licensing["licensor"] = {"organization": {"name": PUBLISHER}}
    licensing["licensee"] = {"organization": {"name": plain(portal.state.portal.name)}}
    if owned and owned.purchase_order:
        licensing["purchaseOrder"] = plain(owned.purchase_order)
    licensing["licenseTypes"] = list(_types(item))
    if end := _end(bought):
        licensing["expiration"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"name": plain(item.product.license.part_number or item.product.title), "licensing": licensing}


def _types(item: ProductReport) -> Iterator[str]:
    """CycloneDX's words for the kind of license."""
    yield "subscription"
    if item.product.license.applies_to == "User":
        yield "named-user"
    if item.lifecycle is Lifecycle.TRIAL:
        yield "evaluation"


def _end(bought: list[Subscription]) -> datetime | None:
    """When the last of the purchases in use ends; None when one has no end, or none is in use."""
    running = [each.next_lifecycle for each in bought if each.status == "Enabled"]
    ends = [end for end in running if end]
    return max(ends) if ends and len(ends) == len(running) else None
