"""What can go wrong between the product and Microsoft, as data.

A ``Fault`` says when (which host, path, page, how many times) and an effect says what: a whole answer in place of
the real one (``Reply``), a connection that breaks (``Drop``), a slow answer (``Delay``), a damaged one (``Cut``), or
a page of users that lies about what follows it (``EmptyPage``, ``RepeatedLink``, ``ForeignLink``, ``Overlap``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Anything that JSON can say."""

Service = Literal["login", "graph"]
"""Which of the two hosts: Entra's or Graph's."""

ALWAYS = 1_000_000_000
"""``times`` of a fault that never stops."""


@dataclass(frozen=True)
class Page:
    """One page of a listing, before it is written out. An effect may bend it.

    It holds the users from index ``start`` up to and without ``end``. ``following`` is the index at which the next page
    starts, or None on the last one; ``number`` counts from 1, ``next_number`` is the next page's. ``host`` is the one
    that the nextLink names.
    """

    start: int
    end: int
    following: int | None
    number: int
    next_number: int
    host: str


@dataclass(frozen=True)
class Reply:
    """Answer this instead, without looking at the request.

    ``body``: None for the service's own error body for that status, a mapping or a list for JSON, text for HTML (such
    as a proxy's error page), bytes as they are.
    """

    status: int
    body: Json | bytes = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """Break the connection: before the answer, or after ``after`` bytes of the body.

    Served, the socket is closed. In-process, the WSGI app raises ConnectionResetError, at the call or while the body
    is read, as there is no socket; a client maps it to its own transport error.
    """

    after: int | None = None


@dataclass(frozen=True)
class Delay:
    """Answer rightly, ``seconds`` later."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """Answer with the status of success and half of the body: JSON that ends in the middle."""


@dataclass(frozen=True)
class EmptyPage:
    """Answer no users, with a nextLink to a page that holds them. Legal, and met in the field."""

    def bend(self, page: Page) -> Page:
        """The same page without its users, followed by another try at it."""
        return replace(page, end=page.start, following=page.start)


@dataclass(frozen=True)
class RepeatedLink:
    """Link to this very page as the next one: pages without end when it goes on."""

    def bend(self, page: Page) -> Page:
        """The same page, followed by itself."""
        return replace(page, following=page.start, next_number=page.number)


@dataclass(frozen=True)
class ForeignLink:
    """Link to another host as the next page: a client that follows it gives its token away."""

    host: str = "graph.microsoft.example"

    def bend(self, page: Page) -> Page:
        """The same page, with a nextLink that leads astray, also when it is the last one."""
        return replace(page, host=self.host, following=page.end if page.following is None else page.following)


@dataclass(frozen=True)
class Overlap:
    """Begin the next page ``users`` early, so that the last users of this page come twice."""

    users: int = 1

    def bend(self, page: Page) -> Page:
        """The same page, followed by one that begins too early, also when it is the last one."""
        following = page.end if page.following is None else page.following
        return replace(page, following=max(page.start, following - self.users))


PageEffect = EmptyPage | RepeatedLink | ForeignLink | Overlap
Effect = Reply | Drop | Delay | Cut | PageEffect

EXPIRED_PAGE_TOKEN = Reply(
    400,
    {
        "error": {
            "code": "Directory_ExpiredPageToken",
            "message": "The specified page token value has expired and can no longer be included in your request.",
        }
    },
)
"""What Graph says to a page token that is too old."""

LOST_PAGE_TOKEN = Reply(400, {"error": {"code": "DirectoryPageTokenNotFoundException", "message": "Token not found."}})
"""What Graph says to a page token that came with a retried request."""


def throttled(seconds: int | str | None = 7) -> Reply:
    """A 429; ``seconds`` is the Retry-After header: seconds, an HTTP date as text, or None to leave it out."""
    return Reply(429, headers={} if seconds is None else {"Retry-After": str(seconds)})


@dataclass(frozen=True)
class Fault:
    """When an effect happens.

    ``path`` is a glob over the request's path, such as ``/v1.0/users`` or ``*/token``. ``page`` narrows it to one
    page of a listing, from 1. Of the requests that match, those from the ``first`` (from 1) on are hit, ``times`` of
    them. They are counted for each emulator anew.
    """

    effect: Effect
    path: str = "*"
    service: Service = "graph"
    page: int | None = None
    first: int = 1
    times: int = 1

    def matches(self, service: Service, path: str, page: int) -> bool:
        """Whether a request is one of those that this fault counts."""
        return self.service == service and fnmatchcase(path, self.path) and self.page in (None, page)


class FaultBook:
    """Counts the requests that each fault matched, for all threads of one emulator."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[tuple[str, int], int] = {}

    def pick(self, tenant_id: str, faults: Sequence[Fault], service: Service, path: str, page: int) -> Effect | None:
        """The effect on this request, or None. When several faults are due, the first declared one wins."""
        due: Effect | None = None
        with self._lock:
            for index, fault in enumerate(faults):
                if not fault.matches(service, path, page):
                    continue
                seen = self._seen[tenant_id, index] = self._seen.get((tenant_id, index), 0) + 1
                if due is None and fault.first <= seen < fault.first + fault.times:
                    due = fault.effect
        return due
