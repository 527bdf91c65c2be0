"""Tenants in memory that answer, fail or stop half-way, and runs of the real loop over a real state folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from reconciler.errors import PortalError
from reconciler.importing import Importer, Reader
from reconciler.model import (
    ChangedPage,
    Contact,
    Holding,
    License,
    Organization,
    Portal,
    Removal,
    SafetyLimits,
    ServicePlans,
    Settings,
    Units,
    UserPage,
)
from reconciler.outcome import Outcome
from reconciler.reconcile import apply
from reconciler.run import Run

GENEROUS = SafetyLimits(100, 10**6, 10**6, 10**6, 0)
"""Limits that let everything pass, so that a model need not know them."""

PARTS = ("ALPHA_FREE", "BETA_FREE", "GAMMA", "DELTA")


def sku_id(part: str) -> str:
    """The SKU ID of a part number."""
    return f"00000000-0000-4000-8000-00000000000{PARTS.index(part)}"


def title(_sku_id: str, part_number: str) -> str:
    """A catalogue that knows nothing."""
    return part_number


@dataclass
class Directory:
    """A tenant: part number to its units and consumers. ``fails`` says where a read stops, if it does."""

    owned: dict[str, tuple[int, int]] = field(default_factory=dict)
    fails: str | None = None


@dataclass
class DirectoryReader:
    """Reads one directory, as a ``Reader``."""

    tenant_id: str
    directory: Directory
    emulated: str | None = None
    credential_end: date | None = None
    sign_ins: bool = False
    selected: str = "id"
    service_plans: Mapping[str, ServicePlans] = field(default_factory=dict)

    def _fail_at(self, place: str) -> None:
        if self.directory.fails == place:
            raise PortalError("The tenant cannot be read.", code="test-outage")

    def organization(self) -> Organization:
        """Who the tenant is."""
        self._fail_at("organization")
        return Organization(self.tenant_id, "A tenant", None)

    def licenses(self) -> tuple[License, ...]:
        """What it owns."""
        self._fail_at("licenses")
        owned = sorted(self.directory.owned.items(), key=lambda item: sku_id(item[0]))
        return tuple(_license(part, enabled, consumed) for part, (enabled, consumed) in owned)

    def latest(self) -> str | None:
        """These tenants tell no changes."""
        return None

    def changes(self, link: str) -> Iterator[ChangedPage]:
        """Never asked for, as there is no link."""
        raise NotImplementedError

    def users(self, restarted: Callable[[], None], idle_since: date) -> Iterator[UserPage]:
        """One page for each license, and a failure after the first where that is asked for."""
        for part, (_enabled, consumers) in self.directory.owned.items():
            people = [f"{part}-{number}" for number in range(consumers)]
            contacts = [Contact(one, f"{one}@x.example", one, None, True, "Member", "DE") for one in people]
            held = (Holding(sku_id(part), True, True, False, None),)
            yield UserPage(consumers, contacts, [held] * consumers)
            self._fail_at("users")
        self._fail_at("users")


def _license(part: str, enabled: int, consumed: int) -> License:
    return License(sku_id(part), part, "User", "Enabled", Units(enabled, 0, 0, 0), consumed)


@dataclass
class Life:
    """A state folder and the tenants of its portals."""

    folder: Path
    directories: dict[str, Directory]
    now: datetime

    def apply(
        self, portals: Mapping[str, Portal], removals: Sequence[Removal] = (), settings: Settings | None = None
    ) -> Outcome:
        """One run of the real loop. Raises Refused."""

        @contextmanager
        def connect(portal: Portal) -> Iterator[Reader]:
            yield DirectoryReader(portal.tenant_id, self.directories[portal.tenant_id])

        run = Run(
            portals=portals,
            settings=settings or Settings(safety=GENEROUS),
            title=title,
            now=self.now,
            new_lineage="test",
            removals=removals,
        )
        return apply(self.folder, run, Importer(connect, jobs=2))

    def committed(self) -> dict[str, bytes]:
        """Every file that git would see."""
        files = (path for part in ("ledger", "reports") for path in (self.folder / part).rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}
