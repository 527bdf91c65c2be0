"""Serves the emulator to any real client: an HTTP proxy on loopback, with the emulator's own TLS behind it.

A client that honors ``HTTPS_PROXY`` and ``SSL_CERT_FILE`` reaches the emulator under Microsoft's real host names;
nothing on the machine changes, and no other host can be reached: the proxy opens no connection of its own. The
certificate authority is made anew for each server and its key never leaves the process.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import trustme

from reconciler.emulator.app import CERTIFIED, Emulator, answers_for
from reconciler.emulator.federation import GITHUB_HOST, TOKEN_PATH
from reconciler.emulator.imds import IMDS_HOST
from reconciler.emulator.scenario import Scenario
from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FOLDER = ".emulator"
"""Where certificate and credentials are written, under the repository. It ignores itself in git."""


class Server:
    """The emulator on a port of 127.0.0.1, for the length of a ``with`` block.

    ``root`` is the repository: ``root/.emulator`` receives ``ca.pem`` and those of the scenario's credentials that
    portal files look for there. ``port`` 0 takes a free one. Raises ConfigurationError when the port is taken or the
    folder cannot be used.
    """

    def __init__(self, scenario: Scenario, root: Path, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        authority = trustme.CA()
        self.folder = root / FOLDER
        _write_folder(self.folder, authority.cert_pem.bytes(), scenario)
        self._job = scenario.job
        stopping = Event()
        app = Emulator(scenario, clock, sleep=lambda seconds: (stopping.wait(seconds), None)[1])
        try:
            self._proxy = _Proxy(("127.0.0.1", port), app, _tls(authority), stopping)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of 127.0.0.1 cannot be used: {error.strerror}.", code="port-unavailable"
            ) from error
        self._thread = Thread(target=self._proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._proxy.server_address[1])

    @property
    def environment(self) -> dict[str, str]:
        """The two variables with which a client reaches the emulator."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "SSL_CERT_FILE": str(self.folder.absolute() / "ca.pem"),
        }

    @property
    def workload(self) -> dict[str, str]:
        """What a machine in Azure, and a job of GitHub Actions, find in their environment to sign in with."""
        return {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{self.port}",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{GITHUB_HOST}{TOKEN_PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self._job.bearer,
        }

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.shutdown()
        self._proxy.hang_up()
        self._proxy.server_close()
        self._thread.join()


class _Proxy(ThreadingMixIn, TCPServer):
    """Accepts connections, one thread each, and knows them, so that it can end them."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: Emulator, tls: ssl.SSLContext, stopping: Event) -> None:
        super().__init__(address, _Connection)
        self.app = app
        self.tls = tls
        self._stopping = stopping
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def add(self, connection: socket.socket) -> None:
        """Keep a connection to end it later; at once, when the server is stopping already."""
        with self._lock:
            self._open.add(connection)
            if self._stopping.is_set():
                _end(connection)

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """End all connections, so that their threads end."""
        self._stopping.set()
        with self._lock:
            for connection in self._open:
                _end(connection)


class _Connection(BaseHTTPRequestHandler):
    """One client: its CONNECT, then TLS, then requests, as many as it likes."""

    protocol_version = "HTTP/1.1"
    server: _Proxy
    tunnel: str | None = None

    def setup(self) -> None:
        super().setup()
        self.server.add(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass  # the client has gone; there is nobody to tell
        finally:
            self.server.remove(self.connection)
            self.connection.close()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def do_CONNECT(self) -> None:
        """Open a tunnel to one of the emulated hosts, which ends in this process."""
        host, _, port = self.path.rpartition(":")
        if self.tunnel is not None or not answers_for(host.lower()) or port != "443":
            self._refuse(f"The emulator answers for Microsoft's sign-in and Graph hosts only, not for {self.path!r}.")
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self._secure(host.lower())

    def _secure(self, host: str) -> None:
        self.server.remove(self.connection)
        self.rfile.close()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.server.add(self.connection)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.tunnel = host
        self.close_connection = False

    def answer(self) -> None:
        """Pass a request to the emulator and its answer back. A broken connection in a scenario is one here."""
        host = self.tunnel
        if host is None and self.path.startswith("/metadata/"):
            host = IMDS_HOST  # asked directly, as a machine in Azure does, and not as a proxy
        if host is None:
            self._refuse("The emulator speaks HTTPS only; ask for a tunnel with CONNECT.")
            return
        body = self.server.app(self._environ(host), self._start)
        for chunk in body:
            self.wfile.write(chunk)
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class looks them up by these names

    def _start(self, status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        return self.wfile.write

    def _environ(self, host: str) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(length),
            "wsgi.input": BytesIO(self.rfile.read(length)),
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return {**environ, "HTTP_HOST": host}

    def _refuse(self, text: str) -> None:
        content = f"{text}\n".encode()
        self.send_response_only(403)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: clients log their own requests."""


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it may have ended by itself
        # Past TLS, which another thread may be reading through.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*CERTIFIED).configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _write_folder(folder: Path, authority: bytes, scenario: Scenario) -> None:
    if folder.is_symlink():
        raise ConfigurationError(f"{folder} is a link; keys are not written through it.", code="folder-unusable")
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    _write(folder / ".gitignore", b"*\n")
    _write(folder / "ca.pem", authority)
    for name in scenario.credentials:
        if Path(name).parent == Path(FOLDER):
            _write(folder / Path(name).name, scenario.credentials[name])


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one step for whoever reads it meanwhile."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
