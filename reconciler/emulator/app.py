"""The emulator as one WSGI application, routed by host name: Entra, Graph, and what else a sign-in asks.

In-process, without sockets::

    httpx.Client(transport=httpx.WSGITransport(app=Emulator(scenarios.load("demo"))))

Served over TLS: ``serve.Server``.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from reconciler.emulator.entra import LOGIN_HOSTS, Entra
from reconciler.emulator.faults import Cut, Delay, Drop, Effect, FaultBook, Reply, Service
from reconciler.emulator.federation import GITHUB_HOST, GitHub
from reconciler.emulator.graph import GRAPH_HOSTS, Graph
from reconciler.emulator.imds import IMDS_HOST, Imds
from reconciler.emulator.keyvault import VAULT_DOMAINS, KeyVault, is_vault
from reconciler.emulator.message import Request, Response
from reconciler.emulator.odata import page_number
from reconciler.emulator.scenario import Scenario
from reconciler.emulator.tokens import Tokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOSTS = LOGIN_HOSTS | GRAPH_HOSTS | {GITHUB_HOST}
"""Every host that the emulator answers for over TLS, apart from the key vaults, whose names are a scenario's own."""

CERTIFIED = (*sorted(HOSTS), *(f"*.{domain}" for domain in sorted(VAULT_DOMAINS)))
"""The names in the certificate that a served emulator shows."""


def answers_for(host: str) -> bool:
    """Whether the emulator answers for a host over TLS."""
    return host in HOSTS or is_vault(host)


SCENARIO_HEADER = "x-emulated-scenario"
"""On every answer: the scenario's name, so that a client knows that no real tenant answered."""


class Emulator:
    """Entra and Graph about one scenario, and the runner or machine it is read from. Safe to call from many threads.

    ``clock`` tells the seconds since 1970 for tokens, secrets and certificates; the scenario's own dates are fixed.
    ``sleep`` is what a ``Delay`` waits with.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        tokens = Tokens()
        self.scenario = scenario
        self._entra = Entra(scenario, tokens, clock)
        self._graph = Graph(scenario, tokens, clock)
        self._github = GitHub(scenario.job, clock)
        self._vaults = KeyVault(scenario, tokens, clock)
        self._imds = Imds(scenario, tokens, clock)
        self._faults = FaultBook()
        self._clock = clock
        self._sleep = sleep

    def change(self, scenario: Scenario) -> None:
        """Let the tenants be those of another scenario; what was given out for them, such as tokens, stays good."""
        self.scenario = scenario
        self._entra.change(scenario)
        self._graph.change(scenario)
        self._faults = FaultBook()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Raises ConnectionResetError where a scenario breaks the connection."""
        request = Request.read(environ)
        effect = self._effect(request)
        if isinstance(effect, Drop) and effect.after is None:
            raise ConnectionResetError("The scenario breaks the connection here.")
        response = self._respond(request, effect)
        self._finish(request, response)
        phrase = HTTPStatus(response.status).phrase
        start_response(f"{response.status} {phrase}", list(response.headers.items()))
        if isinstance(effect, Drop):
            return _broken(response.body, effect.after or 0)
        return [response.body]

    def _effect(self, request: Request) -> Effect | None:
        service: Service = "graph" if request.host in GRAPH_HOSTS else "login"
        tenant = self._graph.tenant_of(request) if service == "graph" else self._entra.tenant_of(request)
        if tenant is None or not tenant.faults:
            return None
        return self._faults.pick(tenant.tenant_id, tenant.faults, service, request.path, page_number(request))

    def _respond(self, request: Request, effect: Effect | None) -> Response:
        if isinstance(effect, Delay):
            self._sleep(effect.seconds)
        if request.host in GRAPH_HOSTS:
            response = self._ask_graph(request, effect)
        elif request.host in LOGIN_HOSTS:
            response = self._ask_entra(request, effect)
        elif request.host == GITHUB_HOST:
            response = self._github.handle(request)
        elif is_vault(request.host):
            response = self._vaults.handle(request)
        elif request.host == IMDS_HOST:
            response = self._imds.handle(request)
        else:
            text = f"The emulator does not answer for the host {request.host!r}.\n"
            response = Response(404, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        if isinstance(effect, Cut):
            response.body = response.body[: len(response.body) // 2]
        return response

    def _ask_entra(self, request: Request, effect: Effect | None) -> Response:
        return self._entra.told(request, effect) if isinstance(effect, Reply) else self._entra.handle(request)

    def _ask_graph(self, request: Request, effect: Effect | None) -> Response:
        if isinstance(effect, Reply):
            return self._graph.told(request, effect)
        if effect is None or isinstance(effect, Drop | Delay | Cut):
            return self._graph.handle(request)
        return self._graph.handle(request, effect)

    def _finish(self, request: Request, response: Response) -> None:
        """Compress, and add what every answer has."""
        if "gzip" in request.headers.get("accept-encoding", "") and response.body:
            response.body = gzip.compress(response.body, compresslevel=1, mtime=0)
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Content-Length"] = str(len(response.body))
        response.headers["Date"] = formatdate(self._clock(), usegmt=True)
        response.headers[SCENARIO_HEADER] = self.scenario.name


def _broken(body: bytes, after: int) -> Iterator[bytes]:
    yield body[:after]
    raise ConnectionResetError("The scenario breaks the connection here.")
