"""Reading a tenant: to its end, or not at all.

Users go page by page into staging tables; what comes out is an ``Observation``. Nothing here changes what is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from threading import Event
from typing import Protocol

from reconciler.errors import PortalError, ReconcileError, ReportedError
from reconciler.matching import exclusion_of
from reconciler.model import Complete, Consumption, Failed, License, Observation, Organization, Portal, UserPage

log = logging.getLogger(__name__)


class Reader(Protocol):
    """A tenant that can be read. Every method raises PortalError when it cannot."""

    @property
    def emulated(self) -> str | None:
        """The emulator's scenario that answered, or None for a real tenant."""

    def organization(self) -> Organization:
        """Who the tenant is."""

    def licenses(self) -> tuple[License, ...]:
        """What it owns."""

    def users(self, restarted: Callable[[], None]) -> Iterator[UserPage]:
        """Who consumes it, page by page. Calls ``restarted`` when the list starts again from its first page."""


Connect = Callable[[Portal], AbstractContextManager[Reader]]


class Stage(Protocol):
    """Where users land while a tenant is read; ``store/staging.py`` has the real one."""

    def clear(self) -> None:
        """Forget everything."""

    def add(self, page: UserPage) -> None:
        """Take one page."""

    def consumption(self) -> dict[str, Consumption]:
        """Consumers and findings of each SKU."""

    def users(self, sku_ids: list[str]) -> int:
        """How many distinct users hold at least one of these SKUs."""


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

    def observe(self, portal: Portal, staged: Stage, today: date) -> Observation:
        """Read one tenant to its end, or say why that was not possible. Raises Stopped."""
        observation = self._attempt(portal, staged, today)
        if self.stop.is_set():
            raise Stopped
        return observation

    def _attempt(self, portal: Portal, staged: Stage, today: date) -> Observation:
        """What reading one tenant comes to. A failure of our own state is no failure of the tenant: it is raised."""
        try:
            with self.connect(portal) as reader:
                return self._read(portal, reader, staged, today)
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

    def _read(self, portal: Portal, reader: Reader, staged: Stage, today: date) -> Complete:
        """Read everything that an observation says."""
        organization = reader.organization()
        licenses = reader.licenses()
        received = 0

        def restart() -> None:
            nonlocal received
            received = 0
            staged.clear()

        for page in reader.users(restart):
            if self.stop.is_set():
                raise Stopped
            staged.add(page)
            received += page.received
            self.progress.received(portal, received)
        imported = [license_.sku_id for license_ in licenses if exclusion_of(portal, license_, today) is None]
        consumption, users = staged.consumption(), staged.users(imported)
        return Complete(portal.id, organization, licenses, consumption, users, reader.emulated)
