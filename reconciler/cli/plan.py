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
    from reconciler.cli.session import credential_ends, load_desired, state_folder, titles
    from reconciler.plan import make_plan
    from reconciler.render.plan_text import render
    from reconciler.safety import check_plan
    from reconciler.store.state import read

    desired = load_desired(invocation)
    known = read(state_folder(invocation))
    today = invocation.now().date()
    ends = credential_ends(invocation, desired.portals, ids)
    plan = make_plan(desired.portals, known, desired.settings, titles(invocation), today, ids, ends)
    click.echo(render(plan), nl=False)
    refusals = check_plan(plan, desired.settings.safety, allow)
    for refusal in refusals:
        click.echo(f"refused: {refusal.code}: {refusal.message}\n  {refusal.remedy}", err=True)
    if refusals:
        return 3
    return CHANGES_PENDING if detailed_exitcode and plan.pending else 0
