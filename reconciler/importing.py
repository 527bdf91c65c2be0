"""Reading a tenant: to its end, or not at all.

Users go page by page into staging tables; what comes out is an ``Observation``. Nothing here changes what is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Event
from typing import Protocol

from reconciler.counting import Contents, Counted, contents
from reconciler.errors import PortalError, ReconcileError, ReportedError
from reconciler.matching import exclusion_of
from reconciler.model import (
    Complete,
    Failed,
    License,
    Observation,
    Organization,
    Portal,
    Settings,
    UserPage,
)

log = logging.getLogger(__name__)


class Reader(Protocol):
    """A tenant that can be read. Every method raises PortalError when it cannot."""

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None for a real tenant."""

    @property
    def credential_end(self) -> date | None:
        """The last day of the credential that is tried first; known after the first request, if at all."""

    def organization(self) -> Organization:
        """Who the tenant is."""

    def licenses(self) -> tuple[License, ...]:
        """What it owns."""

    @property
    def service_plans(self) -> Mapping[str, frozenset[str]]:
        """The service plans for users of each license that was read last, by SKU ID."""

    def users(self, restarted: Callable[[], None], idle_since: date) -> Iterator[UserPage]:
        """Who consumes it, page by page. Calls ``restarted`` when the list starts again from its first page.

        Who has not signed in after ``idle_since`` is inactive, where sign-ins can be read.
        """

    @property
    def sign_ins(self) -> bool:
        """Whether the users that were listed last came with their sign-ins."""


Connect = Callable[[Portal], AbstractContextManager[Reader]]


class Stage(Protocol):
    """Where users land while a tenant is read; ``store/staging.py`` has the real one."""

    def clear(self) -> None:
        """Forget everything."""

    def add(self, page: UserPage) -> None:
        """Take one page."""

    def count(self, inside: Contents, imported: Collection[str]) -> Counted:
        """Count them; ``inside`` is what the tenant's SKUs contain, ``imported`` the IDs of those that are imported."""


class Progress:
    """What a run tells while it goes on. This one tells nobody; the CLI brings one that prints."""

    def started(self, portal: Portal) -> None:
        """The import of a portal begins."""

    def received(self, portal: Portal, users: int) -> None:
        """So many users have been received, in all."""

    def finished(self, portal: Portal, observation: Observation) -> None:
        """The import of a portal has ended."""


class Stopped(BaseException):
    """The run was stopped while a tenant was read. Nothing of that read counts, not even as a failure."""


@dataclass(frozen=True)
class Importer:
    """How tenants are read: the way to them, how many at once, who is told, and whether to stop."""

    connect: Connect
    jobs: int = 8
    progress: Progress = field(default_factory=Progress)
    stop: Event = field(default_factory=Event)

    def observe(self, portal: Portal, settings: Settings, staged: Stage, today: date) -> Observation:
        """Read one tenant to its end, or say why that was not possible. Raises Stopped."""
        observation = self._attempt(portal, settings, staged, today)
        if self.stop.is_set():
            raise Stopped
        return observation

    def _attempt(self, portal: Portal, settings: Settings, staged: Stage, today: date) -> Observation:
        """What reading one tenant comes to. A failure of our own state is no failure of the tenant: it is raised."""
        try:
            with self.connect(portal) as reader:
                return self._read(portal, settings, reader, staged, today)
        except PortalError as error:
            if isinstance(error, ReportedError) and error.trace():
                log.warning("%s: %s, %s", portal.id, error.code, error.trace())  # moves, so it is in no report
            log.debug("%s: %s", portal.id, error, exc_info=error)
            return Failed(portal.id, error.info())
        except ReconcileError:
            raise
        except Exception as error:  # one portal's surprise must not cost the others their import
            log.debug("%s: unexpected failure", portal.id, exc_info=error)
            return Failed(portal.id, ReconcileError(f"Internal error: {type(error).__name__}.").info())

    def _read(self, portal: Portal, settings: Settings, reader: Reader, staged: Stage, today: date) -> Complete:
        """Read everything that an observation says."""
        organization = reader.organization()
        licenses = reader.licenses()
        received = 0

        def restart() -> None:
            nonlocal received
            received = 0
            staged.clear()

        idle_since = today - timedelta(days=settings.thresholds.inactive_days)
        for page in reader.users(restart, idle_since):
            if self.stop.is_set():
                raise Stopped
            staged.add(page)
            received += page.received
            self.progress.received(portal, received)
        imported = {license_.sku_id for license_ in licenses if exclusion_of(portal, settings, license_, today) is None}
        found = staged.count(contents(licenses, reader.service_plans, settings.overlaps), imported)
        return Complete(
            portal_id=portal.id,
            organization=organization,
            licenses=licenses,
            consumption=found.consumption,
            users=found.users,
            emulated=reader.emulated,
            sign_ins=reader.sign_ins,
            credential_end=reader.credential_end,
        )
