"""``reconcile validate``: all problems of portals and settings at once, without credentials or network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation

if TYPE_CHECKING:
    from reconciler.config.problems import Problem


@click.command("validate")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    envvar="RECONCILE_VALIDATE_FORMAT",
    help="How to print problems; github makes annotations in a pull request.",
)
@click.pass_obj
def command(invocation: Invocation, format_: str) -> int:
    """Check portals and settings: YAML, schema, and rules across files.

    Needs no credentials. Prints every problem with its place; ends with 1 when there is one, warnings aside.
    """
    from reconciler.config.loader import load
    from reconciler.config.problems import InvalidConfiguration, count

    try:
        desired = load(invocation.root, invocation.portals())
    except InvalidConfiguration as error:
        _print(error.problems, format_, f"{count(error.problems)}.")
        return 1
    number = len(desired.portals)
    _print(desired.warnings, format_, f"{number} {'portal is' if number == 1 else 'portals are'} valid.")
    return 0


def _print(problems: tuple[Problem, ...], format_: str, summary: str) -> None:
    """The result on stdout; JSON has no summary."""
    from reconciler.render import problems as render

    if format_ == "json":
        click.echo(render.render_json(problems), nl=False)
        return
    form = render.render_github if format_ == "github" else render.render_problems
    click.echo(f"{form(problems)}{summary}")
