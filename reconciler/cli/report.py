"""``reconcile report``: write the reports again from what is known."""

from __future__ import annotations

import click

from reconciler.cli.apply import show
from reconciler.cli.invocation import Invocation


@click.command("report")
@click.pass_obj
def command(invocation: Invocation) -> int:
    """Write ledger and reports from what is known, without reading a tenant or recalculating a status."""
    from reconciler.cli.session import run_for
    from reconciler.reconcile import report

    outcome = report(run_for(invocation))
    show(invocation, outcome, publish=True)
    return outcome.exit_code
