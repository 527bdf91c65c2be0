"""``reconcile apply``: plan, import, recalculate, report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.cli.output import format_option
from reconciler.safety import Override
from reconciler.shards import Shard, parse

if TYPE_CHECKING:
    from reconciler.outcome import Outcome
    from reconciler.plan_page import SavedPlan

allow_option = click.option(
    "--allow",
    multiple=True,
    type=click.Choice([override.value for override in Override]),
    callback=lambda _context, _parameter, values: tuple(Override(value) for value in values),
    help="Go over a safety stop for this run: an answer that looks too small, of portals named by ID; no portal "
    "declared; many products lost; many removed; another tenant; a pull request in CI. Repeatable.",
)

full_option = click.option(
    "--full", is_flag=True, help="Read all users of each tenant, also where those who changed since would do."
)


def _shard(context: click.Context, parameter: click.Parameter, value: str | None) -> Shard | None:
    """Parse ``--shard``."""
    try:
        return parse(value) if value else None
    except ValueError as error:
        raise click.BadParameter(f"{error}.", context, parameter) from None


@click.command("apply")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@allow_option
@full_option
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    envvar="RECONCILE_APPLY_PLAN",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Apply the plan that `plan --out FILE` saved, and nothing else; refuse when it is stale.",
)
@click.option(
    "--shard",
    metavar="N/COUNT",
    callback=_shard,
    help="Apply the N-th of COUNT parts of the portals, and write their files but no overview.",
)
@format_option("apply", "The table of products, or what became of each portal as JSON.")
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what became of each portal as JUnit XML too.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    ids: tuple[str, ...],
    allow: tuple[Override, ...],
    plan_file: Path | None,
    shard: Shard | None,
    form: str,
    junit: Path | None,
    *,
    full: bool,
) -> int:
    """Bring the state in line with the portals: plan, import, recalculate, report.

    Without ID every portal is applied. A portal that cannot be read keeps its last values and does not stop the
    others.
    """
    shown = Shown(form, junit)
    if shard and (ids or plan_file):
        raise click.UsageError("--shard chooses the portals: give neither portals nor --plan.")
    if plan_file is None:
        return apply_and_show(invocation, ids, allow, publish=True, full=full, shard=shard, shown=shown)
    if ids or allow:
        raise click.UsageError("With --plan, portals and --allow are those of the plan file: give none.")
    from reconciler.store.plan_file import read

    approved = read(plan_file)
    chosen = approved.basis
    return apply_and_show(
        invocation, chosen.only, chosen.allowed, publish=True, approved=approved, full=full, shown=shown
    )


@dataclass(frozen=True)
class Shown:
    """How a run's result is shown: on stdout as ``text`` or ``json``, and in a file as JUnit XML."""

    form: str = "text"
    junit: Path | None = None


def apply_and_show(
    invocation: Invocation,
    ids: tuple[str, ...],
    allow: tuple[Override, ...],
    *,
    publish: bool,
    approved: SavedPlan | None = None,
    full: bool = False,
    shard: Shard | None = None,
    shown: Shown = Shown(),
) -> int:
    """Run apply, show its progress and its result, and return the exit code.

    ``approved`` is the plan to keep to; ``full``: all users are read; ``shard`` is the part to apply.
    """
    from reconciler.cli import progress as live
    from reconciler.cli.session import (
        configure_logging,
        importer_for,
        load_desired,
        run_of,
        state_folder,
        warn_of_unmatched,
    )
    from reconciler.reconcile import apply

    configure_logging(invocation)
    desired = load_desired(invocation)
    run = replace(run_of(invocation, desired, ids, allow), shard=shard)
    with (
        live.shown(quiet=invocation.quiet, log_format=invocation.log_format) as progress,
        importer_for(invocation, progress, run.settings, run.allowed) as importer,
    ):
        folder = state_folder(invocation)
        outcome = apply(folder, run, replace(importer, full=full), publish=publish, approved=approved)
    warn_of_unmatched(invocation, desired, outcome.known)
    for refusal in outcome.left_out:
        say(f"refused: {refusal.code}: {refusal.message}\n  {refusal.remedy}", "error", code=refusal.code)
    _show_run(outcome, shard, shown)
    _say_written(invocation, outcome, _written(publish=publish, shard=shard))
    return outcome.exit_code


def _show_run(outcome: Outcome, shard: Shard | None, shown: Shown) -> None:
    """Print the result of an apply in the form that was asked for."""
    from reconciler.cli.output import print_status
    from reconciler.run_report import RunReport, portal_run

    run = RunReport(
        portals=tuple(portal_run(item.before, item.after, item.observation) for item in outcome.results),
        exit_code=outcome.exit_code,
        written=outcome.written,
        shard=str(shard) if shard else None,
        left_out=outcome.left_out,
    )
    if shown.junit is not None:
        from reconciler.render import run_junit
        from reconciler.store.files import write_alone

        write_alone(shown.junit, run_junit.render(run).encode())
    if shown.form == "json":
        from reconciler.render import run_json

        click.echo(run_json.render(run), nl=False)
    else:
        print_status(outcome.report)


def show(invocation: Invocation, outcome: Outcome) -> None:
    """Print the table of products, and whether the report changed."""
    from reconciler.cli.output import print_status

    print_status(outcome.report)
    _say_written(invocation, outcome, _written(publish=True))


def _written(*, publish: bool, shard: Shard | None = None) -> str:
    """What a run writes."""
    if shard:
        return f"what shard {shard} writes, in state/ledger and state/reports,"
    return "the report, state/reports/status.md," if publish else "the ledger, state/ledger,"


def _say_written(invocation: Invocation, outcome: Outcome, what: str) -> None:
    """Say whether anything changed."""
    words = f"Changed: {what} is written." if outcome.written else f"Nothing changed: {what} is up to date."
    if not invocation.quiet:
        say(words)
