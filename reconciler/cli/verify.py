"""``reconcile verify``: whether the reports are those of the ledger, and whether the tool made both."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation

if TYPE_CHECKING:
    from reconciler.verification import Difference, Verified


@click.command("verify")
@click.option("--rev", metavar="REV", help="A commit, in place of the files as they are.")
@click.option("--log", is_flag=True, help="Look at every commit that changed ledger or reports too.")
@click.pass_obj
def command(invocation: Invocation, *, rev: str | None, log: bool) -> int:
    """Make the reports again from the ledger and compare them with those that are there, byte by byte.

    Needs no credential, no network and no state DB: only the repository. Names the first difference and ends with 1.
    With --log it goes through git's history too: every change to ledger and reports must have been made by the tool,
    without a gap in the portals' serials; and it names the commits whose configuration was applied, with who approved
    them.
    """
    from reconciler.audit.rebuild import verify
    from reconciler.cli.revision import PATHS, commit_of
    from reconciler.git.objects import snapshot

    commit = commit_of(invocation, rev) if rev else None
    with snapshot(invocation.root, commit, PATHS) if commit else nullcontext(invocation.root) as folder:
        found = verify(folder)
    right = _tell(invocation, found, commit)
    if log:
        right &= _tell_log(invocation.root, commit or commit_of(invocation, "HEAD"))
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
        more = verification.changed(found)
    if not invocation.quiet:
        click.echo(more, err=True, nl=False)
    return not isinstance(found, Difference)


def _tell_log(root: Path, commit: str) -> bool:
    """Say what the history is like; whether all is right."""
    from reconciler.audit.log import read_log
    from reconciler.git.objects import is_shallow
    from reconciler.render import verification

    if is_shallow(root):
        click.echo(verification.SHALLOW, nl=False)
        return False
    found = read_log(root, commit)
    click.echo(verification.log(found), nl=False)
    return not found.offences
