"""``reconcile test-connection``: whether portals can be read, stage by stage, and what to do where not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say, say_problems
from reconciler.cli.output import format_option, print_page
from reconciler.safety import Override

if TYPE_CHECKING:
    from reconciler.config.loader import Desired, Loaded
    from reconciler.config.problems import Problem
    from reconciler.connection import ConnectionReport
    from reconciler.model import ErrorInfo

RETRIES = 1
"""How often a request is sent again at most: somebody waits, and a host that is not there stays away."""

PATIENCE = 20.0
"""Seconds that one request may take with its retry, unless the answer itself is slow."""


@click.command("test-connection")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@format_option("test-connection", "A page to read, or JSON.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice([Override.UNTRUSTED.value]),
    help="Sign in although a CI runs this for a pull request, or for a branch that is not protected.",
)
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], form: str, allow: tuple[str, ...]) -> int:
    """Test whether portals can be read: credential, network, tenant, token, permissions, every endpoint.

    Without ID every portal is tested; one whose file is not valid fails at its first stage. Changes nothing. Ends
    with 1 when a stage failed, unless it belongs to one of two credentials and the other one works.
    """
    from reconciler.cli.session import configure_logging
    from reconciler.cli.trusted import refuse_untrusted
    from reconciler.config.loader import SETTINGS, load_valid
    from reconciler.config.problems import InvalidConfiguration
    from reconciler.connection import exit_code
    from reconciler.errors import UnknownPortal

    configure_logging(invocation)
    if invocation.emulate is None and not allow:
        refuse_untrusted()
    loaded = load_valid(invocation.root, invocation.portals())
    if SETTINGS in loaded.errors:  # they say how to read key vaults, and belong to every portal
        raise InvalidConfiguration(loaded.problems)
    broken = {id_: loaded.errors[file] for id_, file in loaded.left_out.items() if not ids or id_ in ids}
    _warn(invocation, loaded, [problem for problems in broken.values() for problem in problems])
    known = {*loaded.desired.portals, *loaded.left_out}
    if unknown := set(ids) - known:
        raise UnknownPortal(unknown, known)
    reports = [_not_valid(id_, problems) for id_, problems in broken.items()]
    reports += _tested(invocation, loaded.desired, ids)
    reports.sort(key=lambda report: report.portal_id)
    _show(reports, form)
    return exit_code(reports)


def _warn(invocation: Invocation, loaded: Loaded, shown: Collection[Problem]) -> None:
    """Say on stderr what the page does not show: warnings, and files that are not tested and stop other commands."""
    others = [problem for problem in loaded.problems if problem not in shown]
    if not others or invocation.quiet:
        return
    say_problems(others)
    if any(problem.severity == "error" for problem in others):
        say("warning: until these files are valid, `reconcile apply` refuses to run.", "warning")


def _tested(invocation: Invocation, desired: Desired, ids: tuple[str, ...]) -> list[ConnectionReport]:
    """Test portals, several at once, and report them in the order of their IDs."""
    from concurrent.futures import ThreadPoolExecutor

    from reconciler.cli.session import emulated_transport, local_resolver
    from reconciler.graph.http import open_http
    from reconciler.graph.probe import Prober
    from reconciler.graph.retry import RetryPolicy
    from reconciler.graph.tenants import resolver

    portals = [portal for portal_id, portal in desired.portals.items() if not ids or portal_id in ids]
    retry = RetryPolicy(limit=min(invocation.retry_limit, RETRIES), total_seconds=PATIENCE)
    with open_http(transport=emulated_transport(invocation), retry=retry) as http:
        resolve = resolver(http, desired.settings, local_resolver(invocation), invocation.now())
        prober = Prober(http, resolve, desired.settings, invocation.now())
        threads = ThreadPoolExecutor(invocation.jobs)
        try:
            return list(threads.map(prober.test, portals))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)  # whoever stops it does not wait for an answer


def _not_valid(portal_id: str, problems: Iterable[Problem]) -> ConnectionReport:
    """The report of a file that cannot be used: what is wrong, and where. First what says how to mend it."""
    from reconciler.connection import unreadable

    return unreadable(portal_id, map(_error, sorted(problems, key=lambda problem: problem.hint is None)))


def _error(problem: Problem) -> ErrorInfo:
    """A problem of a file as the error of a stage."""
    from reconciler.model import ErrorInfo

    remedy = problem.hint or "Correct the file at this place; `reconcile validate` checks again."
    return ErrorInfo(problem.code, problem.message, remedy, f"{problem.file}:{problem.line}:{problem.column}")


def _show(reports: Sequence[ConnectionReport], form: str) -> None:
    """Print the result on stdout: with colors and folded on a terminal, plain elsewhere."""
    if form == "json":
        from reconciler.render.connection_json import render as render_json

        click.echo(render_json(reports), nl=False)
        return
    from functools import partial

    from reconciler.render.connection_text import render

    print_page(partial(render, reports))
