"""What a run tells on stderr while it goes on: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.logs import json_line
from reconciler.importing import Progress
from reconciler.model import Failed, Observation, Portal
from reconciler.render.escape import plain
from reconciler.render.words import count

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class PlainProgress(Progress):
    """One line when an import begins and one when it has ended."""

    def started(self, portal: Portal) -> None:
        """Say which portal is read."""
        click.echo(f"{portal.id}: reading {plain(portal.name)}", err=True)

    def finished(self, portal: Portal, observation: Observation) -> None:
        """Say how it ended."""
        click.echo(f"{portal.id}: {_ending(observation)}", err=True)


class JsonProgress(Progress):
    """The same two lines as JSON objects, in step with a log in JSON. The second one says how long it took."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def started(self, portal: Portal) -> None:
        """Say which portal is read."""
        self._since[portal.id] = self._clock()
        self._say({"portal": portal.id}, "reading")

    def finished(self, portal: Portal, observation: Observation) -> None:
        """Say how it ended."""
        told: dict[str, object] = {
            "portal": portal.id,
            "milliseconds": round((self._clock() - self._since.pop(portal.id)) * 1000),
            "error": observation.error.code if isinstance(observation, Failed) else None,
        }
        self._say(told, _ending(observation))

    @staticmethod
    def _say(told: Mapping[str, object], message: str) -> None:
        click.echo(json_line("info", "reconciler.progress", message, told), err=True)


class LiveProgress(Progress):
    """One line per portal that counts the users as they come."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def started(self, portal: Portal) -> None:
        """Add the portal's line."""
        self._tasks[portal.id] = self._bars.add_task(portal.id, total=None, what="reading")

    def received(self, portal: Portal, users: int) -> None:
        """Count up."""
        self._bars.update(self._tasks[portal.id], what=f"{count(users, 'user')} received")

    def finished(self, portal: Portal, observation: Observation) -> None:
        """Stop the line."""
        self._bars.update(self._tasks[portal.id], total=1, completed=1, what=_ending(observation))


def _ending(observation: Observation) -> str:
    """How the import of a portal ended."""
    if isinstance(observation, Failed):
        return plain(f"failed: {observation.error.code} (what to do stands below the table)")
    return f"complete, {count(len(observation.licenses), 'SKU')}, {count(observation.users, 'user')} counted"


@contextmanager
def shown(*, quiet: bool, log_format: str) -> Iterator[Progress]:
    """The progress that fits where stderr goes."""
    if quiet:
        yield Progress()
    elif log_format == "json":
        yield JsonProgress()
    elif not sys.stderr.isatty():
        yield PlainProgress()
    else:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        # markup=False: messages of a tenant are among the texts
        words = TextColumn("{task.description}: {task.fields[what]}", markup=False)
        columns = (SpinnerColumn(), words, TimeElapsedColumn())
        with Bars(*columns, console=Console(stderr=True)) as bars:
            yield LiveProgress(bars)
