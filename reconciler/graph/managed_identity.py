"""Signing in as the Azure resource that the tool runs on: no key, no secret, the machine is asked for the token.

MSAL knows where: App Service, Azure Arc and others by the variables they set, else the metadata service of virtual
machines (IMDS) at a link-local address, which ``AZURE_POD_IDENTITY_AUTHORITY_HOST`` moves. Elsewhere nobody answers
there, so that little patience is right: a laptop must not hang.

Source: Microsoft Entra documentation, "How to use managed identities for Azure resources on an Azure VM".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from reconciler.errors import PortalError, ReportedError, SecretUnresolved
from reconciler.graph.answers import cause, decode, entra_failure, stable
from reconciler.graph.wire import TokenAnswer
from reconciler.model import ManagedIdentityAuthentication

PATIENCE = httpx.Timeout(10.0, connect=1.0)
"""Seconds without progress. The service is on the machine itself or nowhere."""
RETRIES = 2


def managed_identity_app(
    http: httpx.Client, scope: str, client_id: str, identity: ManagedIdentityAuthentication
) -> Callable[[], Mapping[str, Any]]:
    """A new MSAL client, as the function that gets a token for ``scope`` from it.

    That raises SecretUnresolved (``managed-identity-missing``), ReportedError, SuccessNotDeserialized or
    FailureNotDeserialized.
    """
    import msal

    if identity.assigned == "user":
        named = msal.UserAssignedManagedIdentity(client_id=client_id)
    else:
        named = msal.SystemAssignedManagedIdentity()
    app = msal.ManagedIdentityClient(named, http_client=_Sender(http))

    def ask() -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = app.acquire_token_for_client(resource=scope.removesuffix("/.default"))
        except msal.ManagedIdentityError as error:
            raise _missing(stable(str(error), 200)) from None
        return answer

    return ask


class _Sender:
    """The HTTP client that MSAL sees. Failures are raised, before MSAL can remember or rename them."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, url: str, *, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """Ask the machine for a token."""
        try:
            response = self._http.get(
                url, params=params, headers=headers, timeout=PATIENCE, extensions={"retries": RETRIES}
            )
        except httpx.RequestError as error:
            raise _missing(f"{httpx.URL(url).host}: {cause(error)}") from None
        if response.status_code == httpx.codes.UNAUTHORIZED and "www-authenticate" in response.headers:
            return response  # Azure Arc asks for the content of a file first, which MSAL reads
        if not response.is_success:
            raise _refused(response)
        decode(_TOKEN, response)
        return response

    def close(self) -> None:
        """Nothing: the client belongs to whoever opened it."""


def _refused(response: httpx.Response) -> PortalError:
    """What a failure means: Entra's own and passing ones as they are; any other one says that nobody is at home."""
    error = entra_failure(response)
    reported = isinstance(error, ReportedError)
    passing = response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
    if passing or (reported and error.code.startswith("AADSTS")):
        return error
    return _missing(f"{response.request.url.host}: {error.message}" if reported else str(error.detail))


def _missing(detail: str) -> SecretUnresolved:
    return SecretUnresolved(code="managed-identity-missing", detail=detail)


_TOKEN = msgspec.json.Decoder(TokenAnswer)
