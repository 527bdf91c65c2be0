"""The certificate forms against an OpenID provider that is not ours: ``oidc-provider`` from npm, over real TLS.

The emulator was written by the same hands as the client; this provider was not. Needs node, and the package: ``npm
install oidc-provider`` here, or anywhere with ``RECONCILE_TEST_NODE_MODULES`` naming that ``node_modules``.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
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

from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import CLIENT_ID
from reconciler.errors import ReportedError
from reconciler.graph.auth import TokenSource
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import load_credential
from reconciler.graph.http import open_http
from reconciler.graph.retry import RetryPolicy
from reconciler.model import CertificateAuthentication, Cloud, Reference
from reconciler.secret import Secret

TENANT_ID = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
HOST = ENDPOINTS[Cloud.GLOBAL].login_host
HERE = Path(__file__).parent
MODULES = Path(os.environ.get("RECONCILE_TEST_NODE_MODULES", HERE / "node_modules"))

if shutil.which("node") is None or not (MODULES / "oidc-provider").is_dir():
    pytest.skip(
        "needs node and the npm package oidc-provider: run `npm install oidc-provider` in tests/interop, or name a "
        "node_modules that has it in RECONCILE_TEST_NODE_MODULES",
        allow_module_level=True,
    )

OWN = KeyPair("own")
STRANGER = KeyPair("stranger")


class Elsewhere(httpx.BaseTransport):
    """Leads every request to a port of loopback, and still checks the certificate for the host that was asked for."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._inner = httpx.HTTPTransport(verify=context)
        self.forms: list[httpx.QueryParams] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        self.forms.append(httpx.QueryParams(request.content.decode()))
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The provider's port, and a context that trusts it. It knows the key of ``OWN`` only."""
    authority = trustme.CA()
    server = authority.issue_cert(HOST)
    public = load_pem_x509_certificate(OWN.certificate_pem).public_key()
    assert isinstance(public, RSAPublicKey)
    settings = {
        "modules": str(MODULES.resolve()),
        "issuer": f"https://{HOST}/{TENANT_ID}/v2.0",
        "client_id": CLIENT_ID,
        "jwk": {**jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True), "use": "sig"},
        "alg": "PS256",
        "scope": ENDPOINTS[Cloud.GLOBAL].scope,
        "tls": {
            "key": server.private_key_pem.bytes().decode(),
            "cert": "".join(each.bytes().decode() for each in server.cert_chain_pems),
        },
    }
    context = ssl.create_default_context()
    authority.configure_trust(context)
    log = tmp_path_factory.mktemp("node") / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            ["node", str(HERE / "oidc_provider.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as node,
    ):
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write(json.dumps(settings).encode() + b"\n")
        node.stdin.flush()
        port = node.stdout.readline().strip()
        assert port.isdigit(), log.read_text()
        try:
            yield int(port), context
        finally:
            node.kill()


def forms_of(pair: KeyPair) -> dict[str, dict[str, bytes]]:
    """A certificate in each form in which people keep one."""
    key = load_pem_private_key(pair.private_key_pem, None)
    certificate = load_pem_x509_certificate(pair.certificate_pem)
    locked = BestAvailableEncryption(b"correct horse")

    def pfx(encryption: KeySerializationEncryption) -> bytes:
        return serialize_key_and_certificates(b"reader", key, certificate, None, encryption)  # type: ignore[arg-type]

    return {
        "PEM": {"public_certificate": pair.certificate_pem, "private_key": pair.private_key_pem},
        "PEM with passphrase": {
            "public_certificate": pair.certificate_pem,
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
            "passphrase": b"correct horse",
        },
        "PFX": {"pfx": pfx(locked), "passphrase": b"correct horse"},
        "PFX without passphrase": {"pfx": pfx(NoEncryption())},
    }


def sign_in(provider: tuple[int, ssl.SSLContext], values: dict[str, bytes]) -> tuple[str, httpx.QueryParams]:
    """The token that the provider gives, and what was sent for it."""
    references: dict[str, Any] = {name: Reference("env", name) for name in values}
    credential = load_credential(
        CertificateAuthentication(**references), lambda reference: Secret(values[reference.name]), datetime.now(UTC)
    )
    transport = Elsewhere(*provider)
    with open_http(transport=transport, retry=RetryPolicy(limit=0)) as http:
        token = TokenSource(http, ENDPOINTS[Cloud.GLOBAL], TENANT_ID, CLIENT_ID, credential).token()
    return token, transport.forms[-1]


@pytest.mark.parametrize("form", forms_of(OWN))
def test_a_certificate_is_taken_by_a_provider_that_is_not_ours(form: str, provider: tuple[int, ssl.SSLContext]) -> None:
    token, sent = sign_in(provider, forms_of(OWN)[form])
    assert token
    header = jwt.get_unverified_header(sent["client_assertion"])
    assert header["alg"] == "PS256"
    assert "x5t#S256" in header
    assert "kid" not in header


def test_another_key_is_refused_by_a_provider_that_is_not_ours(provider: tuple[int, ssl.SSLContext]) -> None:
    with pytest.raises(ReportedError) as caught:
        sign_in(provider, forms_of(STRANGER)["PEM"])
    assert (caught.value.code, caught.value.status) == ("invalid_client", 401)
