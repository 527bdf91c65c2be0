"""What is sent again, how often, and after which wait."""

from __future__ import annotations

import gzip
import logging
import ssl
from collections.abc import Callable, Iterator
from email.utils import formatdate

import httpx
import pytest

from reconciler.errors import UntrustedAnswer
from reconciler.graph import retry
from reconciler.graph.retry import RetryPolicy, RetryTransport

URL = "https://graph.microsoft.com/v1.0/users?$skiptoken=private"
NOW = 1_795_413_600.0

Outcome = httpx.Response | Exception


class Time:
    """A clock that moves only when somebody sleeps or a request takes its time."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def wall(self) -> float:
        return NOW + self.passed


class Server(httpx.BaseTransport):
    """Gives one outcome per request, the last one for ever; each request takes ``seconds``."""

    def __init__(self, *outcomes: Callable[[], Outcome], time: Time | None = None, seconds: float = 0.0) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []
        self.ids: list[str] = []
        self.bodies: list[bytes] = []
        self.closed = 0
        self.time = time
        self.seconds = seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.ids.append(request.headers["client-request-id"])
        self.bodies.append(request.read())
        if self.time:
            self.time.passed += self.seconds
        outcome = self.outcomes[min(len(self.requests), len(self.outcomes)) - 1]()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self.closed += 1


def answer(status: int = 200, content: bytes = b"{}", /, **headers: str) -> Callable[[], httpx.Response]:
    """An answer; ``retry_after`` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: httpx.Response(status, headers=named, stream=httpx.ByteStream(content))


def failure(error: Exception) -> Callable[[], Exception]:
    return lambda: error


def client(server: Server, time: Time, *, limit: int = 4, total_seconds: float = 300.0) -> httpx.Client:
    transport = RetryTransport(
        server,
        RetryPolicy(limit, total_seconds),
        sleep=time.sleep,
        random=lambda: 0.0,
        clock=time.monotonic,
        now=time.wall,
    )
    return httpx.Client(transport=transport)


def http_date(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("headers", "limit", "slept"),
    [
        ({}, 0, []),
        ({}, 1, [0.5]),
        ({}, 4, [0.5, 1.0, 2.0, 4.0]),
        ({"retry_after": "7"}, 2, [7.0, 7.0]),
        ({"retry_after": "0"}, 2, [0.5, 1.0]),
        ({"retry_after": http_date(9)}, 1, [9.0]),
        ({"retry_after": http_date(60), "date": http_date(50)}, 1, [10.0]),
        ({"retry_after": http_date(-60)}, 1, [0.5]),
        ({"retry_after": "soon"}, 1, [0.5]),
        ({"retry_after": "-3"}, 1, [0.5]),
        ({"retry_after": "Mon, 99 Foo 20261 99:99:99 GMT"}, 1, [0.5]),
    ],
)
def test_a_passing_failure_is_retried_after_the_stated_wait_or_a_growing_one(
    status: int, headers: dict[str, str], limit: int, slept: list[float]
) -> None:
    time = Time()
    server = Server(answer(status, **headers))
    assert client(server, time, limit=limit).get(URL).status_code == status
    assert time.slept == slept
    assert len(server.requests) == limit + 1


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 405, 410, 501])
def test_a_final_answer_is_not_asked_for_again(status: int) -> None:
    time = Time()
    server = Server(answer(status, retry_after="1"))
    assert client(server, time).get(URL).status_code == status
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.ProxyError("503 Service Unavailable"),
        httpx.ProxyError("[Errno 113] No route to host"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_dropped_connection_is_retried(error: Exception) -> None:
    time = Time()
    server = Server(failure(error), answer(200))
    assert client(server, time).get(URL).status_code == 200
    assert time.slept == [0.5]


def certificate_error() -> Exception:
    error = httpx.ConnectError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    return error


@pytest.mark.parametrize(
    "error",
    [
        certificate_error(),
        httpx.ProxyError("407 Proxy Authentication Required"),
        httpx.ProxyError("302 Found"),
        httpx.UnsupportedProtocol("ftp"),
        httpx.LocalProtocolError("bad header"),
    ],
    ids=["certificate", "proxy password", "proxy's page", "protocol", "own mistake"],
)
def test_a_connection_that_cannot_get_better_is_not_retried(error: Exception) -> None:
    time = Time()
    server = Server(failure(error))
    with pytest.raises(httpx.RequestError) as caught:
        client(server, time).get(URL)
    assert caught.value is error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "mapped"), [(ConnectionResetError(), httpx.ReadError), (TimeoutError(), httpx.ReadTimeout)]
)
def test_what_an_app_in_this_process_raises_becomes_a_transport_error(
    error: Exception, mapped: type[Exception]
) -> None:
    with pytest.raises(mapped):
        client(Server(failure(error)), Time(), limit=1).get(URL)


def test_a_stated_wait_beyond_the_rest_of_the_budget_ends_at_once() -> None:
    time = Time()
    server = Server(answer(429, retry_after="31"))
    assert client(server, time, total_seconds=30.0).get(URL).status_code == 429
    assert time.slept == []
    assert len(server.requests) == 1


def test_the_budget_counts_waits_and_attempts_together() -> None:
    time = Time()
    server = Server(answer(503, retry_after="10"), time=time, seconds=5.0)
    client(server, time, limit=100, total_seconds=60.0).get(URL)
    assert time.slept == [10.0, 10.0, 10.0]
    assert time.passed == 50.0


def test_own_waits_grow_to_a_cap() -> None:
    time = Time()
    client(Server(answer(500)), time, limit=40, total_seconds=1e9).get(URL)
    assert max(time.slept) == retry.LONGEST_WAIT
    assert time.slept == sorted(time.slept)


def test_jitter_at_most_doubles_the_wait() -> None:
    time = Time()
    transport = RetryTransport(Server(answer(500)), RetryPolicy(1), sleep=time.sleep, random=lambda: 1.0)
    httpx.Client(transport=transport).get(URL)
    assert time.slept == [1.0]


def test_each_attempt_has_an_id_of_its_own_and_the_same_body() -> None:
    server = Server(answer(503), answer(503), answer(200))
    client(server, Time()).post(URL, data={"scope": "all"}, headers={"client-request-id": "msal's"})
    assert len(set(server.ids)) == 3
    assert "msal's" not in server.ids
    assert server.bodies == [b"scope=all"] * 3


class Breaking(httpx.SyncByteStream):
    """A body whose connection breaks in the middle."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"value":'
        raise ConnectionResetError

    def close(self) -> None:
        self.closed = True


def test_a_body_that_breaks_off_is_asked_for_again_and_closed() -> None:
    body = Breaking()
    server = Server(lambda: httpx.Response(200, stream=body), answer(200, b'{"value":[]}'))
    assert client(server, Time()).get(URL).json() == {"value": []}
    assert body.closed


@pytest.mark.parametrize(
    "broken",
    [
        answer(200, b'{"value":', content_length="12"),
        answer(200, b"not gzip", content_encoding="gzip"),
    ],
    ids=["too short", "not gzip"],
)
def test_a_damaged_body_is_asked_for_again(broken: Callable[[], httpx.Response]) -> None:
    server = Server(broken, answer(200, b'{"value":[]}'))
    assert client(server, Time()).get(URL).json() == {"value": []}


def test_a_compressed_body_arrives_decompressed_once() -> None:
    packed = gzip.compress(b'{"value":[]}')
    server = Server(answer(200, packed, content_encoding="gzip", content_length=str(len(packed)), date="x"))
    response = client(server, Time()).get(URL)
    assert response.json() == {"value": []}
    assert response.headers["date"] == "x"


def test_a_body_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BODY_LIMIT", 1000)
    server = Server(answer(200, gzip.compress(b"0" * 100_000), content_encoding="gzip"))
    with pytest.raises(UntrustedAnswer) as caught:
        client(server, Time()).get(URL)
    assert caught.value.code == "answer-too-large"
    assert len(server.requests) == 1


def test_requests_are_logged_with_their_id_and_without_query_or_headers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "reconciler.graph")
    server = Server(answer(429, retry_after="3"), answer(200))
    client(server, Time()).get(URL, headers={"authorization": "Bearer private"})
    said = [record.getMessage() for record in caplog.records if record.name == "reconciler.graph"]
    assert said == [
        f"GET graph.microsoft.com/v1.0/users -> 429 in 0 ms (client-request-id {server.ids[0]})",
        "graph.microsoft.com: 429; retry 1 of 4 in 3.0 s",
        f"GET graph.microsoft.com/v1.0/users -> 200 in 0 ms (client-request-id {server.ids[1]})",
    ]


def test_closing_the_client_closes_the_network() -> None:
    server = Server(answer())
    client(server, Time()).close()
    assert server.closed == 1
