"""The built wheel, away from the repository: everything that it needs is inside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.cli.cli_world import PACKAGE, files_under


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a wheel that was installed into an environment of its own.

    The libraries that it depends on are those of the environment that runs the tests, so that no network is needed;
    the reconciler itself is not among them.
    """
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PACKAGE)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin/python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    packages = environment / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    # A path in a .pth file adds a folder without the .pth files in it, so without our editable install.
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return environment / "bin/reconcile"


def _run(command: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(command), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_wheel_runs_the_demo_outside_the_repository(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(installed.parent / "python"), "-c", "import reconciler; print(reconciler.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert Path(where.strip()).is_relative_to(installed.parents[1]), "it is the wheel that runs"
    ended = _run(installed, "--emulate", "demo", "apply", cwd=tmp_path)
    assert ended.returncode == 4, ended.stderr
    assert "Office 365 E3" in ended.stdout
    written = files_under(tmp_path / "state/reports")
    assert written == files_under(PACKAGE / "state/reports")


@pytest.mark.parametrize("name", ["portal", "settings", "removals", "report", "connection", "plan", "check"])
def test_the_wheel_has_the_schemas(installed: Path, tmp_path: Path, name: str) -> None:
    ended = _run(installed, "schema", name, cwd=tmp_path)
    assert ended.stdout == (PACKAGE / f"schemas/{name}.schema.json").read_text(), ended.stderr
