"""Puts a run together from the global options: configuration, titles, and the way to a tenant."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation

if TYPE_CHECKING:
    from reconciler.config.loader import Desired
    from reconciler.config.problems import Problem
    from reconciler.emulator.in_process import InProcess
    from reconciler.importing import Importer, Progress
    from reconciler.model import Portal, Reference, Settings, State
    from reconciler.run import Run
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
    """What is declared; warnings go to stderr. Raises ConfigurationError."""
    from reconciler.config.ineffective import dated_warnings
    from reconciler.config.loader import load

    desired = load(invocation.root, invocation.portals())
    warn(invocation, (*desired.warnings, *dated_warnings(desired, invocation.now().date())))
    return desired


def warn_of_unmatched(invocation: Invocation, desired: Desired, known: State) -> None:
    """Say on stderr which exclusions, includes and entries of products match nothing that is known."""
    from reconciler.config.ineffective import unmatched

    if not invocation.quiet:
        warn(invocation, unmatched(desired, known))


def warn(invocation: Invocation, warnings: Sequence[Problem]) -> None:
    """Print warnings on stderr."""
    from reconciler.cli.logs import say_problems

    if warnings and not invocation.quiet:
        say_problems(sorted(warnings))


def titles(invocation: Invocation) -> Title:
    """The title of a SKU: Microsoft's list under ``state/`` where there is one, else the built-in table."""
    from reconciler.catalogue.titles import load

    return load(state_folder(invocation)).title


def state_folder(invocation: Invocation) -> Path:
    """The folder of database, ledger and reports. Raises ConfigurationError when a link in it leads elsewhere."""
    from reconciler.config.links import refuse_links_out

    folder = invocation.root / "state"
    refuse_links_out(folder, invocation.root)
    return folder


def run_for(invocation: Invocation, only: tuple[str, ...] = (), allow: tuple[Override, ...] = ()) -> Run:
    """What a run works with. Raises ConfigurationError when the configuration is not valid."""
    configure_logging(invocation)
    return run_of(invocation, load_desired(invocation), only, allow)


def run_of(
    invocation: Invocation, desired: Desired, only: tuple[str, ...] = (), allow: tuple[Override, ...] = ()
) -> Run:
    """What a run over this configuration works with."""
    from reconciler.config.files import digests
    from reconciler.run import Run
    from reconciler.safety import Override

    if Override.ANSWER in allow and not only:
        raise click.UsageError("--allow answer is about tenants that somebody looked at: name their portals by ID.")

    return Run(
        portals=desired.portals,
        settings=desired.settings,
        title=titles(invocation),
        now=invocation.now(),
        new_lineage=_new_lineage(invocation),
        removals=desired.removals,
        only=only,
        allowed=allow,
        emulate=invocation.emulate is not None,
        credential_ends=credential_ends(invocation, desired.portals, only),
        files=digests(invocation.root, invocation.portals()),
    )


def credential_ends(
    invocation: Invocation, portals: Mapping[str, Portal], only: tuple[str, ...] = ()
) -> dict[str, date]:
    """The last days of the certificates of the selected portals, as far as they can be read here.

    Where none can be read, as in a pull request without secrets, this is empty and no failure. Secrets are not asked
    for: a portal's file says itself when its secret ends. Nor is a key vault: nothing is sent from here. In CI, what
    anyone may have written into a pull request opens no file and no variable.
    """
    from reconciler.cli.trusted import untrusted_here
    from reconciler.model import CertificateAuthentication

    if untrusted_here():
        return {}
    signing = {
        portal_id: portal.authentication
        for portal_id, portal in portals.items()
        if isinstance(portal.authentication, CertificateAuthentication) and (not only or portal_id in only)
    }
    if not signing:
        return {}
    from reconciler.graph.credentials import credential_end

    resolve = local_resolver(invocation)
    found = {portal_id: credential_end(authentication, resolve) for portal_id, authentication in signing.items()}
    return {portal_id: end for portal_id, end in found.items() if end is not None}


@contextmanager
def importer_for(
    invocation: Invocation, progress: Progress, settings: Settings, allowed: Collection[Override] = ()
) -> Iterator[Importer]:
    """The way to the tenants.

    Raises Refused where a CI runs what anyone may have written into a pull request, unless that is allowed; the
    emulator needs no secrets. Raises ConfigurationError when the environment names an unusable proxy or trust store.
    """
    from reconciler.cli.trusted import refuse_untrusted
    from reconciler.graph.http import open_http
    from reconciler.graph.retry import RetryPolicy
    from reconciler.graph.tenants import connector, resolver
    from reconciler.importing import Importer, Stopped
    from reconciler.safety import Override

    if invocation.emulate is None and Override.UNTRUSTED not in allowed:
        refuse_untrusted()
    stop = Event()

    def wait(seconds: float) -> None:
        """Wait before a retry, unless the run is stopped."""
        if stop.wait(seconds):
            raise Stopped

    retry = RetryPolicy(limit=invocation.retry_limit)
    with open_http(transport=emulated_transport(invocation), retry=retry, sleep=wait) as http:
        resolve = resolver(http, settings, local_resolver(invocation), invocation.now())
        connect = connector(http, resolve, invocation.now(), invocation.streams)
        yield Importer(connect, invocation.jobs, progress, stop)


def _new_lineage(invocation: Invocation) -> str:
    """The identity of a state that starts with this run."""
    return str(uuid.uuid5(LINEAGES, invocation.emulate) if invocation.emulate else uuid.uuid4())


def emulated_transport(invocation: Invocation) -> InProcess | None:
    """The emulator in this process, when one is asked for."""
    scenario = invocation.scenario()
    if scenario is None:
        return None
    from reconciler.emulator.in_process import InProcess

    return InProcess(scenario)


def local_resolver(invocation: Invocation) -> Callable[[Reference], Secret]:
    """How references are resolved without a network: a scenario brings its own credentials."""
    from reconciler.config.references import resolve
    from reconciler.secret import Secret

    scenario = invocation.scenario()
    own = scenario.credentials if scenario else {}

    def resolved(reference: Reference) -> Secret:
        if reference.name in own:
            return Secret(own[reference.name])
        return resolve(reference, invocation.root, os.environ)

    return resolved
