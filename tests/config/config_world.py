"""Builders for tests of the configuration: repositories of portal files, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

from reconciler.config.loader import load
from reconciler.config.problems import InvalidConfiguration, Problem

CORPUS = Path(__file__).parent / "corpus"

TENANT = "0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"
CLIENT = "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"


def portal_yaml(
    extra: str = "",
    *,
    name: str = "Contoso",
    tenant_id: str = TENANT,
    authentication: str = "{type: secret, secret: {env: CONTOSO_SECRET}}",
) -> str:
    """A valid portal file, with further lines at its end."""
    return f"name: {name}\ntenant_id: {tenant_id}\nclient_id: {CLIENT}\nauthentication: {authentication}\n{extra}"


def repository(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write a repository; names without a folder are portal files."""
    (root / "portals.d").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name if "/" in name or name == "reconcile.yaml" else root / "portals.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def problems_of(root: Path) -> tuple[Problem, ...]:
    """What ``load`` says about a repository: problems, or the warnings of a valid one."""
    try:
        return load(root, root / "portals.d").warnings
    except InvalidConfiguration as error:
        return error.problems


def corpus_problems(case: Path, root: Path) -> tuple[Problem, ...]:
    """What is wrong with one case of the corpus: a whole repository, or a portal file."""
    if case.is_dir():
        return problems_of(case)
    return problems_of(repository(root, {case.name: case.read_bytes()}))


def one_file(root: Path, content: str | bytes) -> tuple[Problem, ...]:
    """What is wrong with one portal file."""
    return problems_of(repository(root, {"contoso.yaml": content}))
