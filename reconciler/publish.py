"""The loop around a run whose result is pushed: the push is the compare-and-swap between runners.

A push that is behind says that somebody else was faster. Where both changed other files, the commit is put on top of
theirs; else, and where they changed the configuration, it is dropped, and the run is done again from their state. A
push that is refused again and again although nobody was faster is refused for good: the branch is protected. Then the
state waits on a branch of its own, for a pull request, and that branch is worked on in the same way.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.errors import Refused, StateError
from reconciler.pushed_work import Work
from reconciler.pushing import Answer, Checkout, Published

PUSHES = 300
"""How often it pushes: more than there are shards, which all push at about the same time, one after the other."""

APART = "reconcile/state-"
"""Begins the name of the branch that waits to be merged into the branch that ends it."""


def publish(
    checkout: Checkout,
    run: Callable[[], int],
    branch: str,
    *,
    wait: Callable[[float], None],
    apart: bool = False,
    pull: bool = False,
    run_url: str | None = None,
) -> Published:
    """Run, commit what changed under ``state/``, and push it to ``branch``; with ``apart`` to a branch of its own.

    With ``pull`` it begins from what others have pushed. State that an earlier run committed and could not push goes
    with this one's. ``wait`` takes seconds. Raises what ``run`` and ``checkout`` raise, and Refused when others were
    faster every time or the branch was rewritten. Then nothing was pushed.
    """
    work = Work(checkout, run, branch, wait, run_url, base=checkout.head())
    work.begin(pull=pull)
    if apart:
        return _to_proposal(work)
    ended = _to_branch(work)
    if ended is None or (ended.branch is None and _waits(work)):
        return _to_proposal(work)
    return ended


def _to_branch(work: Work) -> Published | None:
    """Push to the branch itself; None when it is protected."""
    for _ in range(PUSHES):
        if not work.has_result():
            return Published(work.code)
        pushed = work.checkout.push(work.branch)
        if pushed.answer is Answer.ACCEPTED:
            return Published(work.code, work.checkout.head(), work.branch, pushed.said)
        tip = work.checkout.fetch(work.branch)
        if tip and tip != work.base:
            if not work.checkout.leads_to(work.base, tip):
                raise work.rewritten()
            work.go_on_from(tip)
        elif pushed.answer is Answer.BEHIND:
            work.pause()
        elif not work.may_try_again():
            return None
    raise work.contested()


def _to_proposal(work: Work) -> Published:
    """Push to the branch that waits to be merged, and begin from what is there already."""
    checkout, name, main = work.checkout, f"{APART}{work.branch}", work.base
    work.refused = 0
    for _ in range(PUSHES):
        known, main, tip = main, _tip(work), checkout.fetch(name)
        if not checkout.leads_to(known, main):
            raise work.rewritten()
        start = tip if tip and _is_proposal(checkout, main, tip) else main
        work.go_on_from(start)
        if not work.has_result():
            return Published(work.code, branch=name if start != main else None)
        pushed = checkout.push(name, in_place_of=tip if start != tip else None)
        if pushed.answer is Answer.ACCEPTED:
            return Published(work.code, checkout.head(), name, pushed.said)
        if pushed.answer is Answer.BEHIND:
            if checkout.fetch(name) == tip:
                work.pause()
        elif not work.may_try_again():
            said = " ".join(pushed.said.split()) or None
            raise Refused(f"Neither {work.branch} nor {name} takes the state.", code="push-refused", detail=said)
    raise work.contested()


def _tip(work: Work) -> str:
    """The commit at the tip of the branch that is to be merged into. Raises StateError when there is no such branch."""
    tip = work.checkout.fetch(work.branch)
    if tip is None:
        raise StateError(f"The remote has no branch {work.branch}.", code="git-failed")
    return tip


def _is_proposal(checkout: Checkout, main: str, tip: str) -> bool:
    """Whether a branch has all of main and nothing else but state: no configuration that nobody has approved."""
    return checkout.leads_to(main, tip) and not checkout.differ(main, tip)


def _waits(work: Work) -> bool:
    """Whether there is state that waits to be merged: then it may be out of date, although main is not."""
    tip, main = work.checkout.fetch(f"{APART}{work.branch}"), work.checkout.fetch(work.branch)
    return tip is not None and main is not None and tip != main and _is_proposal(work.checkout, main, tip)
