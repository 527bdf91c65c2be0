"""``/users/delta``: what changed among an emulated tenant's users since a token was given.

A token stands for the tenant as it was then, so that a scenario can be changed between two rounds. Old tokens can be
shown again, as after a round that broke off. Only this emulator knows its tokens; to another one they are lost.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import quote

from reconciler.emulator import metadata, records
from reconciler.emulator.directory import User
from reconciler.emulator.faults import Json, Page, PageEffect
from reconciler.emulator.message import Request
from reconciler.emulator.odata import GraphError, Options, not_emulated, unsupported
from reconciler.emulator.scenario import Tenant

PAGE = 200
"""Users on a page; no request can change that."""

TOKEN_LIFE = 7 * 24 * 3600
"""Seconds that a token is good for."""

UNTRACKED = frozenset({"licenseAssignmentStates", "signInActivity"})
"""Properties that can be selected, and whose changes alone do not bring a user into a round."""

Names = tuple[str, ...]


@dataclass(frozen=True)
class _Known:
    """What a token stands for: the users of a tenant as somebody knows them, and what is asked about them."""

    tenant: Tenant
    names: Names | None
    given: float


@dataclass(frozen=True)
class _Round:
    """A round that is being read: what it tells, and the tenant that it leads to."""

    known: _Known
    entries: tuple[Json, ...]


@dataclass(frozen=True)
class Told:
    """A page of a round: its values, the link after them, and what was selected."""

    names: Names | None
    values: list[Json]
    links: Mapping[str, Json]


class DeltaRounds:
    """Answers for all tenants of one emulator. Safe to call from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, _Known] = {}
        self._rounds: dict[str, _Round] = {}

    def answer(self, request: Request, tenant: Tenant, effect: PageEffect | None) -> Told:
        """One page. Raises GraphError where Graph refuses."""
        given = dict(request.parameters())
        page_token, token = given.pop("$skiptoken", ""), given.pop("$deltatoken", "")
        if page_token:
            return self._page(request, tenant, page_token, effect)
        names = _selected(given)
        if token == "latest":  # noqa: S105 - a word of Graph's
            end = _link(request, "$deltatoken", self._remember(_Known(tenant, names, self._clock())))
            return Told(names, [], {"@odata.deltaLink": end})
        entries: tuple[Json, ...]
        if token:
            known = self._recall(request, tenant, token)
            names, entries = known.names, tuple(_changes(known.tenant, tenant, known.names))
        else:
            entries = tuple(_told(person, names) for person in tenant.directory)
        round_id = secrets.token_hex(8)
        with self._lock:
            self._rounds[round_id] = _Round(_Known(tenant, names, self._clock()), entries)
        return self._page(request, tenant, _page_token(1, 0, round_id), effect)

    def _page(self, request: Request, tenant: Tenant, token: str, effect: PageEffect | None) -> Told:
        number, start, round_id = _opened(token)
        with self._lock:
            reading = self._rounds.get(round_id)
        if reading is None or reading.known.tenant.tenant_id != tenant.tenant_id:
            raise GraphError(400, "Request_BadRequest", "The page token is not valid.")
        end = min(start + PAGE, len(reading.entries))
        page = Page(start, end, end if end < len(reading.entries) else None, number, number + 1, request.host)
        if effect is not None:
            page = effect.bend(page)
        if page.following is None:
            links = {"@odata.deltaLink": _link(request, "$deltatoken", self._remember(reading.known))}
        else:
            following = _page_token(page.next_number, page.following, round_id)
            links = {"@odata.nextLink": _link(request, "$skiptoken", following, page.host)}
        return Told(reading.known.names, list(reading.entries[start : page.end]), links)

    def _remember(self, known: _Known) -> str:
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._known[token] = known
        return token

    def _recall(self, request: Request, tenant: Tenant, token: str) -> _Known:
        with self._lock:
            known = self._known.get(token)
        anew = {"Location": f"https://{request.host}{request.path}?$deltatoken="}
        if known is None or known.tenant.tenant_id != tenant.tenant_id:
            raise GraphError(410, "resyncRequired", "Resync required: the token is not known.", anew)
        if self._clock() - known.given > TOKEN_LIFE:
            raise GraphError(
                410,
                "syncStateNotFound",
                "The sync state generation is not found. The delta token is expired and data must be synchronized "
                "again.",
                anew,
            )
        return known


def _selected(given: Mapping[str, str]) -> Names | None:
    """The properties that are tracked. Whatever else a list of users takes is refused."""
    for name in given:
        if name == "$filter":
            raise not_emulated("$filter on delta queries")
        if name.startswith("$") and name != "$select":
            raise unsupported(f"The query option '{name}' is not supported for delta queries on users.")
    values = {"select": given["$select"]} if "$select" in given else {}
    names = Options(values, eventual=False).select("microsoft.graph.user", metadata.USER)
    return None if names is None else tuple(dict.fromkeys(("id", *names)))


def _told(person: User, names: Names | None) -> Json:
    """A user in a round: the members that were ever set."""
    record = records.user(person, metadata.USER_DEFAULT if names is None else names)
    return {name: value for name, value in record.items() if value is not None}


def _changes(before: Tenant, now: Tenant, names: Names | None) -> Iterator[Json]:
    """What a round tells to somebody who knows the users as they were before."""
    if (before.users, before.domain, before.purged) == (now.users, now.domain, now.purged):
        return
    asked = [name for name in (names or metadata.USER_DEFAULT) if name not in UNTRACKED]
    known = {person.object_id: records.user(person, asked) for person in before.directory}
    purged = set(now.purged) - set(before.purged)
    for person in now.directory:
        purged.discard(person.object_id)
        if known.pop(person.object_id, None) != records.user(person, asked):
            yield _told(person, names)
    for object_id in sorted(known.keys() | purged):
        yield {"id": object_id, "@removed": {"reason": "deleted" if object_id in now.purged else "changed"}}


def _link(request: Request, name: str, token: str, host: str = "") -> str:
    return f"https://{host or request.host}{request.path}?{name}={quote(token)}"


def _page_token(number: int, start: int, round_id: str) -> str:
    raw = f"{number}.{start}.{round_id}".encode()
    return "RFNwdA" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _opened(token: str) -> tuple[int, int, str]:
    try:
        text = token.removeprefix("RFNwdA")
        number, start, round_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(".")
        return int(number), int(start), round_id
    except ValueError:
        raise GraphError(400, "Request_BadRequest", "The page token is not valid.") from None
