"""A repository on disk, an emulated world, and the command line between the two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.cli.main import main
from reconciler.emulator import scenarios
from reconciler.emulator.scenario import SECRET, Application, Scenario, Sku, Tenant, UserGroup, Vault

if TYPE_CHECKING:
    import pytest  # other Pythons play scenarios with these builders, and have no test library

E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
POWER_BI = "f8a1db68-be16-40ed-86d5-cb42ce701560"
FLOW = "f30db892-07e9-47e9-837c-80727f46fd3d"

PACKAGE = Path(__file__).parents[2]


def tenant_id(number: int) -> str:
    """The tenant of the ``number``-th portal."""
    return f"10000000-0000-4000-8000-{number:012d}"


def client_id(number: int) -> str:
    """The application of the ``number``-th portal."""
    return f"20000000-0000-4000-8000-{number:012d}"


def office(enabled: int = 10, **more: Any) -> Sku:
    """Office 365 E3."""
    return Sku(E3, "ENTERPRISEPACK", enabled=enabled, **more)


def power_bi(enabled: int = 10, **more: Any) -> Sku:
    """Power BI Pro."""
    return Sku(POWER_BI, "POWER_BI_PRO", enabled=enabled, **more)


def flow(enabled: int = 10_000, **more: Any) -> Sku:
    """Power Automate Free."""
    return Sku(FLOW, "FLOW_FREE", enabled=enabled, **more)


def tenant(number: int = 1, **more: Any) -> Tenant:
    """A tenant with ten Office licenses and seven users who hold one."""
    more.setdefault("skus", (office(),))
    more.setdefault("users", (UserGroup(7, (E3,)),))
    more.setdefault("applications", (Application(client_id(number)),))
    return Tenant(tenant_id(number), f"Tenant {number}", f"tenant{number}.example", **more)


def portal_yaml(number: int = 1, name: str | None = None, extra: str = "") -> str:
    """The file of the ``number``-th portal."""
    return (
        f"name: {name or f'Portal {number}'}\n"
        f"tenant_id: {tenant_id(number)}\n"
        f"client_id: {client_id(number)}\n"
        "authentication: {type: secret, secret: {env: TEST_SECRET}}\n"
        f"{extra}"
    )


def keyvault_yaml(number: int = 1, secret: str = "TEST_SECRET") -> str:
    """Settings that sign in to key vaults as the app of the ``number``-th portal does."""
    return (
        f"keyvault:\n  tenant_id: {tenant_id(number)}\n  client_id: {client_id(number)}\n"
        f"  authentication: {{type: secret, secret: {{env: {secret}}}}}\n"
    )


@dataclass(frozen=True)
class Ended:
    """How one command ended."""

    code: int
    out: str
    err: str


@dataclass
class World:
    """A repository and the tenants that its portals read."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        (self.root / "portals.d").mkdir(parents=True)
        self.monkeypatch.setenv("TEST_SECRET", SECRET)

    def portals(self, **files: str) -> None:
        """Make ``portals.d`` hold exactly these files."""
        for path in (self.root / "portals.d").iterdir():
            path.unlink()
        for name, text in files.items():
            (self.root / "portals.d" / f"{name}.yaml").write_text(text)

    def tenants(self, *tenants: Tenant, vaults: tuple[Vault, ...] = ()) -> None:
        """Let the emulator have exactly these tenants and key vaults."""
        scenario = Scenario(tenants, vaults=vaults)
        self.monkeypatch.setattr(scenarios, "load", lambda name: scenario)

    def run(self, *arguments: str, emulate: bool = True) -> Ended:
        """Run a command in this repository."""
        self.capsys.readouterr()
        world = ["--chdir", str(self.root), *(["--emulate", "test"] if emulate else [])]
        code = main([*world, *arguments])
        captured = self.capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def status(self) -> dict[str, Any]:
        """``status.json``: each portal by id."""
        document = json.loads((self.root / "state/reports/status.json").read_text())
        return {portal["id"]: portal for portal in document["portals"]}

    def product(self, portal: str = "one", sku_id: str = E3) -> dict[str, Any]:
        """One product of ``status.json``."""
        products: dict[str, Any] = {product["sku_id"]: product for product in self.status()[portal]["products"]}
        found: dict[str, Any] = products[sku_id]
        return found

    def written(self) -> dict[str, bytes]:
        """Every file under ``state/`` that is committed."""
        return files_under(self.root / "state", without=("reconciler.db", ".lock"))


def files_under(folder: Path, without: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in without)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def reconcile(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from reconciler.cli.main import main; sys.exit(main())", *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
