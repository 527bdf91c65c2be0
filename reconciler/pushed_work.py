"""The work of a run whose result is pushed: what is ours, what is others', and how it goes on when they were faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from reconciler.errors import Refused
from reconciler.pushing import Checkout, is_overview, message

ATTEMPTS = 8
"""How often a run is done before it gives up."""

PAUSES = (1.0, 3.0)
"""Seconds to wait before a push that was refused is tried again: a lock at the remote passes, protection does not."""


@dataclass
class Work:
    """A run and the checkout it works in.

    What is committed since ``base`` is ours; ``done`` says that it is the result of a run. ``code`` is the exit code of
    the last run; ``overtaken`` counts how often others were faster, ``refused`` the refusals since.
    """

    checkout: Checkout
    run: Callable[[], int]
    branch: str
    wait: Callable[[float], None]
    run_url: str | None
    base: str
    done: bool = False
    code: int = 0
    runs: int = 0
    overtaken: int = 0
    refused: int = 0

    def begin(self, *, pull: bool) -> None:
        """Compare with the remote: what was committed under ``state/`` and never pushed is ours.

        Where others have gone on since, it is dropped and found again. Raises Refused where the branch has not what a
        person has committed here: nobody has approved it there, and it must be neither pushed along nor dropped.
        """
        if pull:
            self._commit()
        tip = self.checkout.fetch(self.branch)
        if tip is None:
            return
        if self.checkout.has_own(tip):
            raise self._not_pushed()
        if self.checkout.leads_to(tip, self.base):
            self.base = tip
        elif pull or not self.checkout.leads_to(self.base, tip):
            self._commit()
            self._turn_to(tip)

    def _commit(self) -> None:
        """Commit what changed under ``state/``."""
        self.checkout.commit_state(partial(message, base=self.base, run_url=self.run_url))

    def has_result(self) -> bool:
        """Run, unless what is here is the result already; whether there is anything to push."""
        if not self.done:
            if self.runs == ATTEMPTS:
                raise self.contested()
            self.runs += 1
            self.code = self.run()
            self._commit()
            self.done = True
        return self.checkout.head() != self.base

    def go_on_from(self, tip: str) -> None:
        """Begin from a commit of others, with what is ours where theirs has nothing to do with it."""
        if tip == self.base:
            return
        self._commit()
        self.overtaken, self.refused = self.overtaken + 1, 0
        if self._has_to_do_with(tip):
            self._turn_to(tip)
        else:
            self.checkout.put_on(tip, self.base)
            self.base, self.done = tip, self.done and self.checkout.head() != tip

    def _has_to_do_with(self, tip: str) -> bool:
        """Whether what is ours could come out otherwise after a commit of others, which may also replace ``base``."""
        ours = self.checkout.changed(self.base, self.checkout.head())
        theirs = self.checkout.changed(self.base, tip)
        if not self.checkout.leads_to(self.base, tip) or any(not path.startswith("state/") for path in theirs):
            return True
        return bool(theirs & ours) or (bool(theirs) and any(is_overview(path) for path in ours))

    def _turn_to(self, tip: str) -> None:
        """Drop what is ours, and begin from a commit of others."""
        self.checkout.turn_to(tip)
        self.base, self.done = tip, False

    def pause(self) -> None:
        """Wait a little: what is at the remote may take a moment to be seen."""
        self.wait(PAUSES[0])

    def may_try_again(self) -> bool:
        """Wait after a push that was refused; False when it was refused too often."""
        if self.refused == len(PAUSES):
            return False
        self.wait(PAUSES[self.refused])
        self.refused += 1
        return True

    def _not_pushed(self) -> Refused:
        """The error when a person's commit is here and not on the branch."""
        return Refused(f"Your commit {self.base[:12]} is not on origin/{self.branch}.", code="commit-not-pushed")

    def rewritten(self) -> Refused:
        """The error when the branch has gone on from somewhere else."""
        return Refused(
            f"{self.branch} does not have the commit any more that this run began with.", code="branch-rewritten"
        )

    def contested(self) -> Refused:
        """The error when others were faster every time."""
        return Refused(f"Other runs pushed to {self.branch} first, {self.overtaken} times.", code="push-contested")
