"""``reconcile plan``: what apply would change, without writing anything to the state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import allow_option
from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.cli.output import format_option, print_page
from reconciler.cli.targets import refuse_target, writing
from reconciler.safety import Override

if TYPE_CHECKING:
    from reconciler.plan import Plan
    from reconciler.plan_page import PlanPage, SavedPlan
    from reconciler.run import Run

CHANGES_PENDING = 2
PARTIAL = 4
PLAN_FORMATS = ("text", "markdown", "json")


@click.command("plan")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@format_option("plan", "How to print it; markdown makes a comment on a pull request.", PLAN_FORMATS)
@click.option("--refresh", is_flag=True, help="Read the tenants too, and show what their import would bring.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan in FILE too, for `show FILE` and `apply --plan FILE`.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when changes are pending.")
@allow_option
@click.pass_obj
def command(
    invocation: Invocation,
    ids: tuple[str, ...],
    *,
    form: str,
    refresh: bool,
    out: Path | None,
    detailed_exitcode: bool,
    allow: tuple[Override, ...],
) -> int:
    """Compare the portals with the state and show what apply would change, before any tenant is read.

    Writes nothing to the state, and needs no credential but for --refresh. Where the certificate of a portal can be
    read, its end is looked at.
    """
    if out is not None:
        _refuse_target(invocation, out)
    run, plan, page = _planned(invocation, ids, allow, refresh=refresh, told=form != "text" or out is not None)
    if out is not None or form == "json":  # its digests cost as much as the plan
        from reconciler.plan_page import SavedPlan
        from reconciler.store.plan_file import basis

        saved = SavedPlan(basis(run, plan), page)
        if out is not None:
            _save(out, saved, quiet=invocation.quiet)
    if form == "json":
        print_json(saved)
    else:
        print_words(page, form)
    return _exit_code(page, detailed=detailed_exitcode)


def _planned(
    invocation: Invocation, ids: tuple[str, ...], allow: tuple[Override, ...], *, refresh: bool, told: bool
) -> tuple[Run, Plan, PlanPage]:
    """The plan and its page, which holds all warnings where it is ``told`` in another form than text."""
    from reconciler.cli.session import configure_logging, load_desired, run_of, state_folder, warn
    from reconciler.config.ineffective import dated_warnings, unmatched
    from reconciler.render.plan_words import make_page
    from reconciler.run import preview
    from reconciler.store.state import read

    configure_logging(invocation)
    desired, known = load_desired(invocation), read(state_folder(invocation))
    run = run_of(invocation, desired, ids, allow)
    nothing_meant = unmatched(desired, known) if told or not invocation.quiet else ()
    warn(invocation, nothing_meant)
    plan, refusals = preview(run, known)
    if refresh and not refusals:
        plan = _refreshed(invocation, run, plan)
    warnings = (*desired.warnings, *dated_warnings(desired, run.today), *nothing_meant)
    return run, plan, make_page(plan, refusals, run.settings, warnings)


def print_json(plan: SavedPlan) -> None:
    """Print a plan as JSON, as a plan file has it."""
    from reconciler.render.plan_json import render

    click.echo(render(plan), nl=False)


def print_words(page: PlanPage, form: str) -> None:
    """Print a plan for people: as Markdown, or else as text."""
    if form == "markdown":
        from reconciler.render.plan_markdown import render as as_markdown

        click.echo(as_markdown(page), nl=False)
        return
    from functools import partial

    from reconciler.render.plan_text import render as as_text

    print_page(partial(as_text, page))


def _exit_code(page: PlanPage, *, detailed: bool) -> int:
    """As apply: 3 when it would refuse, 1 when no tenant could be read, 4 when some could not; else whether it changes.

    Says on stderr why it would refuse.
    """
    if page.refusals:
        from reconciler.render.plan_summary import refused

        say(f"refused: {refused(page)}", "error")
        return 3
    failed = sum(preview.error is not None for preview in page.previews)
    if failed:
        return 1 if failed == len(page.previews) else PARTIAL
    return CHANGES_PENDING if detailed and page.brings else 0


def _refreshed(invocation: Invocation, run: Run, plan: Plan) -> Plan:
    """The plan with what the imports would bring."""
    from reconciler.cli.progress import shown
    from reconciler.cli.session import importer_for
    from reconciler.reading import refreshed

    with (
        shown(quiet=invocation.quiet, log_format=invocation.log_format) as progress,
        importer_for(invocation, progress, run.settings, run.allowed) as importer,
    ):
        return refreshed(run, importer, plan)


def _refuse_target(invocation: Invocation, out: Path) -> None:
    """Refuse to save where what counts is kept, and over what is no plan."""
    from reconciler.store.plan_file import is_plan

    refuse_target(invocation, out, "a plan")
    if out.resolve().exists() and not is_plan(out.resolve()):
        raise click.UsageError(f"--out: {out.name} exists and is no plan; choose another name, or delete it.")


def _save(out: Path, plan: SavedPlan, *, quiet: bool) -> None:
    """Write a plan file, whole or not at all."""
    from reconciler.render.plan_json import render
    from reconciler.store.files import write_atomically

    with writing(out.name):
        write_atomically(out.resolve(), render(plan).encode())
    if not quiet:
        say(f"The plan is saved. Apply it with: reconcile apply --plan {out}")
