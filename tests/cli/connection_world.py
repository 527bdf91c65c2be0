"""Connections that are broken in one way each, and what the test of a connection must say about them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.cli import session
from reconciler.emulator.app import Emulator
from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application, ClientSecret, Scenario, Tenant
from tests.cli.cli_world import Ended, World, client_id, portal_yaml, tenant

LOGIN, GRAPH = "login.microsoftonline.com", "graph.microsoft.com"
SECRET_ID = "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50"
BY_SECRET = "{type: secret, secret: {env: TEST_SECRET}}"
BY_CERTIFICATE = "{type: certificate, public_certificate: {file: app.crt}, private_key: {file: app.key}}"
NOW = "2026-11-23T06:00:00Z"
"""The day on which every run takes place; certificates and secrets below end around it."""


@dataclass(frozen=True)
class Broken:
    """One broken connection: what is declared, what the tenant is, what stands between, and what must be said."""

    stage: str
    """The stage that fails first."""
    remedy: str
    """A part of what to do, below that stage."""
    tenant: Tenant = field(default_factory=tenant)
    authentication: str = BY_SECRET
    portal: Callable[[str], str] = str
    files: Callable[[], Mapping[str, bytes]] = dict
    secret: str | None = None
    network: Callable[[httpx.BaseTransport], httpx.BaseTransport] | None = None
    ahead: float = 0.0
    """How many seconds Microsoft's clock is ahead of this machine's."""

    def set_up(self, world: World) -> None:
        """Write the repository and plug the network in."""
        world.portals(one=self.portal(portal_yaml(1).replace(BY_SECRET, self.authentication)))
        for name, content in self.files().items():
            (world.root / name).write_bytes(content)
        if self.secret is not None:
            world.monkeypatch.setenv("TEST_SECRET", self.secret)
        world.tenants(self.tenant)
        plug_in(world, self.tenant, network=self.network, ahead=self.ahead)


def plug_in(
    world: World,
    *tenants: Tenant,
    network: Callable[[httpx.BaseTransport], httpx.BaseTransport] | None = None,
    ahead: float = 0.0,
) -> None:
    """Let the product talk to these tenants over this network, with Microsoft's clock so many seconds ahead."""
    emulator: httpx.BaseTransport = httpx.WSGITransport(
        app=Emulator(Scenario(tenants), clock=lambda: time.time() + ahead)
    )
    transport = network(emulator) if network else emulator
    world.monkeypatch.setattr(session, "emulated_transport", lambda invocation: transport)


def run_test(world: World, *arguments: str) -> Ended:
    """Run the test of the connections."""
    return world.run("--now", NOW, "--retry-limit", "0", "-vv", "test-connection", *arguments)


def verdicts(world: World) -> dict[str, str]:
    """The verdict of each stage of the only portal with its only credential."""
    (portal,) = json.loads(run_test(world, "--format", "json").out)["portals"]
    stages = [*portal["stages"], *(stage for check in portal["credentials"] for stage in check["stages"])]
    return {stage["stage"]: stage["verdict"] for stage in stages}


class Detour(httpx.BaseTransport):
    """A network on which one host answers otherwise, or not at all."""

    def __init__(self, inner: httpx.BaseTransport, host: str, instead: httpx.Response | httpx.RequestError) -> None:
        self._inner = inner
        self._host = host
        self._instead = instead

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != self._host:
            return self._inner.handle_request(request)
        if isinstance(self._instead, httpx.Response):
            return httpx.Response(
                self._instead.status_code, headers=self._instead.headers, content=self._instead.content
            )
        raise self._instead


def detour(
    host: str, instead: httpx.Response | httpx.RequestError
) -> Callable[[httpx.BaseTransport], httpx.BaseTransport]:
    """A network with a detour for one host."""
    return lambda inner: Detour(inner, host, instead)


def unresolved() -> httpx.ConnectError:
    """The error for a name that DNS does not know."""
    error = httpx.ConnectError("[Errno -2] Name or service not known")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    return error


def page(status: int) -> httpx.Response:
    """What a network that wants a sign-in answers."""
    html = "<html><head><title>Guest network</title></head><body><h1>Please sign in</h1></body></html>"
    return httpx.Response(status, html=html)


@cache
def pair(name: str, until: int = 2030, since: int = 2020) -> KeyPair:
    """A key and its certificate, valid from the start of one year to the start of another."""
    return KeyPair(name, not_before=datetime(since, 1, 1, tzinfo=UTC), not_after=datetime(until, 1, 1, tzinfo=UTC))


def files_of(certificate: KeyPair, key: KeyPair | None = None) -> Callable[[], dict[str, bytes]]:
    """The two files of a pair."""
    return lambda: {"app.crt": certificate.certificate_pem, "app.key": (key or certificate).private_key_pem}


def self_signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, bytes]:
    """The two files of a key that the emulator would not make."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "license-reconciler")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return {
        "app.crt": certificate.public_bytes(Encoding.PEM),
        "app.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def app(**members: Any) -> tuple[Application, ...]:
    """The one application of the tenant."""
    return (Application(client_id(1), **members),)


def trusting(certificate: KeyPair) -> Tenant:
    """A tenant whose app has this certificate."""
    return tenant(applications=app(certificates=(certificate,)))


def failing(path: str, status: int, body: Any = None) -> Tenant:
    """A tenant of which one endpoint always fails."""
    return tenant(faults=(Fault(Reply(status, body), path, times=ALWAYS),))


BROKEN = {
    "invalid file": Broken("configuration", "Did you mean", portal=lambda text: text.replace("name:", "nmae:")),
    "variable not set": Broken("secret", "Set the variable", authentication=BY_SECRET.replace("TEST_", "NO_")),
    "key file missing": Broken(
        "secret",
        "write the file",
        authentication=BY_CERTIFICATE,
        files=lambda: {"app.crt": pair("app").certificate_pem},
    ),
    "federated token missing": Broken(
        "secret", "write the file", authentication="{type: federated, token: {file: token}}"
    ),
    "no managed identity": Broken(
        "token", "Run where the identity is assigned", authentication="{type: managed_identity}"
    ),
    "secret id pasted": Broken(
        "secret",
        "Value, not Secret ID",
        authentication=BY_SECRET.replace("secret,", f"secret, secret_id: {SECRET_ID},"),
        secret=SECRET_ID,
    ),
    "secret expired, and Entra agrees": Broken(
        "credential",
        "Create a new client secret",
        tenant=tenant(applications=app(secrets=(ClientSecret(end=datetime(2021, 1, 1, tzinfo=UTC)),))),
        authentication=BY_SECRET.replace("secret,", "secret, expires: 2021-01-01,"),
    ),
    "secret expired in the file only": Broken(
        "credential",
        "correct `expires`",
        authentication=BY_SECRET.replace("secret,", "secret, expires: 2026-11-22,"),
    ),
    "certificate unreadable": Broken(
        "credential",
        "-----BEGIN CERTIFICATE-----",
        authentication=BY_CERTIFICATE,
        files=lambda: {"app.crt": b"not a certificate", "app.key": pair("app").private_key_pem},
    ),
    "certificate and key mismatched": Broken(
        "credential",
        "private key",
        authentication=BY_CERTIFICATE,
        files=files_of(pair("app"), pair("other")),
    ),
    "certificate expired": Broken(
        "credential",
        "certificate",
        authentication=BY_CERTIFICATE,
        files=files_of(pair("app", until=2026)),
    ),
    "certificate not yet valid": Broken(
        "credential",
        "certificate",
        authentication=BY_CERTIFICATE,
        files=files_of(pair("app", since=2028)),
    ),
    "EC key": Broken(
        "credential",
        "RSA",
        authentication=BY_CERTIFICATE,
        files=lambda: self_signed(ec.generate_private_key(ec.SECP256R1())),
    ),
    "short key": Broken(
        "credential",
        "reconcile certificate create",
        authentication=BY_CERTIFICATE,
        files=lambda: self_signed(rsa.generate_private_key(65537, 1024)),
    ),
    "name not resolved": Broken("login_host", "DNS", network=detour(LOGIN, unresolved())),
    "page of a guest network": Broken("login_host", "proxy", network=detour(LOGIN, page(200))),
    "page of a proxy that wants a password": Broken("login_host", "proxy", network=detour(LOGIN, page(407))),
    "password wanted for the tunnel": Broken(
        "login_host", "HTTPS_PROXY", network=detour(LOGIN, httpx.ProxyError("407 Proxy Authentication Required"))
    ),
    "Graph unreachable": Broken("graph_host", "Graph host", network=detour(GRAPH, httpx.ConnectError("no route"))),
    "Graph replaced by a page": Broken("graph_host", "proxy", network=detour(GRAPH, page(403))),
    "wrong tenant": Broken("tenant", "Correct tenant_id", tenant=tenant(2)),
    "clock behind": Broken("clock", "Set the clock", ahead=600.5),
    "wrong client ID": Broken("token", "Correct client_id", tenant=tenant(applications=(Application(client_id(7)),))),
    "wrong secret": Broken("token", "create a new secret", secret="canary-of-a-secret"),
    "certificate not uploaded": Broken(
        "token", "upload", authentication=BY_CERTIFICATE, files=files_of(pair("app")), tenant=trusting(pair("other"))
    ),
    "app disabled": Broken("token", "Enable", tenant=tenant(applications=app(disabled=True))),
    "no consent": Broken("permissions", "Grant admin consent", tenant=tenant(applications=app(roles=()))),
    "one permission missing": Broken(
        "permissions", "add Organization.Read.All", tenant=tenant(applications=app(roles=("User.Read.All",)))
    ),
    "the narrower permission is not enough": Broken(
        "permissions",
        "add Organization.Read.All",
        tenant=tenant(applications=app(roles=("User.Read.All", "LicenseAssignment.Read.All"))),
    ),
    "one endpoint refused": Broken("users", "User.Read.All", tenant=failing("/v1.0/users", 403)),
    "one endpoint failing": Broken("subscribed_skus", "Microsoft's side", tenant=failing("/v1.0/subscribedSkus", 503)),
    "one endpoint replaced by a page": Broken(
        "subscriptions", "proxy", tenant=failing("/v1.0/directory/subscriptions", 200, "<p>Please sign in")
    ),
}
"""Every broken connection by its name."""
