"""Every failure that a user can meet: a stable code, what happened, and what to do.

The tree::

    ReconcileError                      exit 1
    ├── ConfigurationError              portals, settings or arguments that cannot be used
    │   └── UnknownPortal               exit 64
    ├── StateError                      state DB, ledger or report that cannot be read or written
    ├── Refused                         exit 3: unsafe plan, locked, diverged
    └── PortalError                     one portal could not be read; the others are applied
        ├── SecretUnresolved            a reference that leads to no value
        ├── ThumbprintUnreadable        the original's message, word for word
        ├── AssertionFailed             the original's message, word for word
        ├── Unreachable                 the original's message, word for word
        ├── SuccessNotDeserialized      the original's message, word for word
        ├── FailureNotDeserialized      the original's message, word for word
        ├── ReportedError               what Entra or Graph itself reports: its code, its description
        └── UntrustedAnswer             an answer that would lead us astray: foreign link, endless pages, other tenant

Nothing here ever holds a secret value. ``detail`` says what was met (host, status, first words); it must not hold
a request id or a time, because it is kept in reports that move only when something changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model import ErrorInfo


class ReconcileError(Exception):
    """Base of all failures with a message for people.

    Attributes: ``code`` (stable, kebab-case or the server's own), ``message``, ``remedy``, ``detail``, ``exit_code``.
    """

    code = "internal"
    message = "Something went wrong."
    remedy = "Run again with -vv and report the traceback."
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
        self.message = message or self.message
        self.remedy = remedy or self.remedy
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
    message = "The configuration is not valid."
    remedy = "Mend the problems listed above; `reconcile validate` checks again."


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
    message = "The state could not be read."
    remedy = "Restore state/ledger from git and delete state/reconciler.db; the next apply rebuilds the database."


class Refused(ReconcileError):
    """A request that is understood but not safe to carry out. Nothing was written."""

    code = "refused"
    exit_code = 3


class PortalError(ReconcileError):
    """One portal could not be read. It keeps its last values."""

    code = "portal-unreadable"


class SecretUnresolved(PortalError):
    """A reference to a secret that leads to no value."""

    code = "secret-unresolved"
    message = "The secret could not be resolved."
    remedy = "Set the variable or write the file that the reference names."


class ThumbprintUnreadable(PortalError):
    """The public certificate cannot be parsed."""

    code = "thumbprint-unreadable"
    message = "Thumbprint from public key could not be read."
    remedy = "Provide the certificate again, as PEM: the file must start with -----BEGIN CERTIFICATE-----."


class AssertionFailed(PortalError):
    """The token request cannot be signed with the private key."""

    code = "assertion-failed"
    message = "JSON Web Token generation for authentication with GraphAPI failed."
    remedy = "Check the private key (RSA, right passphrase, belongs to the certificate) and the certificate's end date."


class Unreachable(PortalError):
    """No connection to Entra or Graph."""

    code = "graph-unreachable"
    message = "Could not connect to GraphAPI server."
    remedy = "Check network, proxy and firewall: the login host and the Graph host of the portal's cloud must be open."


class SuccessNotDeserialized(PortalError):
    """The server reported success with a body that is not what it should be."""

    code = "success-not-deserialized"
    message = "GraphAPI webcall returned success but information could not be deserialized."
    remedy = "Check the proxy settings: something between here and Microsoft answers in Graph's place, or from a cache."


class FailureNotDeserialized(PortalError):
    """The server reported failure with a body that is not an error of Graph or Entra."""

    code = "failure-not-deserialized"
    message = "GraphAPI webcall returned failure but error information could not be deserialized."
    remedy = "Check firewall and proxy: something intercepts the connection, or Microsoft's front end is failing."


class ReportedError(PortalError):
    """An error that Entra or Graph itself reports. ``code`` is its own, such as AADSTS7000215; so is the message."""

    code = "graph-error"
    remedy = "Look the code up in Microsoft's documentation of Entra and Graph errors."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        remedy: str | None = None,
        detail: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, remedy=remedy, detail=detail)
        self.status = status


class UntrustedAnswer(PortalError):
    """An answer that must not be followed: a link to another host, pages without end, another tenant's data."""

    code = "untrusted-answer"
    message = "The answer cannot be trusted."
    remedy = "Something between here and Microsoft changes answers. Nothing was imported; check the proxy."
