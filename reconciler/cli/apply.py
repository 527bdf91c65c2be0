"""``reconcile apply``: plan, import, recalculate, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.safety import Override

if TYPE_CHECKING:
    from reconciler.plan_page import SavedPlan
    from reconciler.reconcile import Outcome

allow_option = click.option(
    "--allow",
    multiple=True,
    type=click.Choice([override.value for override in Override]),
    callback=lambda _context, _parameter, values: tuple(Override(value) for value in values),
    help="Go over a safety stop for this run: no portal declared; many products lost; many removed; another tenant. "
    "Repeatable.",
)


@click.command("apply")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@allow_option
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    envvar="RECONCILE_APPLY_PLAN",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Apply the plan that `plan --out FILE` saved, and nothing else; refuse when it is stale.",
)
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], allow: tuple[Override, ...], plan_file: Path | None) -> int:
    """Bring the state in line with the portals: plan, import, recalculate, report.

    Without ID every portal is applied. A portal that cannot be read keeps its last values and does not stop the
    others.
    """
    if plan_file is None:
        return apply_and_show(invocation, ids, allow, publish=True)
    if ids or allow:
        raise click.UsageError("With --plan, portals and --allow are those of the plan file: give none.")
    from reconciler.store.plan_file import read

    approved = read(plan_file)
    chosen = approved.basis
    overrides = tuple(Override(value) for value in chosen.allowed)
    return apply_and_show(invocation, chosen.only, overrides, publish=True, approved=approved)


def apply_and_show(
    invocation: Invocation,
    ids: tuple[str, ...],
    allow: tuple[Override, ...],
    *,
    publish: bool,
    approved: SavedPlan | None = None,
) -> int:
    """Run apply, show its progress and its result, and return the exit code. ``approved`` is the plan to keep to."""
    from reconciler.cli.progress import shown
    from reconciler.cli.session import configure_logging, importer_for, load_desired, run_of, warn_of_unmatched
    from reconciler.reconcile import apply

    configure_logging(invocation)
    desired = load_desired(invocation)
    run = run_of(invocation, desired, ids, allow)
    with (
        shown(quiet=invocation.quiet, log_format=invocation.log_format) as progress,
        importer_for(invocation, progress, run.settings) as importer,
    ):
        outcome = apply(run, importer, publish=publish, approved=approved)
    warn_of_unmatched(invocation, desired, outcome.known)
    show(invocation, outcome, publish=publish)
    return outcome.exit_code


def show(invocation: Invocation, outcome: Outcome, *, publish: bool) -> None:
    """Print the table of products, and whether anything changed."""
    from reconciler.cli.output import print_status

    print_status(outcome.report)
    what = "the report, state/reports/status.md," if publish else "the ledger, state/ledger,"
    words = f"Changed: {what} is written." if outcome.written else f"Nothing changed: {what} is up to date."
    if not invocation.quiet:
        click.echo(words, err=True)
