"""Networks as companies have them: TLS that is opened on the way, proxies, time limits; for Entra and Graph alike."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from reconciler.emulator.faults import ALWAYS, Delay, Fault, Reply
from reconciler.emulator.scenario import CLIENT_ID, SECRET
from reconciler.errors import FailureNotDeserialized, PortalError, SuccessNotDeserialized, Unreachable
from reconciler.graph.answers import cause
from reconciler.graph.auth import TokenSource
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import Credential
from reconciler.graph.http import TIMEOUT, open_http
from reconciler.graph.retry import RetryPolicy
from reconciler.model import Cloud
from tests.graph.graph_world import TENANT_ID, connect, tenant
from tests.graph.network_world import CA_NAME, Interception, through

LOGIN, GRAPH = "login.microsoftonline.com", "graph.microsoft.com"


@contextmanager
def client() -> Iterator[GraphClient]:
    """The product's client on the network that the environment describes."""
    with open_http(retry=RetryPolicy(limit=0)) as http:
        endpoints = ENDPOINTS[Cloud.GLOBAL]
        tokens = TokenSource(http, endpoints, TENANT_ID, CLIENT_ID, Credential(SECRET))
        yield GraphClient(http, endpoints, TENANT_ID, tokens)


def refused() -> PortalError:
    """Why a tenant cannot be read."""
    with client() as graph, pytest.raises(PortalError) as caught:
        graph.organization()
    return caught.value


def at_address(monkeypatch: pytest.MonkeyPatch, ports: dict[str, int]) -> None:
    """Let the names of hosts lead to ports of this machine."""
    real: Callable[..., Any] = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1", ports.get(name, port), *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


# --- TLS that is opened on the way -----------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_with_the_cas_certificate_an_intercepting_proxy_carries_sign_in_and_graph(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Interception(tenant()).running() as proxy:
        place = proxy.certificate_file if variable == "SSL_CERT_FILE" else proxy.certificate_folder
        through(monkeypatch, HTTPS_PROXY=proxy.address, **{variable: place(tmp_path)})
        with client() as graph:
            assert graph.organization().display_name == "Contoso"
        assert sorted(proxy.connected) == [GRAPH, LOGIN]
        assert {host for host, _ in proxy.requests} == {GRAPH, LOGIN}


def test_without_the_cas_certificate_the_error_names_the_ca_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Interception(tenant()).running() as proxy:
        through(monkeypatch, HTTPS_PROXY=proxy.address)
        error = refused()
    assert isinstance(error, Unreachable)
    assert error.detail == (
        f"{LOGIN}: the certificate is not trusted: it was issued by 'OU=Network,{CA_NAME}', which this machine does "
        "not trust"
    )
    assert "SSL_CERT_FILE" in error.remedy
    assert "trust store" in error.remedy


def test_looking_at_a_certificate_sends_nothing_over_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with Interception(tenant()).running() as proxy:
        through(monkeypatch, HTTPS_PROXY=proxy.address)
        refused()
        assert proxy.connected == [LOGIN, LOGIN], "once refused, once looked at"
        assert proxy.requests == []


def test_interception_without_a_proxy_setting_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Interception(tenant()).running(direct=LOGIN) as gateway:
        at_address(monkeypatch, {LOGIN: gateway.port})
        error = refused()
        assert gateway.requests == []
    assert f"issued by 'OU=Network,{CA_NAME}'" in str(error.detail)


def test_a_certificate_for_another_host_says_so_and_who_issued_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Interception(tenant()).running(direct="elsewhere.example") as gateway:
        through(monkeypatch, SSL_CERT_FILE=gateway.certificate_file(tmp_path))
        at_address(monkeypatch, {"elsewhere.example": gateway.port})
        with open_http(retry=RetryPolicy(limit=0)) as http, pytest.raises(httpx.ConnectError) as caught:
            http.get("https://elsewhere.example/")
    said = cause(caught.value)
    assert "elsewhere.example" in said
    assert f"it was issued by 'OU=Network,{CA_NAME}'" in said


# --- proxies ---------------------------------------------------------------------------------------------------------


def test_no_proxy_leads_graph_around_the_proxy_that_carries_the_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tenant()
    proxy, gateway = Interception(world), Interception(world)
    gateway.authority = proxy.authority
    gateway._emulator = proxy._emulator  # the tokens of one are those of the other
    with proxy.running(), gateway.running(direct=GRAPH):
        through(monkeypatch, HTTPS_PROXY=proxy.address, NO_PROXY=GRAPH, SSL_CERT_FILE=proxy.certificate_file(tmp_path))
        at_address(monkeypatch, {GRAPH: gateway.port})
        with client() as graph:
            assert graph.organization().display_name == "Contoso"
    assert proxy.connected == [LOGIN]
    assert {host for host, _ in proxy.requests} == {LOGIN}
    assert {host for host, _ in gateway.requests} == {GRAPH}


DESERIALIZED = "GraphAPI webcall returned failure but error information could not be deserialized."


@contextmanager
def proxy_saying(answer: str, asked: list[bytes] | None = None) -> Iterator[str]:
    """The address of a proxy that says this to every CONNECT."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                (asked if asked is not None else []).append(connection.recv(65536))
                connection.sendall(answer.replace("\n", "\r\n").encode())

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def test_a_proxy_that_wants_a_password_is_told_in_the_originals_words_with_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Interception(refusal=407).running() as proxy:
        through(monkeypatch, HTTPS_PROXY=proxy.address)
        error = refused()
    assert isinstance(error, FailureNotDeserialized)
    assert error.message == DESERIALIZED
    assert error.detail == f"{LOGIN}: the proxy answered 407 Proxy Authentication Required"
    assert all(word in error.remedy for word in ("HTTPS_PROXY", "NAME:PASSWORD", "NO_PROXY"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("403 Forbidden\nContent-Type: text/html; charset=x\nContent-Length: 3\n\n<p>", "403 Forbidden, text/html"),
        ("302 Found\nLocation: https://guest.example/\nContent-Length: 0\n\n", "302 Found"),
        ("502 \nContent-Type: text/plain\nContent-Length: 0\n\n", "502 text/plain"),
    ],
)
def test_whatever_else_a_proxy_answers_instead_of_a_tunnel_is_told_by_status_phrase_and_type(
    answer: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_saying(f"HTTP/1.1 {answer}") as address:
        through(monkeypatch, HTTPS_PROXY=address)
        error = refused()
    assert isinstance(error, FailureNotDeserialized)
    assert error.detail == f"{LOGIN}: the proxy answered {said}"
    assert all(word in error.remedy for word in ("HTTPS_PROXY", "NO_PROXY"))
    assert "PASSWORD" not in error.remedy


def test_a_proxy_that_echoes_its_password_does_not_give_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    basic = b64encode(b"user:canary!").decode()
    answer = f"HTTP/1.1 407 You sent {basic}\nContent-Type: text/canary!\nContent-Length: 0\n\n"
    asked: list[bytes] = []
    with proxy_saying(answer, asked) as address:
        through(monkeypatch, HTTPS_PROXY=f"http://user:canary%21@{address}")
        error = refused()
    assert basic.encode() in asked[0]
    assert error.detail == f"{LOGIN}: the proxy answered 407 You sent …, text/…"


@pytest.mark.parametrize("written", ["p%C3%A4ss%2Fcanary%21", "p%c3%a4ss/canary%21", "p%25C3%25A4ss%252Fcanary%2521"])
def test_the_password_of_a_proxy_is_masked_also_as_it_is_written_in_its_address(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = f"HTTP/1.1 407 You sent user:{written}\nContent-Type: text/{written}\nContent-Length: 0\n\n"
    with proxy_saying(answer) as address:
        through(monkeypatch, HTTPS_PROXY=f"http://user:p%C3%A4ss%2Fcanary%21@{address}")
        error = refused()
    assert error.detail == f"{LOGIN}: the proxy answered 407 You sent user:…, text/…"


@pytest.mark.parametrize("written", ["canary!", "canary%21", b64encode(b"user:canary!").decode()])
def test_a_proxy_that_opens_tls_does_not_give_its_password_away_in_microsofts_place(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Reply(502, f"<title>{written}</title>You sent {written}", headers={"Content-Type": "text/html"})
    with Interception(tenant(Fault(page, service="login", times=ALWAYS))).running() as proxy:
        address = proxy.address.replace("//", "//user:canary%21@")
        through(monkeypatch, HTTPS_PROXY=address, SSL_CERT_FILE=proxy.certificate_file(tmp_path))
        error = refused()
    assert error.detail == f'{LOGIN} answered 502, text/html: "…": "You sent …"'


def test_a_page_of_a_proxy_that_wants_a_password_says_where_to_put_it() -> None:
    error = answering(407, PAGE)
    assert (error.message, error.detail) == (DESERIALIZED, f"{LOGIN} answered 407, text/html: {WORDS}")
    assert all(word in error.remedy for word in ("HTTPS_PROXY", "NAME:PASSWORD", "NO_PROXY"))


# --- time limits -----------------------------------------------------------------------------------------------------


def test_the_limits_are_ten_seconds_to_connect_and_a_minute_without_progress() -> None:
    assert (TIMEOUT.connect, TIMEOUT.read) == (10.0, 60.0)


@pytest.mark.parametrize(
    ("service", "path", "host"), [("login", "*/token", LOGIN), ("graph", "*/organization", GRAPH)], ids=[LOGIN, GRAPH]
)
def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_the_limit(
    service: Any, path: str, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.graph.http.TIMEOUT", httpx.Timeout(10, read=0.3))
    with Interception(tenant(Fault(Delay(60), path, service, times=ALWAYS))).running() as proxy:
        through(monkeypatch, HTTPS_PROXY=proxy.address, SSL_CERT_FILE=proxy.certificate_file(tmp_path))
        error = refused()
    assert error.detail == f"{host}: no answer in time"


def test_a_connection_that_does_not_get_up_is_given_up_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.graph.http.TIMEOUT", httpx.Timeout(10, connect=0.3))
    with Interception(silent=True).running() as proxy:
        through(monkeypatch, HTTPS_PROXY=proxy.address)
        error = refused()
    assert error.detail == f"{LOGIN}: connecting took too long"


# --- pages in Microsoft's place --------------------------------------------------------------------------------------

PAGE = (
    "<html><head><title>Guest network</title><style>p {color: red}</style><script>var a = 1;</script></head>"
    "<body><!-- build 7 --><h1>Welcome &amp; hello</h1>\n<p>Please sign in to go on with whatever you were doing here"
    "</body></html>"
)
WORDS = '"Guest network": "Welcome & hello Please sign in to go on with whatever you w…"'


def answering(status: int, body: str | Callable[[httpx.Request], str], content_type: str = "text/html") -> PortalError:
    """What the product says when this comes in the place of every answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        text = body if isinstance(body, str) else body(request)
        return httpx.Response(status, text=text, headers={"content-type": content_type})

    with pytest.raises(PortalError) as caught:
        connect(httpx.MockTransport(answer), retry=RetryPolicy(limit=0)).graph.organization()
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, SuccessNotDeserialized), (407, FailureNotDeserialized), (403, FailureNotDeserialized)],
)
def test_a_page_in_microsofts_place_is_told_by_status_type_title_and_first_words(
    status: int, kind: type[PortalError]
) -> None:
    error = answering(status, PAGE)
    assert isinstance(error, kind)
    assert error.detail == f"{LOGIN} answered {status}, text/html: {WORDS}"


def test_words_that_are_no_page_are_quoted_too() -> None:
    error = answering(503, "upstream connect error or disconnect", "text/plain")
    assert error.detail == f'{LOGIN} answered 503, text/plain: "upstream connect error or disconnect"'


@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_json_is_never_quoted_for_it_may_hold_names(content_type: str) -> None:
    error = answering(500, ' {"value": [{"displayName": "Canary Person"', content_type)
    assert "Canary" not in str(error)


def test_what_is_not_text_is_not_quoted() -> None:
    error = answering(500, "\x89PNG canary", "image/png")
    assert error.detail == f"{LOGIN} answered 500, image/png"


def test_a_page_that_echoes_the_request_does_not_give_the_secret_or_the_token_away() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token") and "graph" not in seen:
            return httpx.Response(502, text=f"<p>You sent {request.content.decode()}", headers=html)
        if request.url.host == LOGIN:
            base = f"https://{LOGIN}/{TENANT_ID}/oauth2/v2.0"
            content = {"token_endpoint": f"{base}/token", "authorization_endpoint": f"{base}/authorize"}
            token = {"access_token": "canary-token", "expires_in": 3599, "token_type": "Bearer"}
            return httpx.Response(200, json=token if request.url.path.endswith("/token") else content)
        return httpx.Response(502, text=f"<title>{request.headers['authorization']}</title>refused", headers=html)

    html = {"content-type": "text/html"}
    seen: list[str] = []
    details = []
    for step in ("login", "graph"):
        seen.append(step)
        connection = connect(httpx.MockTransport(echo), credential="canary secret&", retry=RetryPolicy(limit=0))
        with pytest.raises(FailureNotDeserialized) as caught:
            connection.graph.organization()
        details.append(str(caught.value.detail))
    assert "You sent" in details[0]
    assert "Bearer …" in details[1]
    assert not [detail for detail in details if "canary" in detail]


def test_first_words_do_not_move_from_run_to_run() -> None:
    pages = [
        f"<body>Blocked at {moment}. Incident {number}, reference {token}</body>"
        for moment, number, token in [
            ("2026-11-23 06:00:01", 20261123060001, "8A6C2F0D77C54F4A"),
            ("2026-11-24 11:30:59", 20261124113059, "0123456789ABCDEF"),
        ]
    ]
    first, second = (answering(403, page).detail for page in pages)
    assert first == second
