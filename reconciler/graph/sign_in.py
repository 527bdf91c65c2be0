"""Signing in to a portal's tenant with the first of its credentials, or with the second when Entra refuses the first.

So a credential is changed without a gap: the new one stands second until it works, or the old one until it is gone.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import httpx

from reconciler.errors import AssertionFailed, PortalError, ReportedError, SecretUnresolved, ThumbprintUnreadable
from reconciler.graph.auth import TokenSource
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import load_credential
from reconciler.graph.references import Resolve
from reconciler.model import Authentication, Portal, SecretAuthentication

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


def sign_in(http: httpx.Client, portal: Portal, resolve: Resolve, now: datetime) -> TokenSource:
    """The source of tokens for a portal.

    With one credential nothing is sent yet. With two, the first token is fetched, to know which of them it is, and the
    log says so at level INFO. Raises PortalError: with two refused credentials what was wrong with the first.
    """
    first, second = portal.authentication, portal.second_authentication
    warn_of_end(portal.id, first, now)
    if second is None:
        return _source(http, portal, first, resolve, now)
    try:
        source = _signed_in(http, portal, first, resolve, now)
    except PortalError as refusal:
        if not _is_about_the_credential(refusal):
            raise
        log.info("%s: the first credential (%s) is refused: %s", portal.id, first.type, refusal)
        warn_of_end(portal.id, second, now)
        try:
            source = _signed_in(http, portal, second, resolve, now)
        except PortalError as error:
            log.info("%s: so is the second (%s): %s", portal.id, second.type, error)
            raise refusal from None
        log.info("%s: signed in with the second credential (%s)", portal.id, second.type)
        return source
    log.info("%s: signed in with the first credential (%s)", portal.id, first.type)
    return source


def _source(
    http: httpx.Client, portal: Portal, authentication: Authentication, resolve: Resolve, now: datetime
) -> TokenSource:
    credential = load_credential(authentication, resolve, now)
    return TokenSource(http, ENDPOINTS[portal.cloud], portal.tenant_id, portal.client_id, credential)


def _signed_in(
    http: httpx.Client, portal: Portal, authentication: Authentication, resolve: Resolve, now: datetime
) -> TokenSource:
    source = _source(http, portal, authentication, resolve, now)
    source.token()
    return source


def _is_about_the_credential(error: PortalError) -> bool:
    """Whether another credential can help: not when the network failed, nor when the portal file is wrong elsewhere."""
    if isinstance(error, ReportedError):
        return error.code in REFUSED_CREDENTIALS
    return isinstance(error, SecretUnresolved | ThumbprintUnreadable | AssertionFailed)


def warn_of_end(whose: str, authentication: Authentication, now: datetime) -> None:
    """Say that a secret is past its end before Entra does. It is tried all the same: ``expires`` was typed by hand."""
    if isinstance(authentication, SecretAuthentication) and authentication.expires is not None:
        today = now.astimezone(UTC).date()
        if authentication.expires < today:
            log.warning("%s: the secret %s expired on %s", whose, authentication.secret, authentication.expires)
