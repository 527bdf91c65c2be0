"""``reconcile report``: write the reports again from what is known, or export them in another form."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.apply import show
from reconciler.cli.export import FORMATS, export, export_consumers
from reconciler.cli.invocation import Invocation


@click.command("report")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    envvar="RECONCILE_REPORT_FORMAT",
    help="Export instead of writing the reports: products as CSV, status.json, a workbook, purchases as FOCUS "
    "contract commitments, or a CycloneDX bill of materials.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to export to, instead of stdout.",
)
@click.option("--consumers", is_flag=True, help="With --format csv: who consumes what, by pseudonym.")
@click.option("--names", is_flag=True, help="With --consumers: by name. Needs `report.consumers: names`.")
@click.pass_obj
def command(invocation: Invocation, *, form: str | None, out: Path | None, consumers: bool, names: bool) -> int:
    """Write ledger and reports from what is known, without reading a tenant or recalculating a status.

    With --format nothing is written but the export.
    """
    if form is None:
        if out or consumers or names:
            raise click.UsageError("--out, --consumers and --names belong to an export: give --format.")
        return _write(invocation)
    if names and not consumers:
        raise click.UsageError("--names belongs to --consumers.")
    if consumers and form != "csv":
        raise click.UsageError("--consumers makes a table: give --format csv.")
    if consumers:
        export_consumers(invocation, out, names=names)
    else:
        export(invocation, form, out)
    return 0


def _write(invocation: Invocation) -> int:
    """Write ledger and reports."""
    from reconciler.cli.session import run_for, state_folder
    from reconciler.reconcile import report

    outcome = report(state_folder(invocation), run_for(invocation))
    show(invocation, outcome)
    return outcome.exit_code
