"""When a stage of a connection is as it should be: clocks, permissions, the end of a credential, the size of a key.

Pure rules over what was met; ``connection.py`` has the values, ``graph/probe.py`` meets it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from reconciler.connection import Stage, StageResult, failed, ok, warned
from reconciler.expiry import Expiry, level
from reconciler.labels import CREDENTIAL_REMEDIES
from reconciler.model import ErrorInfo, Settings

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

OPTIONAL = frozenset({"AuditLog.Read.All"})
"""Permissions that are put to use when they are granted, and not missed when they are not: who last signed in when."""

_PERMISSIONS_PAGE = "Entra admin center > App registrations > the app > API permissions"


def allowed(stage: Stage, roles: Collection[str]) -> bool:
    """Whether one of the granted permissions covers an endpoint."""
    return not ENOUGH[stage].isdisjoint(roles)


def judge_permissions(roles: Collection[str]) -> StageResult:
    """The permissions stage: what a token's ``roles`` lack, and what they have beyond need."""
    missing = sorted({LEAST[stage] for stage in ENOUGH if not allowed(stage, roles)})
    beyond = sorted(set(roles) - set(LEAST.values()) - OPTIONAL)
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
            f"in place of {instead}" if instead else None,
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
        return failed(Stage.CREDENTIAL, ErrorInfo("credential-expired", f"It expired on {end}.", remedy, what), what)
    left = (end - today).days
    days = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
    error = ErrorInfo("credential-expiring", f"It ends {days}, on {end}.", remedy, what)
    return warned(Stage.CREDENTIAL, error, what)


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
