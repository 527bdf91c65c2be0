"""Looking at a credential before it is used: whether its secrets resolve, whether it is readable, when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from reconciler.connection import CredentialCheck, Stage, StageResult, failed, ok, skipped_for
from reconciler.connection_rules import judge_end, judge_key
from reconciler.errors import ReconcileError, SecretUnresolved
from reconciler.graph.credentials import Credential, load_credential
from reconciler.graph.references import Resolve
from reconciler.graph.surprise import surprise
from reconciler.labels import CREDENTIAL_LABELS
from reconciler.model import Authentication, Reference, SecretAuthentication, Settings


@dataclass(frozen=True)
class Examined:
    """A credential as far as it can be judged alone. ``credential`` is None when nobody can sign in with it."""

    authentication: Authentication
    stages: tuple[StageResult, ...]
    credential: Credential | None

    @property
    def label(self) -> str:
        """What it is, without its value."""
        return _label(self.authentication)

    def check(self, *further: StageResult) -> CredentialCheck:
        """The report of this credential, with the stages that came after."""
        return CredentialCheck(self.authentication.type, self.label, (*self.stages, *further))


def examine(
    portal_id: str, authentication: Authentication, resolve: Resolve, settings: Settings, now: datetime
) -> Examined:
    """Resolve and read a credential, and look when it ends, without asking Entra.

    A secret whose declared end has passed stays usable: the day in the portal's file may be wrong, and Entra knows.
    """
    references = list(_references(authentication))
    credential = None
    stage = Stage.SECRET
    try:
        for reference in references:
            resolve(reference)
        stage = Stage.CREDENTIAL
        credential, judged = _read(authentication, resolve, settings, now)
    except SecretUnresolved as error:
        judged = failed(Stage.SECRET, error.info())
    except ReconcileError as error:
        judged = failed(stage, error.info())
    except Exception as error:
        judged = failed(stage, surprise(portal_id, stage, error).info())
    if judged.stage is Stage.SECRET:
        return Examined(authentication, (judged, skipped_for(Stage.CREDENTIAL, Stage.SECRET)), None)
    return Examined(authentication, (_resolved(references), judged), credential)


def _read(
    authentication: Authentication, resolve: Resolve, settings: Settings, now: datetime
) -> tuple[Credential | None, StageResult]:
    """The credential, None when nobody should sign in with it, and the verdict on it. Raises PortalError."""
    credential = load_credential(authentication, resolve, now)
    what, bits = _certificate(credential) or (_label(authentication), None)
    if bits is not None and (too_short := judge_key(what, bits)):
        return None, too_short
    return credential, judge_end(authentication.type, what, credential.end, settings, now.date())


def _label(authentication: Authentication) -> str:
    """What a credential is; of a secret also its label, which tells it from the others of the app."""
    own = authentication.secret_id if isinstance(authentication, SecretAuthentication) else None
    return f"{CREDENTIAL_LABELS[authentication.type]}{f' {own}' if own else ''}"


def _references(authentication: Authentication) -> Iterator[Reference]:
    """Every place from which a part of a credential comes."""
    for field in fields(authentication):
        value = getattr(authentication, field.name)
        if isinstance(value, Reference):
            yield value


def _resolved(references: list[Reference]) -> StageResult:
    """The secret stage when every reference leads to a value."""
    return ok(Stage.SECRET, ", ".join(map(str, references)) or "none needed")


def _certificate(credential: Credential) -> tuple[str, int] | None:
    """A certificate in words, and the bits of its RSA key; None for a credential of another type."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    value = credential.for_msal()
    if not isinstance(value, dict) or "public_certificate" not in value:
        return None
    certificate = load_pem_x509_certificate(value["public_certificate"].encode())
    key = certificate.public_key()
    bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    return f"certificate {certificate.subject.rfc4514_string()}, RSA {bits}", bits
