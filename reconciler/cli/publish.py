"""``reconcile publish``: run a command that writes the state, commit ``state/`` and push it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say

if TYPE_CHECKING:
    from reconciler.pushing import Published

WRITING = ("apply", "import", "recalculate", "report")
"""The commands whose result can be published."""


@click.command("publish", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--branch", metavar="NAME", help="The branch to push to.  [default: the one that is checked out]")
@click.option(
    "--pull-request", is_flag=True, help="Push to the branch reconcile/state-NAME, for a pull request to NAME."
)
@click.option("--pull", is_flag=True, help="Begin from what is at the remote, where a clone is used again and again.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [ARG]...]")
@click.pass_context
def command(
    context: click.Context, branch: str | None, words: tuple[str, ...], *, pull_request: bool, pull: bool
) -> int:
    """Run COMMAND, commit state/ when it changed, and push it to the remote `origin`.

    COMMAND is apply (the default), import, recalculate or report, with its own options. When somebody else pushed
    first, it is run again from their state. When the branch does not take the push although nobody was faster, it is
    protected: then the commit goes to reconcile/state-NAME, for a pull request, on top of the state that waits there.
    Ends with COMMAND's exit code. In CI it refuses to run for a pull request, and for a branch that is neither the
    default nor protected, whatever COMMAND allows.
    """
    from reconciler import publish
    from reconciler.ci import run_url
    from reconciler.cli.trusted import refuse_to_publish
    from reconciler.git.checkout import Checkout

    refuse_to_publish()
    invocation: Invocation = context.obj
    checkout = Checkout(invocation.root)
    checkout.refuse_changes()
    checkout.end_rebase()
    target = branch or checkout.branch()
    if target is None:
        raise click.UsageError("No branch is checked out, so say with --branch NAME where to push.")
    ended = publish.publish(
        checkout,
        lambda: _run(context, invocation, words or ("apply",)),
        target,
        wait=time.sleep,
        apart=pull_request,
        pull=pull,
        run_url=run_url(os.environ),
    )
    _tell(invocation, target, ended)
    return ended.exit_code


def _run(context: click.Context, invocation: Invocation, words: tuple[str, ...]) -> int:
    """Run a command as if it had been typed, with no other state DB than one that says what the ledger says."""
    from reconciler.cli.session import state_folder
    from reconciler.store.level import drop_unless_level

    name, *arguments = words
    outer = context.parent
    if name not in WRITING or outer is None or not isinstance(outer.command, click.Group):
        raise click.UsageError(
            f"publish runs {', '.join(WRITING[:-1])} or {WRITING[-1]}, and {name!r} is none of them."
        )
    chosen = outer.command.get_command(outer, name)
    assert chosen is not None  # noqa: S101 - a test keeps the names in the table of commands
    if drop_unless_level(state_folder(invocation)) and not invocation.quiet:
        say("The state DB was another than the ledger in git: it is made anew.")
    with chosen.make_context(name, arguments, parent=outer) as inner:
        result: Any = chosen.invoke(inner)
    return result if isinstance(result, int) else 0


def _tell(invocation: Invocation, target: str, ended: Published) -> None:
    """Say where the state is now, to people and, as the output ``branch``, to the next step of a GitHub workflow."""
    from reconciler.render.escape import plain

    if ended.branch is None:
        _say(invocation, "Nothing to commit.")
        return
    if ended.commit is None:
        _say(invocation, f"Nothing to commit: {ended.branch} has the state already.")
    else:
        _say(invocation, f"Pushed {ended.commit[:12]} to {ended.branch}.")
    if ended.branch == target:
        return
    _say(invocation, f"Open a pull request from {ended.branch} to {target}, and merge it to let the state count.")
    for line in ended.said.splitlines():
        _say(invocation, f"  {plain(line)}")
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        with Path(outputs).open("a", encoding="utf-8") as file:
            file.write(f"branch={ended.branch}\n")


def _say(invocation: Invocation, line: str) -> None:
    """Print a line on stderr, unless nothing but errors is wanted."""
    if not invocation.quiet:
        say(line)
