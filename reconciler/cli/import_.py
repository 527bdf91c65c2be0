"""``reconcile import``: licenses and consumers into the state, without reports."""

from __future__ import annotations

import click

from reconciler.cli.apply import allow_option, apply_and_show, full_option
from reconciler.cli.invocation import Invocation
from reconciler.safety import Override


@click.command("import")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@allow_option
@full_option
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], allow: tuple[Override, ...], *, full: bool) -> int:
    """Import licenses and consumers into the state DB and the ledger; the reports stay as they are."""
    return apply_and_show(invocation, ids, allow, publish=False, full=full)
