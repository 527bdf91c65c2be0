"""Whom to trust: the certificates that the environment names, else the operating system's.

``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are OpenSSL's, which takes one that leads nowhere for an empty one, without a
word: nobody would be trusted, and every host would look like an impostor. So what they name is looked at first.
That certificates are checked cannot be turned off.

Source: OpenSSL, SSL_CTX_load_verify_locations(3): a file with any number of certificates in PEM; folders, each
certificate in a file of its own, named by the hash of its subject (``9d66eef0.0``).
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import ConfigurationError

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def tls_context() -> ssl.SSLContext:
    """The check of every certificate.

    Raises ConfigurationError when ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names what holds no certificate.
    """
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folders:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file:
        _check_file(file)
    if folders:
        _check_folders(folders)
    return ssl.create_default_context()


def _check_file(file: str) -> None:
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises when a folder on the way is closed
        raise ConfigurationError(f"SSL_CERT_FILE names {file}, which is not a file.", code="certificate-file-missing")
    if not _holds_certificate([Path(file)]):
        raise ConfigurationError(
            f"SSL_CERT_FILE names {file}, which holds no certificate that can be read.",
            code="certificate-file-unusable",
        )


def _check_folders(folders: str) -> None:
    """One folder, or several as in ``PATH``, of which some may be missing or empty."""
    existing = [Path(folder) for folder in folders.split(os.pathsep) if os.path.isdir(folder)]  # noqa: PTH112 - likewise
    if not existing:
        raise ConfigurationError(
            f"SSL_CERT_DIR names {folders}, which is not a folder.", code="certificate-folder-missing"
        )
    if not _holds_certificate(file for folder in existing for file in _hashed(folder)):
        raise ConfigurationError(
            f"SSL_CERT_DIR names {folders}, where OpenSSL finds no certificate.", code="certificate-folder-unusable"
        )


def _hashed(folder: Path) -> list[Path]:
    """The files of a folder that OpenSSL looks at."""
    try:
        return [file for file in folder.iterdir() if _HASHED.fullmatch(file.name)]
    except OSError:
        return []


def _holds_certificate(files: Iterable[Path]) -> bool:
    """Whether one of the files is read as a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for file in files:
        try:
            context.load_verify_locations(cafile=file)
        except OSError:  # ssl.SSLError too
            continue
        if context.cert_store_stats()["x509"]:
            return True
    return False
