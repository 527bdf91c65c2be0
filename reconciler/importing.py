"""Reading a tenant: to its end, or not at all.

Users go page by page into staging tables, all of them or those who changed since the last import; what comes out is the
same ``Observation``. Nothing here changes what is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Event
from typing import Protocol

from reconciler.counting import Contents, Counted, contents
from reconciler.errors import PortalError, ReconcileError, ReportedError, unforeseen
from reconciler.incremental import DeltaLink, FullReadNeeded, basis_of, check_counts, why_full
from reconciler.matching import exclusion_of
from reconciler.model import (
    ChangedPage,
    Complete,
    Failed,
    License,
    Observation,
    Organization,
    Portal,
    PortalState,
    ServicePlans,
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
    def service_plans(self) -> Mapping[str, ServicePlans]:
        """The service plans of each license that was read last, by SKU ID."""

    def users(self, restarted: Callable[[], None], idle_since: date) -> Iterator[UserPage]:
        """Who consumes it, page by page. Calls ``restarted`` when the list starts again from its first page.

        Who has not signed in after ``idle_since`` is inactive, where sign-ins can be read.
        """

    @property
    def sign_ins(self) -> bool:
        """Whether the users that were listed last came with their sign-ins."""

    @property
    def selected(self) -> str:
        """What a list of users asks of each, as far as the app may read it."""

    def latest(self) -> str | None:
        """The link behind which changes from now on are told, or None for a tenant that tells none."""

    def changes(self, link: str) -> Iterator[ChangedPage]:
        """Who changed since a link was taken, page by page; the last one has the next link.

        Raises FullReadNeeded when the tenant does not know the link any more.
        """


Connect = Callable[[Portal], AbstractContextManager[Reader]]


class Stage(Protocol):
    """Where users land while a tenant is read; ``store/staging.py`` has the real one."""

    @property
    def link(self) -> DeltaLink | None:
        """Where the stored users can be gone on from."""

    def clear(self, *, changing: bool = False) -> None:
        """Forget everything. What comes then is all users, or with ``changing`` the changes to the stored ones."""

    def add(self, page: UserPage) -> None:
        """Take one page."""

    def change(self, page: ChangedPage) -> None:
        """Take one page of changes."""

    def lacks_licenses(self) -> bool:
        """Whether there is a change of a user that does not say what the user holds, and it matters."""

    def count(self, inside: Contents, imported: Collection[str]) -> Counted:
        """Count them; ``inside`` is what the tenant's SKUs contain, ``imported`` the IDs of those that are imported."""

    def go_on_from(self, link: DeltaLink | None) -> None:
        """Store with these users where the next import can go on from; None: it has to read all users."""


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
    """How tenants are read: the way to them, how many at once, who is told, and whether to stop.

    ``full``: read all users, also where those who changed would do.
    """

    connect: Connect
    jobs: int = 8
    progress: Progress = field(default_factory=Progress)
    stop: Event = field(default_factory=Event)
    full: bool = False

    def observe(self, known: PortalState, settings: Settings, staged: Stage, now: datetime) -> Observation:
        """Read the tenant of a portal to its end, or say why that was not possible. Raises Stopped.

        ``known`` is the state that the read would change.
        """
        observation = self._attempt(known, settings, staged, now)
        if self.stop.is_set():
            raise Stopped
        return observation

    def _attempt(self, known: PortalState, settings: Settings, staged: Stage, now: datetime) -> Observation:
        """What reading one tenant comes to. A failure of our own state is no failure of the tenant: it is raised."""
        portal = known.portal
        try:
            with self.connect(portal) as reader:
                return _Read(self, known, settings, reader, staged, now).complete()
        except PortalError as error:
            if isinstance(error, ReportedError) and error.trace():
                told = {
                    "portal": portal.id,
                    "error": error.code,
                    "status": error.status,
                    "request_id": error.request_id,
                }
                line = "%s: %s, %s"  # moves, so it is in no report
                log.warning(line, portal.id, error.code, error.trace(), extra={"told": told})
            log.debug("%s: %s", portal.id, error, exc_info=error)
            return Failed(portal.id, error.info())
        except ReconcileError:
            raise
        except Exception as error:  # one portal's surprise must not cost the others their import
            log.debug("%s: unexpected failure", portal.id, exc_info=error)
            return Failed(portal.id, unforeseen(error).info())


@dataclass
class _Read:
    """One read of one tenant."""

    importer: Importer
    known: PortalState
    settings: Settings
    reader: Reader
    staged: Stage
    now: datetime
    received: int = 0

    def complete(self) -> Complete:
        """Read everything that an observation says."""
        organization = self.reader.organization()
        licenses = self.reader.licenses()
        imported = frozenset(each.sku_id for each in licenses if not self._is_excluded(each))
        inside = contents(licenses, self.reader.service_plans, self.settings.overlaps)
        basis = basis_of(self.portal, self.settings, imported, self.reader.selected, self.reader.emulated)
        link = self.staged.link
        failing_since = self.known.last_import.failed_since
        reason = why_full(link, basis, self.now, forced=self.importer.full, failing_since=failing_since)
        counted: Counted | None = None
        if link is not None and reason is None:
            try:
                counted = self._changed(link, licenses, inside, imported)
            except FullReadNeeded as needed:
                reason = str(needed)
        full = counted is None
        if counted is None:
            log.info("%s: all users are read: %s", self.portal.id, reason)
            counted = self._all(basis, inside, imported)
        return Complete(
            portal_id=self.portal.id,
            organization=organization,
            licenses=licenses,
            consumption={sku_id: each for sku_id, each in counted.consumption.items() if sku_id in imported},
            users=counted.users,
            emulated=self.reader.emulated,
            sign_ins=self.reader.sign_ins if full else self.known.last_import.sign_ins,
            credential_end=self.reader.credential_end,
            paths_as_of=None if full or link is None else link.full_read,
        )

    @property
    def portal(self) -> Portal:
        """The portal whose tenant is read."""
        return self.known.portal

    def _is_excluded(self, license_: License) -> bool:
        return exclusion_of(self.portal, self.settings, license_, self.now.date()) is not None

    def _changed(
        self, link: DeltaLink, licenses: tuple[License, ...], inside: Contents, imported: Collection[str]
    ) -> Counted:
        """Read who changed, to the end of the round. Raises FullReadNeeded when that does not lead to the truth."""
        self.staged.clear(changing=True)
        following: str | None = None
        for page in self.reader.changes(link.link):
            self.staged.change(page)
            self._receive(page.present.received)
            following = page.link
        if following is None:
            raise FullReadNeeded("the changes have no end")
        if self.staged.lacks_licenses():
            raise FullReadNeeded("a changed user came without licenses")
        counted = self.staged.count(inside, imported)
        check_counts(self.known, licenses, counted.consumption)
        self.staged.go_on_from(replace(link, link=following, taken=self.now))
        return counted

    def _all(self, basis: str, inside: Contents, imported: Collection[str]) -> Counted:
        """Read all users. What changes meanwhile comes again with the changes: the link is older than the list."""
        link = self.reader.latest()
        self._restart()
        idle_since = self.now.date() - timedelta(days=self.settings.thresholds.inactive_days)
        for page in self.reader.users(self._restart, idle_since):
            self.staged.add(page)
            self._receive(page.received)
        self.staged.go_on_from(DeltaLink(link, self.now, self.now, basis) if link else None)
        return self.staged.count(inside, imported)

    def _restart(self) -> None:
        self.received = 0
        self.staged.clear()

    def _receive(self, users: int) -> None:
        """Tell how far it is. Raises Stopped when the run is to stop."""
        if self.importer.stop.is_set():
            raise Stopped
        self.received += users
        self.importer.progress.received(self.portal, self.received)
