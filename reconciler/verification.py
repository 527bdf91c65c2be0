"""What comes of verifying a repository: its reports against its ledger, and the history of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it should be. ``line`` counts from 1, and is None where it is about a whole file.

    ``expected`` is what the ledger gives, ``found`` what the file says; None is a line that is not there.
    """

    file: str
    why: str
    line: int | None = None
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """Reports that are right: how many, from how many files of the ledger, written on which day by which version.

    ``changed`` are the files of configuration that are others now than they were then, ``pending`` the portals whose
    files waited to be applied then.
    """

    portals: int
    reports: int
    ledgers: int
    on: date
    tool: str
    changed: tuple[str, ...]
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offence:
    """Something in the history that should not be there, and the commit that brought it."""

    commit: str
    what: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """A commit that changed what is declared, and was applied.

    ``people`` are its trailers about who stood for it, by name; who made a merge approved it. ``applied`` counts the
    commits of the tool that came from it. ``day`` is in UTC, as ISO 8601.
    """

    commit: str
    author: str
    day: str
    subject: str
    people: tuple[tuple[str, str], ...]
    is_merge: bool
    applied: int


@dataclass(frozen=True, slots=True)
class Log:
    """What the history up to a commit says, oldest first.

    ``written`` counts the commits that changed ledger or reports.
    """

    commit: str
    written: int
    offences: tuple[Offence, ...]
    configurations: tuple[Configuration, ...]
