"""The demo: its numbers against a count of its own, its bytes anywhere, its reports as committed."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.emulator import scenarios
from reconciler.emulator.scenario import Sku, Tenant, User
from reconciler.resources import folder
from tests.cli.cli_world import PACKAGE, Ended, files_under, reconcile

GENERATED = ("reconciler.db", ".lock")
EXCLUDED = {"contoso": {"FLOW_FREE", "POWER_BI_STANDARD"}}
"""What the demo's portal files exclude, said again."""

LONG_AGO = datetime(2026, 8, 1, tzinfo=UTC)
"""Longer ago than the 90 days after which an account is inactive."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A folder in which nothing was but the demo's run."""
    root = tmp_path_factory.mktemp("demo")
    return root, reconcile("--emulate", "demo", "apply", cwd=root)


def _status(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "state/reports/status.json").read_text())
    return document


def test_the_demo_ends_with_a_table_of_products_and_statuses(demo: tuple[Path, Ended]) -> None:
    _, ended = demo
    assert ended.code == 4
    assert "Office 365 E3" in ended.out
    assert "✗ Not enough licenses assigned" in ended.out
    assert "Emulated data" in ended.out


def test_every_number_of_the_demo_equals_an_independent_count(demo: tuple[Path, Ended]) -> None:
    """Count users and units from the scenario's data with nothing of the product but that data."""
    portals = {portal["tenant_id"]: portal for portal in _status(demo[0])["portals"]}
    tenants = {tenant.tenant_id: tenant for tenant in scenarios.load("demo").tenants}
    assert portals.keys() == tenants.keys()
    assert len(tenants) == 4
    for tenant_id, tenant in tenants.items():
        portal = portals[tenant_id]
        if not all("User.Read.All" in application.roles for application in tenant.applications):
            assert (portal["import"]["outcome"], portal["products"]) == ("failed", [])
            continue
        excluded = EXCLUDED.get(portal["id"], set())
        owned = {sku.sku_id: sku for sku in tenant.skus if sku.part_number not in excluded}
        assert {product["sku_id"] for product in portal["products"]} == owned.keys()
        assert portal["import"]["users"] == sum(bool(held & owned.keys()) for held in _holdings(tenant))
        holders = Counter(sku_id for held in _holdings(tenant) for sku_id in held)
        for product in portal["products"]:
            sku = owned[product["sku_id"]]
            _compare(product, sku, holders[product["sku_id"]])
            assert product["findings"] == _findings(tenant, sku.sku_id)


def _holdings(tenant: Tenant) -> list[set[str]]:
    """The SKUs that each user holds."""
    held = ("Active", "ActiveWithError")
    return [
        {assignment.sku_id for assignment in user.assignments if assignment.state in held} for user in tenant.directory
    ]


def _findings(tenant: Tenant, sku_id: str) -> dict[str, int]:
    """What can be wrong with the users of a SKU, counted without the product's SQL."""
    counts: Counter[str] = Counter()
    for user in tenant.directory:
        ways = [way for way in user.assignments if way.sku_id == sku_id]
        counts["assignment_error"] += any(way.state in ("Error", "ActiveWithError") for way in ways)
        if any(way.holds for way in ways):
            counts["disabled_account"] += user.account_enabled is False
            counts["guest_licensed"] += user.user_type == "Guest"
            counts["no_usage_location"] += not user.usage_location
            counts["direct_and_group"] += len({way.group_id is None for way in ways if way.holds}) == 2
            own, others = _plans_on(tenant, user, {sku_id}), _plans_on(tenant, user, _skus_of(user) - {sku_id})
            counts["overlap"] += bool(own) and own <= others
            counts["plans_disabled"] += not own and bool(_plans(tenant)[sku_id])
            if "AuditLog.Read.All" in tenant.applications[0].roles:
                counts["inactive"] += user.signed_in is not None and user.signed_in < LONG_AGO
    return {name: number for name, number in counts.items() if number}


def _plans(tenant: Tenant) -> dict[str, set[str]]:
    """The service plans of each SKU."""
    return {sku.sku_id: {plan.id for plan in sku.service_plans} for sku in tenant.skus}


def _skus_of(user: User) -> set[str]:
    """The SKUs that a user holds."""
    return {way.sku_id for way in user.assignments if way.holds}


def _plans_on(tenant: Tenant, user: User, skus: set[str]) -> set[str]:
    """The service plans that a user has through these SKUs."""
    ways = [way for way in user.assignments if way.sku_id in skus]
    return {plan for way in ways for plan in _plans(tenant)[way.sku_id] - set(way.disabled_plans)}


def _compare(product: dict[str, Any], sku: Sku, holders: int) -> None:
    entitled = sku.enabled + sku.warning
    assert product["units"] == {
        "enabled": sku.enabled,
        "warning": sku.warning,
        "suspended": sku.suspended,
        "locked_out": sku.locked_out,
    }
    assert (product["entitled"], product["consumers"], product["consumed"]) == (entitled, holders, holders)
    assert product["balance"] == entitled - holders
    assert product["consumed_units"] == holders
    assert product["only_by_grace"] == (sku.enabled < holders <= entitled)
    bought = [(purchase.status, purchase.total_licenses, purchase.is_trial) for purchase in sku.purchases]
    listed = [(item["status"], item["total_licenses"], item["is_trial"]) for item in product["subscriptions"]]
    assert sorted(listed) == sorted(bought)
    if sku.applies_to != "User":
        expected = "not_metered"
    elif entitled == holders == 0:
        expected = "clear"
    else:
        expected = "not_enough_licenses" if holders > entitled else "fully_licensed"
    assert product["status"] == expected


def test_the_demo_tells_its_whole_story(demo: tuple[Path, Ended]) -> None:
    products = [product for portal in _status(demo[0])["portals"] for product in portal["products"]]
    findings = {name for product in products for name in product["findings"]}
    assert {product["status"] for product in products} >= {"fully_licensed", "not_enough_licenses", "not_metered"}
    assert any(product["units"]["suspended"] for product in products)
    assert any(product["only_by_grace"] for product in products)
    assert any(subscription["is_trial"] for product in products for subscription in product["subscriptions"])
    assert any(product["title"] == product["sku_part_number"] for product in products), "a SKU without a known title"
    assert findings >= {
        "disabled_account",
        "guest_licensed",
        "direct_and_group",
        "no_usage_location",
        "assignment_error",
    }
    assert max(len(tenant.directory) for tenant in scenarios.load("demo").tenants) > 999


def test_status_json_of_the_demo_is_valid_against_its_schema(demo: tuple[Path, Ended]) -> None:
    schema = json.loads((folder("schemas") / "report.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(_status(demo[0]))


def test_the_committed_reports_are_what_the_demo_writes(demo: tuple[Path, Ended]) -> None:
    """With the lineage: it is the scenario's own, the same at every run."""
    committed = files_under(PACKAGE / "state", without=(*GENERATED, "catalogue.csv"))
    assert committed, "the demo's reports are committed"
    assert files_under(demo[0] / "state", without=GENERATED) == committed


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "RECONCILE_JOBS": "1"},
    ],
    ids=["far east", "far west"],
)
def test_the_bytes_do_not_depend_on_place_language_or_hash_order(
    demo: tuple[Path, Ended], tmp_path: Path, environment: dict[str, str]
) -> None:
    ended = reconcile("--emulate", "demo", "apply", cwd=tmp_path, environment=environment)
    assert ended.code == 4, ended.err
    assert ended.out == demo[1].out
    assert files_under(tmp_path / "state", without=GENERATED) == files_under(demo[0] / "state", without=GENERATED)
