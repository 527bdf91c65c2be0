"""``reconcile plan``: what apply would change, without writing anything."""

from __future__ import annotations

import click

from reconciler.cli.apply import allow_option
from reconciler.cli.invocation import Invocation
from reconciler.safety import Override

CHANGES_PENDING = 2


@click.command("plan")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when changes are pending.")
@allow_option
@click.pass_obj
def command(
    invocation: Invocation, ids: tuple[str, ...], *, detailed_exitcode: bool, allow: tuple[Override, ...]
) -> int:
    """Compare the portals with the state and show what apply would change, before any tenant is read.

    Writes nothing and needs no credential. Where the certificate of a portal can be read, its end is looked at.
    """
    from reconciler.cli.session import run_for
    from reconciler.reconcile import preview
    from reconciler.render.plan_text import render
    from reconciler.store.state import read

    run = run_for(invocation, ids, allow)
    plan, refusals = preview(run, read(run.state_folder))
    click.echo(render(plan), nl=False)
    for refusal in refusals:
        click.echo(f"refused: {refusal.code}: {refusal.message}\n  {refusal.remedy}", err=True)
    if refusals:
        return 3
    return CHANGES_PENDING if detailed_exitcode and plan.pending else 0
