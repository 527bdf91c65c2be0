"""Builders: small worlds, a client that speaks to them in-process, and client assertions of every kind."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.emulator.app import Emulator
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, Scenario, Sku, Tenant, UserGroup
from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import Cloud

TENANT_ID = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
NOW = 1_795_413_600.0
"""2026-11-23T06:00:00Z."""

GRAPH = "https://graph.microsoft.com/v1.0"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def tenant(tenant_id: str = TENANT_ID, **overrides: Any) -> Tenant:
    """A tenant that owns ten E3, with three users who hold one and two who hold nothing."""
    overrides.setdefault("skus", (Sku(E3, "ENTERPRISEPACK", enabled=10),))
    overrides.setdefault("users", (UserGroup(3, (E3,)), UserGroup(2)))
    return Tenant(tenant_id, **overrides)


def scenario(*tenants: Tenant, **overrides: Any) -> Scenario:
    """A world of these tenants; of one when none is given."""
    return Scenario(tenants or (tenant(),), **overrides)


def key_pair(name: str = "registered") -> KeyPair:
    """A key with its certificate; the same for the same name, because they take a moment to make."""
    return _key_pair(name)


@cache
def _key_pair(name: str) -> KeyPair:
    return KeyPair(name)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """An emulator, its clock, how long it slept, and a client to it."""

    scenario: Scenario
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=Emulator(self.scenario, self.clock, self.slept.append))
        )

    def sign_in(self, tenant_id: str = TENANT_ID, cloud: Cloud = Cloud.GLOBAL, **form: str | None) -> httpx.Response:
        """Ask for a token, by secret unless the form says otherwise; None leaves a field out."""
        fields: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "scope": ENDPOINTS[cloud].scope,
            **form,
        }
        url = f"https://{ENDPOINTS[cloud].login_host}/{tenant_id}/oauth2/v2.0/token"
        return self.http.post(url, data={name: value for name, value in fields.items() if value is not None})

    def get(self, url: str, *, bearer: str | None = None, **headers: str) -> httpx.Response:
        """Ask Graph, as the default application. ``url`` may leave the root out."""
        token = self.token() if bearer is None else bearer
        address = url if url.startswith("https:") else f"{GRAPH}/{url}"
        return self.http.get(address, headers={"Authorization": f"Bearer {token}", **headers})

    def token(self, tenant_id: str | None = None, cloud: Cloud = Cloud.GLOBAL) -> str:
        """A token of the default application, for the first tenant unless another is named."""
        token: str = self.sign_in(tenant_id or self.scenario.tenants[0].tenant_id, cloud).json()["access_token"]
        return token

    def listed(self, url: str, **headers: str) -> list[list[dict[str, Any]]]:
        """The pages of a listing, following the links."""
        pages, following = [], url
        while following:
            answer = self.get(following, **headers)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json()["value"])
            following = answer.json().get("@odata.nextLink", "")
        return pages


def world(*tenants: Tenant) -> World:
    """An emulator of these tenants with a client to it."""
    return World(scenario(*tenants))


def application(**overrides: Any) -> Application:
    """An application with the certificate of ``key_pair()`` beside its secret."""
    overrides.setdefault("certificates", (key_pair(),))
    return Application(**overrides)


def thumbprint(pair: KeyPair, digest: Callable[..., Any] = hashlib.sha256) -> str:
    """``x5t`` or ``x5t#S256`` of a certificate, with the padding that some clients leave on."""
    der = x509.load_pem_x509_certificate(pair.certificate_pem).public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(digest(der).digest()).decode()


def assertion(
    signer: KeyPair | None = None,
    *,
    algorithm: str = "PS256",
    header: dict[str, Any] | None = None,
    key: Any = None,
    **claims: Any,
) -> str:
    """A client assertion as MSAL makes it; ``claims`` and ``header`` replace what is in it, None leaves it out."""
    pair = signer or key_pair()
    content = {
        "aud": f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token",
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": "4cf1b3b0-2f8e-4b55-9c0e-1f3a2b4c5d6e",
        "iat": NOW + 0.25,
        "exp": NOW + 600.25,
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in content.items() if value is not None},
        key or pair.private_key_pem,
        algorithm=algorithm,
        headers={"x5t#S256": thumbprint(pair)} if header is None else header,
    )


def proved_by(token: str) -> dict[str, Any]:
    """The form fields that prove an application by an assertion in place of a secret."""
    return {"client_secret": None, "client_assertion_type": JWT_BEARER, "client_assertion": token}
