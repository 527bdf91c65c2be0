"""What the certificate in a file says of itself. Nothing here ever shows a private key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.errors import ReconcileError
from reconciler.secret import Secret

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_PFX_VERSION = b"\x02\x01\x03"
"""What a PFX begins with, behind its length: version 3 (RFC 7292, section 4)."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a certificate says. ``bits`` is the key's size; thumbprints are in upper-case hexadecimal, as in Entra."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    key_type: str
    bits: int | None
    sha1: str
    sha256: str


def describe(data: bytes, passphrase: Secret | None = None) -> Description:
    """What the certificate in a PEM, DER or PFX file says; of a chain in PEM, the first one.

    Raises ReconcileError when the file holds no certificate that can be read, or does not open.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    certificate = _certificate(data, passphrase)
    key = certificate.public_key()
    is_rsa = isinstance(key, RSAPublicKey)
    return Description(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type="RSA" if is_rsa else type(key).__name__.removesuffix("PublicKey"),
        bits=getattr(key, "key_size", None),
        sha1=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name, not a proof
        sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
    )


def _certificate(data: bytes, passphrase: Secret | None) -> Certificate:
    """The certificate in a file, whichever way it is written down."""
    from cryptography import x509

    if _PFX_VERSION in data[:8]:
        return _of_pfx(data, passphrase)
    try:
        if b"-----BEGIN " in data:
            return x509.load_pem_x509_certificates(data)[0]
        return x509.load_der_x509_certificate(data)
    except ValueError:
        if b"PRIVATE KEY-----" in data:
            raise _unreadable("it holds a private key and no certificate") from None
        raise _unreadable("it is neither PEM nor DER nor PFX, or it is damaged") from None


def _of_pfx(data: bytes, passphrase: Secret | None) -> Certificate:
    """The certificate that belongs to the key of a PFX, else the first one in it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    try:
        _, own, others = load_key_and_certificates(data, passphrase.reveal() if passphrase else None)
    except (ValueError, UnsupportedAlgorithm):
        why = "does not open with this passphrase" if passphrase else "needs its passphrase: --passphrase-env NAME"
        raise _unreadable(f"it is a PFX that {why}, or it is damaged") from None
    certificate = own or next(iter(others), None)
    if certificate is None:
        raise _unreadable("it is a PFX without a certificate")
    return certificate


def _unreadable(why: str) -> ReconcileError:
    return ReconcileError(
        f"The certificate cannot be read: {why}.",
        code="certificate-unreadable",
        remedy="Name a file that holds a certificate: PEM (-----BEGIN CERTIFICATE-----), DER (.cer), or a PFX.",
    )
