"""A remote with a first portal, and runs that only write files, to publish with real git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.git.checkout import Checkout
from reconciler.publish import publish
from reconciler.pushing import Published
from tests.pipeline.pipeline_world import Clone, Remote, without_outer_git

RUN = "https://ci.example/runs/1"
PROPOSAL = "reconcile/state-main"


def forget_outer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """git without the configuration and the variables of whoever runs the tests."""
    wanted = without_outer_git(os.environ)
    for name in os.environ.keys() - wanted.keys():
        monkeypatch.delenv(name)
    for name in wanted.keys() - os.environ.keys():
        monkeypatch.setenv(name, wanted[name])


def first_portal(folder: Path) -> Remote:
    """A remote with one commit, of a portal and of a state that ignores its DB."""
    made = Remote(folder).create()
    person = made.clone("person")
    person.write("portals.d/contoso.yaml", "name: Contoso\n")
    person.write("state/.gitignore", "/*.db\n")
    person.push("The first portal")
    return made


def writes(clone: Clone, **files: str) -> Callable[[], int]:
    """A run that writes these ledgers and ends with 0."""

    def run() -> int:
        for name, text in files.items():
            clone.write(f"state/ledger/{name}.json", text)
        return 0

    return run


def published(
    clone: Clone,
    run: Callable[[], int],
    *,
    apart: bool = False,
    pull: bool = False,
    wait: Callable[[float], None] = lambda _: None,
) -> Published:
    """Publish from a clone to main, without waiting."""
    return publish(Checkout(clone.root), run, "main", wait=wait, apart=apart, pull=pull, run_url=RUN)
