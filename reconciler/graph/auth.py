"""Access tokens from Entra: MSAL on our own transport, with its answers judged before MSAL sees them.

MSAL loses the AADSTS code of an unknown tenant, replays a failure for a minute, and logs a token answer that is not
JSON. So the sender below turns each failure into our exception before MSAL can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Protocol

import httpx
import msgspec

from reconciler.errors import AssertionFailed, ReportedError, SuccessNotDeserialized, UntrustedAnswer
from reconciler.graph.answers import decode, entra_failure, unreachable
from reconciler.graph.clouds import Endpoints
from reconciler.graph.credentials import Credential
from reconciler.graph.federation import FederatedToken
from reconciler.graph.managed_identity import managed_identity_app
from reconciler.graph.wire import OpenIdConfiguration, TokenAnswer
from reconciler.model import ManagedIdentityAuthentication


class Tokens(Protocol):
    """Where a client of Graph has its bearer tokens from."""

    @property
    def credential_end(self) -> date | None:
        """The last day, in UTC, of the credential that is tried first; None when it has none or could not be read."""

    def token(self) -> str:
        """A bearer token, from memory while it lives. Raises PortalError."""

    def renew(self) -> None:
        """Forget the token, so that the next one is a new one."""


class TokenSource:
    """Tokens by one credential, for one app in one tenant, for ``scope``, which is Graph's when it is not given.

    Threads may share it: only one asks Entra at a time.
    """

    def __init__(
        self,
        http: httpx.Client,
        endpoints: Endpoints,
        tenant_id: str,
        client_id: str,
        credential: Credential,
        scope: str | None = None,
    ) -> None:
        self._http = http
        self._endpoints = endpoints
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._credential = credential
        self._scope = scope or endpoints.scope
        self._lock = threading.Lock()
        self._ask: Callable[[], Mapping[str, Any]] | None = None

    @property
    def credential_end(self) -> date | None:
        """The last day, in UTC, of the credential; None when it has none."""
        return self._credential.end

    def token(self) -> str:
        """A bearer token, from memory while it lives.

        Raises ReportedError, Unreachable, SuccessNotDeserialized, FailureNotDeserialized, AssertionFailed,
        UntrustedAnswer, or SecretUnresolved when there is no federated token or no managed identity.
        """
        with self._lock:
            return self._acquire()

    def renew(self) -> None:
        """Forget the token, so that the next one is a new one."""
        with self._lock:
            self._ask = None

    def _acquire(self) -> str:
        from jwt import PyJWTError
        from msal.exceptions import MsalError

        try:
            if self._ask is None:
                self._ask = self._new_app()
            token = self._ask()["access_token"]
        except ReportedError as error:
            if isinstance(proof := self._credential.for_msal(), FederatedToken):
                proof.explain(error)
            raise
        except PyJWTError:
            raise AssertionFailed from None
        except (MsalError, ValueError, TypeError, LookupError) as error:
            # What the sender lets through has the right members, but MSAL may still trip over their values.
            raise SuccessNotDeserialized(detail=f"the answer to the sign-in: {type(error).__name__}") from None
        if not (isinstance(token, str) and token.isascii() and token.isprintable()):
            raise SuccessNotDeserialized(detail="the answer to the sign-in: the token cannot be sent")
        return token

    def _new_app(self) -> Callable[[], Mapping[str, Any]]:
        """A new MSAL client, as the function that gets a token from it."""
        proof = self._credential.for_msal()
        if isinstance(proof, ManagedIdentityAuthentication):
            return managed_identity_app(self._http, self._scope, self._client_id, proof)
        if isinstance(proof, FederatedToken):
            return self._confidential({"client_assertion": lambda: proof.fetch(self._http, self._endpoints).text()})
        return self._confidential(proof)

    def _confidential(self, credential: str | dict[str, Any]) -> Callable[[], Mapping[str, Any]]:
        from msal import ConfidentialClientApplication

        app = ConfidentialClientApplication(
            self._client_id,
            client_credential=credential,
            authority=self._endpoints.authority(self._tenant_id),
            instance_discovery=False,
            azure_region=False,  # whatever MSAL_FORCE_REGION says
            http_client=_Sender(self._http, self._endpoints.login_host),
        )
        return partial(app.acquire_token_for_client, scopes=[self._scope])


class _Sender:
    """The HTTP client that MSAL sees. Only successes of the right shape come back; the rest is raised."""

    def __init__(self, http: httpx.Client, login_host: str) -> None:
        self._http = http
        self._login_host = login_host

    def get(self, url: str, *, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """Read the tenant's openid-configuration."""
        response = self._send("GET", url, params=params, headers=headers)
        self._refuse_elsewhere(decode(_CONFIGURATION, response).token_endpoint)
        return response

    def post(
        self, url: str, *, params: Any = None, data: dict[str, Any] | None = None, headers: Any = None, **_: Any
    ) -> httpx.Response:
        """Ask the token endpoint. MSAL passes the assertion as bytes, which httpx would send as ``b'…'``."""
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        response = self._send("POST", url, params=params, headers=headers, data=form)
        decode(_TOKEN, response)
        return response

    def close(self) -> None:
        """Nothing: the client belongs to whoever opened it."""

    def _send(self, method: str, url: str, **request: Any) -> httpx.Response:
        self._refuse_elsewhere(url)
        try:
            response = self._http.request(method, url, **request)
        except httpx.RequestError as error:
            raise unreachable(self._login_host, error) from None
        if not response.is_success:
            raise entra_failure(response)
        return response

    def _refuse_elsewhere(self, url: str) -> None:
        """The openid-configuration names the token endpoint; the secret goes to the cloud's login host or nowhere."""
        try:
            target = httpx.URL(url)
            fits = target.scheme == "https" and target.host == self._login_host and target.port is None
        except httpx.InvalidURL:
            fits = False
        if not fits:
            raise UntrustedAnswer(
                "The tenant's configuration names a token endpoint on another host.",
                code="foreign-link",
                remedy="Check `cloud` in the portal file, then the proxy. No secret was sent there.",
            )


_CONFIGURATION = msgspec.json.Decoder(OpenIdConfiguration)
_TOKEN = msgspec.json.Decoder(TokenAnswer)
