"""``reconcile plan``: what apply would change, without writing anything to the state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import allow_option
from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option, print_page
from reconciler.safety import Override

if TYPE_CHECKING:
    from reconciler.plan import Plan
    from reconciler.plan_page import PlanPage, SavedPlan
    from reconciler.reconcile import Run

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
    from reconciler.cli.session import configure_logging, load_desired, run_of, state_folder, warn
    from reconciler.config.ineffective import dated_warnings, unmatched
    from reconciler.plan_page import SavedPlan
    from reconciler.reconcile import basis_of, preview
    from reconciler.render.plan_words import make_page
    from reconciler.store.state import read

    configure_logging(invocation)
    desired, known = load_desired(invocation), read(state_folder(invocation))
    run = run_of(invocation, desired, ids, allow)
    nothing_meant = () if invocation.quiet and form == "text" and not out else unmatched(desired, known)
    warn(invocation, nothing_meant)
    warnings = (*desired.warnings, *dated_warnings(desired, run.today), *nothing_meant)
    plan, refusals = preview(run, known)
    if refresh and not refusals:
        plan = _refreshed(invocation, run, plan)
    page = make_page(plan, refusals, run.settings, warnings)
    if out is not None or form == "json":  # its digests cost as much as the plan
        saved = SavedPlan(basis_of(run, plan), page)
        if out is not None:
            _save(out, saved, quiet=invocation.quiet)
    if form == "json":
        print_json(saved)
    else:
        print_words(page, form)
    if refusals:
        codes = ", ".join(dict.fromkeys(refusal.code for refusal in refusals))
        click.echo(f"refused: apply would stop: {codes}", err=True)
        return 3
    return _exit_code(page, detailed=detailed_exitcode)


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
    """As apply: 1 when no tenant could be read, 4 when some could not; else whether changes are pending."""
    failed = sum(preview.error is not None for preview in page.previews)
    if failed:
        return 1 if failed == len(page.previews) else PARTIAL
    return CHANGES_PENDING if detailed and page.brings else 0


def _refreshed(invocation: Invocation, run: Run, plan: Plan) -> Plan:
    """The plan with what the imports would bring."""
    from reconciler.cli.progress import shown
    from reconciler.cli.session import importer_for
    from reconciler.reconcile import refreshed

    with (
        shown(quiet=invocation.quiet, log_format=invocation.log_format) as progress,
        importer_for(invocation, progress, run.settings, run.allowed) as importer,
    ):
        return refreshed(run, importer, plan)


def _refuse_target(invocation: Invocation, out: Path) -> None:
    """Refuse to save where the tool or people keep what counts, and over what is no plan."""
    from reconciler.cli.session import state_folder
    from reconciler.store.plan_file import is_plan

    target = out.resolve()
    if target == (invocation.root / "reconcile.yaml").resolve():
        raise click.UsageError("--out: reconcile.yaml holds the settings; choose another name.")
    kept = [invocation.root / name for name in ("portals.d", "schemas", ".github", ".git")]
    for folder in (state_folder(invocation), invocation.portals(), *kept):
        if target.is_relative_to(folder.resolve()):
            raise click.UsageError(
                f"--out: a plan must not be saved in the folder {folder.name}; choose another place."
            )
    if target.exists() and not is_plan(target):
        raise click.UsageError(f"--out: {out.name} exists and is no plan; choose another name, or delete it.")


def _save(out: Path, plan: SavedPlan, *, quiet: bool) -> None:
    """Write a plan file, whole or not at all."""
    from reconciler.render.plan_json import render
    from reconciler.store.files import write_atomically

    try:
        write_atomically(out.resolve(), render(plan).encode())
    except OSError as error:
        raise click.FileError(out.name, error.strerror) from None
    if not quiet:
        click.echo(f"The plan is saved. Apply it with: reconcile apply --plan {out}", err=True)
