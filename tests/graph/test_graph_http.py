"""The real network: whom to trust, which way to go, over real sockets to the served emulator."""

from __future__ import annotations

import os
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import truststore
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from reconciler import __version__
from reconciler.emulator.faults import Drop, Fault
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Scenario
from reconciler.emulator.serve import Server
from reconciler.error_catalogue import CATALOGUE
from reconciler.errors import ConfigurationError, ReconcileError, Unreachable
from reconciler.graph.auth import TokenSource
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import Credential
from reconciler.graph.http import EnvironmentTransport, fetch, open_http
from reconciler.graph.retry import RetryPolicy
from reconciler.graph.trust import tls_context
from reconciler.model import Cloud
from tests.graph.graph_world import E3, TENANT_ID, key_pair, tenant

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
ADDRESS = "https://graph.microsoft.com/v1.0/users"
ONCE = RetryPolicy(limit=0)


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def client_of(http: httpx.Client) -> GraphClient:
    endpoints = ENDPOINTS[Cloud.GLOBAL]
    tokens = TokenSource(http, endpoints, TENANT_ID, CLIENT_ID, Credential(SECRET))
    return GraphClient(http, endpoints, TENANT_ID, tokens)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_tenant_is_read_over_the_proxy_and_the_certificates_of_the_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tenant(Fault(Drop(after=20), "/v1.0/organization"), Fault(Drop(), "/v1.0/users"))
    with Server(Scenario((world,), name="wire"), tmp_path) as server:
        monkeypatch.setenv(name, server.environment["HTTPS_PROXY"])
        monkeypatch.setenv("SSL_CERT_FILE", server.environment["SSL_CERT_FILE"])
        slept: list[float] = []
        with open_http(sleep=slept.append) as http:
            graph = client_of(http)
            assert graph.organization().display_name == "Contoso"
            assert [each.consumed_units for each in graph.licenses()] == [3]
            assert [each.sku_id for page in graph.users(pytest.fail) for held in page.held for each in held] == [E3] * 3
        assert graph.emulated == "wire"
        assert len(slept) == 2


def test_a_server_with_an_unknown_certificate_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(Scenario((tenant(),)), tmp_path) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.environment["HTTPS_PROXY"])
        slept: list[float] = []
        with open_http(sleep=slept.append) as http, pytest.raises(Unreachable) as caught:
            client_of(http).organization()
    assert caught.value.detail is not None
    assert caught.value.detail.startswith("login.microsoftonline.com: the certificate is not trusted")
    assert slept == []


def test_a_proxy_that_is_not_there_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{taken.getsockname()[1]}")
        with open_http(retry=ONCE) as http, pytest.raises(Unreachable) as caught:
            client_of(http).organization()
    assert caught.value.detail == "login.microsoftonline.com: the proxy: connection refused"


def test_a_host_that_the_proxy_refuses_is_reported_and_not_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(Scenario((tenant(),)), tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        slept: list[float] = []
        with open_http(sleep=slept.append) as http, pytest.raises(ReconcileError) as caught:
            fetch(http, "https://download.microsoft.com/skus.csv")
    assert str(caught.value.detail).startswith("the proxy answered 403 Forbidden")
    assert slept == []


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [("", False), ("graph.microsoft.com", True), (".microsoft.com", True), ("*", True), ("example.com", False)],
)
def test_no_proxy_names_the_hosts_that_are_reached_directly(
    no_proxy: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[str] = []

    class Way(httpx.HTTPTransport):
        def __init__(self, proxy: httpx.Proxy | None = None, **_: object) -> None:
            self.name = f"through {proxy.url}" if proxy else "direct"

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            ways.append(self.name)
            return httpx.Response(200)

        def close(self) -> None:
            ways.append("closed")

    monkeypatch.setattr(httpx, "HTTPTransport", Way)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    transport = EnvironmentTransport()
    transport.handle_request(httpx.Request("GET", ADDRESS))
    assert ways == ["direct" if direct else "through http://proxy.example:3128"]
    transport.close()
    assert ways[1:] == ["closed", "closed"]


@pytest.mark.parametrize("address", ["ftp://user:canary@proxy.example", "http://user:canary@proxy:port", "socks5://x"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ConfigurationError) as caught:
        open_http()
    assert caught.value.code == "proxy-invalid"
    assert "canary" not in f"{caught.value}{caught.value!r}"


def test_the_operating_system_is_trusted_unless_the_environment_names_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(tls_context(), truststore.SSLContext)
    monkeypatch.setenv("SSL_CERT_FILE", certificate_file(tmp_path))
    context = tls_context()
    assert not isinstance(context, truststore.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def certificate_file(folder: Path, name: str = "ca.pem", *, form: Encoding = Encoding.PEM) -> str:
    """A certificate as a file."""
    certificate = x509.load_pem_x509_certificate(key_pair().certificate_pem)
    (folder / name).write_bytes(certificate.public_bytes(form))
    return str(folder / name)


def revocations() -> bytes:
    """A list of revoked certificates, which OpenSSL loads from the same file as certificates."""
    key: Any = load_pem_private_key(key_pair().private_key_pem, None)
    listed = x509.CertificateRevocationListBuilder(
        x509.load_pem_x509_certificate(key_pair().certificate_pem).subject,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2030, 1, 1, tzinfo=UTC),
    )
    return listed.sign(key, SHA256()).public_bytes(Encoding.PEM)


def refused_before_the_network(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ConfigurationError:
    """What is said of this environment; nobody is asked on the way."""

    def asked(*_: object, **__: object) -> None:
        pytest.fail("the network was tried")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        open_http()
    assert "trusted" in CATALOGUE[caught.value.code].when
    return caught.value


@pytest.mark.parametrize("place", ["nowhere.pem", "."])
def test_a_certificate_file_that_is_missing_is_said(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = refused_before_the_network(monkeypatch, SSL_CERT_FILE=place)
    assert error.code == "certificate-file-missing"
    assert f"SSL_CERT_FILE names {place}, " in error.message


@pytest.mark.parametrize("content", ["empty", "damaged", "der", "key", "crl"])
def test_a_certificate_file_without_a_certificate_is_said(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    certificate_file(tmp_path, form=Encoding.DER)
    if content != "der":
        wrong = {"empty": b"", "damaged": b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"}
        wrong |= {"key": key_pair().private_key_pem, "crl": revocations()}
        (tmp_path / "ca.pem").write_bytes(wrong[content])
    error = refused_before_the_network(monkeypatch, SSL_CERT_FILE="ca.pem")
    assert error.code == "certificate-file-unusable"
    assert "SSL_CERT_FILE names ca.pem, " in error.message


def test_a_certificate_folder_that_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate_file(tmp_path)
    error = refused_before_the_network(monkeypatch, SSL_CERT_DIR=f"nowhere{os.pathsep}{file}")
    assert error.code == "certificate-folder-missing"
    assert f"SSL_CERT_DIR names nowhere{os.pathsep}{file}, " in error.message


@pytest.mark.parametrize("name", ["ca.pem", "0a1b2c3d.r0", "0a1b2c3d"])
def test_a_certificate_folder_in_which_openssl_finds_nothing_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate_file(tmp_path, name)
    (tmp_path / "9d66eef0.0").write_text("no certificate")
    error = refused_before_the_network(monkeypatch, SSL_CERT_DIR=str(tmp_path))
    assert error.code == "certificate-folder-unusable"
    assert f"SSL_CERT_DIR names {tmp_path}, " in error.message
    assert "openssl rehash" in error.remedy


def test_a_good_certificate_folder_does_not_hide_a_bad_certificate_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate_file(tmp_path, "0a1b2c3d.0")
    error = refused_before_the_network(monkeypatch, SSL_CERT_DIR=str(tmp_path), SSL_CERT_FILE="nowhere.pem")
    assert error.code == "certificate-file-missing"


def test_one_of_several_certificate_folders_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate_file(tmp_path, "0a1b2c3d.0")
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(["nowhere", str(tmp_path)]))
    with open_http(retry=ONCE) as http:
        assert http is not None


def answering(*responses: httpx.Response) -> tuple[httpx.Client, list[httpx.Request]]:
    """A client to a server that gives these answers, and what it was asked."""
    requests: list[httpx.Request] = []
    left = list(responses)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return left.pop(0)

    return open_http(transport=httpx.MockTransport(answer), retry=ONCE), requests


def test_requests_name_the_product_and_its_version() -> None:
    http, requests = answering(httpx.Response(200))
    http.get(ADDRESS)
    assert requests[0].headers["user-agent"] == f"m365-license-reconciler/{__version__}"


def test_a_cookie_of_one_answer_does_not_travel_with_the_next_request() -> None:
    http, requests = answering(httpx.Response(200, headers={"set-cookie": "tenant=contoso"}), httpx.Response(200))
    http.get(ADDRESS)
    http.get(ADDRESS)
    assert "cookie" not in requests[1].headers


def test_a_download_follows_redirects_and_sends_no_token() -> None:
    moved = httpx.Response(301, headers={"location": "https://cdn.example/skus.csv"})
    http, requests = answering(moved, httpx.Response(200, content=b"a,b\n"))
    assert fetch(http, "https://download.microsoft.com/skus.csv") == b"a,b\n"
    assert not [request for request in requests if "authorization" in request.headers]


@pytest.mark.parametrize(
    ("responses", "detail"),
    [
        ([httpx.Response(404)], "download.microsoft.com answered 404"),
        (
            [httpx.Response(302, headers={"location": "http://cdn.example/x"}), httpx.Response(200)],
            "it leads to an address without https",
        ),
        ([httpx.Response(302, headers={"location": "https://x:port/"})], "connection dropped"),
    ],
)
def test_a_download_that_fails_says_why(responses: list[httpx.Response], detail: str) -> None:
    http, _ = answering(*responses)
    with pytest.raises(ReconcileError) as caught:
        fetch(http, "https://download.microsoft.com/skus.csv")
    assert caught.value.code == "download-failed"
    assert caught.value.detail == detail
