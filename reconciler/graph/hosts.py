"""Asking the two hosts of a cloud without a credential: are they there, is it they, and is the tenant theirs.

Entra says without a credential whether it knows a tenant; Graph refuses in words of its own. Whatever is said in
another form comes from something between here and Microsoft.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import msgspec

from reconciler.connection import Stage, StageResult, failed, ok, skipped, skipped_for
from reconciler.connection_rules import judge_clock
from reconciler.errors import PortalError, ReconcileError, ReportedError
from reconciler.graph.answers import decode, entra_failure, graph_failure, unreachable
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.interception import certificate_issuer
from reconciler.graph.surprise import surprise
from reconciler.graph.wire import OpenIdConfiguration, Page, Tenant
from reconciler.model import Portal
from reconciler.queries import ORGANIZATION

T = TypeVar("T")

Clock = Callable[[], float]
"""This machine's clock, in seconds since 1970."""

Meaning = Callable[[httpx.Response], PortalError | None]
"""What is wrong with an answer."""


@dataclass(frozen=True)
class Answer:
    """What came back. ``ahead`` is how many seconds our clock is ahead of the server's, None when it says no time."""

    host: str
    error: ReconcileError | None
    connection: str | None = None
    ahead: float | None = None
    emulated: str | None = None

    def stage(self, stage: Stage) -> StageResult:
        """The verdict on the host: an error that it reports itself proves that it was reached."""
        if self.error is not None and not isinstance(self.error, ReportedError):
            return failed(stage, self.error.info())
        return ok(stage, f"{self.host}{f', {self.connection}' if self.connection else ''}")


def ask_hosts(http: httpx.Client, portal: Portal, clock: Clock) -> tuple[tuple[StageResult, ...], str | None]:
    """The stages of login host, tenant, Graph host and clock; and the emulator's scenario when it answered."""
    endpoints = ENDPOINTS[portal.cloud]
    configuration = f"{endpoints.authority(portal.tenant_id)}/v2.0/.well-known/openid-configuration"
    login = _ask(http, portal, Stage.LOGIN_HOST, configuration, _entra, clock)
    graph = _ask(http, portal, Stage.GRAPH_HOST, endpoints.graph_root + ORGANIZATION, _graph, clock)
    stages = (
        login.stage(Stage.LOGIN_HOST),
        _tenant(portal, login.error),
        graph.stage(Stage.GRAPH_HOST),
        _clock(login, graph),
    )
    return stages, login.emulated or graph.emulated


def _ask(http: httpx.Client, portal: Portal, stage: Stage, url: str, meaning: Meaning, clock: Clock) -> Answer:
    """Send one request without a credential."""
    host = httpx.URL(url).host
    try:
        return _answer(http, host, url, meaning, clock)
    except PortalError as error:  # an answer without end
        return Answer(host, error)
    except Exception as error:
        return Answer(host, surprise(portal.id, stage, error))


def _answer(http: httpx.Client, host: str, url: str, meaning: Meaning, clock: Clock) -> Answer:
    before = clock()
    try:
        response = http.get(url, headers={"accept": "application/json"})
    except httpx.RequestError as error:
        return Answer(host, unreachable(host, error))
    ahead = _ahead(response.headers.get("date", ""), before, clock())
    return Answer(host, meaning(response), _connection(response), ahead, response.headers.get("x-emulated-scenario"))


def _entra(response: httpx.Response) -> PortalError | None:
    """What is wrong with the answer to a question for a tenant's openid-configuration."""
    if not response.is_success:
        return entra_failure(response)
    return _undecodable(_CONFIGURATION, response)


def _graph(response: httpx.Response) -> PortalError | None:
    """What is wrong with Graph's answer to a request without a token: a refusal is as it should be."""
    if not response.is_success:
        return graph_failure(response)
    return _undecodable(_ORGANIZATION, response)


def _undecodable(decoder: msgspec.json.Decoder[T], response: httpx.Response) -> PortalError | None:
    try:
        decode(decoder, response)
    except PortalError as error:
        return error
    return None


def _tenant(portal: Portal, error: ReconcileError | None) -> StageResult:
    if error is None:
        return ok(Stage.TENANT, f"{portal.tenant_id}, cloud {portal.cloud.value}")
    if isinstance(error, ReportedError):
        return failed(Stage.TENANT, error.info())
    return skipped_for(Stage.TENANT, Stage.LOGIN_HOST)


def _clock(*answers: Answer) -> StageResult:
    """The verdict on our clock, by the first answer of a host that is what it should be."""
    for answer in answers:
        if answer.ahead is not None and (answer.error is None or isinstance(answer.error, ReportedError)):
            return judge_clock(answer.ahead)
    return skipped(Stage.CLOCK, "not tried: nobody said the time")


def _ahead(date: str, before: float, after: float) -> float | None:
    """Seconds that our clock is ahead of a ``Date`` header, at least; 0 when the time on the way can explain it.

    The header is cut to whole seconds, and was written somewhere between the request and the answer.
    """
    try:
        moment = parsedate_to_datetime(date)
        said = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    if before > said + 1:
        return before - (said + 1)
    return min(0.0, after - said)


def _connection(response: httpx.Response) -> str | None:
    """How TLS was done and who vouches for the host: a proxy that opens TLS with a trusted CA shows itself here."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    issuer = certificate_issuer(stream) if tls else None
    return f"{tls.version()}, certificate issued by {issuer}" if tls and issuer else None


_CONFIGURATION = msgspec.json.Decoder(OpenIdConfiguration)
_ORGANIZATION = msgspec.json.Decoder(Page[Tenant])
