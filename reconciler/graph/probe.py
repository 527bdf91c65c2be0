"""Testing a portal's connection stage by stage, with the same credentials, client and transport that an import uses.

Credentials are judged first, alone; then the two hosts are asked without any; then each credential signs in and calls
every endpoint once. Nothing is written anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import httpx
import msgspec

from reconciler.connection import (
    ConnectionReport,
    CredentialCheck,
    Stage,
    StageResult,
    Verdict,
    failed,
    ok,
    ordered,
    skipped,
    skipped_for,
    warned,
)
from reconciler.connection_rules import LEAST, allowed, judge_permissions
from reconciler.errors import ReconcileError
from reconciler.graph.auth import TokenSource
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credential_check import Examined, examine
from reconciler.graph.hosts import Clock, ask_hosts
from reconciler.graph.references import Resolve
from reconciler.graph.roles import granted
from reconciler.graph.surprise import surprise
from reconciler.graph.wire import CompanySubscription, Page, SubscribedSku, User
from reconciler.model import ErrorInfo, ManagedIdentityAuthentication, Organization, Portal, Settings
from reconciler.queries import SKUS, SUBSCRIPTIONS

T = TypeVar("T")

ONE_USER = "/users?$select=id,assignedLicenses,licenseAssignmentStates&$top=1"


@dataclass(frozen=True)
class Prober:
    """What the test of a connection works with. Threads may share it."""

    http: httpx.Client
    resolve: Resolve
    settings: Settings
    now: datetime
    clock: Clock = time.time

    def test(self, portal: Portal) -> ConnectionReport:
        """Run every stage of one portal whose configuration is valid. What fails is in the report, never raised."""
        both = (portal.authentication, portal.second_authentication)
        credentials = [
            examine(portal.id, one, self.resolve, self.settings, self.now) for one in both if one is not None
        ]
        network, emulated = ask_hosts(self.http, portal, self.clock)
        broken = {result.stage for result in network if result.verdict in (Verdict.FAILED, Verdict.SKIPPED)}
        sessions = [_Session(self.http, portal, credential, broken) for credential in credentials]
        checks = tuple(session.check() for session in sessions)
        paused = " (suspended, tested all the same)" if portal.suspend else ""
        return ConnectionReport(
            portal_id=portal.id,
            name=portal.name,
            stages=ordered([ok(Stage.CONFIGURATION, f"portals.d/{portal.id}.yaml{paused}"), *network]),
            credentials=checks,
            tenant_id=portal.tenant_id,
            cloud=portal.cloud,
            organization=next((session.organization for session in sessions if session.organization), None),
            emulated=emulated,
        )


class _Session:
    """One credential of a portal: sign in, look into the token, call every endpoint."""

    def __init__(self, http: httpx.Client, portal: Portal, examined: Examined, broken: set[Stage]) -> None:
        self._http = http
        self._portal = portal
        self._examined = examined
        self._broken = broken
        self._roles: frozenset[str] | None = None
        self.organization: Organization | None = None

    def check(self) -> CredentialCheck:
        """The report of this credential."""
        return self._examined.check(*self._sign_in())

    def _sign_in(self) -> Iterator[StageResult]:
        needed = self._needed_for_token()
        credential = self._examined.credential
        if needed or credential is None:
            yield skipped_for(Stage.TOKEN, needed or Stage.CREDENTIAL)
            yield from _all_skipped()
            return
        endpoints = ENDPOINTS[self._portal.cloud]
        tokens = TokenSource(self._http, endpoints, self._portal.tenant_id, self._portal.client_id, credential)
        token = self._stage(Stage.TOKEN, partial(self._token, tokens))
        yield token
        if token.verdict is Verdict.FAILED:
            yield from _all_skipped()
            return
        yield self._stage(Stage.PERMISSIONS, self._permissions)
        yield from self._call_all(_Endpoints(self._http, endpoints, self._portal.tenant_id, tokens))

    def _token(self, tokens: TokenSource) -> StageResult:
        self._roles = granted(tokens.token())
        return ok(Stage.TOKEN, f"granted to app {self._portal.client_id}")

    def _permissions(self) -> StageResult:
        return _unreadable_token() if self._roles is None else judge_permissions(self._roles)

    def _stage(self, stage: Stage, run: Callable[[], StageResult]) -> StageResult:
        """One stage, whatever becomes of it."""
        try:
            return run()
        except ReconcileError as error:
            return failed(stage, error.info())
        except Exception as error:
            return failed(stage, surprise(self._portal.id, stage, error).info())

    def _needed_for_token(self) -> Stage | None:
        """The stage that has failed and without which there is no token. A managed identity does not ask Entra."""
        if self._examined.credential is None:
            return next(result.stage for result in self._examined.stages if result.verdict is Verdict.FAILED)
        if isinstance(self._examined.authentication, ManagedIdentityAuthentication):
            return None
        return next((stage for stage in (Stage.LOGIN_HOST, Stage.TENANT) if stage in self._broken), None)

    def _call_all(self, graph: _Endpoints) -> Iterator[StageResult]:
        calls: Mapping[Stage, Callable[[], str]] = {
            Stage.ORGANIZATION: partial(self._who, graph),
            Stage.SKUS: graph.skus,
            Stage.SUBSCRIPTIONS: graph.subscriptions,
            Stage.USERS: graph.one_user,
        }
        for stage, call in calls.items():
            if Stage.GRAPH_HOST in self._broken:
                yield skipped_for(stage, Stage.GRAPH_HOST)
            elif self._roles is not None and not allowed(stage, self._roles):
                yield skipped(stage, f"not tried: needs {LEAST[stage]}")
            else:
                yield self._stage(stage, partial(_called, stage, call))

    def _who(self, graph: _Endpoints) -> str:
        """The tenant's name and default domain."""
        self.organization = found = graph.organization()
        return f"{found.display_name} ({found.default_domain or 'no default domain'})"


class _Endpoints(GraphClient):
    """The calls of an import one by one, each no further than its first page."""

    def skus(self) -> str:
        """How many licenses the tenant owns."""
        return _counted(self._first(SKUS, _SKUS), "license")

    def subscriptions(self) -> str:
        """How many subscriptions are behind them."""
        return _counted(self._first(SUBSCRIPTIONS, _SUBSCRIPTIONS), "subscription")

    def one_user(self) -> str:
        """Whether users can be read, with what they hold."""
        return "readable" if self._first(ONE_USER, _USERS) else "readable, and there is no user"

    def _first(self, path: str, decoder: msgspec.json.Decoder[Page[T]]) -> list[T]:
        return next(self.pager.pages(path, decoder)).value


def _called(stage: Stage, call: Callable[[], str]) -> StageResult:
    return ok(stage, call())


def _all_skipped() -> Iterator[StageResult]:
    """What needs a token."""
    return (skipped_for(stage, Stage.TOKEN) for stage in (Stage.PERMISSIONS, *LEAST))


def _counted(found: list[Any], noun: str) -> str:
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"


def _unreadable_token() -> StageResult:
    error = ErrorInfo(
        "token-unreadable",
        "The token does not show its permissions.",
        "Nothing to do when the calls below succeed.",
    )
    return warned(Stage.PERMISSIONS, error)


_SKUS = msgspec.json.Decoder(Page[SubscribedSku])
_SUBSCRIPTIONS = msgspec.json.Decoder(Page[CompanySubscription])
_USERS = msgspec.json.Decoder(Page[User])
