"""``reconcile status``: products and statuses as they are known."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option


@click.command("status")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@format_option("status", "A table, or what status.json says.")
@click.option("--rev", metavar="REV", help="What was known at a commit, as of the day that its reports were written.")
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], *, form: str, rev: str | None) -> int:
    """Show what is known, as a table or as status.json has it. Writes nothing and needs no credential."""
    from contextlib import nullcontext

    from reconciler.cli.output import print_status
    from reconciler.cli.revision import at
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.errors import UnknownPortal
    from reconciler.render.status_json import render
    from reconciler.report import make_report
    from reconciler.store.state import read

    with at(invocation, rev) if rev else nullcontext(invocation) as there:
        known = {key: state for key, state in read(state_folder(there)).items() if not state.is_forgotten}
        if unknown := set(ids) - known.keys():
            raise UnknownPortal(unknown, known)
        chosen = {portal_id: state for portal_id, state in known.items() if not ids or portal_id in ids}
        report = make_report(chosen, load_desired(there).settings, there.now().date())
    if form == "json":
        click.echo(render(report), nl=False)
    else:
        print_status(report)
    return 0
