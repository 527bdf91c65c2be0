"""The emulated Entra: OpenID configuration, instance discovery, and the token endpoint for client credentials.

Codes and texts follow Microsoft's documentation and recordings of real answers; the HTTP status is 401 when a client
fails to prove itself, else 400.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.emulator import assertion
from reconciler.emulator.faults import Json, Reply
from reconciler.emulator.message import Ids, Request, Response, as_json, as_told
from reconciler.emulator.refusals import EntraError
from reconciler.emulator.scenario import Application, Scenario, Tenant
from reconciler.emulator.tokens import Tokens, resources
from reconciler.graph.clouds import ENDPOINTS

LOGIN_HOSTS = frozenset(endpoints.login_host for endpoints in ENDPOINTS.values())
"""The hosts that this service answers for."""

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_TENANT = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+", re.I
)

_BUSY = {
    429: ("temporarily_unavailable", 90055, "The tenant is exceeding its limit of requests. Try again later."),
    503: ("temporarily_unavailable", 90033, "A transient error has occurred. Please try again."),
}
"""What stands in the body when a fault names only a status."""


class Entra:
    """Answers for the login hosts of all clouds."""

    def __init__(self, scenario: Scenario, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tenants = scenario.tenants
        self._tokens = tokens
        self._clock = clock

    def change(self, scenario: Scenario) -> None:
        """Let the tenants be those of another scenario."""
        self._tenants = scenario.tenants

    def tenant_of(self, request: Request) -> Tenant | None:
        """The tenant that a request names in its path."""
        segments = request.segments
        return self._find(request.host, segments[0]) if segments else None

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        try:
            response = self._route(request)
        except EntraError as error:
            response = self._refusal(request, error)
        response.headers.setdefault("Cache-Control", "no-store, no-cache")
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        response.headers.setdefault("x-ms-ests-server", "2.1.0 - EMULATOR")
        return response

    def told(self, request: Request, reply: Reply) -> Response:
        """Answer as a fault says."""
        if reply.body is not None:
            return as_told(reply)
        error = EntraError(*_BUSY.get(reply.status, ("server_error", 90033, "A transient error has occurred.")))
        response = self._refusal(request, error)
        return Response(reply.status, response.body, {**response.headers, **reply.headers})

    def _route(self, request: Request) -> Response:
        match request.segments:
            case ["common", "discovery", "instance"]:
                return self._instance(request)
            case [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return as_json(
                    200, self._configuration(request.host, self._tenant(request.host, tenant, "invalid_tenant"))
                )
            case [tenant, "oauth2", "v2.0", "token"]:
                return self._token(request, self._tenant(request.host, tenant, "invalid_request"), tenant)
        return Response(404, b"", {})

    def _find(self, host: str, name: str) -> Tenant | None:
        for tenant in self._tenants:
            if ENDPOINTS[tenant.cloud].login_host == host and name.lower() in (tenant.tenant_id, tenant.domain):
                return tenant
        return None

    def _tenant(self, host: str, name: str, error: str) -> Tenant:
        if not _TENANT.fullmatch(name):
            raise EntraError(
                error,
                900023,
                f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain.",
            )
        tenant = self._find(host, name)
        if tenant is None:
            raise EntraError(
                error,
                90002,
                f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no "
                "active subscriptions for the tenant.",
            )
        return tenant

    def _instance(self, request: Request) -> Response:
        asked = urlsplit(dict(request.parameters()).get("authorization_endpoint", ""))
        if asked.hostname not in LOGIN_HOSTS:
            raise EntraError("invalid_instance", 50049, "Unknown or invalid instance.")
        tenant = asked.path.strip("/").split("/")[0]
        return as_json(
            200,
            {
                "tenant_discovery_endpoint": (
                    f"https://{asked.hostname}/{tenant}/v2.0/.well-known/openid-configuration"
                ),
                "api-version": "1.1",
                "metadata": [
                    {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                    for host in sorted(LOGIN_HOSTS)
                ],
            },
        )

    def _configuration(self, host: str, tenant: Tenant) -> Json:
        base = f"https://{host}/{tenant.tenant_id}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        }

    def _token(self, request: Request, tenant: Tenant, named: str) -> Response:
        if request.method != "POST":
            raise EntraError(
                "invalid_request",
                900561,
                f"The endpoint only accepts POST requests. Received a {request.method} request.",
            )
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        form = {**_basic(request.headers.get("authorization", "")), **form}
        _require(form, "grant_type")
        if form["grant_type"] != "client_credentials":
            raise EntraError(
                "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'."
            )
        _require(form, "client_id", "scope")
        resource = _resource(form["scope"])
        application = _application(tenant, form["client_id"])
        if resource not in resources(tenant):
            raise EntraError(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named {tenant.display_name}. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You might have sent your authentication request to the "
                "wrong tenant.",
            )
        proof = self._prove(form, application, request.host, {tenant.tenant_id, named})
        token = self._tokens.issue(tenant, application, resource, proof, self._clock())
        lifetime = application.token_lifetime
        return as_json(
            200,
            {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token},
            {"x-ms-request-id": Ids.of(request).request, "Pragma": "no-cache"},
        )

    def _prove(self, form: Mapping[str, str], application: Application, host: str, names: set[str]) -> str:
        """Check secret or assertion; return ``appidacr``."""
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != JWT_BEARER:
                raise _missing("client_assertion_type")
            paths = ("oauth2/v2.0/token", "v2.0")
            audiences = {f"https://{host}/{name}/{path}" for name in names for path in paths}
            assertion.verify(form["client_assertion"], application, audiences, self._clock())
            return "2"
        if form.get("client_secret"):
            self._check_secret(form["client_secret"], application)
            return "1"
        raise EntraError(
            "invalid_client",
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )

    def _check_secret(self, given: str, application: Application) -> None:
        for secret in application.secrets:
            if hmac.compare_digest(secret.value.encode(), given.encode()):
                if self._clock() < secret.end.timestamp():
                    return
                raise EntraError(
                    "invalid_client",
                    7000222,
                    f"The provided client secret keys for app '{application.client_id}' are expired. Visit the Azure "
                    "portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using "
                    "certificate credentials for added security: https://aka.ms/certCreds.",
                )
        raise EntraError(
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{application.client_id}'.",
        )

    def _refusal(self, request: Request, error: EntraError) -> Response:
        ids = Ids.of(request)
        moment = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%d %H:%M:%SZ}"
        return as_json(
            error.status,
            {
                "error": error.error,
                "error_description": (
                    f"AADSTS{error.code}: {error.text} Trace ID: {ids.request} "
                    f"Correlation ID: {ids.client} Timestamp: {moment}"
                ),
                "error_codes": [error.code],
                "timestamp": moment,
                "trace_id": ids.request,
                "correlation_id": ids.client,
                "error_uri": f"https://{request.host}/error?code={error.code}",
            },
            {"x-ms-request-id": ids.request},
        )


def _basic(authorization: str) -> dict[str, str]:
    """Client ID and secret of HTTP Basic authentication, which Entra takes in place of the two form fields."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}


def _missing(name: str) -> EntraError:
    return EntraError("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def _require(form: Mapping[str, str], *names: str) -> None:
    for name in names:
        if not form.get(name):
            raise _missing(name)


def _resource(scope: str) -> str:
    """The resource that a scope names; several scopes, or one without ``/.default``, are refused."""
    parts = scope.split()
    if len(parts) != 1 or not urlsplit(parts[0]).scheme:
        raise EntraError(
            "invalid_scope",
            70011,
            f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
        )
    if not parts[0].endswith("/.default"):
        raise EntraError(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return parts[0].removesuffix("/.default")


def _application(tenant: Tenant, client_id: str) -> Application:
    application = next((each for each in tenant.applications if each.client_id == client_id.lower()), None)
    if application is None:
        raise EntraError(
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant.display_name}'. This "
            "can happen if the application has not been installed by the administrator of the tenant or consented to "
            "by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
        )
    if not application.has_service_principal:
        raise EntraError(
            "invalid_client",
            7000229,
            f"The client application {application.client_id} is missing service principal in the tenant "
            f"{tenant.tenant_id}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
        )
    if application.disabled:
        raise EntraError(
            "unauthorized_client",
            7000112,
            f"Application '{application.client_id}'({application.display_name}) is disabled.",
        )
    return application
