"""The command ``reconcile``: global options, lazily loaded commands, and the one place where errors become words."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__
from reconciler.cli.invocation import Invocation

if TYPE_CHECKING:
    from reconciler.errors import ReconcileError

USAGE_ERROR = 64
"""Exit code of a usage error; click's own 2 means "changes pending" here."""

STOPPED = 130
"""Exit code of a run that Ctrl-C ended."""

UNREAD = 141
"""Exit code when nobody reads what is printed any more, as behind ``head``: what a shell says of SIGPIPE."""

YOUNG_OBJECTS = 10_000
"""New objects after which Python looks for cycles among them: a page of users is some thousands, without any."""

JOBS_PER_CPU = 16
"""Portals that are imported at once for each CPU: they mostly wait for answers."""

MOST_JOBS = 32
"""Portals that are imported at once without ``--jobs``, whatever the machine."""

COMMANDS = {
    "apply": ("reconciler.cli.apply", "Plan, import, recalculate, report."),
    "catalogue": ("reconciler.cli.catalogue", "Titles of SKUs."),
    "certificate": ("reconciler.cli.certificate", "Make and show certificates to sign in with."),
    "check": ("reconciler.cli.check", "Check the policies of the repository against what is known."),
    "contacts": ("reconciler.cli.contacts", "Count contacts, and those in more than one portal."),
    "diff": ("reconciler.cli.diff", "Say what changed between two reports."),
    "emulator": ("reconciler.cli.emulator", "Entra and Graph on this machine, for trying things out."),
    "explain": ("reconciler.cli.explain", "Why a product has its status, and what would change it."),
    "explain-error": ("reconciler.cli.explain_error", "What an error means, and what to do about it."),
    "history": ("reconciler.cli.history", "What became of products, day by day."),
    "import": ("reconciler.cli.import_", "Import licenses and consumers, without reports."),
    "init": ("reconciler.cli.init", "Make a repository of portals, or bring up to date what the tool owns in it."),
    "metrics": ("reconciler.cli.metrics", "The known state as OpenMetrics text."),
    "plan": ("reconciler.cli.plan", "Show what apply would change; writes nothing."),
    "prune": ("reconciler.cli.prune", "Propose what may be deleted from the state."),
    "publish": ("reconciler.cli.publish", "Apply, commit the state, push it."),
    "recalculate": ("reconciler.cli.recalculate", "Recalculate statuses from what is known."),
    "report": ("reconciler.cli.report", "Write the reports again from what is known, or export them."),
    "schema": ("reconciler.cli.schema", "Print a JSON Schema."),
    "shards": ("reconciler.cli.shards", "The parts that many runners apply, for the matrix of a CI."),
    "show": ("reconciler.cli.show", "Print a saved plan."),
    "status": ("reconciler.cli.status", "Show products and statuses as they are known."),
    "test-connection": ("reconciler.cli.test_connection", "Test whether portals can be read, stage by stage."),
    "validate": ("reconciler.cli.validate", "Check portals and settings."),
    "watch": ("reconciler.cli.watch", "Apply again and again, until stopped."),
    "verify": ("reconciler.cli.verify", "Make the reports again from the ledger, and compare."),
    "what-if": ("reconciler.cli.what_if", "Show what a purchase or a renewal would change."),
}
"""Every command: the module that holds it as ``command``, and its line in ``--help``. A test keeps them equal."""


class LazyGroup(click.Group):
    """A group that imports a command when it is used, so that ``--help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, without importing anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of that name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def _instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Parse ``--now``: ISO 8601, UTC when it names no zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a time such as 2026-11-23T06:00:00Z.", ctx, param) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC, microsecond=0).astimezone(UTC)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconcile")
@click.option(
    "--chdir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The repository to work in.",
)
@click.option("--emulate", metavar="SCENARIO", help="Talk to the built-in emulator instead of Microsoft.")
@click.option("--now", metavar="TIME", callback=_instant, help="Take this as the present time (ISO 8601).")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=lambda: min(JOBS_PER_CPU * (os.cpu_count() or 1), MOST_JOBS),
    show_default=f"{JOBS_PER_CPU} for each CPU, {MOST_JOBS} at most",
    help="How many portals to import at once.",
)
@click.option(
    "--streams",
    type=click.IntRange(1, 16),
    default=8,
    show_default=True,
    help="How many parts of a list of 50,000 users or more to read at once, where it takes long.",
)
@click.option(
    "--retry-limit",
    type=click.IntRange(0, 100),
    default=4,
    show_default=True,
    help="How often to retry a request that was throttled or cut off.",
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Log lines.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; -vv shows requests and tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Say only errors on stderr.")
@click.pass_context
def cli(
    ctx: click.Context,
    chdir: Path,
    emulate: str | None,
    now: datetime | None,
    jobs: int,
    streams: int,
    retry_limit: int,
    log_format: str,
    verbose: int,
    quiet: bool,
) -> None:
    """Reconcile Microsoft 365 license portals with the YAML in this repository.

    Every option can be given as an environment variable too: RECONCILE_EMULATE, RECONCILE_RETRY_LIMIT,
    RECONCILE_APPLY_ALLOW, and so on.
    """
    ctx.obj = Invocation(
        root=chdir.resolve(),
        emulate=emulate,
        now_option=now,
        jobs=jobs,
        streams=streams,
        retry_limit=retry_limit,
        log_format=log_format,
        verbosity=verbose,
        quiet=quiet,
    )


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if args is None else args)
    context = None
    try:
        with cli.make_context("reconcile", arguments, auto_envvar_prefix="RECONCILE") as context:
            result: Any = cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        return UNREAD
    except click.UsageError as error:
        return _say_usage(error, _log_format(context))
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("Stopped. What was complete is kept; run the command again to go on.", _log_format(context))
        return STOPPED
    except click.ClickException as error:
        _say(f"Error: {error.format_message()}", _log_format(context), "error")
        return 1
    except Exception as error:
        return _say_error(_explained(error), _log_format(context), traceback=_wants_traceback(context))
    return result if isinstance(result, int) else 0


def run() -> None:
    """The console script: run the command line and end the process.

    A run that was stopped ends at once: a thread may still wait for an answer that nobody wants any more, and
    everything that counts is in a transaction. So does one whose output nobody reads: there is nobody to tell.
    """
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = UNREAD
    if code in {STOPPED, UNREAD}:
        os._exit(code)
    sys.exit(code)


def _wants_traceback(context: click.Context | None) -> bool:
    """Whether -vv was given. Before the options are parsed there is nothing worth a traceback."""
    return context is not None and isinstance(context.obj, Invocation) and context.obj.verbosity > 1


def _log_format(context: click.Context | None) -> str:
    """How stderr is written; as text before the options are parsed."""
    return "text" if context is None else str(context.params["log_format"])


def _say(text: str, log_format: str, level: str = "info", **told: Any) -> None:
    """Print on stderr what may quote a server, a file or the command line."""
    from reconciler.cli.logs import say_as
    from reconciler.render.escape import plain

    say_as(log_format, "\n".join(plain(line) for line in text.splitlines()), level, **told)


def _say_usage(error: click.UsageError, log_format: str) -> int:
    """Print what is wrong with the command line; return the exit code."""
    if log_format == "json":
        said = error.format_message()
    else:
        from io import StringIO

        page = StringIO()
        error.show(page)
        said = page.getvalue()
    if isinstance(error, click.NoSuchOption) and any(error.option_name in option.opts for option in cli.params):
        said = f"{said.rstrip()}\n{error.option_name} belongs before the command: reconcile {error.option_name} …"
    _say(said, log_format, "error", exit_code=USAGE_ERROR)
    return USAGE_ERROR


def _explained(error: Exception) -> ReconcileError:
    """The error, or what stands for one that nobody foresaw."""
    from reconciler.errors import ReconcileError, unforeseen

    if isinstance(error, ReconcileError):
        return error
    internal = unforeseen(error, "Run again with -vv to see where, and report it.")
    internal.__cause__ = error
    return internal


def _say_error(error: ReconcileError, log_format: str, *, traceback: bool) -> int:
    """Print what happened and what to do; return the exit code."""
    trace = None
    if traceback:
        from traceback import format_exception

        trace = "".join(format_exception(error))
        if log_format == "text":
            _say(trace, log_format)
    lines = [f"error: {error.code}: {error}", *(f"  {line}" for line in error.remedy.splitlines())]
    _say("\n".join(lines), log_format, "error", code=error.code, exit_code=error.exit_code, traceback=trace)
    return error.exit_code
