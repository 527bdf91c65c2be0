"""``reconcile diff``: what changed between two reports, in words."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option

if TYPE_CHECKING:
    from reconciler.comparison import Side


@click.command("diff")
@click.argument("rev1")
@click.argument("rev2", required=False)
@format_option("diff", "How to print it.", forms=("text", "markdown", "json"))
@click.pass_obj
def command(invocation: Invocation, rev1: str, rev2: str | None, *, form: str) -> int:
    """Say in words what changed from the report of the commit REV1 to that of REV2, or to what is known now.

    Portals, products, statuses, units and exclusions; nothing is said of what stayed. Needs git and no credential.
    """
    from reconciler.cli.revision import at
    from reconciler.comparison import compare
    from reconciler.render import comparison

    with at(invocation, rev1) as then:
        before = _side(then)
    with at(invocation, rev2) if rev2 else nullcontext(invocation) as later:
        after = _side(later)
    found = compare(before, after)
    render = {"text": comparison.text, "markdown": comparison.markdown, "json": comparison.as_json}[form]
    click.echo(render(found), nl=False)
    return 0


def _side(invocation: Invocation) -> Side:
    """What is known there, and the report on it."""
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.comparison import Side
    from reconciler.report import make_report
    from reconciler.store.state import read

    known = read(state_folder(invocation))
    settings = load_desired(invocation).settings
    return Side(known, make_report(known, settings, invocation.now().date()), settings.report.small_group)
