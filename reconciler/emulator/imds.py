"""The metadata service of a machine in Azure, as far as it gives tokens to managed identities.

Source: Microsoft Entra documentation, "How to use managed identities for Azure resources on an Azure VM".
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.emulator.message import Request, Response, as_json
from reconciler.emulator.scenario import Application, Scenario, Tenant
from reconciler.emulator.tokens import Tokens, resources

IMDS_HOST = "169.254.169.254"
"""A link-local address: the service is on the machine, and speaks plain HTTP."""

TOKEN_PATH = "/metadata/identity/oauth2/token"  # noqa: S105 - no token, the way to one

Identity = tuple[Tenant, Application]


class Imds:
    """The metadata service of the machine that the scenario's managed identities are assigned to."""

    def __init__(self, scenario: Scenario, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._identities = [(tenant, app) for tenant in scenario.tenants for app in tenant.applications if app.managed]
        self._tokens = tokens
        self._clock = clock

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path != TOKEN_PATH:
            return Response(404, b"", {})
        if request.headers.get("metadata", "").lower() != "true":
            return _refusal("bad_request_102", "Required metadata header not specified")
        given = dict(request.parameters())
        for name in ("api-version", "resource"):
            if not given.get(name):
                return _refusal("invalid_request", f"Required query variable '{name}' is missing")
        identity = self._named(given["client_id"]) if "client_id" in given else self._unnamed()
        return identity if isinstance(identity, Response) else self._token(identity, given["resource"])

    def _named(self, client_id: str) -> Identity | Response:
        found = [identity for identity in self._identities if identity[1].client_id == client_id.lower()]
        return found[0] if found else _refusal("invalid_request", "Identity not found")

    def _unnamed(self) -> Identity | Response:
        """The machine's own identity, else the only one that is assigned to it."""
        own = [identity for identity in self._identities if identity[1].managed == "system"]
        candidates = own or self._identities
        if len(candidates) > 1:
            return _refusal(
                "invalid_request",
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in "
                "the token request",
            )
        return candidates[0] if candidates else _refusal("invalid_request", "Identity not found")

    def _token(self, identity: Identity, resource: str) -> Response:
        tenant, application = identity
        audience = resource.rstrip("/")
        if audience not in resources(tenant):
            return _refusal(
                "invalid_resource",
                f"AADSTS500011: The resource principal named {resource} was not found in the tenant named "
                f"{tenant.display_name}. This can happen if the application has not been installed by the "
                "administrator of the tenant or consented to by any user in the tenant.",
            )
        now = self._clock()
        lifetime = application.token_lifetime
        return as_json(
            200,
            {
                "access_token": self._tokens.issue(tenant, application, audience, "2", now),
                "client_id": application.client_id,
                "expires_in": str(lifetime),
                "expires_on": str(int(now) + lifetime),
                "ext_expires_in": str(lifetime),
                "not_before": str(int(now)),
                "resource": resource,
                "token_type": "Bearer",
            },
        )


def _refusal(error: str, description: str) -> Response:
    return as_json(400, {"error": error, "error_description": description})
