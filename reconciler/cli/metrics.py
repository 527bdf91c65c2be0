"""``reconcile metrics``: the known state for monitoring."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation


@click.command("metrics")
@click.pass_obj
def command(invocation: Invocation) -> int:
    """Print the known state as OpenMetrics text, for Prometheus and its like.

    Portals by outcome, products by status, the numbers of each product, when credentials end, since when imports fail.
    Counts only. Writes nothing and needs no credential.
    """
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.render.openmetrics import render
    from reconciler.report import make_report
    from reconciler.store.state import read

    known = read(state_folder(invocation))
    click.echo(render(make_report(known, load_desired(invocation).settings, invocation.now().date())), nl=False)
    return 0
