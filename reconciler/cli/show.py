"""``reconcile show``: a saved plan, printed again."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option
from reconciler.cli.plan import PLAN_FORMATS, print_json, print_words


@click.command("show")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@format_option("show", "How to print it; markdown makes a comment on a pull request.", PLAN_FORMATS)
@click.pass_obj
def command(invocation: Invocation, file: Path, form: str) -> None:
    """Print the plan that `plan --out FILE` saved, as `plan` printed it.

    Needs no repository, no state and no credential. Whether the plan is stale is told by `apply --plan FILE` only.
    """
    from reconciler.store.plan_file import read

    plan = read(file)
    if form == "json":
        print_json(plan)
    else:
        print_words(plan.page, form)
