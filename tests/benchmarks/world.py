"""A world for a benchmark: tenants, the server that plays them, and the repository whose portals read them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import PRODUCT
from tests.benchmarks.pages import DELTA_PAGE, Facts, facts
from tests.benchmarks.people import Population

SECRET = "open-sesame"

SELECTED = (
    "id,userPrincipalName,displayName,mail,accountEnabled,userType,usageLocation,assignedLicenses,"
    "licenseAssignmentStates"
)
"""The properties of users that the product selects."""
CONSUMERS = (
    "CREATE TABLE consumers (tenant TEXT, object_id TEXT, sku_id TEXT, user_principal_name TEXT, display_name TEXT, "
    "mail TEXT, account_enabled INTEGER, user_type TEXT, usage_location TEXT)"
)
"""Where those put their rows that ours is compared with."""
INSERT = "INSERT INTO consumers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class BenchTenant:
    """A tenant by its number. ``changed`` are the shares of users that differ in generations 1, 2 and so on.

    ``delta_from_start``: a delta round that starts without a token can be served, in generation 0.
    """

    number: int
    licensed: int
    changed: Sequence[float] = ()
    by_letter: bool = False
    delta_from_start: bool = False

    @property
    def tenant_id(self) -> str:
        """Its ID."""
        return f"10000000-0000-4000-8000-{self.number:012d}"

    @property
    def portal_id(self) -> str:
        """The id of the portal that reads it."""
        return f"portal-{self.number:05d}"

    @property
    def populations(self) -> list[Population]:
        """Its users in each generation."""
        return [Population(self.licensed, share, self.by_letter) for share in (0.0, *self.changed)]

    @property
    def population_of_200(self) -> Population:
        """Its users at first, on pages as a delta round has them."""
        return Population(self.licensed, page_size=DELTA_PAGE)

    def facts(self, generation: int = 0) -> Facts:
        """What is true of it."""
        return facts(self.populations[generation])


def token(tenant_id: str) -> str:
    """The bearer token of a tenant, as long as a real one. Nobody checks its signature."""
    claims = {"tid": tenant_id, "roles": ["User.Read.All", "Organization.Read.All"], "filler": "x" * 600}
    header, payload = (urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "RS256"}, claims))
    return b".".join((header, payload, b"A" * 342)).decode()


class WrongAnswer(Exception):
    """A run that ended well with wrong numbers: its time is worth nothing."""


@dataclass(frozen=True)
class BenchWorld:
    """A server that runs, and a folder for what is made with it."""

    tenants: tuple[BenchTenant, ...]
    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What leads a client to the server, and the secret of every portal."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "SSL_CERT_FILE": str(self.folder / "ca.pem"),
            "BENCH_SECRET": SECRET,
        }

    def go_to(self, generation: int) -> None:
        """Let the tenants be as they are in a generation."""
        self._control(f"generation/{generation}")

    def asked(self) -> dict[str, int]:
        """How many requests came since the last call, by path."""
        return self._control("asked")

    def _control(self, command: str) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{command}") as response:
            asked: dict[str, int] = json.loads(response.read())
        return asked

    def repository(self, name: str, copied: str | None = None) -> Path:
        """A fresh repository with a portal for each tenant, or a copy of another one with its state."""
        root = self.folder / name
        shutil.rmtree(root, ignore_errors=True)
        if copied is not None:
            shutil.copytree(self.folder / copied, root)
            return root
        (root / "portals.d").mkdir(parents=True)
        for tenant in self.tenants:
            (root / "portals.d" / f"{tenant.portal_id}.yaml").write_text(
                f"name: Tenant {tenant.number}\ntenant_id: {tenant.tenant_id}\n"
                f"client_id: 20000000-0000-4000-8000-{tenant.number:012d}\n"
                "authentication: {type: secret, secret: {env: BENCH_SECRET}}\n"
            )
        return root

    def check(self, root: Path, generation: int = 0, only: Sequence[BenchTenant] = ()) -> None:
        """Compare the report on a repository, and the rows of its state DB, with the truth. Raises WrongAnswer."""
        subprocess.run([*PRODUCT, "--chdir", str(root), "report"], check=True, capture_output=True)
        portals = json.loads((root / "state/reports/status.json").read_text())["portals"]
        found = {portal["id"]: _reported(portal) for portal in portals}
        tenants = {tenant.portal_id: tenant.facts(generation) for tenant in only or self.tenants}
        expected = {portal_id: _expected(true) for portal_id, true in tenants.items()}
        if found != expected:
            wrong = next(key for key in sorted({*found, *expected}) if found.get(key) != expected.get(key))
            raise WrongAnswer(f"{wrong}: {found.get(wrong)} instead of {expected.get(wrong)}")
        rows = _rows(root / "state/reconciler.db")
        true_rows = tuple(
            sum(values) for values in zip(*((f.licensed, f.assignments) for f in tenants.values()), strict=True)
        )
        if rows != true_rows:
            raise WrongAnswer(f"{rows} contacts and assignments instead of {true_rows}")


def _reported(portal: dict[str, Any]) -> object:
    """What a report says of a portal: whether it was read, how many users, and consumed by SKU, counted both ways."""
    products = {product["sku_id"]: (product["consumed"], product["consumers"]) for product in portal["products"]}
    last = portal["import"]
    return last["outcome"], last["users"], products


def _expected(true: Facts) -> object:
    from tests.benchmarks.skus import SKUS

    return "complete", true.licensed, {sku_id: (true.consumers.get(sku_id, 0),) * 2 for sku_id in SKUS}


def _rows(path: Path) -> tuple[int, ...]:
    with sqlite3.connect(path) as db:
        counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("contacts", "assignments")]
    db.close()
    return tuple(counts)


@contextmanager
def serving(folder: Path, tenants: Sequence[BenchTenant], latency: float = 0.0) -> Iterator[BenchWorld]:
    """Start the server, its pages made; ``latency`` is what each page of users takes, in seconds."""
    described = {
        "tenants": [asdict(tenant) for tenant in tenants],
        "latency": latency,
        "authority": str(folder / "ca.pem"),
    }
    command = [sys.executable, "-m", "tests.benchmarks.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(described).encode() + b"\n")
            server.stdin.flush()
            port = int(server.stdout.readline())
            yield BenchWorld(tuple(tenants), folder, port)
        finally:
            server.kill()
