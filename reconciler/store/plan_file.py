"""Plan files: what a plan was made from, as digests; reading a file back.

``render/plan_json.py`` makes the text. A plan file belongs to nobody's state: it is kept for a review, and thrown away.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from reconciler import __version__
from reconciler.errors import ConfigurationError
from reconciler.plan import Plan
from reconciler.plan_page import Basis, KnownAs, PlanPage, SavedPlan
from reconciler.run import Run
from reconciler.store import ledger
from reconciler.store.canonical import line

FORMAT_VERSION = 1


def basis(run: Run, plan: Plan) -> Basis:
    """What the plan of a run was made from. Where the run selects portals, nothing but those counts."""
    states = [portal.before for portal in plan.portals if portal.before]
    chosen = [portal.id for portal in plan.portals]
    about = [entry for entry in run.removals if not run.only or entry.portal in chosen]
    ends = sorted(run.credential_ends.items())
    return Basis(
        tool=__version__,
        emulated=run.emulate,
        only=tuple(sorted(run.only)),
        allowed=tuple(sorted(run.allowed)),
        state={item.id: KnownAs(item.serial, ledger.digest(ledger.render(item))) for item in states},
        portals={portal_id: _digest(run.portals[portal_id]) for portal_id in chosen if portal_id in run.portals},
        settings=_digest(run.settings),
        removals=_digest(about),
        credential_ends={portal_id: end for portal_id, end in ends if portal_id in chosen},
    )


def _digest(declared: object) -> str:
    """The SHA-256 of something declared as canonical JSON, in hexadecimal."""
    return hashlib.sha256(line(msgspec.to_builtins(declared)).encode()).hexdigest()


def read(path: Path) -> SavedPlan:
    """Read a plan file. Raises ConfigurationError when it is none, or one of another version."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or "") from None
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
        version = document.get("format_version")
        if type(version) is not int or version != FORMAT_VERSION:  # True is 1 to Python
            said = f"it has format version {version}" if type(version) is int else "it says no format version"
            raise _unreadable(path, f"{said}, this tool reads {FORMAT_VERSION}")
        return SavedPlan(msgspec.convert(document["basis"], Basis), msgspec.convert(document, PlanPage))
    except KeyError:
        raise _unreadable(path, "it does not say what it was made from") from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from None


def is_plan(path: Path) -> bool:
    """Whether a file may be replaced by a plan: it is one, of any version."""
    try:
        content = path.read_bytes()
        found: bool = {"format_version", "basis", "portals"} <= msgspec.json.decode(content).keys()
        return found
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _unreadable(path: Path, why: str) -> ConfigurationError:
    """The error for one file."""
    return ConfigurationError(f"{path.name} is no plan that this tool can read.", code="plan-unreadable", detail=why)
