"""``reconcile validate``: all problems of portals and settings at once, without credentials or network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option

if TYPE_CHECKING:
    from reconciler.config.loader import Desired
    from reconciler.config.problems import Problem
    from reconciler.model import State


@click.command("validate")
@format_option(
    "validate", "How to print problems; github makes annotations in a pull request.", ("text", "json", "github")
)
@click.pass_obj
def command(invocation: Invocation, form: str) -> int:
    """Check portals and settings: YAML, schema, and rules across files.

    Needs no credentials. Prints every problem with its place, and warns of exclusions and pauses that have ended and,
    as far as it is known, of policies about nothing; ends with 1 when there is a problem, warnings aside.
    """
    from reconciler.config.idle_policies import idle_policies
    from reconciler.config.ineffective import dated_warnings
    from reconciler.config.loader import load_valid
    from reconciler.config.problems import count

    loaded = load_valid(invocation.root, invocation.portals())
    found = (*loaded.problems, *dated_warnings(loaded.desired, invocation.now().date()))
    if not loaded.errors:
        found += idle_policies(loaded.desired, _known(invocation, loaded.desired))
    problems = tuple(sorted(found))
    if loaded.errors:
        _print(problems, form, f"{count(problems)}.")
        return 1
    number = len(loaded.desired.portals)
    _print(problems, form, f"{number} {'portal is' if number == 1 else 'portals are'} valid.")
    return 0


def _known(invocation: Invocation, desired: Desired) -> State:
    """What is known of licenses, where a policy names one; nothing where it cannot be read, which is no problem."""
    if not any(policy.sku for policy in desired.settings.policies):
        return {}
    from reconciler.cli.session import state_folder
    from reconciler.errors import Refused, StateError
    from reconciler.store.state import read

    try:
        return read(state_folder(invocation))
    except (StateError, Refused):
        return {}


def _print(problems: tuple[Problem, ...], form: str, summary: str) -> None:
    """The result on stdout; JSON has no summary."""
    from reconciler.render import problems as render

    if form == "json":
        click.echo(render.render_json(problems), nl=False)
        return
    rendered = render.render_github if form == "github" else render.render_problems
    click.echo(f"{rendered(problems)}{summary}")
