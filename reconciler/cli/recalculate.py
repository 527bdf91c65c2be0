"""``reconcile recalculate``: statuses from what is known."""

from __future__ import annotations

import click

from reconciler.cli.apply import allow_option, apply_and_show, show
from reconciler.cli.invocation import Invocation
from reconciler.safety import Override


@click.command("recalculate")
@click.option("--completely", is_flag=True, help="Import first, as apply does.")
@allow_option
@click.pass_obj
def command(invocation: Invocation, *, completely: bool, allow: tuple[Override, ...]) -> int:
    """Recalculate every status from the last known numbers, with today's date and settings, and write the reports.

    Portals are taken as they were last applied. Nothing is read from a tenant unless --completely is given.
    """
    if completely:
        return apply_and_show(invocation, (), allow, publish=True)
    from reconciler.cli.session import run_for, state_folder
    from reconciler.reconcile import recalculate

    outcome = recalculate(state_folder(invocation), run_for(invocation))
    show(invocation, outcome)
    return outcome.exit_code
