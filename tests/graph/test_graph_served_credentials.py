"""Each type of credential signs in over real sockets and real TLS, against the served emulator."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate

from reconciler.config.references import resolve
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, ClientSecret, Scenario
from reconciler.emulator.serve import Server
from reconciler.errors import SecretUnresolved
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.http import open_http
from reconciler.graph.sign_in import sign_in
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    Cloud,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Portal,
    Reference,
    SecretAuthentication,
)
from tests.graph.federated_world import cluster_token, federated_app
from tests.graph.graph_world import NOW, TENANT_ID, key_pair, tenant

MACHINE_ID = "6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"
ASSIGNED_ID = "7d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"

WORLD = tenant(
    applications=(
        federated_app(secrets=(ClientSecret(),), certificates=(key_pair(),)),
        Application(MACHINE_ID, secrets=(), managed="system"),
        Application(ASSIGNED_ID, secrets=(), managed="user"),
    )
)

SIGN_IN = SecretAuthentication(Reference("file", "secret"))
WRONG = SecretAuthentication(Reference("env", "WRONG"))
PEM = CertificateAuthentication(
    public_certificate=Reference("file", "reader.pem"), private_key=Reference("file", "reader.key")
)
CREDENTIALS: dict[str, tuple[tuple[Authentication, ...], str]] = {
    "secret": ((SIGN_IN,), CLIENT_ID),
    "PEM": ((PEM,), CLIENT_ID),
    "PEM with passphrase": (
        (
            CertificateAuthentication(
                public_certificate=Reference("env", "CERTIFICATE"),
                private_key=Reference("file", "locked.key"),
                passphrase=Reference("env", "PASSPHRASE"),
            ),
        ),
        CLIENT_ID,
    ),
    "PFX": (
        (CertificateAuthentication(pfx=Reference("file", "locked.pfx"), passphrase=Reference("env", "PASSPHRASE")),),
        CLIENT_ID,
    ),
    "PFX in a variable": (
        (CertificateAuthentication(pfx=Reference("env", "PFX"), passphrase=Reference("env", "PASSPHRASE")),),
        CLIENT_ID,
    ),
    "PFX without passphrase": ((CertificateAuthentication(pfx=Reference("file", "open.pfx")),), CLIENT_ID),
    "federated, file": ((FederatedAuthentication(Reference("file", "token")),), CLIENT_ID),
    "federated, GitHub": ((FederatedAuthentication(),), CLIENT_ID),
    "managed identity, system": ((ManagedIdentityAuthentication(),), MACHINE_ID),
    "managed identity, user": ((ManagedIdentityAuthentication("user"),), ASSIGNED_ID),
    "second after a refusal": ((WRONG, PEM), CLIENT_ID),
    "second after nothing": ((FederatedAuthentication(Reference("file", "absent")), SIGN_IN), CLIENT_ID),
}


def write_files(root: Path) -> None:
    """Every credential as a file, the way people keep them."""
    key = load_pem_private_key(key_pair().private_key_pem, None)
    certificate = load_pem_x509_certificate(key_pair().certificate_pem)
    locked = BestAvailableEncryption(b"correct horse")

    def pfx(encryption: KeySerializationEncryption) -> bytes:
        return serialize_key_and_certificates(b"reader", key, certificate, None, encryption)  # type: ignore[arg-type]

    for name, content in {
        "secret": SECRET.encode() + b"\n",
        "reader.pem": key_pair().certificate_pem,
        "reader.key": key_pair().private_key_pem,
        "locked.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
        "locked.pfx": pfx(locked),
        "open.pfx": pfx(NoEncryption()),
        "token": cluster_token().encode() + b"\n",
    }.items():
        (root / name).write_bytes(content)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The world behind real TLS, in an environment that leads there."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    write_files(tmp_path)
    with Server(Scenario((WORLD,)), tmp_path) as server:
        for name, value in {**server.environment, **server.workload}.items():
            monkeypatch.setenv(name, value)
        yield server


def impatient(seconds: float) -> None:
    pytest.fail(f"a request is sent again after {seconds} s")


@contextmanager
def signing_in(server: Server, root: Path, client_id: str, *credentials: Authentication) -> Iterator[GraphClient]:
    """The client of a portal with these credentials, in the environment that leads to the server."""
    environ = {
        **server.workload,
        "WRONG": "wrong",
        "PASSPHRASE": "correct horse",
        "CERTIFICATE": key_pair().certificate_pem.decode(),
        "PFX": b64encode((root / "locked.pfx").read_bytes()).decode(),
    }
    first, *others = credentials
    portal = Portal("contoso", "Contoso", TENANT_ID, client_id, first, "Contoso", others[0] if others else None)
    with open_http(sleep=impatient) as http:
        tokens = sign_in(http, portal, partial(resolve, root=root, environ=environ), NOW)
        yield GraphClient(http, ENDPOINTS[Cloud.GLOBAL], TENANT_ID, tokens)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_signs_in_over_tls(name: str, served: Server, tmp_path: Path) -> None:
    credentials, client_id = CREDENTIALS[name]
    with signing_in(served, tmp_path, client_id, *credentials) as graph:
        assert graph.organization().display_name == "Contoso"
        assert graph.emulated == "test"
        claims: dict[str, Any] = jwt.decode(graph._tokens.token(), options={"verify_signature": False})
    assert claims["appid"] == client_id


def test_the_machine_is_asked_directly_and_not_through_the_proxy(
    served: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The served proxy refuses plain HTTP, so that going through it would fail."""
    monkeypatch.setenv("HTTP_PROXY", served.environment["HTTPS_PROXY"])
    monkeypatch.setenv("ALL_PROXY", served.environment["HTTPS_PROXY"])
    with signing_in(served, tmp_path, MACHINE_ID, ManagedIdentityAuthentication()) as graph:
        assert graph.organization().display_name == "Contoso"


@pytest.mark.usefixtures("served")
def test_no_machine_on_this_computer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{taken.getsockname()[1]}")
        portal = Portal("c", "C", TENANT_ID, MACHINE_ID, ManagedIdentityAuthentication(), "C")
        slept: list[float] = []
        with open_http(sleep=slept.append) as http, pytest.raises(SecretUnresolved) as caught:
            sign_in(http, portal, partial(resolve, root=tmp_path, environ={}), NOW).token()
    assert caught.value.code == "managed-identity-missing"
    assert caught.value.detail == "127.0.0.1: connection refused"
    assert len(slept) == 2
