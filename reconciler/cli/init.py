"""``reconcile init``: make a repository of portals, or bring up to date what the tool owns in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say

if TYPE_CHECKING:
    from reconciler.scaffold.files import Ci, Step

CIS = ("github", "gitlab", "azure")


@click.command("init")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--ci",
    "name",
    type=click.Choice(CIS),
    envvar="RECONCILE_INIT_CI",
    help="Whose pipeline.  [default: the one that is there, or github]",
)
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when a file of the tool is out of date.")
@click.pass_obj
def command(invocation: Invocation, directory: Path, name: str | None, *, check: bool) -> int:
    """Make a repository of license portals in DIR: settings, an example of a portal, schemas, pipeline, README.

    Run again, it brings schemas and pipeline up to date as long as nobody has changed them. What people wrote is never
    touched, and what they deleted is not made again.
    """
    from reconciler import __version__
    from reconciler.git.place import default_branch
    from reconciler.scaffold import repository
    from reconciler.scaffold.files import Ci

    root = invocation.root / directory
    ci = Ci(name) if name else repository.pipeline_of(root)
    branch = repository.applied_branch(root, ci or Ci.GITHUB, default_branch(root))
    steps = repository.steps(root, ci or Ci.GITHUB, __version__, branch, only_owned=check)
    if check:
        return _check(invocation, steps, ci)
    repository.write(root, steps)
    _print(steps)
    if not invocation.quiet:
        _advise(steps, branch, repository.others(root, ci or Ci.GITHUB))
    return 0


def _advise(steps: Sequence[Step], branch: str, others: Sequence[str]) -> None:
    """Say what to look at after files were written."""
    from reconciler.scaffold.files import branch_of

    if any(step.text and branch_of(step.text) for step in steps):
        say(f"The pipeline applies what is on the branch {branch}.")
    if others:
        say(f"Another pipeline is here too, and both would apply: delete {', '.join(others)}, or the new one.")
    if any(step.path == "README.md" and step.text for step in steps):
        say("README.md says what to do first.")


def _check(invocation: Invocation, steps: Sequence[Step], ci: Ci | None) -> int:
    """1 when a file of the tool is out of date. A repository without its pipeline is asked for its schemas only."""
    behind = [step for step in steps if step.text is not None and (ci or step.path.startswith("schemas/"))]
    for step in behind:
        click.echo(f"{step.path}: {'missing' if step.verdict == 'created' else 'out of date'}")
    if behind and not invocation.quiet:
        say("Run `reconcile init` here, and commit what it writes.")
    return 1 if behind else 0


def _print(steps: Sequence[Step]) -> None:
    """What became of each file, one a line."""
    width = max(len(step.path) for step in steps)
    for step in steps:
        click.echo(f"{step.path:<{width}}  {step.verdict}")
