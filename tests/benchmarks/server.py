"""Entra and Graph for the benchmarks: real TLS behind a CONNECT proxy, in a process of its own.

Answers are ready before the first request; each leaves in one write. It knows only what the product asks in an
import, and refuses anything else with a 400 that says so: a benchmark must not pass on an answer that is made up.

Run as a program it reads the world as a line of JSON, prints its port when it is ready, and ends with its standard
input.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import trustme

from tests.benchmarks import skus
from tests.benchmarks.pages import PageSet, Piece, gzipped, nothing, page_set
from tests.benchmarks.world import BenchTenant, token

GRAPH = "graph.microsoft.com"
LOGIN = "login.microsoftonline.com"

ODATA = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_STARTS = re.compile(r"startswith\(userPrincipalName,\s*'([^']*)'\)", re.I)
_NOTHING = nothing()


class Refused(Exception):
    """A request that no benchmark is about. Its text is the answer."""


@dataclass
class Served:
    """A tenant with the pages of each of its generations: before any change, and after each one."""

    tenant: BenchTenant
    generations: list[PageSet]
    first_round: PageSet | None
    generation: int = 0

    @property
    def present(self) -> PageSet:
        """The list as it is now."""
        return self.generations[self.generation]

    def small(self, path: str) -> bytes | None:
        """The body of an answer that is no list of users, compressed; None when there is none at this path."""
        consumers = self.present.facts.consumers
        match path:
            case "/v1.0/organization":
                return gzip.compress(skus.organization_json(self.tenant.tenant_id))
            case "/v1.0/subscribedSkus":
                return _skus(tuple(consumers.items()))
            case "/v1.0/directory/subscriptions":
                return _subscriptions(tuple(consumers.items()))
        return None


@cache
def _skus(consumers: tuple[tuple[str, int], ...]) -> bytes:
    return gzip.compress(skus.skus_json(dict(consumers)))


@cache
def _subscriptions(consumers: tuple[tuple[str, int], ...]) -> bytes:
    return gzip.compress(skus.subscriptions_json(dict(consumers)))


def served(tenant: BenchTenant) -> Served:
    """A tenant with all its pages."""
    first_round = page_set(tenant.population_of_200) if tenant.delta_from_start else None
    return Served(tenant, [page_set(population) for population in tenant.populations], first_round)


@dataclass
class Query:
    """A request for a list of users: its path, its options, and the position that it goes on from."""

    path: str
    options: dict[str, str]

    @property
    def position(self) -> int:
        """Which page of the list it is for."""
        return int(self.options.get("$skiptoken", "0"))

    def link(self, **changed: str) -> str:
        """A link to the same list with other tokens."""
        options = {**self.options, **{f"${name}": value for name, value in changed.items()}}
        return f"https://{GRAPH}{self.path}?{urlencode(options, safe='$,()', quote_via=quote)}"


def users(tenant: Served, query: Query) -> bytes:
    """A page of ``/users``: of the whole list, or of a range of it."""
    pages = _in_range(tenant.present, query.options.get("$filter"))
    if not pages:
        return gzipped(_head({}), *_NOTHING)
    links: dict[str, object] = {}
    if query.options.get("$count") == "true" and query.position == 0:
        links["@odata.count"] = sum(page.users for page in pages)
    if query.position + 1 < len(pages):
        links["@odata.nextLink"] = query.link(skiptoken=str(query.position + 1))
    return gzipped(_head(links), tenant.present, pages[query.position])


def count(tenant: Served, query: Query) -> bytes:
    """``/users/$count``."""
    return gzip.compress(
        str(sum(page.users for page in _in_range(tenant.present, query.options.get("$filter")))).encode()
    )


def delta(tenant: Served, query: Query) -> bytes:
    """A page of ``/users/delta``. A token names the generation that its owner knows."""
    known = query.options.get("$deltatoken")
    end = {"@odata.deltaLink": f"https://{GRAPH}{query.path}?$deltatoken=generation-{tenant.generation}"}
    if known == "latest" or known == f"generation-{tenant.generation}":
        return gzipped(_head(end), *_NOTHING)
    if known == "generation-0":
        listed, pages = tenant.present, tenant.present.changes
    elif known is None and tenant.first_round is not None and tenant.generation == 0:
        listed, pages = tenant.first_round, tenant.first_round.pages
    else:
        raise Refused(f"no delta round is ready for {known!r} in generation {tenant.generation}")
    if not pages:
        return gzipped(_head(end), *_NOTHING)
    following = {"@odata.nextLink": query.link(skiptoken=str(query.position + 1))}
    return gzipped(_head(following if query.position + 1 < len(pages) else end), listed, pages[query.position])


def _in_range(listed: PageSet, wanted: str | None) -> list[Piece]:
    """The pages that a filter by first letters selects; all pages without one."""
    if wanted is None:
        return listed.pages
    prefixes = {prefix.lower() for prefix in _STARTS.findall(wanted)}
    rest = _STARTS.sub("", wanted)
    if (
        not prefixes
        or any(len(prefix) != 1 for prefix in prefixes)
        or not re.fullmatch(r"(\s|\(|\)|and|or|not)*", rest)
    ):
        raise Refused(f"no range is ready for the filter {wanted!r}")
    if any(page.letter is None for page in listed.pages):
        raise Refused("this tenant is not listed by letter")
    excluded = "not" in rest
    return [page for page in listed.pages if (page.letter in prefixes) is not excluded]


def _head(links: Mapping[str, object]) -> bytes:
    """The start of an answer, up to its values."""
    return (json.dumps({"@odata.context": f"https://{GRAPH}/v1.0/$metadata#users", **links})[:-1] + ",").encode()


@dataclass
class World:
    """Everything that is served, and what was asked."""

    tenants: dict[str, Served]
    latency: float
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, method: str, host: str, target: str, bearer: str) -> tuple[int, bytes, str]:
        """Status, compressed body and content type for one request."""
        path = urlsplit(target).path.replace("//", "/")  # msgraph-sdk doubles the slash before "users"
        options = dict(parse_qsl(urlsplit(target).query))
        try:
            if host == LOGIN:
                self.asked["sign-in"] += 1
                return 200, gzip.compress(_sign_in(path), 1), "application/json; charset=utf-8"
            tenant = self.tenants.get(bearer)
            if tenant is None or method != "GET":
                raise Refused(f"no tenant, or no GET: {method} {target}")
            return 200, self._graph(tenant, Query(path, options)), ODATA
        except (Refused, IndexError, ValueError) as refusal:
            error = {"error": {"code": "BadRequest", "message": f"The benchmark's server: {refusal}"}}
            return 400, gzip.compress(json.dumps(error).encode()), "application/json"

    def _graph(self, tenant: Served, query: Query) -> bytes:
        self.asked[query.path.removeprefix("/v1.0/")] += 1
        found = tenant.small(query.path)
        if found is not None:
            return found
        listings = {"/v1.0/users": users, "/v1.0/users/$count": count, "/v1.0/users/delta": delta}
        if query.path not in listings:
            raise Refused(f"nothing at {query.path}")
        body = listings[query.path](tenant, query)
        time.sleep(self.latency)
        return body

    def controlled(self, command: str) -> bytes:
        """What the benchmark itself asks: to go to a generation, or how much was asked since the last time."""
        name, _, value = command.strip("/").partition("/")
        if name == "generation":
            for tenant in self.tenants.values():
                tenant.generation = int(value)
        asked = dict(sorted(self.asked.items()))
        self.asked.clear()
        return json.dumps(asked).encode()


def _sign_in(path: str) -> bytes:
    tenant_id = path.split("/")[1]
    base = f"https://{LOGIN}/{tenant_id}"
    if path.endswith("/openid-configuration"):
        answer: dict[str, object] = {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
        }
    else:
        answer = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token(tenant_id)}
    return json.dumps(answer).encode()


class _Server(ThreadingTCPServer):
    """One thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.world = world
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(GRAPH, LOGIN).configure_cert(self.tls)
        self.tls.set_alpn_protocols(["http/1.1"])


class _Connection(BaseRequestHandler):
    """A client: its CONNECT, then TLS, then requests, as many as it likes. Without CONNECT, the benchmark itself."""

    server: _Server

    def handle(self) -> None:
        with suppress(OSError, EOFError):  # the client has gone
            self._serve(self.request)

    def _serve(self, plain: socket.socket) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        method, target, _ = _request(plain, bytearray())
        if method != "CONNECT":
            plain.sendall(_response(200, self.server.world.controlled(target), "application/json", encoding=""))
            return
        host = target.partition(":")[0]
        if host not in (GRAPH, LOGIN):
            plain.sendall(_response(403, b"", "text/plain", encoding=""))
            return
        plain.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self.server.tls.wrap_socket(plain, server_side=True) as secure:
            unread = bytearray()
            while True:
                method, target, headers = _request(secure, unread)
                bearer = headers.get("authorization", "").removeprefix("Bearer ")
                secure.sendall(_response(*self.server.world.answer(method, host, target, bearer)))


def _request(connection: socket.socket, unread: bytearray) -> tuple[str, str, dict[str, str]]:
    """The next request: method, target, headers. Its body is skipped. Raises EOFError when there is none."""
    while (end := unread.find(b"\r\n\r\n")) < 0:
        received = connection.recv(65536)
        if not received:
            raise EOFError
        unread += received
    first, *lines = unread[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    del unread[: end + 4]
    body = int(headers.get("content-length", "0"))
    while len(unread) < body:
        unread += connection.recv(65536)
    del unread[:body]
    method, target, _ = first.split(" ")
    return method, target, headers


def _response(status: int, body: bytes, content_type: str, encoding: str = "Content-Encoding: gzip\r\n") -> bytes:
    """An answer in one piece, with as many headers as Graph's."""
    return (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}\r\n"
        "Cache-Control: no-cache\r\nStrict-Transport-Security: max-age=31536000\r\nOData-Version: 4.0\r\n"
        "request-id: 5f1b0c7e-3d29-4b86-9f14-7a2e8c5d6b31\r\nx-ms-resource-unit: 1\r\n"
        'x-ms-ags-diagnostic: {"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5"}}\r\n'
        f"Content-Type: {content_type}\r\n{encoding}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def main() -> None:
    """Serve the world of the first line of standard input until that ends."""
    described = json.loads(sys.stdin.readline())
    tenants = [BenchTenant(**tenant) for tenant in described["tenants"]]
    authority = trustme.CA()
    Path(described["authority"]).write_bytes(authority.cert_pem.bytes())
    world = World({token(tenant.tenant_id): served(tenant) for tenant in tenants}, described["latency"])
    server = _Server(world, authority)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
