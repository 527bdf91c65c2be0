"""Who issued a certificate that is not trusted: the name of the proxy that opens TLS on the way.

A refused handshake does not say what was presented. So after a refusal one more connection is opened, over the same
way and without verification, for nothing but the certificate: it is closed before anything is sent on it.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx

_SECONDS = 10.0
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)


class UntrustedCertificate(httpx.ConnectError):
    """The certificate of a host is not trusted. ``issuer`` is who issued it, or None when that could not be seen."""

    def __init__(self, message: str, issuer: str | None) -> None:
        super().__init__(message)
        self.issuer = issuer


def presented_issuer(host: str, proxy: httpx.Proxy | None) -> str | None:
    """The issuer of the certificate that ``host`` presents, over the proxy if there is one.

    None when it cannot be seen. Foreign text, as an RFC 4514 name such as ``CN=Example Proxy CA,O=Example``.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # to look at what is presented; nothing is sent, nothing received is used
    handshake = "proxy.start_tls.complete" if proxy else "connection.start_tls.complete"

    def look(event: str, info: dict[str, Any]) -> None:
        if event == handshake:
            raise _Presented(info["return_value"])

    request = httpx.Request("GET", f"https://{host}/", extensions={"trace": look, "timeout": _TIMEOUTS})
    try:
        with httpx.HTTPTransport(verify=context, trust_env=False, proxy=proxy) as transport:
            transport.handle_request(request).close()
    except _Presented as presented:
        return presented.issuer
    except (httpx.HTTPError, OSError):
        return None
    return None


def certificate_issuer(stream: Any) -> str | None:
    """The issuer of the certificate that the other side of an httpcore network stream presented."""
    from cryptography.x509 import load_der_x509_certificate

    tls = stream.get_extra_info("ssl_object")
    try:
        der = tls.getpeercert(True) if tls else None
        return load_der_x509_certificate(der).issuer.rfc4514_string() if der else None
    except ValueError:  # the connection is closed, or the certificate is no certificate
        return None


class _Presented(Exception):
    """Ends the connection as soon as the certificate has been seen."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.issuer = certificate_issuer(stream)
        stream.close()
