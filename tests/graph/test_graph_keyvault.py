"""Secrets of key vaults: read over real TLS and in-process, each once, and every failure says which and why."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from reconciler.config.references import resolve
from reconciler.emulator.app import Emulator
from reconciler.emulator.scenario import (
    CLIENT_ID,
    SECRET,
    Application,
    ClientSecret,
    Scenario,
    Tenant,
    Vault,
    VaultSecret,
)
from reconciler.emulator.serve import Server
from reconciler.errors import SecretUnresolved
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.http import open_http
from reconciler.graph.keyvault import KeyVaults
from reconciler.graph.retry import RetryPolicy
from reconciler.graph.sign_in import sign_in
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    Cloud,
    FederatedAuthentication,
    KeyVaultSignIn,
    ManagedIdentityAuthentication,
    Portal,
    Reference,
    SecretAuthentication,
)
from reconciler.secret import Secret
from tests.graph.federated_world import cluster_token, federated_app
from tests.graph.graph_world import NOW, TENANT_ID, Wire, key_pair, tenant

READER_ID = "8e1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"
MACHINE_ID = "6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"
OTHER_TENANT = "1f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
CANARY = "canary-value-of-the-vault"

PEM_TEXT = key_pair().private_key_pem + key_pair().certificate_pem


@cache
def pfx_text() -> str:
    """A certificate with its key, the way a vault gives it out."""
    key: Any = load_pem_private_key(key_pair().private_key_pem, None)
    certificate = x509.load_pem_x509_certificate(key_pair().certificate_pem)
    return base64.b64encode(serialize_key_and_certificates(b"", key, certificate, None, NoEncryption())).decode()


SECRETS = {
    "app": VaultSecret(SECRET, expires=datetime(2049, 12, 31, tzinfo=UTC)),
    "pfx": VaultSecret(pfx_text(), "application/x-pkcs12"),
    "pem": VaultSecret(PEM_TEXT.decode(), "application/x-pem-file"),
    "disabled": VaultSecret(CANARY, enabled=False),
    "expired": VaultSecret(CANARY, expires=NOW - timedelta(days=1)),
    "ends-now": VaultSecret(CANARY, expires=NOW),
    "blank": VaultSecret(" \n"),
    "not-base64": VaultSecret(f"{CANARY}!", "application/x-pkcs12"),
    "not-ascii": VaultSecret(f"{CANARY}é", "application/x-pkcs12"),
}
BY_SECRET = SecretAuthentication(Reference("env", "VAULT_READER"))


def own_tenant(cloud: Cloud = Cloud.GLOBAL) -> Tenant:
    """The tenant of portal and vaults, with the apps that read the one and the other."""
    reader = federated_app(client_id=READER_ID, secrets=(ClientSecret("reader"),), certificates=(key_pair(),))
    machine = Application(MACHINE_ID, secrets=(), managed="system")
    return tenant(applications=(Application(CLIENT_ID, certificates=(key_pair(),)), reader, machine), cloud=cloud)


def world(cloud: Cloud = Cloud.GLOBAL, **members: Any) -> Scenario:
    """The tenant with one key vault."""
    own = own_tenant(cloud)
    return Scenario((own,), vaults=(Vault("contoso", own, SECRETS, **members),))


def in_vault(name: str, vault: str = "contoso") -> Reference:
    return Reference("keyvault", f"{vault}/{name}")


def signing_in(
    authentication: Authentication = BY_SECRET, client_id: str = READER_ID, **members: Any
) -> KeyVaultSignIn:
    return KeyVaultSignIn(TENANT_ID, client_id, authentication, **members)


def values(reference: Reference) -> Secret:
    """What the sign-in to the vaults itself refers to."""
    known = {
        "VAULT_READER": b"reader",
        "WRONG": b"wrong",
        "CERTIFICATE": key_pair().certificate_pem,
        "KEY": key_pair().private_key_pem,
        "TOKEN": cluster_token().encode(),
    }
    return Secret(known[reference.name]) if reference.name in known else resolve(reference, Path("/"), {})


@contextmanager
def opened(
    network: Scenario | httpx.BaseTransport, access: KeyVaultSignIn | None = None
) -> Iterator[tuple[KeyVaults, Wire]]:
    """The vaults of a world in this process, with a look at every request."""
    wire = Wire(httpx.WSGITransport(app=Emulator(network)) if isinstance(network, Scenario) else network)
    with open_http(transport=wire, sleep=lambda _: None) as http:
        yield KeyVaults(http, access or signing_in(), values, NOW), wire


def failure(
    network: Scenario | httpx.BaseTransport, name: str = "app", access: KeyVaultSignIn | None = None, **more: str
) -> SecretUnresolved:
    """How reading a secret fails: the reference is named, nothing secret is said, and nothing hangs on it."""
    with opened(network, access) as (vaults, _), pytest.raises(SecretUnresolved) as caught:
        vaults.secret(in_vault(name, **more))
    said = str(caught.value)
    assert str(in_vault(name, **more)) in said
    assert CANARY not in said + caught.value.remedy
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


# --- success ---------------------------------------------------------------------------------------------------------


def test_a_secret_is_fetched_once_however_many_ask() -> None:
    with opened(world()) as (vaults, wire), ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: vaults.secret(in_vault("app")).text(), range(40)))
        assert set(found) == {SECRET}
        authorized = [request for request in wire.to("/secrets/app/") if "authorization" in request.headers]
        assert len(authorized) == 1
        assert len(wire.to("/token")) == 1
        vaults.secret(in_vault("pem"))
        assert len(wire.to("/token")) == 1, "one token opens all vaults"


@pytest.mark.parametrize("cloud", Cloud)
def test_each_cloud_has_its_own_vaults_and_their_token(cloud: Cloud) -> None:
    with opened(world(cloud), signing_in(cloud=cloud)) as (vaults, wire):
        assert vaults.secret(in_vault("app")).text() == SECRET
    endpoints = ENDPOINTS[cloud]
    assert {request.url.host for request in wire.requests} == {
        endpoints.login_host,
        f"contoso.{endpoints.vault_domain}",
    }
    asked = wire.to("/token")[-1].content.decode()
    assert f"https%3A%2F%2F{endpoints.vault_domain}%2F.default" in asked


def test_the_token_goes_to_the_vault_alone_and_over_https() -> None:
    with opened(world()) as (vaults, wire):
        vaults.secret(in_vault("app"))
    bearing = {
        str(request.url.copy_with(query=None)) for request in wire.requests if "authorization" in request.headers
    }
    assert {url.rstrip("/") for url in bearing} == {"https://contoso.vault.azure.net/secrets/app"}


@pytest.mark.parametrize(
    "url",
    [
        "https://contoso.vault.azure.net.evil.example/secrets/app/",
        "https://other.vault.azure.net/secrets/app/",
        "https://contoso.vault.azure.net:8443/secrets/app/",
        "http://contoso.vault.azure.net/secrets/app/",
    ],
)
def test_nothing_is_sent_elsewhere_should_the_library_ever_try(url: str) -> None:
    vault = httpx.URL("https://contoso.vault.azure.net")
    with opened(world()) as (vaults, wire):
        with pytest.raises(SecretUnresolved, match="would go to"):
            vaults._send(in_vault("app"), vault, "GET", url, {"authorization": "Bearer canary"})
        assert wire.requests == []


def test_a_pfx_comes_out_of_its_base64_and_pem_as_it_is() -> None:
    with opened(world()) as (vaults, _):
        assert vaults.secret(in_vault("pfx")).reveal() == base64.b64decode(pfx_text())
        assert vaults.secret(in_vault("pem")).reveal() == PEM_TEXT


SIGN_INS: dict[str, KeyVaultSignIn] = {
    "secret": signing_in(),
    "certificate": signing_in(
        CertificateAuthentication(
            public_certificate=Reference("env", "CERTIFICATE"), private_key=Reference("env", "KEY")
        )
    ),
    "federated": signing_in(FederatedAuthentication(Reference("file", "TOKEN"))),
    "managed identity": signing_in(ManagedIdentityAuthentication(), MACHINE_ID),
}
CREDENTIALS: dict[str, Authentication] = {
    "secret": SecretAuthentication(in_vault("app")),
    "PFX": CertificateAuthentication(pfx=in_vault("pfx")),
    "PEM": CertificateAuthentication(public_certificate=in_vault("pem"), private_key=in_vault("pem")),
}


@pytest.mark.parametrize("way", SIGN_INS)
@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_portal_signs_in_over_tls_with_what_a_vault_keeps(
    way: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    portal = Portal("contoso", "Contoso", TENANT_ID, CLIENT_ID, CREDENTIALS[kind], "Contoso")
    with Server(world(), tmp_path) as server:
        for name, value in {**server.environment, **server.workload}.items():
            monkeypatch.setenv(name, value)
        with open_http(sleep=lambda seconds: pytest.fail(f"sent again after {seconds} s")) as http:
            vaults = KeyVaults(http, SIGN_INS[way], values, NOW)
            tokens = sign_in(http, portal, vaults.secret, NOW)
            graph = GraphClient(http, ENDPOINTS[Cloud.GLOBAL], TENANT_ID, tokens)
            assert graph.organization().display_name == "Contoso"


# --- failures --------------------------------------------------------------------------------------------------------


def test_the_extra_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.keyvault.secrets", None)
    error = failure(world())
    assert error.code == "keyvault-not-installed"
    assert "pip install 'm365-license-reconciler[keyvault]'" in error.remedy


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("disabled", "it is disabled"),
        ("expired", "it expired on 2026-11-22"),
        ("ends-now", "it expired on 2026-11-23"),
        ("blank", "it is empty"),
        ("not-base64", "it is no base64, yet its content type is application/x-pkcs12"),
        ("not-ascii", "it is no base64, yet its content type is application/x-pkcs12"),
    ],
)
def test_a_secret_that_cannot_be_used_says_why(name: str, why: str) -> None:
    error = failure(world(), name)
    assert error.code == "keyvault-secret-unusable"
    assert error.detail == f"{in_vault(name)}: {why}"


def test_a_secret_that_is_not_there_is_said() -> None:
    error = failure(world(), "nothing")
    assert error.code == "keyvault-secret-missing"
    assert "SecretNotFound" in str(error.detail)


def test_a_vault_that_shows_nothing_to_this_app_is_said() -> None:
    error = failure(world(readers=(CLIENT_ID,)))
    assert error.code == "keyvault-refused"
    assert "ForbiddenByRbac" in str(error.detail)
    assert "Key Vault Secrets User" in error.remedy
    firewall = failure(world(readers=(), refusal="ForbiddenByFirewall"))
    assert "Networking" in firewall.remedy


def test_a_vault_of_another_tenant_is_said() -> None:
    own = own_tenant()
    other = replace(own, tenant_id=OTHER_TENANT)
    error = failure(Scenario((own, other), vaults=(Vault("elsewhere", other, SECRETS),)), vault="elsewhere")
    assert error.code == "keyvault-refused"
    assert "keyvault.tenant_id" in error.remedy


def test_a_vault_that_does_not_exist_is_said() -> None:
    error = failure(world(), vault="nowhere")
    assert error.code == "keyvault-unreachable"
    assert "nowhere.vault.azure.net: connection dropped" in str(error.detail)


@pytest.mark.parametrize(
    ("authentication", "code"),
    [
        (SecretAuthentication(Reference("env", "WRONG")), "AADSTS7000215"),
        (SecretAuthentication(Reference("env", "ABSENT")), "secret-unresolved"),
        (SecretAuthentication(in_vault("app")), "secret-unresolved"),
    ],
)
def test_a_sign_in_that_fails_says_that_it_is_the_vaults(authentication: Authentication, code: str) -> None:
    error = failure(world(), access=signing_in(authentication))
    assert error.code == "keyvault-sign-in-failed"
    assert code in str(error.detail)
    assert error.remedy.startswith("For the sign-in that `keyvault` in reconcile.yaml declares: ")


class Answering(httpx.BaseTransport):
    """A world in which the vault itself answers like this once it is given a token."""

    def __init__(self, answer: httpx.Response) -> None:
        self._emulated = httpx.WSGITransport(app=Emulator(world()))
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        bearing = "authorization" in request.headers
        return self._answer if bearing else self._emulated.handle_request(request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(302, headers={"location": "https://elsewhere.example/x"}), "a redirect to elsewhere.example"),
        (httpx.Response(200, html="<title>Guest network</title>"), "Guest network"),
        (httpx.Response(200, json={"value": 7}), "answered 200, application/json"),
        (httpx.Response(200, json={"value": "x", "id": "no"}), "contoso.vault.azure.net: ValueError"),
        (httpx.Response(200, json={"value": "x", "id": "", "attributes": {"exp": 10**12}}), "$.attributes.exp"),
        (httpx.Response(200, json={"value": "x", "id": "", "attributes": "soon"}), "$.attributes"),
        (httpx.Response(407, html="<title>Proxy</title>"), "answered 407, text/html"),
        (
            httpx.Response(503, json={"error": {"code": "Busy", "message": "Later."}}),
            "answered 503: contoso.vault.azure.net: Busy",
        ),
    ],
)
def test_what_no_vault_answers_is_said_and_the_token_goes_nowhere_else(answer: httpx.Response, said: str) -> None:
    transport = Answering(answer)
    error = failure(transport)
    assert error.code == "keyvault-unreachable"
    assert said in str(error.detail)
    with opened(transport) as (vaults, wire):
        with pytest.raises(SecretUnresolved):
            vaults.secret(in_vault("app"))
        assert {request.url.host for request in wire.requests} <= {
            "contoso.vault.azure.net",
            "login.microsoftonline.com",
        }


@pytest.mark.parametrize(
    "challenge",
    [
        {},
        {"www-authenticate": "Basic realm=x"},
        {"www-authenticate": 'Bearer authorization="https://evil.example/x", resource="https://evil.example"'},
    ],
)
def test_a_challenge_that_is_none_gets_no_token(challenge: dict[str, str]) -> None:
    class Challenging(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert request.url.host == "challenging.vault.azure.net"
            assert "authorization" not in request.headers
            return httpx.Response(401, headers=challenge, json={})

    assert failure(Challenging(), vault="challenging").code == "keyvault-unreachable"


def test_a_failure_is_not_remembered() -> None:
    """A vault that is out for a moment is asked again by the next portal."""
    answers = [httpx.ConnectError("no"), None]

    class Recovering(httpx.BaseTransport):
        def __init__(self) -> None:
            self._inner = httpx.WSGITransport(app=Emulator(world()))

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "vault" in request.url.host and answers and (error := answers.pop(0)):
                raise error
            return self._inner.handle_request(request)

    with open_http(transport=Recovering(), retry=RetryPolicy(limit=0), sleep=lambda _: None) as http:
        vaults = KeyVaults(http, signing_in(), values, NOW)
        with pytest.raises(SecretUnresolved):
            vaults.secret(in_vault("app"))
        assert vaults.secret(in_vault("app")).text() == SECRET
