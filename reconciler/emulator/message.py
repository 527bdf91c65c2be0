"""Requests and responses as plain values, between WSGI and the two services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

from reconciler.emulator.faults import Json, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """A request. Header names are lower-case; ``path`` is decoded, ``query`` is not."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def read(cls, environ: WSGIEnvironment) -> Request:
        """Read a request from a WSGI environment."""
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        length = int(environ.get("CONTENT_LENGTH") or headers.get("content-length") or 0)
        return cls(
            method=environ["REQUEST_METHOD"],
            host=headers.get("host", "").partition(":")[0].lower(),
            path=environ.get("PATH_INFO", ""),
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=environ["wsgi.input"].read(length) if length else b"",
        )

    @property
    def segments(self) -> list[str]:
        """The path without slashes."""
        return [segment for segment in self.path.split("/") if segment]

    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in order."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass
class Response:
    """A response. The app adds what all responses have in common."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Ids:
    """What Microsoft calls a request by: its own ID, and the one that the client gave (its own when it gave none)."""

    request: str
    client: str

    @classmethod
    def of(cls, request: Request) -> Ids:
        """Name a request."""
        own = str(uuid4())
        return cls(own, request.headers.get("client-request-id") or own)


def as_json(status: int, content: Json, headers: Mapping[str, str] | None = None) -> Response:
    """A response in JSON."""
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON_TYPE, **(headers or {})})


def as_told(reply: Reply) -> Response:
    """The response that a fault prescribes."""
    if isinstance(reply.body, bytes):
        return Response(reply.status, reply.body, {"Content-Type": JSON_TYPE, **reply.headers})
    if isinstance(reply.body, str):
        return Response(reply.status, reply.body.encode(), {"Content-Type": HTML_TYPE, **reply.headers})
    return as_json(reply.status, reply.body, reply.headers)
