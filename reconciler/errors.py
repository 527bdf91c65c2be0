"""Every failure that a user can meet: a stable code, what happened, and what to do.

The tree::

    ReconcileError                      exit 1
    ├── ConfigurationError              portals, settings or arguments that cannot be used
    │   └── UnknownPortal               exit 64
    ├── StateError                      state DB, ledger or report that cannot be read or written
    ├── Refused                         exit 3: unsafe plan, locked, diverged
    └── PortalError                     one portal could not be read; the others are applied
        ├── SecretUnresolved            a reference that leads to no value
        │   └── SecretIdPasted          the label of a secret where its value should be
        ├── ThumbprintUnreadable        the original's message, word for word
        ├── AssertionFailed             the original's message, word for word
        ├── Unreachable                 the original's message, word for word
        ├── SuccessNotDeserialized      the original's message, word for word
        ├── FailureNotDeserialized      the original's message, word for word
        ├── ReportedError               what Entra or Graph itself reports: its code, its description
        └── UntrustedAnswer             an answer that would lead us astray: foreign link, endless pages, other tenant

Messages and remedies stand in ``error_catalogue``; whoever raises says only what the run knows better.

Nothing here ever holds a secret value. ``detail`` says what was met (host, status, first words); it must not hold
a request id or a time, because it is kept in reports that move only when something changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.error_catalogue import CATALOGUE, UNLISTED, reported_remedy
from reconciler.model import ErrorInfo


class ReconcileError(Exception):
    """Base of all failures with a message for people.

    Attributes: ``code`` (stable, kebab-case or the server's own), ``message``, ``remedy``, ``detail``, ``exit_code``.
    What is not given comes from the catalogue's row of the code.
    """

    code = "internal"
    message: str
    remedy: str
    exit_code = 1

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        remedy: str | None = None,
        detail: str | None = None,
    ) -> None:
        self.code = code or self.code
        row = CATALOGUE.get(self.code) or CATALOGUE[ReconcileError.code]
        self.message = message or row.message
        self.remedy = remedy or row.advice(f"{self.message} ({detail})")
        self.detail = detail
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message

    def info(self) -> ErrorInfo:
        """The same as a value that state and reports can keep."""
        return ErrorInfo(self.code, self.message, self.remedy, self.detail)


class ConfigurationError(ReconcileError):
    """Portals, settings or arguments that cannot be used; nothing was read from a tenant and nothing was written."""

    code = "configuration-invalid"


class UnknownPortal(ConfigurationError):
    """An ID on the command line that names no portal. A usage error: a typo must not look like a failed run."""

    code = "unknown-portal"
    exit_code = 64

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(
            f"There is no portal {', '.join(sorted(unknown))}.",
            remedy=f"Known portals: {', '.join(sorted(known)) or 'none'}.",
        )


class StateError(ReconcileError):
    """A state DB, ledger or report that cannot be read or written."""

    code = "state-unreadable"


class Refused(ReconcileError):
    """A request that is understood but not safe to carry out. Nothing was written. Whoever raises it names the code."""

    exit_code = 3


class PortalError(ReconcileError):
    """One portal could not be read. It keeps its last values."""


class SecretUnresolved(PortalError):
    """A reference to a secret that leads to no value."""

    code = "secret-unresolved"


class SecretIdPasted(SecretUnresolved):
    """The Secret ID was stored in place of the secret's value. Known without asking Entra."""

    code = "secret-id-pasted"


class ThumbprintUnreadable(PortalError):
    """The public certificate cannot be parsed."""

    code = "thumbprint-unreadable"


class AssertionFailed(PortalError):
    """The token request cannot be signed with the private key."""

    code = "assertion-failed"


class Unreachable(PortalError):
    """No connection to Entra or Graph."""

    code = "graph-unreachable"


class SuccessNotDeserialized(PortalError):
    """The server reported success with a body that is not what it should be."""

    code = "success-not-deserialized"


class FailureNotDeserialized(PortalError):
    """The server reported failure with a body that is not an error of Graph or Entra."""

    code = "failure-not-deserialized"


class ReportedError(PortalError):
    """An error that Entra or Graph itself reports. ``code`` is its own, such as AADSTS7000215; so is the message.

    ``status`` is the HTTP status. ``request_id``, ``client_request_id`` and ``date`` (the server's time, as it writes
    it) are what Microsoft's support asks for. They are for the log of this run only: each run has others.
    """

    remedy = UNLISTED

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        remedy: str | None = None,
        detail: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        date: str | None = None,
    ) -> None:
        known = reported_remedy(code or "", status, message or "")
        super().__init__(message, code=code, remedy=known or remedy or self.remedy, detail=detail)
        self.status = status
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.date = date

    def trace(self) -> str:
        """By what Microsoft's support finds this failure again, in one line; empty when the server said nothing."""
        named = (("request-id", self.request_id), ("client-request-id", self.client_request_id), ("at", self.date))
        return ", ".join(f"{name} {value}" for name, value in named if value)


class UntrustedAnswer(PortalError):
    """An answer that must not be followed: a link to another host, pages without end, another tenant's data.

    Whoever raises it names the code.
    """


def unforeseen(error: Exception, remedy: str | None = None) -> ReconcileError:
    """What stands for a failure that nobody foresaw: its kind, and not its words, which may quote a secret."""
    return ReconcileError(f"Internal error: {type(error).__name__}.", remedy=remedy)


def refuse_secret_id(value: str, secret_id: str | None) -> None:
    """Raise SecretIdPasted when a secret's value is the ``secret_id`` that the portal file shows as its label."""
    if secret_id and value.strip().casefold() == secret_id.casefold():
        raise SecretIdPasted
