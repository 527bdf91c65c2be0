"""One emulated tenant that lives on between imports, and runs of the real loop with the real client over it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from reconciler.emulator.app import Emulator
from reconciler.emulator.faults import Fault
from reconciler.emulator.scenario import Application, Scenario, Sku, Tenant, User
from reconciler.graph.retry import RetryPolicy
from reconciler.importing import Importer, Reader
from reconciler.model import (
    Exclusion,
    Import,
    Portal,
    Reference,
    SecretAuthentication,
    Settings,
)
from reconciler.outcome import Outcome
from reconciler.reconcile import apply
from reconciler.run import Run
from reconciler.safety import Override
from reconciler.store.sqlite_errors import FILE
from tests.graph.graph_world import TENANT_ID, Wire, connect
from tests.life.life_world import GENEROUS, title

E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
FLOW = "f30db892-07e9-47e9-837c-80727f46fd3d"
PART_NUMBERS = {E3: "ENTERPRISEPACK", E5: "SPE_E5", FLOW: "FLOW_FREE"}

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
SIGN_INS = ("User.Read.All", "Organization.Read.All", "AuditLog.Read.All")

Tables = dict[str, list[tuple[Any, ...]]]

TABLES = {
    "users": "SELECT object_id, user_principal_name, display_name, mail, account_enabled, user_type, usage_location, "
    "held FROM users JOIN kinds ON kinds.key = users.kind",
    "kinds": "SELECT held, account_disabled, guest, no_usage_location, users FROM kinds",
    "contacts": "SELECT object_id, user_principal_name, display_name, mail, account_enabled FROM contacts",
    "assignments": "SELECT object_id, sku_id, direct, via_group, error FROM assignments",
    "products": "SELECT sku_id, consumers, findings, errors, reclaimable, status FROM products WHERE reason IS NULL",
    "imports": "SELECT outcome, users, organization, error FROM imports",
}
"""What is stored, without keys and times."""


def person(number: int, *licenses: Any, **members: Any) -> User:
    """A user by number."""
    return User(f"person{number}@contoso.example", licenses, mail=f"person{number}@contoso.example", **members)


def removed(number: int) -> str:
    """The object ID of a user by number."""
    return person(number).object_id


@dataclass
class DeltaWorld:
    """A state folder, the tenant that it is about, and the time."""

    folder: Path
    users: tuple[User, ...] = ()
    skus: tuple[str, ...] = (E3, E5)
    now: datetime = START
    faults: tuple[Fault, ...] = ()
    exclusions: tuple[str, ...] = ()
    roles: tuple[str, ...] = SIGN_INS[:2]
    purged: tuple[str, ...] = ()
    lag: int = 0
    inactive_days: int = 90
    emulator: Emulator = field(init=False)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.emulator = Emulator(self.scenario, self._seconds, lambda _: None)

    @property
    def scenario(self) -> Scenario:
        """The tenant as it is now. Graph's own count is ``lag`` higher than it should be."""
        skus = tuple(
            Sku(sku_id, PART_NUMBERS[sku_id], enabled=10, overrides=self._lagging(sku_id)) for sku_id in self.skus
        )
        tenant = Tenant(
            TENANT_ID,
            skus=skus,
            users=self.users,
            faults=self.faults,
            applications=(Application(roles=self.roles),),
            purged=self.purged,
        )
        return Scenario((tenant,))

    def _lagging(self, sku_id: str) -> dict[str, int]:
        held = sum(sku_id in user.held for user in self.users)
        return {"consumedUnits": held + self.lag} if self.lag else {}

    def _seconds(self) -> float:
        return self.now.timestamp()

    @property
    def portal(self) -> Portal:
        """The portal that reads it."""
        return Portal(
            "contoso",
            "Contoso",
            TENANT_ID,
            "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77",
            SecretAuthentication(Reference("env", "CONTOSO_SECRET")),
            "Microsoft 365/Contoso",
            exclusions=tuple(Exclusion(PART_NUMBERS[sku_id], "Not managed") for sku_id in self.exclusions),
        )

    def apply(self, *, full: bool = False) -> Outcome:
        """One run over the tenant as it is now."""
        self.emulator.change(self.scenario)

        @contextmanager
        def reached(_: Portal) -> Iterator[Reader]:
            network = httpx.WSGITransport(app=self.emulator)
            connection = connect(network, retry=RetryPolicy(limit=0))
            self.wire = connection.wire
            yield connection.graph

        settings = Settings(safety=GENEROUS)
        settings = replace(settings, thresholds=replace(settings.thresholds, inactive_days=self.inactive_days))
        run = Run(
            {"contoso": self.portal},
            settings,
            title,
            self.now,
            "test",
            only=("contoso",),
            allowed=(Override.ANSWER,),
            emulate=True,
        )
        return apply(self.folder, run, Importer(reached, full=full))

    def forget_tokens(self) -> None:
        """Let Graph know no token any more."""
        self.emulator = Emulator(self.scenario, self._seconds, lambda _: None)

    def import_(self, *, full: bool = False) -> Import:
        """One run, and what it says of the import."""
        (result,) = self.apply(full=full).results
        return result.after.last_import

    def after(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def asked(self) -> tuple[int, int]:
        """How many pages of the list, and how many of the changes, the last run asked for."""
        return len(self.wire.to("/users")), len(self.wire.to("/users/delta"))

    def tables(self) -> Tables:
        """What is stored."""
        with closing(sqlite3.connect(self.folder / FILE)) as db:
            return {name: sorted(db.execute(sql).fetchall(), key=repr) for name, sql in TABLES.items()}

    def links(self) -> list[tuple[str, str]]:
        """The stored links, and when they were taken."""
        with closing(sqlite3.connect(self.folder / FILE)) as db:
            return db.execute("SELECT link, taken FROM delta_links").fetchall()

    def committed(self) -> dict[str, bytes]:
        """Every file that git would see, but for serials and for as of when ways of assignment are.

        Without the evidence, which is made of the digests of the others.
        """
        files = [path for part in ("ledger", "reports") for path in (self.folder / part).rglob("*") if path.is_file()]
        names = {path.relative_to(self.folder).as_posix(): path for path in files if path.name != "evidence.json"}
        return {name: _plain(path) for name, path in names.items()}


def _plain(path: Path) -> bytes:
    text = path.read_text()
    if path.suffix != ".json":
        return "\n".join(line for line in text.splitlines() if "as of the full read" not in line).encode()
    document = json.loads(text)
    for portal in [document, *document.get("portals", ())]:
        portal.get("import", {}).pop("paths_as_of", None)
        portal.pop("serial", None)
    return json.dumps(document).encode()


def read_in_full(world: DeltaWorld, folder: Path, users: Sequence[User] | None = None) -> Tables:
    """What one full read of the same tenant stores in an empty folder."""
    fresh = DeltaWorld(
        folder,
        tuple(world.users if users is None else users),
        world.skus,
        world.now,
        exclusions=world.exclusions,
        roles=world.roles,
        lag=world.lag,
        inactive_days=world.inactive_days,
    )
    fresh.apply()
    return fresh.tables()
