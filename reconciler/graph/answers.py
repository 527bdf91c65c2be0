"""What an answer, or the lack of one, means: from httpx to the errors of ``errors.py``.

Answers are hostile until read: what is quoted from them is stripped of control characters, cut short, and freed of what
moves (request ids, times, waits), because messages are kept in reports that must not change while a failure lasts.
"""

from __future__ import annotations

import re
import ssl
from html import unescape
from socket import gaierror
from typing import Any, TypeVar

import httpx
import msgspec

from reconciler.errors import (
    FailureNotDeserialized,
    PortalError,
    ReportedError,
    SuccessNotDeserialized,
    Unreachable,
)
from reconciler.graph import wire
from reconciler.graph.interception import UntrustedCertificate
from reconciler.graph.masking import masked
from reconciler.graph.retry import causes, proxy_status

T = TypeVar("T")

MESSAGE_LIMIT = 500
"""Longest message that is taken over from an answer, in characters."""

QUOTED_LIMIT = 60
"""Longest quotation of a title, or of the first words of a page, in characters."""

PROXY_LIMIT = 120
"""Longest quotation of what a proxy answers to CONNECT, in characters: status, phrase, content type."""

_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
_US_TIME = r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?"
_MOVING = (
    (re.compile(r"\s*\(?\b(?:trace|correlation|request|activity|client-request)[ -]?id\s*[:=].*", re.I | re.S), ""),
    (re.compile(f"{_TIME}|{_US_TIME}"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? ((?:milli)?second)s?\b", re.I), r"some \1s"),
)
_ID = re.compile(r"\S{40,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-fA-F]{12,}\b|\b\d{6,}\b", re.I)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,200})", re.I)
_UNREAD = re.compile(r"<!--.*?(?:-->|$)|<(head|script|style|title)\b.*?(?:</\1\s*>|$)", re.I | re.S)
_TAG = re.compile(r"<[^>]*(?:>|$)")
_AADSTS = re.compile(r"\s*AADSTS(\d{1,10}):\s*")
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
"""Codes of OpenSSL for a certificate whose issuer is not known: self-signed, in a chain, not local, first of all."""
_LOGGED = re.compile("[0-9A-Za-z:, .+-]{1,64}")
_PLACE = re.compile(r"\s*\(byte \d+\)|(?<=\[)\d+(?=\])")


SERVER_ERROR = 500
THROTTLED = 429


class PageTokenExpired(ReportedError):
    """Graph no longer knows the place in a list that a nextLink names: the list must be read from its start."""


def is_refusal(error: ReportedError) -> bool:
    """Whether Graph refuses a request for good, rather than being busy or broken for a while."""
    return error.status is not None and error.status < SERVER_ERROR and error.status != THROTTLED


def stable(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Foreign text on one line, printable, cut to ``limit`` characters, without what moves from day to day."""
    text = text[: 8 * limit]
    for pattern, instead in _MOVING:
        text = pattern.sub(instead, text)
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def decode(decoder: msgspec.json.Decoder[T], response: httpx.Response) -> T:
    """The body of a success. Raises SuccessNotDeserialized that says where it breaks the shape."""
    try:
        return decoder.decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        shape = type(error).__name__ if not isinstance(error, msgspec.MsgspecError) else str(error)
        said = _said(response) or stable(_PLACE.sub("", shape), 200)
        raise SuccessNotDeserialized(detail=f"{_met(response)}: {said}") from None


def graph_failure(response: httpx.Response) -> PortalError:
    """The error that an answer of Graph stands for, given that it is no success."""
    if response.is_redirect:
        return _redirected(response)
    try:
        error = _GRAPH_ERROR.decode(response.content).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _undecodable(response)
    if not error.code and not error.message:
        return _undecodable(response)
    kind = PageTokenExpired if _lost_place(error) else ReportedError
    return _reported(kind, error.code or "", error.message or "", response)


def entra_failure(response: httpx.Response) -> PortalError:
    """The error that an answer of Entra stands for, given that it is no success."""
    if response.is_redirect:
        return _redirected(response)
    try:
        error = _ENTRA_ERROR.decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _undecodable(response)
    description = error.error_description or ""
    prefix = _AADSTS.match(description)
    if prefix:
        return _reported(ReportedError, f"AADSTS{prefix[1]}", description[prefix.end() :], response)
    code = f"AADSTS{error.error_codes[0]}" if error.error_codes else error.error
    return _reported(ReportedError, code, description, response)


def unreachable(host: str, error: httpx.RequestError) -> PortalError:
    """The error for a request that did not reach its host: nobody answered, or a proxy did in the host's place."""
    kind = FailureNotDeserialized if proxy_status(error) else Unreachable
    return kind(detail=f"{host}: {cause(error)}")


def cause(error: httpx.RequestError) -> str:
    """Why there was no answer: few words, without addresses, the same each time."""
    for reason in causes(error):
        if isinstance(reason, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted{_distrust(error, reason)}"
        if isinstance(reason, ssl.SSLError):
            return "the TLS handshake failed"
        if isinstance(reason, gaierror):
            return f"{_whose(error)}name could not be resolved"
        if isinstance(reason, ConnectionRefusedError):
            return f"{_whose(error)}connection refused"
    if proxy_status(error):
        return f"the proxy answered {stable(_ID.sub('…', str(error)), PROXY_LIMIT)}"
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "connecting took too long"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return f"{_whose(error)}no connection"
    if isinstance(error, httpx.DecodingError):
        return "the answer arrived damaged"
    return "connection dropped"


def _distrust(error: httpx.RequestError, reason: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not trusted, with who issued it: that names the proxy that opens TLS on the way."""
    why = stable(getattr(reason, "verify_message", ""), 100) or "unknown reason"  # not every trust store sets it
    issuer = error.issuer if isinstance(error, UntrustedCertificate) else None
    if issuer is None:
        return f" ({why})"
    if getattr(reason, "verify_code", 0) in _UNKNOWN_ISSUER:
        return f": it was issued by '{stable(issuer, 150)}', which this machine does not trust"
    return f" ({why}); it was issued by '{stable(issuer, 150)}'"


def _whose(error: httpx.RequestError) -> str:
    return "the proxy: " if isinstance(error, httpx.ProxyError) else ""


def _reported(kind: type[ReportedError], code: str, message: str, response: httpx.Response) -> ReportedError:
    """An error in the server's own words."""
    status = response.status_code
    code, message = masked(code, response.request), masked(message, response.request)
    return kind(
        stable(message) or f"{response.request.url.host} answered {status} without a message.",
        code=stable(code, 80) or f"http-{status}",
        status=status,
        request_id=_header(response, "request-id") or _header(response, "x-ms-request-id"),
        client_request_id=_header(response, "client-request-id") or response.request.headers.get("client-request-id"),
        date=_header(response, "date"),
    )


def _header(response: httpx.Response, name: str) -> str | None:
    """A header that may stand in a log line: short, and of plain signs."""
    value = masked(response.headers.get(name, ""), response.request)
    return value if _LOGGED.fullmatch(value) else None


def _undecodable(response: httpx.Response) -> FailureNotDeserialized:
    said = _said(response)
    return FailureNotDeserialized(detail=_met(response) + (f": {said}" if said else ""))


def _said(response: httpx.Response) -> str:
    """What a page in Graph's place says: its title and its first words in quotes, or nothing when it is no page.

    JSON is never quoted, because it may hold people's names; nor is anything that was sent, which a page may echo.
    """
    kind = response.headers.get("content-type", "text/").lower()
    page = response.content[:65536].decode("utf-8", "replace")
    if not ("html" in kind or kind.startswith("text/")) or page.lstrip()[:1] in ("{", "["):
        return ""
    page = masked(page, response.request)
    title = _TITLE.search(page)
    parts = (title[1] if title else "", _TAG.sub(" ", _UNREAD.sub(" ", page)))
    quoted = [stable(_ID.sub("…", " ".join(unescape(part).split())), QUOTED_LIMIT) for part in parts]
    return ": ".join(f'"{words}"' for words in dict.fromkeys(quoted) if words)


def _redirected(response: httpx.Response) -> FailureNotDeserialized:
    """A redirect is never followed: the token or the secret would go wherever it points."""
    try:
        target = stable(
            masked(response.request.url.join(response.headers.get("location", "")).host, response.request), 100
        )
    except httpx.InvalidURL:
        target = "an invalid address"
    return FailureNotDeserialized(detail=f"{_met(response)}, a redirect to {target}")


def _met(response: httpx.Response) -> str:
    content_type = masked(response.headers.get("content-type", "").partition(";")[0], response.request)
    return f"{response.request.url.host} answered {response.status_code}, {stable(content_type, 60) or 'no type'}"


def _lost_place(error: wire.GraphErrorDetail) -> bool:
    """Whether the error says that a page token is no longer known. Codes come nested, and in any case."""
    codes = {(error.code or "").casefold()}
    inner: Any = error.inner_error or error.innererror
    while isinstance(inner, dict):
        codes.add(str(inner.get("code", "")).casefold())
        inner = inner.get("innerError") or inner.get("innererror")
    if codes & {"directory_expiredpagetoken", "directorypagetokennotfoundexception"}:
        return True
    return "request_badrequest" in codes and "page token" in (error.message or "").casefold()


_GRAPH_ERROR = msgspec.json.Decoder(wire.GraphError)
_ENTRA_ERROR = msgspec.json.Decoder(wire.EntraError)
