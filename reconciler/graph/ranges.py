"""The users of a large tenant, read in ranges at once: faster where each page takes long, and proven complete.

A range is who has a user principal name that starts like this. Together the ranges cover every sign that such a name
may start with. ``startswith`` is a plain filter, so every user comes from the same store as in the whole list: the
index behind advanced queries lags, and only counts come from it. They plan, and they are the witness: the ranges count
only when they bring as many users as ``/users/$count`` tells before and after, and nobody twice. So a user who is
renamed, made or deleted meanwhile, or a name with an unexpected sign, voids them; the whole list is read instead.

Sources: Microsoft Entra documentation, "UserPrincipalName policies that apply to all user accounts" (the signs);
Microsoft Graph documentation, "Advanced query capabilities", and the page "List users".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from string import ascii_lowercase, digits
from threading import Lock
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from reconciler.distinct import Distinct
from reconciler.errors import FailureNotDeserialized, ReportedError, SuccessNotDeserialized
from reconciler.graph.listing import EVERYBODY, Streams, Turn
from reconciler.graph.pages import EVENTUAL, Pager
from reconciler.graph.retry import was_throttled
from reconciler.graph.wire import Page, User

T = TypeVar("T")

STARTS = ascii_lowercase + digits + "_-!#^~"
"""What user principal names start with; capitals are the same. Another sign makes the numbers disagree."""
CONTINUES = STARTS + ".'@"
"""What may follow: a domain, at the latest."""
LARGE = 8
"""A range with more than one in so many of all users is cut into smaller ones."""
CUTS = 20
"""How often ranges are cut at most. Each takes some 45 short requests to count, and as many to read."""

REFUSALS = (ReportedError, SuccessNotDeserialized, FailureNotDeserialized)
"""How Graph says that it does not count, or not list in ranges. If there is more to it, the whole list shows it."""


class Unproven(Exception):
    """The ranges do not prove to be the whole list, and all that they brought is void. The text says why."""


def count(pager: Pager, prefix: str | None = None, turn: Turn = EVERYBODY) -> int:
    """How many users there are, or how many have names that start like this, by the index. Raises PortalError."""
    wanted = f"?$filter={_starting(prefix)}" if prefix else ""
    response = pager.get(f"/users/$count{wanted}", EVENTUAL)
    turn.answered(throttled=was_throttled(response))
    text = response.content.decode("utf-8-sig", "replace").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise SuccessNotDeserialized(detail=f"{pager.host}: /users/$count is no number")
    return int(text)


class RangedUsers(Generic[T]):
    """The list of users in ranges. ``listed`` is the whole list; ``made`` is what each page is made into."""

    def __init__(
        self,
        pager: Pager,
        listed: str,
        decoder: msgspec.json.Decoder[Page[User]],
        made: Callable[[Page[User]], T],
        streams: Streams,
    ) -> None:
        self._pager = pager
        self._listed = listed
        self._decoder = decoder
        self._made = made
        self._streams = streams
        self._seen = Distinct()
        self._lock = Lock()

    def read(self, before: int) -> Iterator[T]:
        """All ranges, page by page, in any order; ``before`` is how many users there are.

        Raises PortalError, or Unproven, which also stands for whatever Graph has against the filters.
        """
        try:
            ranges = _ranges(self._pager, before, self._streams)
            yield from self._streams.read(partial(self._range, prefix) for prefix in ranges)
            after = count(self._pager)
        except REFUSALS as error:
            raise Unproven(str(error)) from error
        users, distinct = self._seen.count, self._seen.distinct()
        if not before == after == users == distinct:
            raise Unproven(f"{users} users, {distinct} of them distinct; {before} before, {after} after")

    def _range(self, prefix: str, turn: Turn) -> Iterator[T]:
        first = f"{self._listed}&$filter={_starting(prefix)}"
        for page in self._pager.pages(first, self._decoder, turn=turn):
            with self._lock:
                self._seen.add(user.id.lower() for user in page.value)
            yield self._made(page)
            del page  # the next one is large too


def _ranges(pager: Pager, users: int, streams: Streams) -> list[str]:
    """What the names in each range start with, the largest range first. An empty one is read all the same."""
    sizes = _sizes(pager, STARTS, streams)
    whole: dict[str, int] = {}
    for _ in range(CUTS):
        largest = max(sizes, key=lambda prefix: (sizes[prefix], prefix))
        size = sizes[largest]
        if size * LARGE <= users:
            break
        del sizes[largest]
        parts = _sizes(pager, [largest + sign for sign in CONTINUES], streams)
        if sum(parts.values()) == size:
            sizes |= parts
        else:  # a name goes on with another sign
            whole[largest] = size
    sizes |= whole
    return sorted(sizes, key=lambda prefix: (-sizes[prefix], prefix))


def _sizes(pager: Pager, prefixes: Iterable[str], streams: Streams) -> dict[str, int]:
    """How many users each range has."""

    def size_of(prefix: str, turn: Turn) -> Iterator[tuple[str, int]]:
        yield prefix, count(pager, prefix, turn)

    return dict(streams.read(partial(size_of, prefix) for prefix in prefixes))


def _starting(prefix: str) -> str:
    """The filter for names that start like this, encoded."""
    name = prefix.replace("'", "''")
    return quote(f"startswith(userPrincipalName,'{name}')", safe="(),'")
