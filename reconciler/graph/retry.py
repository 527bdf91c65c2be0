"""Sending a request again when that can help: the transport under everything that speaks to Entra and Graph.

Retries sit here, below MSAL, because MSAL remembers failures and would replay them. The whole body is read here too,
so that a connection that breaks in the middle of an answer is retried like one that breaks before it.

Sources: Microsoft Graph documentation, "Throttling" and "Best practices" (Retry-After, then exponential backoff; a
``client-request-id`` per request); RFC 9110 for Retry-After as seconds or as an HTTP date.
"""

from __future__ import annotations

import logging
import random as random_module
import re
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from reconciler.errors import UntrustedAnswer

LOGGER = logging.getLogger("reconciler.graph")

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_WAIT = 0.5
"""Seconds before the first retry when the server names no time; doubled for each further one, with jitter."""
LONGEST_WAIT = 120.0
"""Cap of the waits that we choose ourselves, in seconds."""
TOO_MANY = 429
BODY_LIMIT = 64 * 1024 * 1024
"""Largest answer that is read, in bytes after decompression. A page of 999 users has one or two MiB."""

_THROTTLED = "throttled"
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STATUS = re.compile(r"[1-5][0-9]{2}\b")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent again, and for how many seconds at most, waits and attempts taken together."""

    limit: int = 4
    total_seconds: float = 300.0


class RetryTransport(httpx.BaseTransport):
    """A transport that repeats what was throttled, refused for the moment, or cut off.

    ``sleep``, ``random`` (0 to 1), ``clock`` (monotonic seconds) and ``now`` (seconds since 1970) are for tests.
    A request may ask for fewer retries by its extension ``retries``.
    Answers carry their whole body, decompressed; ``was_throttled`` tells whether one had to be waited for. Raises
    httpx.RequestError as the inner transport does, and UntrustedAnswer for a body without end.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        policy: RetryPolicy,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._policy = policy
        self._sleep = sleep
        self._random = random
        self._clock = clock
        self._now = now

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request until its outcome is final."""
        request.read()
        started = self._clock()
        retries = 0
        throttled = False
        most = min(self._policy.limit, request.extensions.get("retries", self._policy.limit))
        while True:
            outcome = self._attempt(request)
            wait = self._wait(outcome, retries)
            left = self._policy.total_seconds - (self._clock() - started)
            if wait is None or retries >= most or wait >= left:
                if isinstance(outcome, httpx.Response):
                    outcome.extensions[_THROTTLED] = throttled
                    return outcome
                raise outcome
            retries += 1
            throttled |= isinstance(outcome, httpx.Response) and outcome.status_code == TOO_MANY
            met = outcome.status_code if isinstance(outcome, httpx.Response) else type(outcome).__name__
            told = {"host": request.url.host, "outcome": met, "retry": retries, "wait_milliseconds": round(wait * 1000)}
            line = "%s: %s; retry %d of %d in %.1f s"
            LOGGER.info(line, request.url.host, met, retries, most, wait, extra={"told": told})
            self._sleep(wait)

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()

    def _attempt(self, request: httpx.Request) -> httpx.Response | httpx.RequestError:
        """Send once and read the answer to its end; log both without query, headers or body."""
        request.headers["client-request-id"] = str(uuid.uuid4())
        started = self._clock()
        outcome: httpx.Response | httpx.RequestError
        try:
            outcome = _read(self._inner.handle_request(request))
        except httpx.RequestError as error:
            outcome = error
        except TimeoutError as error:
            outcome = httpx.ReadTimeout(str(error))
        except OSError as error:  # an app in this process raises what a socket would
            outcome = httpx.ReadError(str(error))
        _log(request, outcome, (self._clock() - started) * 1000)
        return outcome

    def _wait(self, outcome: httpx.Response | httpx.RequestError, retries: int) -> float | None:
        """Seconds to wait before the next attempt, or None when another attempt cannot help."""
        stated = None
        if isinstance(outcome, httpx.Response):
            if outcome.status_code not in RETRIED_STATUSES:
                return None
            stated = _stated_wait(outcome.headers, self._now)
        elif not _passing(outcome):
            return None
        if stated:
            return stated
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(retries, 16) * (1 + self._random()))


def _log(request: httpx.Request, outcome: httpx.Response | httpx.RequestError, milliseconds: float) -> None:
    """One line for one attempt, without query, headers or body."""
    told = {
        "method": request.method,
        "host": request.url.host,
        "path": request.url.raw_path.partition(b"?")[0].decode("ascii", "replace"),
        "outcome": outcome.status_code if isinstance(outcome, httpx.Response) else type(outcome).__name__,
        "milliseconds": round(milliseconds),
        "client_request_id": request.headers["client-request-id"],
        "request_id": _request_id(outcome),
    }
    line = "%(method)s %(host)s%(path)s -> %(outcome)s in %(milliseconds)d ms (client-request-id %(client_request_id)s)"
    LOGGER.debug(line, told, extra={"told": told})


def _request_id(outcome: httpx.Response | httpx.RequestError) -> str | None:
    """By what Microsoft knows the request, if that is what its header holds: others may answer in its place."""
    if not isinstance(outcome, httpx.Response):
        return None
    found = outcome.headers.get("request-id") or outcome.headers.get("x-ms-request-id") or ""
    return found if _GUID.fullmatch(found) else None


def was_throttled(response: httpx.Response) -> bool:
    """Whether the server refused the request as one too many before it answered it like this."""
    return bool(response.extensions.get(_THROTTLED))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def proxy_status(error: BaseException) -> int | None:
    """What a proxy answered instead of opening a tunnel; None for any other failure.

    httpx keeps it in words only: ``407 Proxy Authentication Required``.
    """
    said = _STATUS.match(str(error)) if isinstance(error, httpx.ProxyError) else None
    return int(said[0]) if said else None


def _passing(error: httpx.RequestError) -> bool:
    """Whether the failure can pass by itself: not a refused certificate, not a proxy that wants a password."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return False
    status = proxy_status(error)
    if status is not None:
        return status in RETRIED_STATUSES
    return not isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)


def _stated_wait(headers: httpx.Headers, now: Callable[[], float]) -> float | None:
    """Seconds that Retry-After asks for. A date is read by the server's own clock when the answer carries it."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = _timestamp(value)
    if until is None:
        return None
    present = _timestamp(headers.get("date", ""))
    return max(0.0, until - (now() if present is None else present))


def _timestamp(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _read(response: httpx.Response) -> httpx.Response:
    """The same answer with its body read, checked for length, and decompressed."""
    streamed = not response.is_closed
    try:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > BODY_LIMIT:
                raise UntrustedAnswer(code="answer-too-large")
        announced = response.headers.get("content-length", "")
        if streamed and announced.isdecimal() and int(announced) != response.num_bytes_downloaded:
            # h11 sees this on a socket; an app in this process can cut its answer short without anybody noticing.
            raise httpx.RemoteProtocolError("the body is shorter or longer than announced")
    finally:
        response.close()
    spent = {b"content-encoding", b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in spent]
    return httpx.Response(
        response.status_code, headers=headers, content=b"".join(parts), extensions=response.extensions
    )
