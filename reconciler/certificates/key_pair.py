"""A key pair to sign in with: an RSA key, and a certificate that it signs itself.

Entra accepts RSA keys only, and wants no more of a certificate than its public key and its dates: a self-signed one is
as good as any (Microsoft Entra documentation, "Certificate credentials").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.secret import Secret

CLOCK_SKEW = timedelta(minutes=5)
"""How long before now a new certificate begins, so that a clock that runs ahead does not make one of tomorrow."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new private key, as PEM, and its self-signed certificate, as PEM."""

    private_key: Secret
    certificate: bytes


def make_key_pair(subject: str, bits: int, days: int, now: datetime, passphrase: Secret | None = None) -> KeyPair:
    """An RSA key of so many bits, with a certificate for the common name ``subject`` that lasts so many days.

    The private key is PKCS #8, encrypted when there is a passphrase.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    signs = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(signs, critical=True)
        .sign(key, hashes.SHA256())
    )
    encryption = (
        serialization.BestAvailableEncryption(passphrase.reveal()) if passphrase else serialization.NoEncryption()
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return KeyPair(Secret(pem), certificate.public_bytes(serialization.Encoding.PEM))
