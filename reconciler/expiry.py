"""When a portal's credential ends, and how near that is: the condition ``CredentialExpiring``.

The date comes from the portal's file for a secret (``expires``) and from the certificate itself for a certificate. A
message names the date and never counts days, so that a report changes only when a level is crossed.

The condition is about the first credential, the one that is tried first. The second, which is listed while a credential
is changed, is mentioned when it is a secret whose end is near.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from reconciler.labels import CREDENTIAL_LABELS, CREDENTIAL_REMEDIES, UNKNOWN_END
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Portal,
    PortalState,
    SecretAuthentication,
    Settings,
)


class Expiry(StrEnum):
    """How near the end of a credential is; the reasons of the condition."""

    EXPIRED = "Expired"
    EXPIRES_SOON = "ExpiresSoon"
    EXPIRING = "Expiring"
    VALID = "Valid"
    UNKNOWN = "Unknown"


_NEAR = (Expiry.EXPIRED, Expiry.EXPIRES_SOON, Expiry.EXPIRING)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a portal, as Kubernetes shows them: a type, whether it holds, why, in words.

    ``remedy`` is what to do about it, and None while there is nothing to do.
    """

    reason: Expiry
    message: str
    remedy: str | None = None
    type: str = "CredentialExpiring"

    @property
    def holds(self) -> bool:
        """Whether somebody has to act."""
        return self.reason in _NEAR

    @property
    def is_urgent(self) -> bool:
        """Whether that is now or within days."""
        return self.reason in (Expiry.EXPIRED, Expiry.EXPIRES_SOON)


def level(end: date | None, settings: Settings, today: date) -> Expiry:
    """How near a credential's last day is. On that day itself it still works."""
    if end is None:
        return Expiry.UNKNOWN
    if end < today:
        return Expiry.EXPIRED
    if end <= _after(today, settings.urgent_days):
        return Expiry.EXPIRES_SOON
    return Expiry.EXPIRING if end <= _after(today, settings.expiring_days) else Expiry.VALID


def _after(today: date, days: int) -> date:
    """The day so many days from today, or the last day of the calendar."""
    return today + timedelta(days=min(days, (date.max - today).days))


def known_end(before: PortalState | None, portal: Portal, found: date | None) -> date | None:
    """The last day of the portal's first credential, as far as it is known.

    ``found`` is what the certificate says, None when it cannot be read here. Then the day that was known stays as long
    as the portal signs in as before: a pull request without secrets must not look like a change.
    """
    authentication = portal.authentication
    if isinstance(authentication, SecretAuthentication):
        return authentication.expires
    if not isinstance(authentication, CertificateAuthentication):
        return None
    if found is None and before is not None and before.portal.authentication == authentication:
        return before.credential_expires
    return found


def condition(state: PortalState, settings: Settings, today: date) -> Condition:
    """How near the end of a portal's credential is, in words, and what to do about it."""
    portal, end = state.portal, state.credential_expires
    own = portal.authentication
    if isinstance(own, FederatedAuthentication | ManagedIdentityAuthentication):
        return Condition(Expiry.VALID, f"Nothing to renew: it signs in by {CREDENTIAL_LABELS[own.type]}.")
    reason = level(end, settings, today)
    message = _said(CREDENTIAL_LABELS[own.type], reason, end) if end else UNKNOWN_END[own.type]
    message += _second(portal, settings, today)
    return Condition(reason, message, CREDENTIAL_REMEDIES[own.type] if reason in _NEAR else None)


def _said(subject: str, reason: Expiry, end: date) -> str:
    """When a credential ends, or ended."""
    return f"The {subject} {'expired' if reason is Expiry.EXPIRED else 'expires'} on {end}."


def _second(portal: Portal, settings: Settings, today: date) -> str:
    """A word about the second credential when its end is near."""
    end = _declared_end(portal.second_authentication)
    reason = level(end, settings, today)
    return " " + _said("second credential", reason, end) if end and reason in _NEAR else ""


def _declared_end(authentication: Authentication | None) -> date | None:
    """The end that a portal's file itself says."""
    return authentication.expires if isinstance(authentication, SecretAuthentication) else None
