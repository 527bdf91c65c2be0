"""What an app proves its identity with: a client secret, a certificate with its private key, or nothing of its own.

Certificates are read here with ``cryptography`` before MSAL sees them, because MSAL notices a wrong key only when it
signs, and says so in a library's words. From a key and a certificate MSAL signs with PS256 and names the certificate by
its SHA-256 thumbprint (Microsoft Entra documentation, "Certificate credentials"); Entra accepts RSA keys only.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from reconciler.errors import AssertionFailed, ThumbprintUnreadable, refuse_secret_id
from reconciler.graph.references import Resolve as Resolve
from reconciler.graph.references import text_of
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    SecretAuthentication,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

    from reconciler.graph.federation import FederatedToken

Proof: TypeAlias = "str | dict[str, str] | FederatedToken | ManagedIdentityAuthentication"
"""What a sign-in rests on: a secret as text, ``private_key`` and ``public_certificate`` as PEM, a token that is fetched
each time, or the machine itself."""


class Credential:
    """What an app signs in with, and its last day, in UTC, where that is known. Masked wherever it is printed."""

    __slots__ = ("_value", "end")

    def __init__(self, value: Proof, end: date | None = None) -> None:
        self._value = value
        self.end = end

    def for_msal(self) -> Proof:
        """What MSAL is given, or what leads to it."""
        return self._value

    def __repr__(self) -> str:
        return "Credential(****)"

    def __reduce__(self) -> str:
        raise TypeError("a Credential is never serialized")


def load_credential(authentication: Authentication, resolve: Resolve, now: datetime) -> Credential:
    """Resolve what a portal's ``authentication`` points to, and check it as far as that goes without asking Entra.

    Raises SecretUnresolved, ThumbprintUnreadable (the certificate cannot be parsed) or AssertionFailed (the private key
    cannot be used, or the certificate is not valid at ``now``); ``detail`` says which, and never quotes a value. A
    federated token is fetched later, and a managed identity is the machine's: nothing can be wrong with them here.
    """
    if isinstance(authentication, SecretAuthentication):
        value = text_of(authentication.secret, resolve)
        refuse_secret_id(value, authentication.secret_id)
        return Credential(value, authentication.expires)
    if isinstance(authentication, FederatedAuthentication):
        from reconciler.graph.federation import FederatedToken  # it loads httpx, which `plan` can do without

        return Credential(FederatedToken(authentication, resolve))
    if isinstance(authentication, ManagedIdentityAuthentication):
        return Credential(authentication)
    if authentication.pfx:
        return _pair(*_from_pfx(authentication, resolve), now)
    certificates = _pem_certificates(authentication, resolve)
    return _pair(_pem_key(authentication, resolve), certificates, now)


def credential_end(authentication: Authentication, resolve: Resolve) -> date | None:
    """The last day of a credential, in UTC: ``expires`` of a secret, the end that a certificate carries itself.

    Best effort, never raises: None for a credential without an end, and for a certificate that cannot be read. A PEM
    certificate needs no private key; a PFX needs its passphrase.
    """
    if isinstance(authentication, SecretAuthentication):
        return authentication.expires
    end = certificate_end(authentication, resolve) if isinstance(authentication, CertificateAuthentication) else None
    return end.date() if end else None


def certificate_end(authentication: CertificateAuthentication, resolve: Resolve) -> datetime | None:
    """The same to the second, in UTC, of a certificate."""
    try:
        if authentication.pfx:
            own = _own(*_from_pfx(authentication, resolve))
        else:
            certificates = _pem_certificates(authentication, resolve)
            # Of a chain only the key tells which certificate is the app's.
            own = certificates[0] if len(certificates) == 1 else _own(_pem_key(authentication, resolve), certificates)
    except Exception:  # whatever is wrong with it, signing in will say so
        return None
    return own.not_valid_after_utc


def _passphrase(authentication: CertificateAuthentication, resolve: Resolve) -> bytes | None:
    return text_of(authentication.passphrase, resolve).encode() if authentication.passphrase else None


def _pem_certificates(authentication: CertificateAuthentication, resolve: Resolve) -> list[Certificate]:
    from cryptography import x509

    if authentication.public_certificate is None:
        raise ThumbprintUnreadable(detail="the portal file names no certificate")
    try:
        return x509.load_pem_x509_certificates(resolve(authentication.public_certificate).reveal())
    except ValueError:
        raise ThumbprintUnreadable(detail=f"{authentication.public_certificate} is no PEM certificate") from None


def _pem_key(authentication: CertificateAuthentication, resolve: Resolve) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if authentication.private_key is None:
        raise AssertionFailed(detail="the portal file names no private key")
    passphrase = _passphrase(authentication, resolve)
    pem = resolve(authentication.private_key).reveal()
    try:
        return load_pem_private_key(pem, passphrase)
    except TypeError:
        why = "needs a passphrase" if passphrase is None else "is not encrypted, yet a passphrase is given"
    except ValueError:
        encrypted = passphrase is not None and b"ENCRYPTED" in pem
        why = "does not open with this passphrase, or is damaged" if encrypted else "is no PEM private key"
    except UnsupportedAlgorithm:
        why = "is of a kind that is not supported"
    raise AssertionFailed(detail=f"the private key {authentication.private_key} {why}")


def _from_pfx(authentication: CertificateAuthentication, resolve: Resolve) -> tuple[PrivateKeyTypes, list[Certificate]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    assert authentication.pfx is not None  # noqa: S101 - the only caller looks first
    data = _binary(resolve(authentication.pfx).reveal())
    try:
        key, own, others = load_key_and_certificates(data, _passphrase(authentication, resolve))
    except (ValueError, UnsupportedAlgorithm):
        if not data.startswith(_SEQUENCE):
            raise ThumbprintUnreadable(
                detail=f"{authentication.pfx} is no PFX file", remedy="Provide the PFX file again, in binary form."
            ) from None
        raise AssertionFailed(
            detail=f"{authentication.pfx} does not open with this passphrase, or is damaged"
        ) from None
    certificates = ([own] if own else []) + list(others)
    if not certificates:
        raise ThumbprintUnreadable(detail=f"{authentication.pfx} holds no certificate")
    if key is None:
        raise AssertionFailed(detail=f"{authentication.pfx} holds no private key")
    return key, certificates


_SEQUENCE = b"\x30"
"""How every PFX begins: DER of a SEQUENCE."""


def _binary(stored: bytes) -> bytes:
    """A PFX out of what was stored: as it is, or in base64, because a variable cannot hold it otherwise."""
    if stored.startswith(_SEQUENCE):
        return stored
    try:
        return b64decode(b"".join(stored.split()), validate=True)
    except ValueError:
        return stored


def _own(key: PrivateKeyTypes, certificates: list[Certificate]) -> Certificate:
    """The key's certificate out of a file that may hold a whole chain."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def public(of: PrivateKeyTypes | Certificate) -> bytes:
        return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    certificate = next((each for each in certificates if public(each) == public(key)), None)
    if certificate is None:
        raise AssertionFailed(detail="the private key does not belong to the certificate")
    return certificate


def _pair(key: PrivateKeyTypes, certificates: list[Certificate], now: datetime) -> Credential:
    """The key with its certificate, both as MSAL wants them."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if not isinstance(key, RSAPrivateKey):
        raise AssertionFailed(detail="the private key is not RSA, and Entra accepts no other")
    certificate = _own(key, certificates)
    if now < certificate.not_valid_before_utc:
        raise AssertionFailed(detail=f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
    if now > certificate.not_valid_after_utc:
        raise AssertionFailed(detail=f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return Credential(
        {
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "public_certificate": certificate.public_bytes(Encoding.PEM).decode(),
        },
        certificate.not_valid_after_utc.date(),
    )
