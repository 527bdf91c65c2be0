"""Real sockets on loopback that misbehave, and a resolver that leads every name to them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

HOSTS = ("login.microsoftonline.com", "graph.microsoft.com")
PATIENCE = 0.3
"""Seconds that the client waits here. Only servers that never answer make it wait."""

Behavior = Callable[[socket.socket], None]
"""What a server does with a connection before it closes it."""


class Wire:
    """Servers of this test, and where names and proxies lead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._open: list[socket.socket] = []
        self._done = threading.Event()

    def close(self) -> None:
        """Stop all servers."""
        self._done.set()
        for each in self._open:
            each.close()

    def nowhere(self) -> int:
        """A port where nobody listens, and nobody else can."""
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        self._open.append(taken)
        port: int = taken.getsockname()[1]
        return port

    def server(self, behavior: Behavior) -> int:
        """A server that does this with each connection; its port."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._open.append(listening)
        threading.Thread(target=self._serve, args=(listening, behavior), daemon=True).start()
        port: int = listening.getsockname()[1]
        return port

    def _serve(self, listening: socket.socket, behavior: Behavior) -> None:
        while not self._done.is_set():
            try:
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(5)
                    behavior(connection)
            except OSError:
                continue

    def silent(self, connection: socket.socket) -> None:
        """Say nothing until the test is over."""
        self._done.wait(5)

    def babbling(self, connection: socket.socket) -> None:
        """Speak something that is not TLS."""
        connection.recv(65536)
        connection.sendall(b"220 mail.example ready\r\n")

    def encrypted(self, behavior: Behavior, folder: Path | None = None) -> Behavior:
        """The same behind TLS, for Microsoft's names; the authority's certificate goes into ``folder``, trusted."""
        authority = trustme.CA(organization_name="Contoso", organization_unit_name="Web Security")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(context)
        if folder is not None:
            authority.cert_pem.write_to_path(str(folder / "ca.pem"))
            self._patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))

        def secured(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as inner:
                behavior(inner)

        return secured

    def hanging_up(self, connection: socket.socket) -> None:
        """Read the request and close."""
        connection.recv(65536)

    def names_lead_to(self, port: int) -> None:
        """Lead every name, whatever its port, to a port of this machine."""
        real = socket.getaddrinfo

        def resolve(host: Any, _: Any, *arguments: Any, **named: Any) -> Any:
            return real("127.0.0.1", port, *arguments, **named)

        self._patch.setattr(socket, "getaddrinfo", resolve)

    def no_name_resolves(self) -> None:
        """Know no name, as for one under ``.invalid``."""

        def resolve(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        self._patch.setattr(socket, "getaddrinfo", resolve)

    def no_address(self) -> None:
        """Know names, but no address of theirs that this machine could reach."""
        self._patch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    def proxy(self, address: str) -> None:
        """Go through a proxy."""
        self._patch.setenv("HTTPS_PROXY", address)

    def impatient(self) -> None:
        """Wait a moment only."""
        self._patch.setattr("reconciler.graph.http.TIMEOUT", httpx.Timeout(PATIENCE))
