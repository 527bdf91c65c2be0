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

    Needs no credentials. Prints every problem with its place, and warns of exclusions and pauses that have ended; ends
    with 1 when there is a problem, warnings aside.
    """
    from reconciler.config.ineffective import dated_warnings
    from reconciler.config.loader import load_valid
    from reconciler.config.problems import count

    loaded = load_valid(invocation.root, invocation.portals())
    problems = tuple(sorted((*loaded.problems, *dated_warnings(loaded.desired, invocation.now().date()))))
    if loaded.errors:
        _print(problems, form, f"{count(problems)}.")
        return 1
    number = len(loaded.desired.portals)
    _print(problems, form, f"{number} {'portal is' if number == 1 else 'portals are'} valid.")
    return 0


def _print(problems: tuple[Problem, ...], form: str, summary: str) -> None:
    """The result on stdout; JSON has no summary."""
    from reconciler.render import problems as render

    if form == "json":
        click.echo(render.render_json(problems), nl=False)
        return
    rendered = render.render_github if form == "github" else render.render_problems
    click.echo(f"{rendered(problems)}{summary}")
