"""One GET of Graph, and the pages of a list: whatever is not read to its end raises.

The bearer token goes to the portal's own Graph host and nowhere else, and no redirect is followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from reconciler.errors import SuccessNotDeserialized, UntrustedAnswer
from reconciler.graph.answers import decode, graph_failure, unreachable
from reconciler.graph.auth import Tokens
from reconciler.graph.clouds import Endpoints
from reconciler.graph.listing import EVERYBODY, Turn
from reconciler.graph.retry import was_throttled
from reconciler.graph.wire import Page

P = TypeVar("P", bound=Page[Any])

_SPENT = httpx.ByteStream(b"")

PAGE_LIMIT = 100_000
"""Pages after which a list has no end: a hundred million users."""

EVENTUAL = {"consistencylevel": "eventual"}
"""The header of an advanced query, answered from an index that lags. A nextLink does not carry it."""


class Pager:
    """The way to one tenant's Graph. Threads may share it.

    Errors are those of ``Tokens.token`` and, for Graph's own answers, the same kinds.
    """

    def __init__(self, http: httpx.Client, endpoints: Endpoints, tokens: Tokens) -> None:
        self._http = http
        self._host = endpoints.graph_host
        self._root = endpoints.graph_root
        self._tokens = tokens
        self._emulated: str | None = None

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None when Microsoft did."""
        return self._emulated

    @property
    def host(self) -> str:
        """The portal's own Graph host."""
        return self._host

    def pages(
        self,
        first: str,
        decoder: msgspec.json.Decoder[P],
        headers: Mapping[str, str] | None = None,
        turn: Turn = EVERYBODY,
    ) -> Iterator[P]:
        """The pages of a list; a page may be empty and still name a next one.

        ``first`` is a path with its query, such as ``/users?$top=999``, or a whole link that Graph gave earlier.
        ``headers`` go with every page; ``turn`` is told of each answer before it is decoded.
        """
        url: str | None = self._absolute(first)
        seen: set[str] = set()
        while url is not None:
            self.refuse_elsewhere(url)
            if url in seen or len(seen) == PAGE_LIMIT:
                raise UntrustedAnswer(code="page-loop", detail=self._host)
            seen.add(url)
            page = self._page(url, decoder, headers, turn)
            url = page.next_link
            yield page
            del page  # the next one is large too

    def _page(
        self,
        url: str,
        decoder: msgspec.json.Decoder[P],
        headers: Mapping[str, str] | None,
        turn: Turn,
    ) -> P:
        response = self.get(url, headers)
        turn.answered(throttled=was_throttled(response))
        page = decode(decoder, response)
        if page.error is not None:
            raise SuccessNotDeserialized(detail=f"{self._host}: the answer holds an error beside its values")
        return page

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A success. A refused token is renewed once per request: it may have expired on the way.

        ``url`` is a path or a link, as for ``pages``.
        """
        url = self._absolute(url)
        token = self._tokens.token()
        response = self._send(url, headers, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            if self._tokens.token() == token:  # no other thread has renewed it meanwhile
                self._tokens.renew()
            response = self._send(url, headers, self._tokens.token())
        if not response.is_success:
            raise graph_failure(response)
        if response.status_code != httpx.codes.OK:  # 206, for one, is a success in part
            raise SuccessNotDeserialized(detail=f"{self._host} answered {response.status_code} instead of 200")
        return response

    def _send(self, url: str, headers: Mapping[str, str] | None, token: str) -> httpx.Response:
        self.refuse_elsewhere(url)
        sent = {"authorization": f"Bearer {token}", "accept": "application/json", **(headers or {})}
        try:
            response = self._http.get(url, headers=sent, follow_redirects=False)
        except httpx.RequestError as error:
            raise unreachable(self._host, error) from None
        response.stream = _SPENT  # httpx ties it to the answer, and a page would wait for the garbage collector
        self._emulated = response.headers.get("x-emulated-scenario", self._emulated)
        return response

    def _absolute(self, url: str) -> str:
        return self._root + url if url.startswith("/") else url

    def refuse_elsewhere(self, link: str) -> None:
        """Raise UntrustedAnswer for a link to another host than the portal's Graph: each request carries the token."""
        try:
            url = httpx.URL(link)
            fits = url.scheme == "https" and url.host == self._host and url.port is None and not url.userinfo
            fits = fits and url.path.startswith("/v1.0/")
        except httpx.InvalidURL:
            fits = False
        if not fits:
            raise UntrustedAnswer("A link to the next page leads to another host.", code="foreign-link")
