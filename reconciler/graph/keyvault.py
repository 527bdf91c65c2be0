"""Secrets of Azure key vaults, read with azure-keyvault-secrets (an optional extra) over the one seam to the network.

Azure's client sends through our transport, so that proxy, trust store, retries and emulation hold for it too, and gets
its token from our own sign-in. As with MSAL, each failure becomes our error before the library sees it. The token goes
to the vault that was asked for and to no other host, and is always for key vaults, whatever a challenge asks.

Source: Azure documentation, "Get Secret" and "Key Vault REST API error codes". A certificate of a vault is also a
secret of the same name: a PFX in base64 or PEM, as its content type says.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import msgspec

from reconciler.errors import PortalError, ReportedError, SecretUnresolved
from reconciler.graph.answers import decode, graph_failure, stable, unreachable
from reconciler.graph.auth import TokenSource
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.references import Resolve
from reconciler.graph.sign_in import load_or_warn
from reconciler.model import KeyVaultSignIn, Reference
from reconciler.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.rest import HttpRequest
    from azure.keyvault.secrets import KeyVaultSecret

_WORD = re.compile("[A-Za-z]{1,40}")

PFX = "application/x-pkcs12"
"""Content type of a certificate with its key, in base64."""


class KeyVaultFailed(SecretUnresolved):
    """The secret of a key vault that could not be had. ``detail`` names the reference, and says why."""

    def __init__(self, *, code: str, reference: Reference, why: str = "", remedy: str | None = None) -> None:
        super().__init__(code=code, remedy=remedy, detail=f"{reference}: {why}" if why else str(reference))


@dataclass
class _Place:
    """What is known of one reference. Only one thread asks the vault; the others wait for its answer."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Secret | None = None


class KeyVaults:
    """Reads the secrets of key vaults, each once. Threads may share it.

    ``resolve`` leads to what the sign-in itself needs: variables and files.
    """

    def __init__(self, http: httpx.Client, sign_in: KeyVaultSignIn, resolve: Resolve, now: datetime) -> None:
        self._http = http
        self._sign_in = sign_in
        self._resolve = resolve
        self._now = now
        self._lock = threading.Lock()
        self._places: dict[Reference, _Place] = {}
        self._source: TokenSource | None = None

    def secret(self, reference: Reference) -> Secret:
        """The value that ``reference`` leads to, from memory after the first time.

        Raises KeyVaultFailed, whose code says why, and which never shows the value.
        """
        with self._lock:
            place = self._places.setdefault(reference, _Place())
        with place.lock:
            if place.value is None:
                place.value = self._value(reference)
            return place.value

    def _value(self, reference: Reference) -> Secret:
        found = self._read(reference)
        end = found.properties.expires_on
        if end is not None and end <= self._now:
            raise KeyVaultFailed(
                code="keyvault-secret-unusable",
                reference=reference,
                why=f"it expired on {end.astimezone(UTC):%Y-%m-%d}",
            )
        text = found.value or ""
        if not text.strip():
            raise KeyVaultFailed(code="keyvault-secret-unusable", reference=reference, why="it is empty")
        if found.properties.content_type != PFX:
            return Secret(text.encode())
        try:
            return Secret(base64.b64decode("".join(text.split()), validate=True))
        except ValueError:
            raise KeyVaultFailed(
                code="keyvault-secret-unusable",
                reference=reference,
                why=f"it is no base64, yet its content type is {PFX}",
            ) from None

    def _read(self, reference: Reference) -> KeyVaultSecret:
        """The secret as the vault gives it out."""
        try:
            from azure.core.exceptions import AzureError
            from azure.keyvault.secrets import SecretClient
        except ImportError:
            raise KeyVaultFailed(code="keyvault-not-installed", reference=reference) from None
        vault, _, name = reference.name.partition("/")
        url = httpx.URL(f"https://{vault}.{ENDPOINTS[self._sign_in.cloud].vault_domain}")
        client = SecretClient(
            str(url),
            _Access(partial(self._token, reference)),
            transport=_Transport(partial(self._send, reference, url)),
            retry_total=0,  # the transport below has tried
            permit_redirects=False,
        )
        try:
            return client.get_secret(name)
        except (AzureError, ValueError) as error:  # a challenge that is none, and what else the library does not take
            raise KeyVaultFailed(
                code="keyvault-unreachable", reference=reference, why=f"{url.host}: {type(error).__name__}"
            ) from None

    def _send(
        self, reference: Reference, vault: httpx.URL, method: str, url: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Ask the vault. Only successes come back, and the challenge to a request without token."""
        target = httpx.URL(url)
        if (target.scheme, target.host, target.port) != (vault.scheme, vault.host, vault.port):
            raise KeyVaultFailed(
                code="keyvault-unreachable",
                reference=reference,
                why=f"{vault.host}: the request would go to {stable(target.host, 100)}",
            )
        try:
            response = self._http.request(method, target, headers=headers)
            if response.status_code == httpx.codes.UNAUTHORIZED and "authorization" not in response.request.headers:
                return response
            if response.is_success:
                decode(_BUNDLE, response)
                return response
        except httpx.RequestError as error:
            raise KeyVaultFailed(
                code="keyvault-unreachable", reference=reference, why=str(unreachable(vault.host, error).detail)
            ) from None
        except PortalError as error:
            raise KeyVaultFailed(
                code="keyvault-unreachable", reference=reference, why=str(error.detail or error)
            ) from None
        raise _refused(reference, response)

    def _token(self, reference: Reference) -> str:
        """The bearer token for all vaults."""
        try:
            with self._lock:
                self._source = self._source or self._new_source()
            return self._source.token()
        except PortalError as error:
            raise KeyVaultFailed(
                code="keyvault-sign-in-failed",
                reference=reference,
                why=f"{error.code}: {error}",
                remedy=f"For the sign-in that `keyvault` in reconcile.yaml declares: {error.remedy}",
            ) from None

    def _new_source(self) -> TokenSource:
        own = self._sign_in
        endpoints = ENDPOINTS[own.cloud]
        credential = load_or_warn("keyvault in reconcile.yaml", own.authentication, self._resolve, self._now)
        return TokenSource(self._http, endpoints, own.tenant_id, own.client_id, credential, endpoints.vault_scope)


class _Access:
    """Our token as azure's TokenCredential."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """A token for key vaults. The vault's challenge has no say in what it is for."""
        from azure.core.credentials import AccessToken

        return AccessToken(self._token(), int(time.time()) + 300)


class _Transport:
    """Our client as the HttpTransport under azure's pipeline."""

    def __init__(self, send: Callable[[str, str, Mapping[str, str]], httpx.Response]) -> None:
        self._send = send

    def send(self, request: HttpRequest, **_: Any) -> _Answer:
        """Send a request; azure has nothing but GET to send here."""
        return _Answer(request, self._send(request.method, request.url, request.headers))

    def open(self) -> None:
        """Nothing: the client belongs to whoever opened it."""

    def close(self) -> None:
        """Nothing, for the same reason."""

    def __enter__(self) -> _Transport:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


class _Answer:
    """An answer as azure's pipeline reads it: the part of azure.core.rest.HttpResponse that is asked for."""

    def __init__(self, request: HttpRequest, response: httpx.Response) -> None:
        self.request = request
        self.status_code = response.status_code
        self.reason = response.reason_phrase
        self.headers = response.headers
        self.content_type = response.headers.get("content-type")
        self.content = response.content
        self.json = response.json

    def read(self) -> bytes:
        """The body."""
        return self.content

    def text(self, encoding: str | None = None) -> str:
        """The body as text."""
        return self.content.decode(encoding or "utf-8-sig", "replace")


def _refused(reference: Reference, response: httpx.Response) -> KeyVaultFailed:
    """What a failure of the vault means."""
    error = graph_failure(response)
    if not isinstance(error, ReportedError):
        return KeyVaultFailed(code="keyvault-unreachable", reference=reference, why=str(error.detail))
    host = response.request.url.host
    try:
        inner = _ERROR.decode(response.content).error.innererror
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        inner = None
    code = inner.code if inner and _WORD.fullmatch(inner.code or "") else error.code
    said = f"{host}: {code}: {stable(error.message, 200)}"
    if code == "SecretDisabled":
        return KeyVaultFailed(code="keyvault-secret-unusable", reference=reference, why="it is disabled")
    if response.status_code == httpx.codes.NOT_FOUND:
        return KeyVaultFailed(code="keyvault-secret-missing", reference=reference, why=said)
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return KeyVaultFailed(code="keyvault-refused", reference=reference, why=said)
    return KeyVaultFailed(
        code="keyvault-unreachable", reference=reference, why=f"{host} answered {response.status_code}: {said}"
    )


class _Attributes(msgspec.Struct):
    """When a secret ends, in seconds since 1970, within the years that a calendar has."""

    exp: Annotated[int, msgspec.Meta(ge=0, lt=253402300800)] | None = None


class _Bundle(msgspec.Struct, rename="camel"):
    """What a vault gives out."""

    value: str
    id: str
    content_type: str | None = None
    attributes: _Attributes | None = None


class _Detail(msgspec.Struct):
    """What a vault says about a failure, in its own words; ``code`` is more exact further in."""

    code: str | None = None
    innererror: _Detail | None = None


class _Failure(msgspec.Struct):
    """The body of a failure of Key Vault."""

    error: _Detail


_BUNDLE = msgspec.json.Decoder(_Bundle)
_ERROR = msgspec.json.Decoder(_Failure)
