"""What the repository was like at a commit, for the commands that take a revision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time

import click

from reconciler.cli.invocation import Invocation

PATHS = ("state/ledger", "state/reports", "portals.d", "reconcile.yaml")
"""What of a commit counts: what people declare, and what the tool writes."""


def commit_of(invocation: Invocation, revision: str) -> str:
    """The commit that a revision names. Raises click.UsageError when there is none, StateError without a repository."""
    from reconciler.git.objects import resolve

    commit = resolve(invocation.root, revision)
    if commit is None:
        old, dots, new = revision.partition("..")
        apart = f"{old or 'HEAD'} {new.lstrip('.') or 'HEAD'}"
        hint = f" Name two revisions apart, as in `reconcile diff {apart}`." if dots else ""
        raise click.UsageError(f"There is no commit {revision!r} here.{hint}")
    return commit


@contextmanager
def at(invocation: Invocation, revision: str) -> Iterator[Invocation]:
    """The same options over the repository as it was. Without ``--now`` it is the day that its reports were written.

    A commit without evidence has the day on which it was made. Nobody is warned of what has long been declared.
    """
    from reconciler.git.objects import committed_on, snapshot
    from reconciler.store.evidence_file import FILE, read

    commit = commit_of(invocation, revision)
    with snapshot(invocation.root, commit, PATHS) as folder:
        try:
            day = read((folder / "state/reports" / FILE).read_bytes()).on
        except (OSError, ValueError):
            day = datetime.fromisoformat(committed_on(invocation.root, commit)).date()
        now = invocation.now_option or datetime.combine(day, time(), UTC)
        yield replace(invocation, root=folder, now_option=now, quiet=True)
