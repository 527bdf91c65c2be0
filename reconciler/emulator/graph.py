"""The emulated Graph, v1.0: organization, subscribedSkus, users, directory/subscriptions. Read-only."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from reconciler.emulator import metadata, records
from reconciler.emulator.delta import DeltaRounds
from reconciler.emulator.directory import User
from reconciler.emulator.faults import Json, Page, PageEffect, Reply
from reconciler.emulator.message import Ids, Request, Response, as_json, as_told
from reconciler.emulator.odata import (
    LARGEST_PAGE_OF_SIGN_INS,
    GraphError,
    Options,
    PageTokens,
    link_query,
    not_emulated,
    unsupported,
)
from reconciler.emulator.scenario import Scenario, Tenant
from reconciler.emulator.tokens import TokenRefused, Tokens
from reconciler.graph.clouds import ENDPOINTS

GRAPH_HOSTS = frozenset(endpoints.graph_host for endpoints in ENDPOINTS.values())
"""The hosts that this service answers for."""

ODATA_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_TENANT = _DIRECTORY | {"Organization.Read.All", "Organization.ReadWrite.All"}
ROLES: Mapping[str, frozenset[str]] = {
    "organization": _TENANT,
    "subscribedSkus": _TENANT | {"LicenseAssignment.Read.All"},
    "users": _DIRECTORY | {"User.Read.All", "User.ReadWrite.All"},
    "directory": _TENANT,
}
"""The application permissions of which one is needed, by first path segment."""

SIGN_INS_ROLE = "AuditLog.Read.All"
"""What is needed beside to select ``signInActivity``."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)

_CHALLENGE = (
    'Bearer realm="", authorization_uri="https://{login_host}/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)

_STANDARD = {
    400: ("BadRequest", "The request is not valid."),
    401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("Request_ResourceNotFound", "The resource does not exist."),
    429: ("TooManyRequests", "Too many requests under category:aadgraph.app.tenant. Please try again later."),
    503: ("serviceNotAvailable", "The service is temporarily unavailable."),
}
"""What stands in the body when a fault names only a status."""


class Graph:
    """Answers for the Graph hosts of all clouds."""

    def __init__(self, scenario: Scenario, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tenants = {tenant.tenant_id: tenant for tenant in scenario.tenants}
        self._tokens = tokens
        self._pages = PageTokens()
        self._rounds = DeltaRounds(clock)
        self._clock = clock

    def change(self, scenario: Scenario) -> None:
        """Let the tenants be those of another scenario; tokens stay good."""
        self._tenants = {tenant.tenant_id: tenant for tenant in scenario.tenants}

    def tenant_of(self, request: Request) -> Tenant | None:
        """The tenant that a request's token names, whether or not the token is good."""
        return self._tenants.get(Tokens.tenant_of(request.headers.get("authorization")) or "")

    def handle(self, request: Request, effect: PageEffect | None = None) -> Response:
        """Answer a request; ``effect`` bends the page that it lists."""
        try:
            response = self._answer(request, effect)
        except GraphError as error:
            return self._refusal(request, error)
        return self._dressed(request, response)

    def told(self, request: Request, reply: Reply) -> Response:
        """Answer as a fault says."""
        if reply.body is None:
            code, message = _STANDARD.get(reply.status, ("UnknownError", ""))
            response = self._refusal(request, GraphError(reply.status, code, message, reply.headers))
        else:
            response = self._dressed(request, as_told(reply))
        tenant = self.tenant_of(request)
        if reply.status == 429 and tenant:
            application = tenant.applications[0].client_id if tenant.applications else ""
            response.headers["x-ms-throttle-scope"] = f"Tenant_Application/Read/{application}/{tenant.tenant_id}"
            response.headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
        return response

    def _answer(self, request: Request, effect: PageEffect | None) -> Response:
        version, *segments = request.segments or [""]
        if version == "beta":
            raise not_emulated("Graph beta")
        if version != "v1.0":
            raise GraphError(400, "BadRequest", f"Invalid version: {version}.")
        claims = self._claims(request)
        listing = self._route(request, segments, effect)
        if request.method != "GET":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        if not ROLES[segments[0]] & set(claims.get("roles", ())):
            raise GraphError(403, *_STANDARD[403])
        tenant = self._tenants[claims["tid"]]
        if segments[0] == "users":
            _refuse_sign_ins(request, tenant, claims.get("roles", ()))
        return listing(tenant)

    def _claims(self, request: Request) -> Mapping[str, Any]:
        try:
            return self._tokens.check(request.headers.get("authorization"), f"https://{request.host}", self._clock())
        except TokenRefused as refused:
            login_host = next(each.login_host for each in ENDPOINTS.values() if each.graph_host == request.host)
            challenge = {"WWW-Authenticate": _CHALLENGE.format(login_host=login_host)}
            raise GraphError(401, "InvalidAuthenticationToken", str(refused), challenge) from None

    def _route(self, request: Request, segments: list[str], effect: PageEffect | None) -> Callable[[Tenant], Response]:
        match segments:
            case ["organization"]:
                return lambda tenant: self._organization(request, tenant)
            case ["subscribedSkus"]:
                return lambda tenant: self._skus(request, tenant)
            case ["directory", "subscriptions"]:
                return lambda tenant: self._subscriptions(request, tenant)
            case ["users"]:
                return lambda tenant: self._users(request, tenant, effect)
            case ["users", "$count"]:
                return lambda tenant: self._count(request, tenant)
            case ["users", "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"]:
                return lambda tenant: self._delta(request, tenant, effect)
            case ["users", key]:
                return lambda tenant: self._user(request, tenant, key)
            case ["$batch"]:
                raise not_emulated("$batch")
        missing = segments[1] if segments[1:] and segments[0] in ROLES else (segments or [""])[0]
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{missing}'.")

    def _organization(self, request: Request, tenant: Tenant) -> Response:
        options = Options.of(request)
        options.only("select", "top")
        names = options.select("microsoft.graph.organization", metadata.ORGANIZATION)
        return self._list(request, "organization", names, [records.picked(records.organization(tenant), names)], 1)

    def _skus(self, request: Request, tenant: Tenant) -> Response:
        options = Options.of(request)
        if "top" in options.values:
            raise unsupported(
                "This resource does not support custom page sizes. Please retry without a page size argument."
            )
        options.only("select")
        names = options.select("microsoft.graph.subscribedSku", metadata.SUBSCRIBED_SKU)
        values = [records.picked(records.subscribed_sku(tenant, sku), names) for sku in tenant.skus]
        return self._list(request, "subscribedSkus", names, values, 2 if names else 3)

    def _subscriptions(self, request: Request, tenant: Tenant) -> Response:
        options = Options.of(request)
        options.only("select")
        names = options.select("microsoft.graph.companySubscription", metadata.SUBSCRIPTION)
        values = [
            records.picked(records.subscription(tenant, sku, index, purchase), names)
            for sku in tenant.skus
            for index, purchase in enumerate(sku.purchases)
        ]
        return self._list(request, "directory/subscriptions", names, values, 1)

    def _users(self, request: Request, tenant: Tenant, effect: PageEffect | None) -> Response:
        options = Options.of(request)
        _refuse_on_users(options)
        names = _user_names(options, listed=True)
        size, wanted = options.top(), options.filter()
        if "signInActivity" in (names or ()):
            size = min(size, LARGEST_PAGE_OF_SIGN_INS)
        number, start = 1, 0
        if "skiptoken" in options.values:
            number, start = self._pages.read(tenant.tenant_id, request, options.values["skiptoken"])
            if wanted and not wanted.pages:
                # Seen in the field: such a filter needs ConsistencyLevel and $count from the second page on.
                raise GraphError(
                    400,
                    "Directory_ExpiredPageToken",
                    "The specified page token value has expired and can no longer be included in your request.",
                )
        matching = (
            (index, person)
            for index, person in enumerate(tenant.directory.scan(start), start)
            if wanted is None or wanted.matches(person)
        )
        found = list(islice(matching, size))
        following = next((index for index, _ in matching), None)
        end = found[-1][0] + 1 if found else start
        page = Page(start, end, following, number, number + 1, request.host)
        if effect is not None:
            page = effect.bend(page)
        record_names = metadata.USER_DEFAULT if names is None else names
        values: list[Json] = [records.user(person, record_names) for index, person in found if index < page.end]
        envelope: dict[str, Json] = {}
        if options.counts and number == 1:
            envelope["@odata.count"] = _total(tenant, wanted.matches if wanted else None)
        if page.following is not None:
            token = self._pages.make(tenant.tenant_id, request, page.next_number, page.following)
            query = "&".join(part for part in (link_query(request), f"$skiptoken={token}") if part)
            envelope["@odata.nextLink"] = f"https://{page.host}{request.path}?{query}"
        cost = max(1, 2 - (names is not None) - (size < 20))
        return self._list(request, "users", names, values, cost, envelope)

    def _delta(self, request: Request, tenant: Tenant, effect: PageEffect | None) -> Response:
        told = self._rounds.answer(request, tenant, effect)
        return self._list(request, "users", told.names, told.values, 1, told.links)

    def _count(self, request: Request, tenant: Tenant) -> Response:
        options = Options.of(request)
        if not options.eventual:
            raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
        options.only("filter")
        wanted = Options({**options.values, "count": "true"}, eventual=True).filter()
        total = _total(tenant, wanted.matches if wanted else None)
        return Response(200, str(total).encode(), {"Content-Type": "text/plain", "x-ms-resource-unit": "1"})

    def _user(self, request: Request, tenant: Tenant, key: str) -> Response:
        options = Options.of(request)
        options.only("select")
        names = _user_names(options, listed=False)
        if "signInActivity" in (names or ()) and not _GUID.fullmatch(key):
            raise GraphError(400, "BadRequest", "Get By Key only supports UserId and the key has to be a valid Guid")
        person = tenant.directory.find(key)
        if person is None:
            raise GraphError(
                404,
                "Request_ResourceNotFound",
                f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
            )
        record = records.user(person, metadata.USER_DEFAULT if names is None else names)
        content = {"@odata.context": _context(request, "users", names) + "/$entity", **record}
        return Response(200, msgspec.json.encode(content), {"Content-Type": ODATA_TYPE, "x-ms-resource-unit": "1"})

    def _list(
        self,
        request: Request,
        resource: str,
        names: tuple[str, ...] | None,
        values: list[Json],
        cost: int,
        envelope: Mapping[str, Json] | None = None,
    ) -> Response:
        content = {"@odata.context": _context(request, resource, names), **(envelope or {}), "value": values}
        return Response(
            200, msgspec.json.encode(content), {"Content-Type": ODATA_TYPE, "x-ms-resource-unit": str(cost)}
        )

    def _refusal(self, request: Request, error: GraphError) -> Response:
        ids = Ids.of(request)
        moment = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        inner = {"date": moment, "request-id": ids.request, "client-request-id": ids.client}
        body: Json = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        return self._dressed(request, as_json(error.status, body, error.headers), ids)

    def _dressed(self, request: Request, response: Response, ids: Ids | None = None) -> Response:
        """Put the headers on that every answer of Graph has."""
        ids = ids or Ids.of(request)
        server = {"DataCenter": "Emulator", "Slice": "E", "Ring": "5", "ScaleUnit": "000", "RoleInstance": "EMULATOR"}
        response.headers = {
            "request-id": ids.request,
            "client-request-id": ids.client,
            "x-ms-ags-diagnostic": msgspec.json.encode({"ServerInfo": server}).decode(),
            "Strict-Transport-Security": "max-age=31536000",
            "Cache-Control": "no-cache",
            "OData-Version": "4.0",
            **response.headers,
        }
        return response


def _refuse_on_users(options: Options) -> None:
    if "skip" in options.values:
        raise unsupported("'$skip' is not supported by the service.")
    if "search" in options.values and not options.eventual:
        raise unsupported(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    for name in ("search", "orderby", "expand"):
        if name in options.values:
            raise not_emulated(f"${name} on users")


def _user_names(options: Options, *, listed: bool) -> tuple[str, ...] | None:
    names = options.select("microsoft.graph.user", metadata.USER | metadata.USER_SINGLE)
    if listed and metadata.USER_SINGLE.intersection(names or ()):
        raise GraphError(501, "NotImplemented", "This operation target is not yet supported.")
    return names


def _refuse_sign_ins(request: Request, tenant: Tenant, roles: Collection[str]) -> None:
    """Sign-ins are told to apps that may read the audit log, about tenants that pay for it."""
    selected = dict(request.parameters()).get("$select", "")
    if "signInActivity" not in {name.strip() for name in selected.split(",")}:
        return
    if SIGN_INS_ROLE not in roles:
        raise GraphError(403, *_STANDARD[403])
    if not tenant.premium:
        raise GraphError(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )


def _total(tenant: Tenant, matches: Callable[[User], bool] | None) -> int:
    if matches is None:
        return len(tenant.directory)
    return sum(map(matches, tenant.directory))


def _context(request: Request, resource: str, names: tuple[str, ...] | None) -> str:
    selected = f"({','.join(names)})" if names else ""
    return f"https://{request.host}/v1.0/$metadata#{resource}{selected}"
