"""What a test of a connection says: its stages in their order, a verdict on each, and what to do where one failed.

Values only; ``graph/probe.py`` runs the stages. The rules for what needs no network are here: the end of a
credential, the permissions in a token, the difference between two clocks.

Source of the permissions that each endpoint needs: Microsoft Graph v1.0 reference, the pages "List subscribedSkus",
"List companySubscriptions", "List organizations" and "List users", section "Permissions", kind "Application".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.model import Cloud, ErrorInfo, Organization


class Stage(StrEnum):
    """The stages, in the order in which a page shows them."""

    CONFIGURATION = "configuration"
    SECRET = "secret"  # noqa: S105 - the stage's name
    CREDENTIAL = "credential"
    LOGIN_HOST = "login_host"
    TENANT = "tenant"
    GRAPH_HOST = "graph_host"
    CLOCK = "clock"
    TOKEN = "token"  # noqa: S105 - the stage's name
    PERMISSIONS = "permissions"
    ORGANIZATION = "organization"
    SKUS = "subscribed_skus"
    SUBSCRIPTIONS = "subscriptions"
    USERS = "users"


ORDER = {stage: place for place, stage in enumerate(Stage)}
"""The place of each stage on a page."""

CREDENTIAL_STAGES = frozenset(
    {Stage.SECRET, Stage.CREDENTIAL, Stage.TOKEN, Stage.PERMISSIONS}
    | {Stage.ORGANIZATION, Stage.SKUS, Stage.SUBSCRIPTIONS, Stage.USERS}
)
"""The stages that each credential of a portal goes through by itself; the others belong to the portal."""

ENDPOINTS = {
    Stage.ORGANIZATION: "/organization",
    Stage.SKUS: "/subscribedSkus",
    Stage.SUBSCRIPTIONS: "/directory/subscriptions",
    Stage.USERS: "/users",
}
"""The endpoint of Graph that a stage calls."""

LABELS = {
    Stage.CONFIGURATION: "Configuration",
    Stage.SECRET: "Secret",
    Stage.CREDENTIAL: "Credential",
    Stage.LOGIN_HOST: "Login host",
    Stage.TENANT: "Tenant",
    Stage.GRAPH_HOST: "Graph host",
    Stage.CLOCK: "Clock",
    Stage.TOKEN: "Token",
    Stage.PERMISSIONS: "Permissions",
    **ENDPOINTS,
}
"""The words for a stage."""


class Verdict(StrEnum):
    """What became of a stage. Skipped: an earlier stage that it needs has failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage. ``fact`` is what was found, or why it was skipped; ``error`` is set for a warning and a failure."""

    stage: Stage
    verdict: Verdict
    fact: str | None = None
    error: ErrorInfo | None = None


def ok(stage: Stage, fact: str) -> StageResult:
    """A stage that is as it should be."""
    return StageResult(stage, Verdict.OK, fact)


def failed(stage: Stage, error: ErrorInfo, fact: str | None = None) -> StageResult:
    """A stage that stops the portal from being read."""
    return StageResult(stage, Verdict.FAILED, fact, error)


def warned(stage: Stage, error: ErrorInfo, fact: str | None = None) -> StageResult:
    """A stage that works, but should be looked at."""
    return StageResult(stage, Verdict.WARNING, fact, error)


def skipped(stage: Stage, why: str) -> StageResult:
    """A stage that was not tried."""
    return StageResult(stage, Verdict.SKIPPED, why)


def skipped_for(stage: Stage, needed: Stage) -> StageResult:
    """A stage that was not tried because another one, which it needs, has failed."""
    return skipped(stage, f"not tried: needs {LABELS[needed]}")


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """The stages of one credential. ``label`` says which one it is, without its value."""

    type: str
    label: str
    stages: tuple[StageResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its stages."""
        return _worst({result.verdict for result in self.stages})


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The test of one portal.

    ``stages`` are those of the portal as a whole. ``tenant_id`` and ``cloud`` are None when its file could not be read.
    ``emulated`` names the emulator's scenario when no real tenant answered.
    """

    portal_id: str
    name: str
    stages: tuple[StageResult, ...]
    credentials: tuple[CredentialCheck, ...] = ()
    tenant_id: str | None = None
    cloud: Cloud | None = None
    organization: Organization | None = None
    emulated: str | None = None

    @property
    def results(self) -> Iterator[StageResult]:
        """Every stage, those of all credentials among them."""
        yield from self.stages
        for check in self.credentials:
            yield from check.stages

    @property
    def verdict(self) -> Verdict:
        """The worst of all stages; but one credential that fails beside one that works only deserves a look."""
        checks = {check.verdict for check in self.credentials}
        if checks - {Verdict.FAILED}:
            checks = {Verdict.WARNING if verdict is Verdict.FAILED else verdict for verdict in checks}
        return _worst({result.verdict for result in self.stages} | checks)


def _worst(verdicts: Collection[Verdict]) -> Verdict:
    """What several verdicts come to."""
    return next((worst for worst in (Verdict.FAILED, Verdict.WARNING) if worst in verdicts), Verdict.OK)


def exit_code(reports: Iterable[ConnectionReport]) -> int:
    """0 when nothing failed, else 1."""
    return int(any(report.verdict is Verdict.FAILED for report in reports))


def ordered(stages: Iterable[StageResult]) -> tuple[StageResult, ...]:
    """Stages in the order of a page."""
    return tuple(sorted(stages, key=lambda result: ORDER[result.stage]))


def unreadable(portal_id: str, errors: Iterable[ErrorInfo]) -> ConnectionReport:
    """The report of a portal whose file is not valid, with a row per problem: nothing else can be tried."""
    problems = [failed(Stage.CONFIGURATION, error) for error in errors]
    rest = [skipped_for(stage, Stage.CONFIGURATION) for stage in Stage if stage is not Stage.CONFIGURATION]
    return ConnectionReport(portal_id, portal_id, (*problems, *rest))
