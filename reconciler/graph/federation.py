"""Signing in by the token of another identity provider: from a file that is kept fresh, or from GitHub Actions.

Entra exchanges such a token when it matches a federated identity credential of the app, in issuer, subject and
audience, exactly and with case. The token lives for minutes, so it is fetched for each sign-in and kept nowhere.

Sources: Microsoft Entra documentation, "Workload identity federation"; GitHub documentation, "OpenID Connect
reference" (the two variables of a job with ``id-token: write``, and the answer's ``value``).
"""

from __future__ import annotations

import httpx
import msgspec

from reconciler.errors import ReportedError, SecretUnresolved
from reconciler.graph.answers import stable, unreachable
from reconciler.graph.clouds import Endpoints
from reconciler.graph.masking import masked
from reconciler.graph.references import Resolve, text_of
from reconciler.graph.wire import NotEmpty
from reconciler.model import FederatedAuthentication, Reference
from reconciler.secret import Secret

AUDIENCES = {
    "login.microsoftonline.us": "api://AzureADTokenExchangeUSGov",
    "login.partner.microsoftonline.cn": "api://AzureADTokenExchangeChina",
}
"""The audience that a token for a cloud's Entra has, by login host; ``AUDIENCE`` elsewhere."""
AUDIENCE = "api://AzureADTokenExchange"

MISMATCHES = frozenset({"AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"})
"""What Entra says when no federated credential of the app matches: any part of it, issuer, audience, subject."""

_URL = Reference("env", "ACTIONS_ID_TOKEN_REQUEST_URL")
_BEARER = Reference("env", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_GRANT = "Give the job of the workflow `permissions: id-token: write`. Outside of GitHub Actions, sign in another way."


class FederatedToken:
    """Fetches the token, anew each time. Holds what the last one said of itself, never the token."""

    def __init__(self, authentication: FederatedAuthentication, resolve: Resolve) -> None:
        self._reference = authentication.token
        self._resolve = resolve
        self._presented: str | None = None

    def fetch(self, http: httpx.Client, endpoints: Endpoints) -> Secret:
        """The token. Raises SecretUnresolved when there is none, Unreachable when GitHub cannot be asked."""
        if self._reference is not None:
            token = Secret(text_of(self._reference, self._resolve).encode())
        else:
            token = _from_github(http, self._resolve, AUDIENCES.get(endpoints.login_host, AUDIENCE))
        self._presented = _presented(token)
        return token

    def explain(self, error: ReportedError) -> None:
        """Add to Entra's refusal all that an administrator has to enter: Entra names only the part that differs."""
        if error.code in MISMATCHES:
            error.detail = self._presented


def _presented(token: Secret) -> str | None:
    """Issuer, subject and audience of a token, unverified; None when it is no JWT, which Entra will say."""
    import jwt

    try:
        claims = jwt.decode(token.text(), options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    audience = claims.get("aud")
    claims["aud"] = " ".join(map(str, audience)) if isinstance(audience, list) else audience  # Kubernetes lists them
    said = {name: stable(str(claims.get(name, "missing")), 200) for name in ("iss", "sub", "aud")}
    return f"the token's issuer is {said['iss']}, its subject {said['sub']}, its audience {said['aud']}"


def _from_github(http: httpx.Client, resolve: Resolve, audience: str) -> Secret:
    try:
        address, bearer = text_of(_URL, resolve), text_of(_BEARER, resolve).encode()
    except SecretUnresolved as missing:
        raise _unavailable(str(missing), _GRANT) from None
    url = _https(address).copy_merge_params({"audience": audience})
    try:
        answer = http.get(url, headers={b"authorization": b"bearer " + bearer, b"accept": b"application/json"})
    except httpx.RequestError as error:
        raise unreachable(url.host, error) from None
    if not answer.is_success:
        raise _unavailable(f"{url.host} answered {answer.status_code}", _GRANT)
    try:
        return Secret(_GITHUB.decode(answer.content).value.encode())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        content_type = masked(answer.headers.get("content-type", "").partition(";")[0], answer.request)
        why = f"{url.host} answered {answer.status_code}, {stable(content_type, 60) or 'no type'}, without a token"
        raise _unavailable(why, "Check the proxy of the runner: something answers in GitHub's place.") from None


def _https(address: str) -> httpx.URL:
    """The address to which the bearer may go: encrypted, or nowhere."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme != "https" or not url.host:
        raise _unavailable(f"{_URL} is no https address", "Leave the variable as GitHub Actions sets it.")
    return url


def _unavailable(detail: str, remedy: str) -> SecretUnresolved:
    return SecretUnresolved(
        "GitHub Actions gave no token to sign in with.", code="github-token-missing", remedy=remedy, detail=detail
    )


class _GitHubToken(msgspec.Struct):
    """What GitHub answers."""

    value: NotEmpty


_GITHUB = msgspec.json.Decoder(_GitHubToken)
