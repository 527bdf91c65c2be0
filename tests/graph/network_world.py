"""A network with something in the way: a proxy on loopback that opens TLS with a CA of its own, before the emulator."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from reconciler.emulator.app import HOSTS, Emulator
from reconciler.emulator.scenario import Scenario, Tenant
from reconciler.emulator.serve import _Connection, _Proxy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CA_NAME = "O=Example Proxy CA"
"""The issuer of every certificate that the proxy presents, as an error names it."""


class Interception:
    """A proxy that opens TLS. ``connected`` are the hosts that were asked for with CONNECT, ``requests`` what came
    through, as host and path.

    ``silent``: say nothing after CONNECT. ``refusal``: a status in place of a tunnel.
    """

    def __init__(self, *tenants: Tenant, silent: bool = False, refusal: int | None = None) -> None:
        self.authority = trustme.CA(organization_name="Example Proxy CA", organization_unit_name="Network")
        self.silent = silent
        self.refusal = refusal
        self.connected: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.stopping = Event()
        self._emulator = Emulator(Scenario(tenants), sleep=lambda seconds: (self.stopping.wait(seconds), None)[1])
        self.port = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Note a request and pass it on."""
        self.requests.append((environ["HTTP_HOST"], environ["PATH_INFO"]))
        return self._emulator(environ, start_response)

    @contextmanager
    def running(self, *, direct: str | None = None) -> Iterator[Interception]:
        """Serve for the length of a block; ``direct`` names a host whose TLS starts at once, without CONNECT."""
        outer = self

        class Connection(_Connection):
            def setup(self) -> None:
                super().setup()
                if direct:
                    self._secure(direct)

            def do_CONNECT(self) -> None:  # noqa: N802 - the base class looks it up by this name
                outer.connected.append(self.path.rpartition(":")[0])
                if outer.silent:
                    self.send_response_only(200)
                    self.end_headers()
                    outer.stopping.wait()
                elif outer.refusal:
                    self.send_response_only(outer.refusal, "Proxy Authentication Required")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    super().do_CONNECT()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*sorted(HOSTS)).configure_cert(context)
        proxy = _Proxy(("127.0.0.1", 0), self, context, self.stopping)  # type: ignore[arg-type]
        proxy.RequestHandlerClass = Connection
        self.port = int(proxy.server_address[1])
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            proxy.shutdown()
            proxy.hang_up()
            proxy.server_close()
            thread.join()

    @property
    def address(self) -> str:
        """What HTTPS_PROXY is set to."""
        return f"http://127.0.0.1:{self.port}"

    def certificate_file(self, folder: Path) -> str:
        """The CA's certificate as a file, for SSL_CERT_FILE."""
        path = folder / "proxy-ca.pem"
        path.write_bytes(self.authority.cert_pem.bytes())
        return str(path)

    def certificate_folder(self, folder: Path) -> str:
        """The CA's certificate as OpenSSL looks it up in a folder, for SSL_CERT_DIR."""
        path = folder / "certificates"
        path.mkdir()
        (path / f"{_subject_hash(self.authority.cert_pem.bytes())}.0").write_bytes(self.authority.cert_pem.bytes())
        return str(path)


def _subject_hash(pem: bytes) -> str:
    """The hash of a subject that names a file in such a folder, as ``openssl x509 -hash`` prints it.

    OpenSSL's X509_NAME_hash: SHA-1 over the name in lower case as UTF-8, without its outer sequence.
    """
    subject = x509.load_pem_x509_certificate(pem).subject
    plain = [x509.NameAttribute(each.oid, str(each.value).lower(), _type=_ASN1Type.UTF8String) for each in subject]
    encoded = x509.Name(plain).public_bytes()
    assert encoded[1] < 0x80, "a name so short that its length takes one byte"
    return f"{int.from_bytes(hashlib.sha1(encoded[2:]).digest()[:4], 'little'):08x}"


def through(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Set variables of the environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
