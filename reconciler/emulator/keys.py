"""Key pairs of emulated applications, made when they are first needed and kept in memory only."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock


class KeyPair:
    """An RSA key and its self-signed certificate.

    Nothing is generated before the first use, because most runs never sign in. The validity is fixed rather than
    counted from today, so that whatever shows it shows the same on every day.
    """

    def __init__(
        self,
        subject: str,
        *,
        not_before: datetime = datetime(2020, 1, 1, tzinfo=UTC),
        not_after: datetime = datetime(2049, 12, 31, tzinfo=UTC),
    ) -> None:
        self.subject = subject
        self.not_before = not_before
        self.not_after = not_after
        self._lock = Lock()
        self._made: tuple[bytes, bytes] | None = None

    @property
    def certificate_pem(self) -> bytes:
        """The public certificate, as PEM."""
        return self._pair()[0]

    @property
    def private_key_pem(self) -> bytes:
        """The private key, as unencrypted PKCS#8 PEM."""
        return self._pair()[1]

    def _pair(self) -> tuple[bytes, bytes]:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> tuple[bytes, bytes]:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.subject)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private
