"""``reconcile verify``: whether the reports are those of the ledger, and whether the tool made both."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say

if TYPE_CHECKING:
    from reconciler.verification import Difference, Verified


@click.command("verify")
@click.option("--rev", metavar="REV", help="A commit, in place of the files as they are.")
@click.option("--log", is_flag=True, help="Look at every commit that changed ledger or reports too.")
@click.pass_obj
def command(invocation: Invocation, *, rev: str | None, log: bool) -> int:
    """Make the reports again from the ledger and compare them with those that are there, byte by byte.

    Settings and portals are compared with their files, where these are as they were when the reports were written.
    Needs no credential, no network and no state DB: only the repository. Names the first difference and ends with 1.
    With --log it goes through git's history too: every change to ledger and reports must have been made by the tool
    from the configuration of the commit that it names, without a gap in the portals' serials or their histories; and
    it names the commits whose configuration was applied, with who approved them.
    """
    from reconciler.audit.rebuild import verify
    from reconciler.cli.revision import PATHS, commit_of
    from reconciler.git.objects import committed_on, snapshot
    from reconciler.render import verification
    from reconciler.verification import Difference

    commit = commit_of(invocation, rev) if rev else None
    with snapshot(invocation.root, commit, PATHS) if commit else nullcontext(invocation.root) as folder:
        found = verify(folder, date.fromisoformat(committed_on(invocation.root, commit)) if commit else None)
    right = _tell(invocation, found, commit)
    if log:
        head = commit or commit_of(invocation, "HEAD")
        right &= _tell_log(invocation, head)
        right &= commit is not None or _tell_uncommitted(invocation, head)
        if isinstance(found, Difference):
            click.echo(verification.not_the_ledgers(found), nl=False)
    return 0 if right else 1


def _tell(invocation: Invocation, found: Verified | Difference, commit: str | None) -> bool:
    """Say how it ended; whether all is right."""
    from reconciler.render import verification
    from reconciler.verification import Difference

    if isinstance(found, Difference):
        click.echo(verification.difference(found), nl=False)
        more = verification.remedy(found)
    else:
        click.echo(verification.verified(found, commit), nl=False)
        more = verification.changed(found) + verification.pending(found)
    if more and not invocation.quiet:
        say(more.rstrip("\n"))
    return not isinstance(found, Difference)


def _tell_log(invocation: Invocation, commit: str) -> bool:
    """Say what the history is like; whether all is right."""
    from reconciler.audit.log import read_log
    from reconciler.git.objects import is_shallow
    from reconciler.render import verification

    if is_shallow(invocation.root):
        click.echo(verification.SHALLOW, nl=False)
        return False
    found = read_log(invocation.root, commit)
    click.echo(verification.log(found), nl=False)
    if found.offences and not invocation.quiet:
        say(verification.LOG_ADVICE.rstrip("\n"))
    return not found.offences


def _tell_uncommitted(invocation: Invocation, commit: str) -> bool:
    """Say which files are not as they were committed, so that the history says nothing of them; whether none is."""
    from reconciler.audit.rebuild import WRITTEN, differing
    from reconciler.git.objects import snapshot
    from reconciler.render import verification

    with snapshot(invocation.root, commit, WRITTEN) as folder:
        found = differing(invocation.root, folder)
    click.echo(verification.uncommitted(found, commit), nl=False)
    return not found
