"""What a run whose result is pushed needs of git, and what comes of it. ``git/checkout.py`` is the real one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

_NAMED = 3
"""How many portals a commit's subject names."""


class Answer(Enum):
    """What the remote answers to a push. Only BEHIND is about what others have pushed; a lock is a REFUSED too."""

    ACCEPTED = auto()
    BEHIND = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Push:
    """What became of a push. ``said`` is what the remote told the person who pushes."""

    answer: Answer
    said: str = ""


class Checkout(Protocol):
    """The checkout in which a run works."""

    def head(self) -> str:
        """The commit that is checked out."""

    def commit_state(self, message: Callable[[frozenset[str]], str]) -> str | None:
        """Commit what changed under ``state/``; the commit, or None."""

    def push(self, branch: str, *, in_place_of: str | None = None) -> Push:
        """Push what is checked out. It may replace the tip ``in_place_of``, and no other, by what does not have it."""

    def fetch(self, branch: str) -> str | None:
        """Fetch a branch; the commit at its tip, or None when the remote has no such branch."""

    def leads_to(self, old: str, new: str) -> bool:
        """Whether the history of ``new`` has ``old`` in it."""

    def has_own(self, tip: str) -> bool:
        """Whether commits that ``tip`` has not changed anything outside of ``state/``."""

    def differ(self, old: str, new: str) -> bool:
        """Whether two commits differ in anything of the repository outside of ``state/``."""

    def changed(self, old: str, new: str) -> frozenset[str]:
        """The paths that differ between two commits, as seen from the folder that has ``state/``."""

    def turn_to(self, commit: str) -> None:
        """Have this commit checked out."""

    def put_on(self, commit: str, base: str) -> None:
        """Put what was committed since ``base`` on top of another commit."""


@dataclass(frozen=True, slots=True)
class Published:
    """How it ended: the run's own exit code, the commit if one was pushed, and the branch that has the state.

    Without a branch nothing was to be pushed. A branch without a commit has had the state already, and waits.
    """

    exit_code: int
    commit: str | None = None
    branch: str | None = None
    said: str = ""


def is_overview(path: str) -> bool:
    """Whether a file under ``state/`` is made from all portals, and not of one."""
    folder, _, name = path.rpartition("/")
    return folder == "state/reports" and (name == "status.md" or not name.endswith(".md"))


def message(paths: Collection[str], base: str, run_url: str | None) -> str:
    """The message of a commit: which portals it is about, the commit whose configuration was applied, and the run."""
    ledgers = (path.removeprefix("state/ledger/") for path in paths if path.startswith("state/ledger/"))
    portals = sorted({name.removesuffix(".json") for name in ledgers if "/" not in name and name != "meta.json"})
    more = f" and {len(portals) - _NAMED} more" if len(portals) > _NAMED else ""
    subject = f"License status: {', '.join(portals[:_NAMED])}{more}" if portals else "License status"
    trailers = [f"Reconciled-From: {base}", *([f"Run: {run_url}"] if run_url else [])]
    return "\n".join([subject, "", *trailers, ""])
