"""Puts a run together from the global options: configuration, titles, and the way to a tenant."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation

if TYPE_CHECKING:
    import httpx

    from reconciler.config.loader import Desired
    from reconciler.model import Portal, Reference
    from reconciler.reconcile import Connect, Progress, Reader, Run
    from reconciler.safety import Override
    from reconciler.secret import Secret
    from reconciler.transition import Title

LINEAGES = uuid.UUID("5f0d6c0e-3c55-4f0e-9a51-3f8f6a0b7d11")
"""Namespace of the lineages of emulated states, which are the same at every run."""


def configure_logging(invocation: Invocation) -> None:
    """Send the product's log to stderr: with -v retries and renewals, with -vv every request."""
    from reconciler.cli.logs import handler

    level = {0: logging.WARNING, 1: logging.INFO}.get(invocation.verbosity, logging.DEBUG)
    logger = logging.getLogger("reconciler")
    logger.handlers = [handler(invocation.log_format)]
    logger.setLevel(logging.ERROR if invocation.quiet else level)
    logger.propagate = False


def load_desired(invocation: Invocation) -> Desired:
    """The declared portals and settings; warnings go to stderr. Raises ConfigurationError."""
    from reconciler.config.loader import load
    from reconciler.render.problems import render_problems

    desired = load(invocation.root, invocation.portals())
    if desired.warnings and not invocation.quiet:
        click.echo(render_problems(desired.warnings), err=True, nl=False)
    return desired


def titles(invocation: Invocation) -> Title:
    """The title of a SKU: Microsoft's list under ``state/`` where there is one, else the built-in table."""
    from reconciler.catalogue.titles import load

    return load(state_folder(invocation)).title


def state_folder(invocation: Invocation) -> Path:
    """The folder of database, ledger and reports."""
    return invocation.root / "state"


@contextmanager
def run_for(
    invocation: Invocation,
    only: tuple[str, ...] = (),
    allowed: tuple[Override, ...] = (),
    progress: Progress | None = None,
) -> Iterator[Run]:
    """Everything that a run needs. Raises ConfigurationError when the configuration is not valid."""
    from reconciler.graph.http import open_http
    from reconciler.graph.retry import RetryPolicy
    from reconciler.reconcile import Progress as Silent
    from reconciler.reconcile import Run

    configure_logging(invocation)
    desired = load_desired(invocation)
    now = invocation.now()
    with open_http(transport=_emulated(invocation), retry=RetryPolicy(limit=invocation.retry_limit)) as http:
        yield Run(
            state_folder=state_folder(invocation),
            portals=desired.portals,
            settings=desired.settings,
            title=titles(invocation),
            now=now,
            new_lineage=_new_lineage(invocation),
            connect=_connect(http, _resolver(invocation), now),
            jobs=invocation.jobs,
            only=only,
            allowed=allowed,
            emulate=invocation.emulate is not None,
            progress=progress or Silent(),
        )


def _new_lineage(invocation: Invocation) -> str:
    """The identity of a state that starts with this run."""
    return str(uuid.uuid5(LINEAGES, invocation.emulate) if invocation.emulate else uuid.uuid4())


def _emulated(invocation: Invocation) -> httpx.BaseTransport | None:
    """The emulator in this process, when one is asked for."""
    scenario = invocation.scenario()
    if scenario is None:
        return None
    import httpx

    from reconciler.emulator.app import Emulator

    return httpx.WSGITransport(app=Emulator(scenario))


def _resolver(invocation: Invocation) -> Callable[[Reference], Secret]:
    """How references to secrets are resolved: a scenario brings its own credentials."""
    from reconciler.config.references import resolve
    from reconciler.secret import Secret

    scenario = invocation.scenario()
    own = scenario.credentials if scenario else {}

    def resolved(reference: Reference) -> Secret:
        if reference.name in own:
            return Secret(own[reference.name])
        return resolve(reference, invocation.root, os.environ)

    return resolved


def _connect(http: httpx.Client, resolve: Callable[[Reference], Secret], now: datetime) -> Connect:
    """The way to a tenant: its credential, its token, its Graph."""
    from reconciler.graph.auth import TokenSource
    from reconciler.graph.client import GraphClient
    from reconciler.graph.clouds import ENDPOINTS
    from reconciler.graph.credentials import load_credential

    @contextmanager
    def connect(portal: Portal) -> Iterator[Reader]:
        endpoints = ENDPOINTS[portal.cloud]
        credential = load_credential(portal.authentication, resolve, now)
        tokens = TokenSource(http, endpoints, portal.tenant_id, portal.client_id, credential)
        yield GraphClient(http, endpoints, portal.tenant_id, tokens)

    def connection(portal: Portal) -> AbstractContextManager[Reader]:
        return connect(portal)

    return connection
