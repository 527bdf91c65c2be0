"""The worlds that ship agree with themselves and with the portal files that describe them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.emulator import scenarios
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application, Scenario, Tenant, User, UserGroup
from reconciler.errors import ConfigurationError
from reconciler.graph.clouds import ENDPOINTS
from tests.emulator.builders import E3, World, tenant

DEMO = scenarios.load("demo")
TENANTS = pytest.mark.parametrize("place", DEMO.tenants, ids=lambda place: place.display_name)
SELECT = "id,userPrincipalName,accountEnabled,userType,usageLocation,assignedLicenses,licenseAssignmentStates"


def seen(place: Tenant, url: str) -> list[dict[str, Any]]:
    """All pages of a listing, read with the tenant's own cloud by an application that may read everything."""
    reader = Application(roles=("Directory.Read.All",))
    open_place = Tenant(
        place.tenant_id, place.display_name, place.domain, place.cloud, place.skus, place.users, (reader,)
    )
    emulated = World(Scenario((open_place,)))
    return [one for page in emulated.listed(url) for one in page]


@TENANTS
def test_consumed_units_are_the_distinct_users_who_hold_the_sku(place: Tenant) -> None:
    users = seen(place, f"users?$select={SELECT}&$top=999")
    held = Counter(sku for user in users for sku in {each["skuId"] for each in user["assignedLicenses"]})
    told = {sku["skuId"]: sku["consumedUnits"] for sku in seen(place, "subscribedSkus")}
    assert told == {sku_id: held[sku_id] for sku_id in told}
    assert set(held) <= set(told)


@TENANTS
def test_assigned_licenses_are_the_skus_of_active_assignments(place: Tenant) -> None:
    for user in seen(place, f"users?$select={SELECT}&$top=999"):
        active = {
            way["skuId"] for way in user["licenseAssignmentStates"] if way["state"] in ("Active", "ActiveWithError")
        }
        held = [each["skuId"] for each in user["assignedLicenses"]]
        assert set(held) == active
        assert len(held) == len(active)


@TENANTS
def test_subscriptions_are_known_and_add_up_to_the_units(place: Tenant) -> None:
    purchases = {each["id"]: each["totalLicenses"] for each in seen(place, "directory/subscriptions")}
    for sku in seen(place, "subscribedSkus"):
        assert sum(purchases.pop(key) for key in sku["subscriptionIds"]) == sum(sku["prepaidUnits"].values())
    assert purchases == {}


@TENANTS
def test_users_are_distinct_and_the_same_every_time(place: Tenant) -> None:
    users = seen(place, f"users?$select={SELECT}&$top=999")
    assert len({user["id"] for user in users}) == len({user["userPrincipalName"] for user in users}) == len(users)
    assert users == seen(place, f"users?$select={SELECT}&$top=500")


def _portal_id(place: Tenant) -> str:
    """The id of the portal that reads a tenant of the demo."""
    return place.display_name.lower().replace(" ", "-")


def test_the_demo_tells_its_story() -> None:
    skus = [sku for place in DEMO.tenants for sku in place.skus]
    users = [user for place in DEMO.tenants for user in place.directory]
    ways = [way for user in users for way in user.assignments]
    assert max(len(place.directory) for place in DEMO.tenants) > 999
    assert any(sku.warning for sku in skus)
    assert any(sku.suspended and not sku.enabled for sku in skus)
    assert any(purchase.is_trial for sku in skus for purchase in sku.purchases)
    assert any(sku.applies_to == "Company" for sku in skus)
    assert any(
        place.directory.holders(sku.sku_id) > sku.enabled + sku.warning > 0
        for place in DEMO.tenants
        for sku in place.skus
    )
    assert any(user.user_type == "Guest" and user.held for user in users)
    assert any(user.account_enabled is False and user.held for user in users)
    assert any(user.usage_location is None and user.held for user in users)
    assert any(len(user.held) > 1 for user in users)
    assert any(not user.held for user in users)
    assert any(len(user.assignments) > len(user.held) > 0 for user in users)
    assert any(way.error == "CountViolation" and not way.holds for way in ways)


@TENANTS
def test_each_portal_file_of_the_demo_can_sign_in(place: Tenant) -> None:
    assert DEMO.portals is not None
    portal = yaml.safe_load((DEMO.portals / f"{_portal_id(place)}.yaml").read_text("utf-8"))
    authentication = portal["authentication"]
    (registered,) = place.applications
    assert (portal["tenant_id"], portal["client_id"]) == (place.tenant_id, registered.client_id)
    if authentication["type"] == "secret":
        (secret,) = registered.secrets
        assert DEMO.credentials[authentication["secret"]["file"]] == secret.value.encode()
        assert authentication["secret_id"] == secret.key_id
    else:
        (pair,) = registered.certificates
        assert isinstance(pair, KeyPair)
        assert DEMO.credentials[authentication["public_certificate"]["file"]] == pair.certificate_pem
        assert DEMO.credentials[authentication["private_key"]["file"]] == pair.private_key_pem


def test_the_demo_has_a_portal_file_for_each_tenant() -> None:
    assert DEMO.portals is not None
    names = {file.stem for file in DEMO.portals.glob("*.yaml")} - {"removals"}
    assert names == set(map(_portal_id, DEMO.tenants))


def test_every_credential_of_the_demo_stays_in_the_ignored_folder() -> None:
    assert {Path(name).parent for name in DEMO.credentials} == {Path(".emulator")}


def test_a_scenario_is_loaded_once_so_that_all_agree_on_its_keys() -> None:
    assert scenarios.load("demo") is DEMO


def test_an_unknown_scenario_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as caught:
        scenarios.load("dmeo")
    assert "'dmeo'" in str(caught.value)
    assert "Did you mean 'demo'?" in str(caught.value)
    assert "Known scenarios: demo." in str(caught.value)


def test_credentials_do_not_show_their_values() -> None:
    assert "the-secret" not in repr(DEMO.credentials)


def test_users_of_one_kind_are_numbered_on_through_the_tenant() -> None:
    place = tenant(users=(UserGroup(2), UserGroup(1, user_type="Guest"), User("anna@contoso.example"), UserGroup(1)))
    assert [user.user_principal_name for user in place.directory] == [
        "user0001@contoso.example",
        "user0002@contoso.example",
        "guest0001_partner.example#EXT#@contoso.example",
        "anna@contoso.example",
        "user0003@contoso.example",
    ]


def test_a_scan_may_start_anywhere() -> None:
    place = tenant(users=(UserGroup(2), User("anna@contoso.example"), UserGroup(0), UserGroup(3)))
    everybody = list(place.directory)
    assert [list(place.directory.scan(start)) for start in range(7)] == [everybody[start:] for start in range(7)]


def test_a_tenant_of_a_million_users_is_not_made_before_it_is_read() -> None:
    place = tenant(users=(UserGroup(1_000_000, (E3,)),))
    assert len(place.directory) == place.directory.holders(E3) == 1_000_000
    assert next(place.directory.scan(999_999)).user_principal_name == "user1000000@contoso.example"


def test_every_cloud_has_a_host_for_signing_in_and_one_for_graph() -> None:
    assert all(endpoints.login_host and endpoints.graph_host for endpoints in ENDPOINTS.values())
