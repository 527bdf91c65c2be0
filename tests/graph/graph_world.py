"""Builders: an emulated tenant, and the product's own client connected to it, with a look at every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import Any

import httpx
import msgspec

from reconciler.emulator.app import Emulator
from reconciler.emulator.faults import Fault
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Scenario, Sku, Tenant, User, UserGroup
from reconciler.graph.auth import TokenSource
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import Credential, Proof
from reconciler.graph.http import open_http
from reconciler.graph.retry import RetryPolicy
from reconciler.model import Cloud, Contact, Holding, UserPage

TENANT_ID = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def tenant(*faults: Fault, users: tuple[User | UserGroup, ...] = (UserGroup(3, (E3,)),), **members: Any) -> Tenant:
    """A tenant with ten E3 and three people who hold one."""
    members.setdefault("skus", (Sku(E3, "ENTERPRISEPACK", enabled=10),))
    return Tenant(TENANT_ID, users=users, faults=faults, **members)


@cache
def key_pair(name: str = "own") -> KeyPair:
    """A key with its certificate; the same for the same name."""
    return KeyPair(name)


class Wire(httpx.BaseTransport):
    """The network: passes requests on and remembers them."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._inner.handle_request(request)

    def to(self, path: str) -> list[httpx.Request]:
        """The requests whose path ends like this."""
        return [request for request in self.requests if request.url.path.endswith(path)]


@dataclass
class Connection:
    """The product's client, what it sent, and how long it waited before each retry."""

    graph: GraphClient
    tokens: TokenSource
    wire: Wire
    slept: list[float]

    def rows(self) -> tuple[set[Contact], set[tuple[str, Holding]]]:
        """All that the list of users says, as the state DB would keep it."""
        contacts: set[Contact] = set()
        holdings: set[tuple[str, Holding]] = set()

        def restarted() -> None:
            contacts.clear()
            holdings.clear()

        for page in self.graph.users(restarted):
            contacts.update(page.contacts)
            holdings.update(held_by(page))
        return contacts, holdings


def held_by(page: UserPage) -> list[tuple[str, Holding]]:
    """What each user of a page holds, by object ID."""
    return [(user.object_id, each) for user, held in zip(page.contacts, page.held, strict=True) for each in held]


def connect(
    network: Tenant | Scenario | httpx.BaseTransport,
    *,
    tenant_id: str = TENANT_ID,
    client_id: str = CLIENT_ID,
    credential: Proof = SECRET,
    cloud: Cloud = Cloud.GLOBAL,
    retry: RetryPolicy = RetryPolicy(limit=2),  # noqa: B008 - it is frozen
    clock: Callable[[], float] | None = None,
    streams: int = 1,
    watch: Callable[[], float] = monotonic,
) -> Connection:
    """Connect to an emulated tenant, or to any other transport."""
    if isinstance(network, Tenant):
        network = Scenario((network,))
    if isinstance(network, Scenario):
        network = httpx.WSGITransport(app=Emulator(network, clock) if clock else Emulator(network))
    wire = Wire(network)
    slept: list[float] = []
    http = open_http(transport=wire, retry=retry, sleep=slept.append)
    endpoints = ENDPOINTS[cloud]
    tokens = TokenSource(http, endpoints, tenant_id, client_id, Credential(credential))
    return Connection(GraphClient(http, endpoints, tenant_id, tokens, streams, watch), tokens, wire, slept)


def pem_pair(pair: KeyPair | None = None) -> dict[str, str]:
    """A certificate credential the way MSAL takes it."""
    pair = pair or key_pair()
    return {"private_key": pair.private_key_pem.decode(), "public_certificate": pair.certificate_pem.decode()}


class HandMade(httpx.BaseTransport):
    """A server for what no emulated tenant says: Entra that always consents, and Graph as a function of the request."""

    def __init__(self, graph: Callable[[httpx.Request], httpx.Response], login: Any = None) -> None:
        self._graph = graph
        self._configuration = login or {
            "token_endpoint": f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token",
            "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/authorize",
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            return as_json(self._configuration)
        if request.url.path.endswith("/token"):
            return as_json({"access_token": "canary-token", "expires_in": 3599, "token_type": "Bearer"})
        return self._graph(request)


def as_json(content: Any, status: int = 200, **headers: str) -> httpx.Response:
    """An answer in JSON that is read from a stream, like one from a network."""
    body = msgspec.json.encode(content)
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(body))
