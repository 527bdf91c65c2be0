"""What is quoted from an answer: short, printable, and the same each time."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.error_catalogue import reported_remedy as remedy
from reconciler.errors import FailureNotDeserialized, ReportedError
from reconciler.graph.answers import MESSAGE_LIMIT, cause, entra_failure, graph_failure, stable

REQUEST = httpx.Request("GET", "https://graph.microsoft.com/v1.0/users")


def failed(status: int, content: Any, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=body, headers=named, request=REQUEST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Denied. Trace ID: 3f0c Correlation ID: 8a6c Timestamp: 2026-11-23 05:20:11Z", "Denied."),
        ("Denied.\r\nTrace ID: 3f0c\r\nCorrelation ID: 8a6c\r\nTimestamp: 2026-11-23 05:20:11Z", "Denied."),
        ("Denied. Request Id: 3f0c", "Denied."),
        ("Denied (request-id: 3f0c)", "Denied"),
        ("Current time: 2026-11-23T05:20:11.6755165Z, more", "Current time: <time>, more"),
        ("ValidTo: '11/23/2026 5:20:11 AM'.", "ValidTo: '<time>'."),
        ("Try after 17 seconds.", "Try after some seconds."),
        ("Try after 1 second.", "Try after some seconds."),
        ("For app '4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77'.", "For app '4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77'."),
        ("a\x1b[31mred\x00\u202eb\n\n c", "a [31mred b c"),
        ("The request identifier is wrong.", "The request identifier is wrong."),
    ],
)
def test_what_moves_or_does_not_print_is_left_out(text: str, expected: str) -> None:
    assert stable(text) == expected


@given(st.text(max_size=2000))
def test_any_text_becomes_one_short_printable_line_that_stays(text: str) -> None:
    said = stable(text, 80)
    assert len(said) <= 80
    assert said.isprintable()
    assert stable(said, 80) == said


def test_a_long_message_is_cut() -> None:
    error = graph_failure(failed(400, {"error": {"code": "x" * 9999, "message": "word " * 9999}}))
    assert len(error.message) == MESSAGE_LIMIT
    assert error.message.endswith("…")
    assert len(error.code) == 80


@pytest.mark.parametrize(
    ("status", "content", "code", "message"),
    [
        (400, {"error": {"code": "BadRequest", "message": "No."}}, "BadRequest", "No."),
        (400, {"error": {"code": "", "message": "No."}}, "http-400", "No."),
        (400, {"error": {"code": None, "message": "No."}}, "http-400", "No."),
        (504, {"error": {"code": "UnknownError", "message": ""}}, "UnknownError", "graph.microsoft.com answered 504 "),
        (400, {"error": {"code": "A", "message": "No.", "innererror": {}, "details": [], "target": 1}}, "A", "No."),
    ],
)
def test_graphs_own_words_are_kept(status: int, content: Any, code: str, message: str) -> None:
    error = graph_failure(failed(status, content))
    assert isinstance(error, ReportedError)
    assert (error.code, error.status) == (code, status)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ({"error": "e", "error_description": "AADSTS50: No.", "error_codes": [7]}, "AADSTS50", "No."),
        ({"error": "e", "error_description": "No.", "error_codes": [7]}, "AADSTS7", "No."),
        ({"error": "temporarily_unavailable"}, "temporarily_unavailable", "graph.microsoft.com answered 400 without"),
        ({"error": "", "error_description": "No."}, "http-400", "No."),
    ],
)
def test_entras_own_words_are_kept(content: Any, code: str, message: str) -> None:
    error = entra_failure(failed(400, content))
    assert error.code == code
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", {}, [], None, {"error": None}, {"error": []}, {"error": {"code": 1}}, b"\xff", b"[" * 100_000],
    ids=repr,
)
def test_a_failure_without_an_error_is_not_guessed_at(content: Any) -> None:
    assert isinstance(graph_failure(failed(500, content)), FailureNotDeserialized)
    assert isinstance(entra_failure(failed(500, content)), FailureNotDeserialized)


@pytest.mark.parametrize("header", ["request-id", "date"])
def test_a_header_that_echoes_the_token_is_not_taken_over(header: str) -> None:
    token = "canary-of-a-token"
    request = httpx.Request("GET", REQUEST.url, headers={"Authorization": f"Bearer {token}"})
    content = {"error": {"code": "A", "message": "No."}}
    for echoed in (token, "an id 7"):
        error = graph_failure(httpx.Response(400, json=content, headers={header: f"{echoed} x"}, request=request))
        assert isinstance(error, ReportedError)
        assert (echoed in error.trace()) is (echoed != token)


def test_a_page_in_graphs_place_is_quoted_by_its_title_without_ids() -> None:
    page = b"<HTML><head><Title>Blocked by\n Proxy 20261123052011 / 8A6C2F0D77C54F4A</title>"
    error = graph_failure(failed(403, page, content_type="text/html; charset=x"))
    assert error.detail == 'graph.microsoft.com answered 403, text/html: "Blocked by Proxy … / …"'


@pytest.mark.parametrize("location", ["https://[", "//\x00", "", "/elsewhere"])
def test_a_redirect_to_anywhere_is_a_failure(location: str) -> None:
    error = graph_failure(failed(302, b"", location=location))
    assert isinstance(error, FailureNotDeserialized)


def caused_by(error: Exception, reason: BaseException) -> Any:
    error.__cause__ = reason
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (caused_by(httpx.ConnectError("[Errno 111] 10.0.0.1"), ConnectionRefusedError(111, "x")), "connection refused"),
        (caused_by(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "name could not be resolved"),
        (caused_by(httpx.ConnectError("x"), ssl.SSLError(1, "x")), "the TLS handshake failed"),
        (caused_by(httpx.ProxyError("x"), ConnectionRefusedError()), "the proxy: connection refused"),
        (
            httpx.ProxyError("407 Proxy\x00 Authentication Required, text/html"),
            "the proxy answered 407 Proxy Authentication Required, text/html",
        ),
        (
            httpx.ProxyError("503 Incident 8A6C2F0D77C54F4A at 2026-11-23 05:20:11"),
            "the proxy answered 503 Incident … at <time>",
        ),
        (httpx.ProxyError("[Errno 113] No route to host 10.0.0.1"), "the proxy: no connection"),
        (httpx.ProxyError("4070 Authentication"), "the proxy: no connection"),
        (httpx.ConnectTimeout("x"), "connecting took too long"),
        (httpx.ReadTimeout("x"), "no answer in time"),
        (httpx.ConnectError("[Errno 101] Network unreachable 10.0.0.1"), "no connection"),
        (httpx.DecodingError("x"), "the answer arrived damaged"),
        (httpx.ReadError("[Errno 104] peer 10.0.0.1"), "connection dropped"),
        (httpx.RemoteProtocolError("x"), "connection dropped"),
    ],
)
def test_why_there_was_no_answer_is_said_without_addresses(error: httpx.RequestError, expected: str) -> None:
    assert cause(error) == expected


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("Authorization_RequestDenied", 403, "User.Read.All"),
        ("authorization_requestdenied", 403, "Organization.Read.All"),
        ("anything", 403, "Grant admin consent"),
        ("TooManyRequests", 429, "--retry-limit"),
        ("anything", 429, "--retry-limit"),
        ("anything", 503, "Nothing to mend"),
        ("AADSTS53003", 400, "Conditional Access"),
        ("AADSTS500011", 400, "cloud"),
    ],
)
def test_a_remedy_is_found_by_code_then_by_status(code: str, status: int, expected: str) -> None:
    assert expected in (remedy(code, status) or "")


def test_an_unknown_error_gets_the_general_remedy() -> None:
    assert remedy("Whatever", 400) is None
    error = graph_failure(failed(400, {"error": {"code": "Whatever", "message": "x"}}))
    assert error.remedy == ReportedError.remedy
