"""``reconcile validate``: all problems of portals and settings at once, without credentials or network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option

if TYPE_CHECKING:
    from reconciler.config.problems import Problem


@click.command("validate")
@format_option(
    "validate", "How to print problems; github makes annotations in a pull request.", ("text", "json", "github")
)
@click.pass_obj
def command(invocation: Invocation, form: str) -> int:
    """Check portals and settings: YAML, schema, and rules across files.

    Needs no credentials. Prints every problem with its place; ends with 1 when there is one, warnings aside.
    """
    from reconciler.config.loader import load
    from reconciler.config.problems import InvalidConfiguration, count

    try:
        desired = load(invocation.root, invocation.portals())
    except InvalidConfiguration as error:
        _print(error.problems, form, f"{count(error.problems)}.")
        return 1
    number = len(desired.portals)
    _print(desired.warnings, form, f"{number} {'portal is' if number == 1 else 'portals are'} valid.")
    return 0


def _print(problems: tuple[Problem, ...], form: str, summary: str) -> None:
    """The result on stdout; JSON has no summary."""
    from reconciler.render import problems as render

    if form == "json":
        click.echo(render.render_json(problems), nl=False)
        return
    rendered = render.render_github if form == "github" else render.render_problems
    click.echo(f"{rendered(problems)}{summary}")
