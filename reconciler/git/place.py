"""Where a folder lies in the git repository that holds it."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import StateError
from reconciler.git import program


def prefix(folder: Path) -> str:
    """The way from the repository's top to a folder, with ``/`` at its end; empty at the top, and outside of git."""
    try:
        done = program.run(folder, "rev-parse", "--show-prefix", environment={})
    except StateError:  # there is no git: nobody knows of a repository here
        return ""
    return "" if done.returncode else done.stdout.decode("utf-8", "replace").removesuffix("\n")


def default_branch(folder: Path) -> str | None:
    """The branch that the remote ``origin`` has as its default, else the one that is checked out, else None.

    Without a commit that is the branch which the first one will begin.
    """
    for reference in ("refs/remotes/origin/HEAD", "HEAD"):
        try:
            done = program.run(folder, "symbolic-ref", "--quiet", "--short", reference, environment={})
        except StateError:  # there is no git, or no such folder yet
            return None
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace").strip().removeprefix("origin/")
    return None
