"""Whether the server of the benchmarks tells what the emulator tells about the same tenant.

The emulator is what the tests of the product stand on, and too slow to measure against. Ranges and delta rounds, which
it does not know, are compared with the list.
"""

from __future__ import annotations

import ssl
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from reconciler.emulator import scenario as emulated
from reconciler.emulator.app import Emulator
from reconciler.graph.wire import CompanySubscription, Page, SubscribedSku, User
from tests.benchmarks.bare import LIST
from tests.benchmarks.world import BenchTenant, BenchWorld, WrongAnswer, serving, token

T = TypeVar("T")

GRAPH = "https://graph.microsoft.com/v1.0"
SKUS = (
    f"{GRAPH}/subscribedSkus"
    "?$select=skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits,subscriptionIds,servicePlans"
)
SUBSCRIPTIONS = f"{GRAPH}/directory/subscriptions?$select=id,skuId,status,totalLicenses,isTrial,nextLifecycleDateTime"


def main() -> None:
    """Compare, and raise WrongAnswer when they differ."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as name:
        folder = Path(name)
        tenants = [
            BenchTenant(1, 2500, changed=(0.01,), delta_from_start=True),
            BenchTenant(2, 2500, by_letter=True),
            BenchTenant(3, 1),
        ]
        with serving(folder, tenants) as world:
            for tenant in tenants:
                _compare_with_emulator(world, tenant)
            _compare_ranges(world, tenants[1])
            _compare_delta(world, tenants[0])
    print("The server's answers are the emulator's.", file=sys.stderr)


def _compare_with_emulator(world: BenchWorld, tenant: BenchTenant) -> None:
    with _server(world, tenant) as http:
        emulator = _emulator(http, tenant)
        for url, element in ((SKUS, SubscribedSku), (SUBSCRIPTIONS, CompanySubscription), (LIST, User)):
            ours, theirs = (_by_id(_read(client, url, element)) for client in (http, emulator))
            if ours != theirs or not ours:
                raise WrongAnswer(f"{url.partition('?')[0]}: the server and the emulator differ")


def _compare_ranges(world: BenchWorld, tenant: BenchTenant) -> None:
    """All letters and the remainder are the whole list, and each part is as many as is counted."""
    letters = [f"startswith(userPrincipalName,'{letter}')" for letter in "abcdefghijklmnopqrstuvwxyz"]
    with _server(world, tenant) as http:
        parts: list[User] = []
        for wanted in (*letters, " and ".join(f"not {letter}" for letter in letters)):
            part = _read(http, f"{LIST}&$count=true&$filter={wanted}", User)
            counted = int(http.get(f"{GRAPH}/users/$count?$filter={wanted}").text)
            if counted != len(part):
                raise WrongAnswer(f"{wanted}: {len(part)} users, {counted} counted")
            parts += part
        if sorted(map(_key, parts)) != sorted(map(_key, _read(http, LIST, User))):
            raise WrongAnswer("the ranges are not the list")


def _compare_delta(world: BenchWorld, tenant: BenchTenant) -> None:
    """The first round is the list; what the next one tells leads from the list to the list after the change."""
    with _server(world, tenant) as http:
        known = {user["id"]: user for user in _round(http, f"{GRAPH}/users/delta")[0]}
        latest, link = _round(http, f"{GRAPH}/users/delta?$deltatoken=latest")
        if latest or sorted(known) != sorted(map(_key, _read(http, LIST, User))):
            raise WrongAnswer("the first delta round is not the list")
        world.go_to(1)
        changes, end = _round(http, link)
        for user in changes:
            known.pop(user["id"], None)
            if "@removed" not in user:
                known[user["id"]] = user
        listed = _read(http, LIST, User)
        if msgspec.convert(sorted(known.values(), key=lambda user: user["id"]), list[User]) != sorted(listed, key=_key):
            raise WrongAnswer("list and delta round do not lead to the next list")
        if not changes or _round(http, end)[0]:
            raise WrongAnswer("a delta round must tell the changes once")
        world.go_to(0)


def _round(http: httpx.Client, url: str) -> tuple[list[dict[str, Any]], str]:
    """The users of a delta round, and the link to the next one."""
    users: list[dict[str, Any]] = []
    while True:
        page = http.get(url).raise_for_status().json()
        users += page["value"]
        if "@odata.deltaLink" in page:
            return users, page["@odata.deltaLink"]
        url = page["@odata.nextLink"]


def _read(http: httpx.Client, url: str, element: type[T]) -> list[T]:
    """A list to its end."""
    return list(_pages(http, url, msgspec.json.Decoder(Page[element])))  # type: ignore[valid-type]


def _pages(http: httpx.Client, url: str | None, decoder: msgspec.json.Decoder[Page[T]]) -> Iterator[T]:
    while url is not None:
        page = decoder.decode(http.get(url).raise_for_status().content)
        yield from page.value
        url = page.next_link


def _key(one: Any) -> str:
    """What tells the elements of a list apart."""
    return str(getattr(one, "id", None) or one.sku_id)


def _by_id(elements: list[Any]) -> dict[str, Any]:
    return {_key(one): one for one in elements}


def _server(world: BenchWorld, tenant: BenchTenant) -> httpx.Client:
    """A client of the server with the tenant's token."""
    trust = ssl.create_default_context(cafile=str(world.folder / "ca.pem"))
    return httpx.Client(
        proxy=world.environment["HTTPS_PROXY"],
        verify=trust,
        trust_env=False,
        headers={"authorization": f"Bearer {token(tenant.tenant_id)}"},
    )


def _emulator(server: httpx.Client, tenant: BenchTenant) -> httpx.Client:
    """A client of an emulator whose tenant is made of what the server sends, with a token."""
    bought = {row["skuId"]: _subscription(row) for row in _json(server, SUBSCRIPTIONS)}
    skus = tuple(_sku(row, bought[row["skuId"]]) for row in _json(server, SKUS))
    users = tuple(_user(row) for row in _json(server, LIST))
    world = emulated.Scenario((emulated.Tenant(tenant.tenant_id, skus=skus, users=users),))
    client = httpx.Client(transport=httpx.WSGITransport(app=Emulator(world)))
    form = {
        "grant_type": "client_credentials",
        "client_id": emulated.CLIENT_ID,
        "client_secret": emulated.SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"https://login.microsoftonline.com/{tenant.tenant_id}/oauth2/v2.0/token"
    bearer = client.post(url, data=form).raise_for_status().json()["access_token"]
    client.headers["authorization"] = f"Bearer {bearer}"
    return client


def _json(http: httpx.Client, url: str) -> Iterator[dict[str, Any]]:
    """The elements of a list as they are sent."""
    following: str | None = url
    while following is not None:
        page = http.get(following).raise_for_status().json()
        yield from page["value"]
        following = page.get("@odata.nextLink")


def _subscription(row: dict[str, Any]) -> emulated.Subscription:
    moment = datetime.fromisoformat(row["nextLifecycleDateTime"])
    return emulated.Subscription(
        row["status"], row["totalLicenses"], next_lifecycle=moment, overrides={"id": row["id"]}
    )


def _sku(row: dict[str, Any], bought: emulated.Subscription) -> emulated.Sku:
    plans = tuple(emulated.ServicePlan(plan["servicePlanId"], plan["servicePlanName"]) for plan in row["servicePlans"])
    return emulated.Sku(
        row["skuId"],
        row["skuPartNumber"],
        enabled=row["prepaidUnits"]["enabled"],
        service_plans=plans,
        subscriptions=(bought,),
        overrides={"subscriptionIds": row["subscriptionIds"]},
    )


def _user(row: dict[str, Any]) -> emulated.User:
    """A user of the emulator. What is held follows from the assignments there, and must come out the same."""
    ways = tuple(
        emulated.LicenseAssignment(
            way["skuId"],
            way["assignedByGroup"],
            way["state"],
            None if way["error"] == "None" else way["error"],
            tuple(way["disabledPlans"]),
            datetime.fromisoformat(way["lastUpdatedDateTime"]),
        )
        for way in row["licenseAssignmentStates"]
    )
    return emulated.User(
        row["userPrincipalName"],
        ways,
        id=row["id"],
        display_name=row["displayName"],
        mail=row["mail"],
        account_enabled=row["accountEnabled"],
        user_type=row["userType"],
        usage_location=row["usageLocation"],
    )


if __name__ == "__main__":
    main()
