"""The loop around a run whose result is pushed: the push is the compare-and-swap between runners.

A rejected push says that somebody else was faster. Where both changed other files, the commit is put on top of theirs;
else it is dropped, and the run is done again from their state. A push that is refused although nobody was faster is
refused for good: the branch is protected, and the commit goes to a branch of its own, for a pull request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from reconciler.errors import Refused

ATTEMPTS = 8
"""How often a run is done before it gives up."""

PUSHES = 300
"""How often it pushes: more than there are shards, which all push at about the same time, one after the other."""

APART = "reconcile/state-"
"""Begins the name of the branch that waits to be merged into the branch that ends it."""

_NAMED = 3
"""How many portals a commit's subject names."""


@dataclass(frozen=True, slots=True)
class Push:
    """What became of a push. ``said`` is what the remote told the person who pushes."""

    accepted: bool
    said: str = ""


class Checkout(Protocol):
    """What the loop needs of git; ``git/checkout.py`` says what each does."""

    def head(self) -> str:
        """The commit that is checked out."""

    def commit_state(self, message: Callable[[frozenset[str]], str]) -> str | None:
        """Commit what changed under ``state/``; the commit, or None."""

    def push(self, branch: str, *, force: bool = False) -> Push:
        """Push what is checked out."""

    def fetch(self, branch: str) -> str:
        """Fetch a branch; the commit at its tip."""

    def leads_to(self, old: str, new: str) -> bool:
        """Whether the history of ``new`` has ``old`` in it."""

    def has_own(self, tip: str) -> bool:
        """Whether commits that ``tip`` has not changed anything outside of ``state/``."""

    def changed(self, old: str, new: str) -> frozenset[str]:
        """The paths that differ between two commits."""

    def turn_to(self, commit: str) -> None:
        """Have this commit checked out."""

    def put_on(self, commit: str, base: str) -> None:
        """Put what was committed since ``base`` on top of another commit."""


@dataclass(frozen=True, slots=True)
class Published:
    """How it ended: the run's own exit code, the commit if there was one, and the branch that has it now."""

    exit_code: int
    commit: str | None = None
    branch: str | None = None
    said: str = ""


def publish(
    checkout: Checkout,
    run: Callable[[], int],
    branch: str,
    *,
    apart: bool = False,
    pull: bool = False,
    run_url: str | None = None,
) -> Published:
    """Run, commit what changed under ``state/``, and push it to ``branch``; with ``apart`` to a branch of its own.

    With ``pull`` it begins from what others have pushed. Raises what ``run`` and ``checkout`` raise, and Refused when
    others were faster every time or the branch was rewritten. Then nothing was pushed.
    """
    base = _pulled(checkout, branch, run_url) if pull else checkout.head()
    code, made, runs, rejected = 0, False, 0, 0
    while runs + (not made) <= ATTEMPTS and rejected < PUSHES:
        if not made:
            runs += 1
            code = run()
            checkout.commit_state(partial(message, base=base, run_url=run_url))
        if checkout.head() == base:
            return Published(code)
        pushed = Push(accepted=False) if apart else checkout.push(branch)
        if pushed.accepted:
            return Published(code, checkout.head(), branch, pushed.said)
        tip = base if apart else checkout.fetch(branch)
        if tip == base:
            return _apart(checkout, code, branch)
        base, rejected = _again(checkout, branch, base, tip), rejected + 1
        made = checkout.head() != base
    raise Refused(f"Other runs pushed to {branch} first, {rejected} times.", code="push-contested")


def _pulled(checkout: Checkout, branch: str, run_url: str | None) -> str:
    """Start from what is at the remote; the commit there.

    What a run that was stopped has left is pushed with this one's; where others have gone on since, it is dropped and
    found again.
    """
    checkout.commit_state(partial(message, base=checkout.head(), run_url=run_url))
    tip = checkout.fetch(branch)
    if not checkout.leads_to(tip, checkout.head()):
        if checkout.has_own(tip):
            raise _rewritten(branch)
        checkout.turn_to(tip)
    return tip


def _again(checkout: Checkout, branch: str, base: str, tip: str) -> str:
    """Start from the tip that others pushed, with the commit where theirs has nothing to do with it; the new base."""
    if not checkout.leads_to(base, tip):
        raise _rewritten(branch)
    if checkout.changed(base, tip) & checkout.changed(base, checkout.head()):
        checkout.turn_to(tip)
    else:
        checkout.put_on(tip, base)
    return tip


def _rewritten(branch: str) -> Refused:
    """The error when the branch has gone on from somewhere else."""
    return Refused(f"{branch} does not have the commit any more that this run began with.", code="branch-rewritten")


def _apart(checkout: Checkout, code: int, branch: str) -> Published:
    """Push to the branch that waits to be merged; what waited there is replaced, because this is newer."""
    name = f"{APART}{branch}"
    pushed = checkout.push(name, force=True)
    if not pushed.accepted:
        said = " ".join(pushed.said.split()) or None
        raise Refused(f"Neither {branch} nor {name} takes the state.", code="push-refused", detail=said)
    return Published(code, checkout.head(), name, pushed.said)


def message(paths: Collection[str], base: str, run_url: str | None) -> str:
    """The message of a commit: which portals it is about, the commit whose configuration was applied, and the run."""
    ledgers = (path.removeprefix("state/ledger/") for path in paths if path.startswith("state/ledger/"))
    portals = sorted({name.removesuffix(".json") for name in ledgers if "/" not in name and name != "meta.json"})
    more = f" and {len(portals) - _NAMED} more" if len(portals) > _NAMED else ""
    subject = f"License status: {', '.join(portals[:_NAMED])}{more}" if portals else "License status"
    trailers = [f"Reconciled-From: {base}", *([f"Run: {run_url}"] if run_url else [])]
    return "\n".join([subject, "", *trailers, ""])
