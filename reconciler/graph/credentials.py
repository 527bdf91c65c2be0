"""What an app proves its identity with: a client secret, or a certificate with its private key.

Certificates are read here with ``cryptography`` before MSAL sees them, because MSAL notices a wrong key only when it
signs, and says so in a library's words. From a key and a certificate MSAL signs with PS256 and names the certificate by
its SHA-256 thumbprint (Microsoft Entra documentation, "Certificate credentials"); Entra accepts RSA keys only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.errors import AssertionFailed, SecretUnresolved, ThumbprintUnreadable
from reconciler.model import Authentication, CertificateAuthentication, Reference, SecretAuthentication
from reconciler.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

Resolve = Callable[[Reference], Secret]
"""Leads a reference to its value, or raises SecretUnresolved."""


class Credential:
    """A client credential in the form that MSAL takes. Masked wherever it is printed."""

    __slots__ = ("_value",)

    def __init__(self, value: str | dict[str, str]) -> None:
        self._value = value

    def for_msal(self) -> str | dict[str, str]:
        """The secret as text, or ``private_key`` and ``public_certificate`` as PEM."""
        return self._value

    def __repr__(self) -> str:
        return "Credential(****)"

    def __reduce__(self) -> str:
        raise TypeError("a Credential is never serialised")


def load_credential(authentication: Authentication, resolve: Resolve, now: datetime) -> Credential:
    """Resolve what a portal's ``authentication`` points to, and check it as far as that goes without asking Entra.

    Raises SecretUnresolved, ThumbprintUnreadable (the certificate cannot be parsed) or AssertionFailed (the private key
    cannot be used, or the certificate is not valid at ``now``); ``detail`` says which, and never quotes a value.
    """
    if isinstance(authentication, SecretAuthentication):
        return Credential(_text(authentication.secret, resolve))
    if not isinstance(authentication, CertificateAuthentication):
        raise NotImplementedError(authentication.type)  # WIP: mended before this lands
    key, certificates = _from_pfx(authentication, resolve) if authentication.pfx else _from_pem(authentication, resolve)
    return _pair(key, certificates, now)


def _text(reference: Reference, resolve: Resolve) -> str:
    try:
        text = resolve(reference).text()
    except UnicodeDecodeError:
        raise SecretUnresolved(detail=f"{reference} is not UTF-8 text") from None
    if not text:
        raise SecretUnresolved(detail=f"{reference} is empty")
    return text


def _passphrase(authentication: CertificateAuthentication, resolve: Resolve) -> bytes | None:
    return _text(authentication.passphrase, resolve).encode() if authentication.passphrase else None


def _from_pem(authentication: CertificateAuthentication, resolve: Resolve) -> tuple[PrivateKeyTypes, list[Certificate]]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if authentication.public_certificate is None or authentication.private_key is None:
        raise ThumbprintUnreadable(detail="the portal file names no certificate")
    try:
        certificates = x509.load_pem_x509_certificates(resolve(authentication.public_certificate).reveal())
    except ValueError:
        raise ThumbprintUnreadable(detail=f"{authentication.public_certificate} is no PEM certificate") from None
    passphrase = _passphrase(authentication, resolve)
    pem = resolve(authentication.private_key).reveal()
    try:
        return load_pem_private_key(pem, passphrase), certificates
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
    data = resolve(authentication.pfx).reveal()
    try:
        key, own, others = load_key_and_certificates(data, _passphrase(authentication, resolve))
    except (ValueError, UnsupportedAlgorithm):
        if not data.startswith(b"\x30"):  # DER of a SEQUENCE, as every PFX begins
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


def _pair(key: PrivateKeyTypes, certificates: list[Certificate], now: datetime) -> Credential:
    """The key with its certificate out of a file that may hold a whole chain."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    if not isinstance(key, RSAPrivateKey):
        raise AssertionFailed(detail="the private key is not RSA, and Entra accepts no other")

    def public(of: Certificate) -> bytes:
        return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certificate = next((each for each in certificates if public(each) == wanted), None)
    if certificate is None:
        raise AssertionFailed(detail="the private key does not belong to the certificate")
    if now < certificate.not_valid_before_utc:
        raise AssertionFailed(detail=f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
    if now > certificate.not_valid_after_utc:
        raise AssertionFailed(detail=f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return Credential(
        {
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "public_certificate": certificate.public_bytes(Encoding.PEM).decode(),
        }
    )
