"""Signing in to a portal's tenant with the first of its credentials, or with the second when Entra refuses the first.

So a credential is changed without a gap: the new one stands second until it works, or the old one until it is gone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime

import httpx

from reconciler.errors import AssertionFailed, PortalError, ReportedError, SecretUnresolved, ThumbprintUnreadable
from reconciler.graph.auth import Tokens, TokenSource
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import Credential, certificate_end, credential_end, load_credential
from reconciler.graph.references import Resolve
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    Portal,
    SecretAuthentication,
)

log = logging.getLogger(__name__)

REFUSED_CREDENTIALS = frozenset(
    f"AADSTS{code}"
    for code in (
        # the signed request: unreadable, incomplete, out of time, unknown or wrong signature
        *(50027, 90014, 700021, 700023, 700024, 700027, 5002723, 5002727, 5002738, 7000213),
        # the secret: wrong, expired, missing
        *(7000215, 7000222, 7000216, 7000218),
        # the federated token: matches no credential of the app
        *(70021, 700211, 700212, 700213),
    )
)
"""What Entra says about a credential, so that another one may do better. Not: an unknown tenant or app, no consent."""


def sign_in(http: httpx.Client, portal: Portal, resolve: Resolve, now: datetime) -> Tokens:
    """The tokens of a portal. Nothing is read or sent before the first one is asked for."""
    declared = (("first", portal.authentication), ("second", portal.second_authentication))
    return _InTurn(
        portal.id, [_Tried(http, portal, name, one, resolve, now) for name, one in declared if one is not None]
    )


class _InTurn:
    """Tokens by the credential in use, or by the other one when Entra refuses that.

    A credential may be refused at any time, also in mid-run: a token ends, and its credential has been taken out of
    Entra meanwhile. Each call of ``token`` tries each credential at most once. With two, the log says at level INFO
    which one signs in. Threads may share it.
    """

    def __init__(self, portal_id: str, credentials: Sequence[_Tried]) -> None:
        self._portal_id = portal_id
        self._credentials = credentials
        self._in_use: _Tried | None = None
        self._lock = threading.Lock()

    @property
    def credential_end(self) -> date | None:
        """The last day of the first credential, whichever signs in; None when it has none or could not be read."""
        return self._credentials[0].end

    def token(self) -> str:
        """A bearer token, from memory while it lives.

        Raises what ``TokenSource.token`` and ``load_credential`` raise; when both credentials are refused, what was
        wrong with the first.
        """
        with self._lock:
            using = self._in_use or self._credentials[0]
            try:
                return self._by(using)
            except PortalError as refusal:
                other = next((one for one in self._credentials if one is not using), None)
                if other is None or not _is_about_the_credential(refusal):
                    raise
                log.info("%s: the %s is refused: %s", self._portal_id, using, refusal)
                return self._by_the_other(other, refusal)

    def renew(self) -> None:
        """Forget the tokens, so that the next one is a new one."""
        with self._lock:
            for credential in self._credentials:
                credential.renew()

    def _by(self, credential: _Tried) -> str:
        token = credential.token()
        if credential is not self._in_use and len(self._credentials) > 1:
            log.info("%s: signed in with the %s", self._portal_id, credential)
        self._in_use = credential
        return token

    def _by_the_other(self, other: _Tried, refusal: PortalError) -> str:
        """A token by the other credential. When that is no way either, what people should mend is the first one."""
        try:
            return self._by(other)
        except PortalError as error:
            log.info("%s: nor is there a token by the %s: %s", self._portal_id, other, error)
            is_first = other is self._credentials[0]
            raise (error if is_first and _is_about_the_credential(error) else refusal) from None


class _Tried:
    """One credential of a portal: read when it is first needed. As text, which one it is."""

    def __init__(
        self,
        http: httpx.Client,
        portal: Portal,
        name: str,
        authentication: Authentication,
        resolve: Resolve,
        now: datetime,
    ) -> None:
        self._http = http
        self._portal = portal
        self._name = name
        self._authentication = authentication
        self._resolve = resolve
        self._now = now
        self._source: TokenSource | None = None
        self._end: date | None = None

    def __str__(self) -> str:
        return f"{self._name} credential ({self._authentication.type})"

    @property
    def end(self) -> date | None:
        """Its last day, as far as it has been read: also of a certificate that nobody can sign in with any more."""
        return self._source.credential_end if self._source else self._end

    def token(self) -> str:
        if self._source is None:
            portal = self._portal
            self._source = TokenSource(
                self._http, ENDPOINTS[portal.cloud], portal.tenant_id, portal.client_id, self._load()
            )
        return self._source.token()

    def _load(self) -> Credential:
        try:
            return load_or_warn(self._portal.id, self._authentication, self._resolve, self._now)
        except AssertionFailed:
            self._end = credential_end(self._authentication, self._resolve)
            raise

    def renew(self) -> None:
        if self._source is not None:
            self._source.renew()


def _is_about_the_credential(error: PortalError) -> bool:
    """Whether another credential can help: not when the network failed, nor when the portal file is wrong elsewhere."""
    if isinstance(error, ReportedError):
        return error.code in REFUSED_CREDENTIALS
    return isinstance(error, SecretUnresolved | ThumbprintUnreadable | AssertionFailed)


def load_or_warn(whose: str, authentication: Authentication, resolve: Resolve, now: datetime) -> Credential:
    """``load_credential``, with a warning in the log when the credential is past its end, before Entra is asked.

    A secret is tried all the same: ``expires`` was typed by hand.
    """
    if isinstance(authentication, SecretAuthentication):
        declared = authentication.expires
        if declared is not None and declared < now.astimezone(UTC).date():
            _warn_of_end(whose, f"secret {authentication.secret}", declared)
    try:
        return load_credential(authentication, resolve, now)
    except AssertionFailed:
        if isinstance(authentication, CertificateAuthentication):
            end = certificate_end(authentication, resolve)
            if end is not None and end < now:
                named = authentication.pfx or authentication.public_certificate
                _warn_of_end(whose, f"certificate {named}", end.date())
        raise


def _warn_of_end(whose: str, what: str, end: date) -> None:
    log.warning("%s: the %s expired on %s", whose, what, end)
