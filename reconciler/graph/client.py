"""Reading one tenant through Microsoft Graph: who it is, what it owns, who holds it.

Whatever is not read to its end raises: no caller can mistake a part for the whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import chain
from time import monotonic

import httpx
import msgspec

from reconciler.errors import ReportedError, SuccessNotDeserialized, UntrustedAnswer
from reconciler.graph import delta, rows
from reconciler.graph.answers import PageTokenExpired, is_refusal
from reconciler.graph.auth import Tokens
from reconciler.graph.clouds import Endpoints
from reconciler.graph.listing import Streams, Turn, ahead
from reconciler.graph.pages import Pager
from reconciler.graph.ranges import REFUSALS, RangedUsers, Unproven, count
from reconciler.graph.roles import SIGN_INS_READ, granted
from reconciler.graph.wire import CompanySubscription, Page, SubscribedSku, Tenant, User, UserWithSignIns
from reconciler.model import ChangedPage, License, Organization, ServicePlans, UserPage
from reconciler.queries import (
    ORGANIZATION,
    SKUS,
    SUBSCRIPTIONS,
    USER,
    USER_WITH_SIGN_INS,
    USERS,
    USERS_WITH_SIGN_INS,
)

log = logging.getLogger(__name__)

LARGE_TENANT = 50_000
LONG = 20.0
"""A list of so many users that takes so many seconds page after page, judged by its first page, is read in ranges."""
RESTARTS = 3
"""How often the list of users is read again from its start when Graph lost the place."""


class GraphClient:
    """One tenant. Errors are those of ``Tokens.token`` and, for Graph's own answers, the same kinds.

    ``streams`` is how many parts of the list of users may be read at once when that is worth it.
    """

    def __init__(
        self,
        http: httpx.Client,
        endpoints: Endpoints,
        tenant_id: str,
        tokens: Tokens,
        streams: int = 1,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.pager = Pager(http, endpoints, tokens)
        self._tenant_id = tenant_id
        self._tokens = tokens
        self._streams = streams
        self._clock = clock
        self._service_plans: Mapping[str, ServicePlans] = {}
        self._sign_ins = False

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None when Microsoft did."""
        return self.pager.emulated

    @property
    def service_plans(self) -> Mapping[str, ServicePlans]:
        """The service plans of each license that was read last, by SKU ID."""
        return self._service_plans

    @property
    def sign_ins(self) -> bool:
        """Whether the users that were listed last came with their sign-ins."""
        return self._sign_ins

    @property
    def selected(self) -> str:
        """What a list of users asks of each, as far as the app may read it."""
        return USER_WITH_SIGN_INS if self._may_read_sign_ins() else USER

    @property
    def credential_end(self) -> date | None:
        """The last day of the credential that is tried first, as far as it is known after the first request."""
        return self._tokens.credential_end

    def organization(self) -> Organization:
        """Who the tenant is. Raises UntrustedAnswer (``tenant-mismatch``) when it is not the portal's tenant."""
        found = [tenant for page in self.pager.pages(ORGANIZATION, _ORGANIZATION) for tenant in page.value]
        if not found:
            raise SuccessNotDeserialized(detail=f"{self.pager.host}: /organization names no organization")
        result = rows.organization(found[0])
        if result.tenant_id != self._tenant_id.lower():
            raise UntrustedAnswer(code="tenant-mismatch", detail=f"asked for {self._tenant_id.lower()}")
        return result

    def licenses(self) -> tuple[License, ...]:
        """Every license of the tenant with its subscriptions, sorted by SKU ID; see ``rows.licenses``."""
        skus = [sku for page in self.pager.pages(SKUS, _SKUS) for sku in page.value]
        subscriptions = [each for page in self.pager.pages(SUBSCRIPTIONS, _SUBSCRIPTIONS) for each in page.value]
        self._service_plans = rows.service_plans(skus)
        return rows.licenses(skus, subscriptions)

    def latest(self) -> str | None:
        """The link behind which changes from now on are told, or None where Graph tells none."""
        return delta.latest(self.pager, USER)

    def changes(self, link: str) -> Iterator[ChangedPage]:
        """Who changed since a link was taken; see ``delta.changes``."""
        return delta.changes(self.pager, link)

    def _may_read_sign_ins(self) -> bool:
        return SIGN_INS_READ in (granted(self._tokens.token()) or ())

    def users(self, restarted: Callable[[], None], idle_since: date | None = None) -> Iterator[UserPage]:
        """Page by page, whoever holds a license. A user may come twice: a list is no snapshot.

        With ``idle_since``, sign-ins come too when the app may read them: who has not signed in after that day is idle.
        When Graph loses the place, or does not give the list with sign-ins after all, or parts that were read at once
        prove not to be the whole, ``restarted`` is called, everything yielded so far is void, and the list starts
        again; when the place was lost ``RESTARTS`` times it raises ReportedError.
        """
        restarts = 0
        streams = Streams(self._streams)
        self._sign_ins = idle_since is not None and self._may_read_sign_ins()
        while True:
            try:
                yield from self._listed(streams, idle_since if self._sign_ins else None)
                return
            except Unproven as reason:
                log.info("%s: not read in ranges: %s", self._tenant_id, reason)
                streams = Streams(1)
            except PageTokenExpired:
                if restarts == RESTARTS:
                    raise
                restarts += 1
            except ReportedError as error:
                if not self._sign_ins or not is_refusal(error):
                    raise
                log.info("%s: sign-ins are not read: %s", self._tenant_id, error.code)
                self._sign_ins = False  # whether users may be read at all, the list without them says
            restarted()

    def _listed(self, streams: Streams, idle_since: date | None) -> Iterator[UserPage]:
        """The list of users from its first page on, or in ranges when it is large and slow. Raises Unproven."""
        listed = USERS_WITH_SIGN_INS if self._sign_ins else USERS

        decoder = _USERS_WITH_SIGN_INS if self._sign_ins else _USERS

        def as_rows(page: Page[User]) -> UserPage:
            return rows.user_page(page.value, idle_since)

        watched = _Watched()
        pages = self.pager.pages(listed, decoder, turn=watched)
        asked = self._clock()
        first = next(pages)
        seconds_a_user = (self._clock() - asked) / max(len(first.value), 1)
        if first.next_link is None:
            yield as_rows(first)
            return
        users = self._users() if streams.allowed > 1 else 0
        if users < LARGE_TENANT or watched.throttled or users * seconds_a_user < LONG:
            yield from ahead(map(as_rows, chain([first], pages)))
            return
        log.info("%s: %d users, read in ranges", self._tenant_id, users)
        yield from RangedUsers(self.pager, listed, decoder, as_rows, streams).read(users)

    def _users(self) -> int:
        """How many users there are, as far as the app may know: 0 when Graph does not tell."""
        try:
            return count(self.pager)
        except REFUSALS as error:
            log.info("%s: users are not counted: %s", self._tenant_id, error.code)
            return 0


class _Watched(Turn):
    """Notes whether a request was throttled: how long it took then says nothing about the list."""

    throttled = False

    def answered(self, *, throttled: bool) -> None:
        """Note it."""
        self.throttled |= throttled


_ORGANIZATION = msgspec.json.Decoder(Page[Tenant])
_SKUS = msgspec.json.Decoder(Page[SubscribedSku])
_SUBSCRIPTIONS = msgspec.json.Decoder(Page[CompanySubscription])
_USERS: msgspec.json.Decoder[Page[User]] = msgspec.json.Decoder(Page[User])
_USERS_WITH_SIGN_INS: msgspec.json.Decoder[Page[User]] = msgspec.json.Decoder(Page[UserWithSignIns])
