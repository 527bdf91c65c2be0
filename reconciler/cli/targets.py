"""The option ``--out``: where a file may be put, and what it means that the system refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.invocation import Invocation


def refuse_target(invocation: Invocation, out: Path, what: str) -> None:
    """Refuse to save ``what`` (such as "a plan") where the tool or people keep what counts."""
    from reconciler.cli.session import state_folder

    target = out.resolve()
    if target == (invocation.root / "reconcile.yaml").resolve():
        raise click.UsageError("--out: reconcile.yaml holds the settings; choose another name.")
    kept = [invocation.root / name for name in ("portals.d", "schemas", ".github", ".git")]
    for folder in (state_folder(invocation), invocation.portals(), *kept):
        if target.is_relative_to(folder.resolve()):
            raise click.UsageError(
                f"--out: {what} must not be saved in the folder {folder.name}; choose another place."
            )


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Turn the system's refusal to write a file into an error that names it."""
    try:
        yield
    except OSError as error:
        raise click.FileError(name, error.strerror) from None
