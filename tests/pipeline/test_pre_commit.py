"""The pre-commit hooks, from a clone by path, with pre-commit itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.cli.cli_world import PACKAGE, tenant_id
from tests.pipeline.pipeline_world import PERSON, git, without_outer_git

VALID = (
    f"name: Contoso\ntenant_id: {tenant_id(1)}\nclient_id: {tenant_id(2)}\n"
    "authentication: {type: secret, secret: {env: NOT_SET}}\n"
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what the product is installed from."""
    folder = tmp_path_factory.mktemp("product")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("reconciler", "schemas", "portals.d"):
        shutil.copytree(PACKAGE / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(PACKAGE / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The product")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """pre-commit's own place, and an index without any package: libraries come from where the tests run."""
    return {
        **without_outer_git(os.environ),
        **PERSON,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_FORCE_REINSTALL": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    }


@pytest.fixture
def repository(tmp_path: Path, product: Path, environment: dict[str, str]) -> Path:
    """A repository of portals that uses the hooks."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    subprocess.run(
        [sys.executable, "-c", "from reconciler.cli.main import run; run()", "init"],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )
    (root / "portals.d/contoso.yaml").write_text(VALID)
    hooks = [{"id": hook["id"]} for hook in yaml.safe_load((PACKAGE / ".pre-commit-hooks.yaml").read_text())]
    config = {"repos": [{"repo": str(product), "rev": git(product, "rev-parse", "HEAD"), "hooks": hooks}]}
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(root, "add", "--all")
    return root


def hooks(repository: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run every hook over every file."""
    git(repository, "add", "--all")
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_hooks_pass_and_stop_what_is_wrong(repository: Path, environment: dict[str, str]) -> None:
    done = hooks(repository, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2

    (repository / "portals.d/contoso.yaml").write_text(VALID.replace("name:", "nmae:"))
    done = hooks(repository, environment)
    assert done.returncode == 1
    assert "portals.d/contoso.yaml:1:1: unknown-key" in done.stdout
    assert done.stdout.count("Passed") == 1

    (repository / "portals.d/contoso.yaml").write_text(VALID)
    (repository / "schemas/portal.schema.json").unlink()
    done = hooks(repository, environment)
    assert done.returncode == 1
    assert "schemas/portal.schema.json: missing" in done.stdout
