"""What a test of a connection says: its stages in their order, a verdict on each, and what to do where one failed.

Values only; ``graph/probe.py`` runs the stages. The rules for what needs no network are here: the end of a
credential, the permissions in a token, the difference between two clocks.

Source of the permissions that each endpoint needs: Microsoft Graph v1.0 reference, the pages "List subscribedSkus",
"List companySubscriptions", "List organizations" and "List users", section "Permissions", kind "Application".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconciler.expiry import Expiry, level
from reconciler.labels import CREDENTIAL_REMEDIES
from reconciler.model import Cloud, ErrorInfo, Organization, Settings


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
        """The worst of all stages."""
        found = {result.verdict for result in self.results}
        return next((worst for worst in (Verdict.FAILED, Verdict.WARNING) if worst in found), Verdict.OK)


def exit_code(reports: Iterable[ConnectionReport]) -> int:
    """0 when nothing failed, else 1."""
    return int(any(report.verdict is Verdict.FAILED for report in reports))


def ordered(stages: Iterable[StageResult]) -> tuple[StageResult, ...]:
    """Stages in the order of a page."""
    return tuple(sorted(stages, key=lambda result: ORDER[result.stage]))


def unreadable(portal_id: str, error: ErrorInfo) -> ConnectionReport:
    """The report of a portal whose file is not valid: nothing else can be tried."""
    rest = [skipped_for(stage, Stage.CONFIGURATION) for stage in Stage if stage is not Stage.CONFIGURATION]
    return ConnectionReport(portal_id, portal_id, (failed(Stage.CONFIGURATION, error), *rest))


SKEW_WARNING = 60
"""Seconds between two clocks from which a page warns."""
SKEW_LIMIT = 300
"""Seconds between two clocks from which Entra may refuse a signed request."""


def judge_clock(ahead: float) -> StageResult:
    """The clock stage. ``ahead`` is how many seconds this machine's clock is ahead of Microsoft's; negative: behind."""
    if abs(ahead) < SKEW_WARNING:
        return ok(Stage.CLOCK, "within a minute of Microsoft's")
    error = ErrorInfo(
        "clock-wrong",
        f"The clock of this machine is about {_duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} "
        "Microsoft's.",
        "Set the clock of this machine, and let it follow a time server (`timedatectl set-ntp true`).",
    )
    return failed(Stage.CLOCK, error) if abs(ahead) > SKEW_LIMIT else warned(Stage.CLOCK, error)


def _duration(seconds: float) -> str:
    """A length of time as people say it."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds, -1):.0f} seconds"


USERS_READ = "User.Read.All"
ORGANIZATION_READ = "Organization.Read.All"

_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_TENANT = _DIRECTORY | {ORGANIZATION_READ, "Organization.ReadWrite.All"}
ENOUGH = {
    Stage.ORGANIZATION: _TENANT,
    Stage.SKUS: _TENANT | {"LicenseAssignment.Read.All"},
    Stage.SUBSCRIPTIONS: _TENANT,
    Stage.USERS: _DIRECTORY | {USERS_READ, "User.ReadWrite.All"},
}
"""The application permissions of which each endpoint needs one."""

LEAST = {stage: USERS_READ if stage is Stage.USERS else ORGANIZATION_READ for stage in ENOUGH}
"""The permission to grant for each endpoint: the least that covers it and its neighbors."""

_PERMISSIONS_PAGE = "Entra admin center > App registrations > the app > API permissions"


def allowed(stage: Stage, roles: Collection[str]) -> bool:
    """Whether one of the granted permissions covers an endpoint."""
    return not ENOUGH[stage].isdisjoint(roles)


def judge_permissions(roles: Collection[str]) -> StageResult:
    """The permissions stage: what a token's ``roles`` lack, and what they have beyond need."""
    missing = sorted({LEAST[stage] for stage in ENOUGH if not allowed(stage, roles)})
    beyond = sorted(set(roles) - set(LEAST.values()))
    fact = f"granted: {', '.join(sorted(roles)) or 'none'}"
    if missing:
        excess = f" {', '.join(beyond)}: more than needed." if beyond else ""
        error = ErrorInfo(
            "permission-missing",
            f"The token lacks {' and '.join(missing)}.{excess}",
            f"In {_PERMISSIONS_PAGE} > Add a permission > Microsoft Graph > Application permissions, add "
            f"{' and '.join(missing)}, then Grant admin consent.",
        )
        return failed(Stage.PERMISSIONS, error, fact)
    if beyond:
        instead = " and ".join(sorted(set(LEAST.values()) - set(roles)))
        error = ErrorInfo(
            "permission-excessive",
            f"More than needed: {', '.join(beyond)}.",
            f"In {_PERMISSIONS_PAGE}, {f'add {instead}, then ' if instead else ''}remove {', '.join(beyond)}: "
            f"{USERS_READ} and {ORGANIZATION_READ} are enough.",
        )
        return warned(Stage.PERMISSIONS, error, fact)
    return ok(Stage.PERMISSIONS, ", ".join(sorted(roles)))


def judge_end(type_: str, what: str, end: date | None, settings: Settings, today: date) -> StageResult:
    """The credential stage of a credential that is readable.

    ``type_`` is that of the portal's ``authentication``, ``what`` describes it, ``end`` is its last day.
    """
    near = level(end, settings, today)
    if end is None or near is Expiry.VALID:
        return ok(Stage.CREDENTIAL, f"{what}, ends {end}" if end else what)
    remedy = CREDENTIAL_REMEDIES[type_]
    if near is Expiry.EXPIRED:
        return failed(Stage.CREDENTIAL, ErrorInfo("credential-expired", f"It expired on {end}.", remedy), what)
    left = (end - today).days
    days = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
    return warned(Stage.CREDENTIAL, ErrorInfo("credential-expiring", f"It ends {days}, on {end}.", remedy), what)


SHORTEST_KEY = 2048
"""Bits of an RSA key below which nobody should sign (NIST SP 800-131A)."""


def judge_key(what: str, bits: int) -> StageResult | None:
    """What is wrong with the size of an RSA key; None when it is long enough."""
    if bits >= SHORTEST_KEY:
        return None
    error = ErrorInfo(
        "key-too-short",
        f"The RSA key has {bits} bits; it needs at least {SHORTEST_KEY}.",
        "Make a new pair (`reconcile certificate create`), upload its certificate in Entra, and let the portal's file "
        "point to it.",
    )
    return failed(Stage.CREDENTIAL, error, what)
