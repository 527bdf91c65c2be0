"""``reconcile watch``: runs that follow each other, for a container or a unit of systemd."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.watch import seconds

if TYPE_CHECKING:
    from reconciler.watch import Ended

REPEATED = ("apply", "import", "publish", "recalculate", "report")
"""The commands that can be run again and again."""

SLICE = 0.5
"""Seconds after which a wait looks whether it is to end."""

PROGRAM = (sys.executable, "-P", "-c", "from reconciler.cli.main import run; run()")
"""This program, whose modules never come from the folder that it runs in."""


def _every(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Parse ``--every``."""
    try:
        return seconds(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", context, parameter) from None


@click.command("watch", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--every",
    metavar="TIME",
    default="5h",
    show_default=True,
    callback=_every,
    help="From the beginning of one run to that of the next, such as 5h or 30m; by chance up to a tenth less.",
)
@click.option(
    "--health",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file at the start, and after each run how it ended, as JSON.",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [ARG]...]")
@click.pass_context
def command(context: click.Context, every: int, health: Path | None, words: tuple[str, ...]) -> int:
    """Run COMMAND now and then again and again, one run at a time, until SIGTERM or Ctrl-C.

    COMMAND is apply (the default), import, publish, recalculate or report, with its own options. Each run is a process
    of its own. A run that fails does not end the loop, unless it does not understand its command line. When it is
    stopped, the present run stops where nothing that was complete is lost, and watch ends with 0.
    """
    from reconciler.watch import Outside, watch

    invocation: Invocation = context.obj
    chosen = words or ("apply",)
    _refuse_typos(context, chosen)
    if health is not None:
        _begin(health, chosen)
    with _stopping() as stop:
        return watch(
            lambda: stop.run([*PROGRAM, *invocation.words(), *chosen]),
            every,
            Outside(time.monotonic, stop.sleep, random.random, lambda: stop.wanted),
            lambda ended: _tell(invocation, ended, chosen, health),
        )


def _refuse_typos(context: click.Context, words: Sequence[str]) -> None:
    """Raise UsageError at once for a command line that no run would understand."""
    outer = context.parent
    if words[0] not in REPEATED or outer is None or not isinstance(outer.command, click.Group):
        raise click.UsageError(
            f"watch runs {', '.join(REPEATED[:-1])} or {REPEATED[-1]}, and {words[0]!r} is none of them."
        )
    chosen = outer.command.get_command(outer, words[0])
    assert chosen is not None  # noqa: S101 - a test keeps the names in the table of commands
    with chosen.make_context(words[0], list(words[1:]), parent=outer) as inner:
        within = inner.params.get("words")
    if within:  # what publish runs
        _refuse_typos(context, within)


class _Stop:
    """Whether the loop is to end, and the run that has to be told so."""

    def __init__(self) -> None:
        self.wanted = False
        self._running: subprocess.Popen[bytes] | None = None

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """A signal says that it is to end."""
        self.wanted = True
        self._pass_on()

    def run(self, program: Sequence[str]) -> int:
        """Run a program to its end; its exit code."""
        # In a session of its own: Ctrl-C in a terminal must reach it once, through us.
        self._running = subprocess.Popen(program, start_new_session=True)  # noqa: S603 - words that a run understands
        if self.wanted:  # the signal came before there was a run
            self._pass_on()
        code = self._running.wait()
        self._running = None
        return code if code >= 0 else 128 - code

    def sleep(self, wait: float) -> None:
        """Wait, unless it is to end."""
        end = time.monotonic() + wait
        while not self.wanted and (left := end - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))

    def _pass_on(self) -> None:
        """Stop the run as Ctrl-C does: it keeps what is complete."""
        if self._running is not None:
            self._running.send_signal(signal.SIGINT)


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """Let SIGTERM and Ctrl-C end the loop instead of the process."""
    stop = _Stop()
    signals = (signal.SIGTERM, signal.SIGINT)
    before: list[Callable[[int, FrameType | None], object] | int | None] = [signal.getsignal(each) for each in signals]
    for each in signals:
        signal.signal(each, stop)
    try:
        yield stop
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _tell(invocation: Invocation, ended: Ended, words: Sequence[str], health: Path | None) -> None:
    """Say how a run ended: in the health file, and on stderr."""
    from reconciler.render.watch_words import result_text

    now = datetime.now(UTC).replace(microsecond=0)
    following = None if ended.wait is None else now + timedelta(seconds=round(ended.wait))
    if health is not None and (reason := _unwritten(health, words, ended, now, following)):
        say(f"The health file {health} cannot be written: {reason}.", "error")
    if ended.exit_code or not invocation.quiet:
        level = "error" if ended.exit_code else "info"
        say(result_text(ended, following), level, number=ended.run, exit_code=ended.exit_code)


def _begin(health: Path, words: Sequence[str]) -> None:
    """Write the health file before the first run, which may take long. Raises UsageError where that cannot be."""
    if reason := _unwritten(health, words, None, datetime.now(UTC), None):
        raise click.UsageError(f"--health: {health} cannot be written: {reason}.")


def _unwritten(
    health: Path, words: Sequence[str], ended: Ended | None, now: datetime, following: datetime | None
) -> str | None:
    """Write the health file; why that was not possible, or None."""
    from reconciler.errors import StateError
    from reconciler.render.watch_words import health_json
    from reconciler.store.files import write_alone

    try:
        write_alone(health, health_json(ended, words[0], now, following).encode())
    except StateError as error:
        return error.detail or error.message
    return None
