"""Reading one tenant through Microsoft Graph: who it is, what it owns, who holds it.

Whatever is not read to its end raises: no caller can mistake a part for the whole. The bearer token goes to the
portal's own Graph host and nowhere else, and no redirect is followed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeVar

import httpx
import msgspec

from reconciler.errors import ReportedError, SuccessNotDeserialized, UntrustedAnswer
from reconciler.graph import rows
from reconciler.graph.answers import PageTokenExpired, decode, graph_failure, unreachable
from reconciler.graph.auth import Tokens
from reconciler.graph.clouds import Endpoints
from reconciler.graph.roles import SIGN_INS_READ, granted
from reconciler.graph.wire import CompanySubscription, Page, SubscribedSku, Tenant, User
from reconciler.model import License, Organization, UserPage

log = logging.getLogger(__name__)

T = TypeVar("T")

ORGANIZATION = "/organization?$select=id,displayName,verifiedDomains"
SKUS = (
    "/subscribedSkus"  # no $top: Graph refuses it here
    "?$select=skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits,subscriptionIds,servicePlans"
)
SUBSCRIPTIONS = "/directory/subscriptions?$select=id,skuId,status,totalLicenses,isTrial,nextLifecycleDateTime"
_USER = (
    "id,userPrincipalName,displayName,mail,accountEnabled,userType,usageLocation,assignedLicenses,"
    "licenseAssignmentStates"
)
USERS = f"/users?$select={_USER}&$top=999"
USERS_WITH_SIGN_INS = f"/users?$select={_USER},createdDateTime,signInActivity&$top=500"
"""Graph gives no more than 500 users a page when their sign-ins are selected."""

RESTARTS = 3
"""How often the list of users is read again from its start when Graph lost the place."""
PAGE_LIMIT = 100_000
"""Pages after which a list has no end: a hundred million users."""


class GraphClient:
    """One tenant. Errors are those of ``Tokens.token`` and, for Graph's own answers, the same kinds."""

    def __init__(self, http: httpx.Client, endpoints: Endpoints, tenant_id: str, tokens: Tokens) -> None:
        self._http = http
        self._host = endpoints.graph_host
        self._root = endpoints.graph_root
        self._tenant_id = tenant_id
        self._tokens = tokens
        self._emulated: str | None = None
        self._service_plans: Mapping[str, frozenset[str]] = {}
        self._sign_ins = False

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None when Microsoft did."""
        return self._emulated

    @property
    def service_plans(self) -> Mapping[str, frozenset[str]]:
        """The service plans for users of each license that was read last, by SKU ID."""
        return self._service_plans

    @property
    def sign_ins(self) -> bool:
        """Whether the users that were listed last came with their sign-ins."""
        return self._sign_ins

    @property
    def credential_end(self) -> date | None:
        """The last day of the credential that is tried first, as far as it is known after the first request."""
        return self._tokens.credential_end

    def organization(self) -> Organization:
        """Who the tenant is. Raises UntrustedAnswer (``tenant-mismatch``) when it is not the portal's tenant."""
        found = [tenant for page in self._pages(ORGANIZATION, _ORGANIZATION) for tenant in page]
        if not found:
            raise SuccessNotDeserialized(detail=f"{self._host}: /organization names no organization")
        result = rows.organization(found[0])
        if result.tenant_id != self._tenant_id.lower():
            raise UntrustedAnswer(code="tenant-mismatch", detail=f"asked for {self._tenant_id.lower()}")
        return result

    def licenses(self) -> tuple[License, ...]:
        """Every license of the tenant with its subscriptions, sorted by SKU ID; see ``rows.licenses``."""
        skus = [sku for page in self._pages(SKUS, _SKUS) for sku in page]
        subscriptions = [each for page in self._pages(SUBSCRIPTIONS, _SUBSCRIPTIONS) for each in page]
        self._service_plans = rows.service_plans(skus)
        return rows.licenses(skus, subscriptions)

    def users(self, restarted: Callable[[], None], idle_since: date | None = None) -> Iterator[UserPage]:
        """Page by page, whoever holds a license. A user may come twice: a list is no snapshot.

        With ``idle_since``, sign-ins come too when the app may read them: who has not signed in after that day is idle.
        When Graph loses the place, or refuses to tell sign-ins after all, ``restarted`` is called, everything yielded
        so far is void, and the list starts again; when the place was lost ``RESTARTS`` times it raises ReportedError.
        """
        restarts = 0
        self._sign_ins = idle_since is not None and SIGN_INS_READ in (granted(self._tokens.token()) or ())
        while True:
            try:
                yield from self._listed(idle_since)
                return
            except PageTokenExpired:
                if restarts == RESTARTS:
                    raise
                restarts += 1
            except ReportedError as error:
                if not self._sign_ins or error.status != httpx.codes.FORBIDDEN:
                    raise
                log.info("%s: sign-ins are not read: %s", self._tenant_id, error.code)
                self._sign_ins = False  # whether users may be read at all, the list without them says
            restarted()

    def _listed(self, idle_since: date | None) -> Iterator[UserPage]:
        """The list of users from its first page on, with or without sign-ins."""
        if self._sign_ins:
            return (rows.user_page(users, idle_since) for users in self._pages(USERS_WITH_SIGN_INS, _USERS))
        return (rows.user_page(users) for users in self._pages(USERS, _USERS))

    def _pages(self, first: str, decoder: msgspec.json.Decoder[Page[T]]) -> Iterator[list[T]]:
        """The pages of a list; a page may be empty and still name a next one."""
        url = self._root + first
        seen = {url}
        while True:
            page = decode(decoder, self._get(url))
            if page.error is not None:
                raise SuccessNotDeserialized(detail=f"{self._host}: the answer holds an error beside its values")
            yield page.value
            if page.next_link is None:
                return
            url = page.next_link
            self._refuse_elsewhere(url)
            if url in seen or len(seen) == PAGE_LIMIT:
                raise UntrustedAnswer(code="page-loop", detail=self._host)
            seen.add(url)

    def _get(self, url: str) -> httpx.Response:
        """A success. A refused token is renewed once per request: it may have expired on the way."""
        response = self._send(url)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.renew()
            response = self._send(url)
        if not response.is_success:
            raise graph_failure(response)
        if response.status_code != httpx.codes.OK:  # 206, for one, is a success in part
            raise SuccessNotDeserialized(detail=f"{self._host} answered {response.status_code} instead of 200")
        return response

    def _send(self, url: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._tokens.token()}", "accept": "application/json"}
        try:
            response = self._http.get(url, headers=headers, follow_redirects=False)
        except httpx.RequestError as error:
            raise unreachable(self._host, error) from None
        self._emulated = response.headers.get("x-emulated-scenario", self._emulated)
        return response

    def _refuse_elsewhere(self, link: str) -> None:
        """A nextLink is followed on the portal's Graph host only: each request carries the token."""
        try:
            url = httpx.URL(link)
            fits = url.scheme == "https" and url.host == self._host and url.port is None and not url.userinfo
            fits = fits and url.path.startswith("/v1.0/")
        except httpx.InvalidURL:
            fits = False
        if not fits:
            raise UntrustedAnswer("A link to the next page leads to another host.", code="foreign-link")


_ORGANIZATION = msgspec.json.Decoder(Page[Tenant])
_SKUS = msgspec.json.Decoder(Page[SubscribedSku])
_SUBSCRIPTIONS = msgspec.json.Decoder(Page[CompanySubscription])
_USERS = msgspec.json.Decoder(Page[User])
