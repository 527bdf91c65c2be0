"""``reconcile test-connection``: whether portals can be read, stage by stage, and what to do where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option, print_page

if TYPE_CHECKING:
    from reconciler.config.loader import Desired
    from reconciler.config.problems import InvalidConfiguration, Problem
    from reconciler.connection import ConnectionReport

RETRIES = 1
"""How often a request is sent again at most: somebody waits, and a host that is not there stays away."""

PATIENCE = 20.0
"""Seconds that one request may take with its retry, unless the answer itself is slow."""


@click.command("test-connection")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@format_option("test-connection", "A page to read, or JSON.")
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], form: str) -> int:
    """Test whether portals can be read: credential, network, tenant, token, permissions, every endpoint.

    Without ID every portal is tested. Changes nothing. Ends with 1 when a stage of a portal failed.
    """
    from reconciler.cli.session import configure_logging, load_desired
    from reconciler.config.problems import InvalidConfiguration
    from reconciler.connection import exit_code
    from reconciler.errors import UnknownPortal

    configure_logging(invocation)
    try:
        desired = load_desired(invocation)
    except InvalidConfiguration as error:
        reports = _unreadable(error, ids)
        if not reports:
            raise
    else:
        if unknown := set(ids) - desired.portals.keys():
            raise UnknownPortal(unknown, desired.portals)
        reports = _tested(invocation, desired, ids)
    _show(reports, form)
    return exit_code(reports)


def _tested(invocation: Invocation, desired: Desired, ids: tuple[str, ...]) -> list[ConnectionReport]:
    """Test portals, several at once, and report them in the order of their IDs."""
    from concurrent.futures import ThreadPoolExecutor

    from reconciler.cli.session import emulated_transport, resolver
    from reconciler.graph.http import open_http
    from reconciler.graph.probe import Prober
    from reconciler.graph.retry import RetryPolicy

    portals = [portal for portal_id, portal in desired.portals.items() if not ids or portal_id in ids]
    retry = RetryPolicy(limit=min(invocation.retry_limit, RETRIES), total_seconds=PATIENCE)
    with open_http(transport=emulated_transport(invocation), retry=retry) as http:
        resolve = resolver(invocation, http, desired.settings)
        prober = Prober(http, resolve, desired.settings, invocation.now())
        threads = ThreadPoolExecutor(invocation.jobs)
        try:
            return list(threads.map(prober.test, portals))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)  # whoever stops it does not wait for an answer


def _unreadable(error: InvalidConfiguration, ids: tuple[str, ...]) -> list[ConnectionReport]:
    """The reports of the portals whose files are not valid; none when only other files are at fault."""
    from pathlib import PurePosixPath

    from reconciler.connection import unreadable
    from reconciler.model import ErrorInfo

    found: dict[str, list[Problem]] = {}
    for problem in error.problems:
        path = PurePosixPath(problem.file)
        if problem.severity == "error" and path.parts[0] == "portals.d" and (not ids or path.stem in ids):
            found.setdefault(path.stem, []).append(problem)
    reports = []
    for portal_id, problems in sorted(found.items()):
        told = next((problem for problem in problems if problem.hint), problems[0])
        more = f" ({len(problems) - 1} more in this file)" if len(problems) > 1 else ""
        place = f"{told.file}:{told.line}:{told.column}"
        remedy = told.hint or error.remedy
        reports.append(unreadable(portal_id, ErrorInfo(told.code, f"{told.message}{more}", remedy, place)))
    return reports


def _show(reports: Sequence[ConnectionReport], form: str) -> None:
    """Print the result on stdout: with colors and folded on a terminal, plain elsewhere."""
    if form == "json":
        from reconciler.render.connection_json import render as render_json

        click.echo(render_json(reports), nl=False)
        return
    from functools import partial

    from reconciler.render.connection_text import render

    print_page(partial(render, reports))
