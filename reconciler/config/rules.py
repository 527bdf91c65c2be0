"""Rules that no schema can express: over credentials and the files they point to, and across portals.

They look at files with other problems too, so that all problems are found at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from posixpath import normpath
from typing import Any

from reconciler.config.problems import Problem
from reconciler.config.source import Path, Source

_SECRET_VALUE = re.compile(r"(?=.*[~.])[A-Za-z0-9~._-]{30,}|[A-Za-z0-9+/=_-]{40,}")
"""What a client secret of Entra looks like (about 40 letters, digits and signs), and no GUID or label does."""


def within(source: Source) -> Iterator[Problem]:
    """A secret's value where its ID should be, and a path that leads outside."""
    for path, label in _secret_ids(source):
        if _SECRET_VALUE.fullmatch(label):
            message = "`authentication.secret_id`: this looks like the secret's value, not like its ID."
            hint = "Take it out and renew the secret: git keeps what was committed. The Secret ID is a GUID."
            yield problem_at(source, path, "literal-secret", message, hint)
    for path, file in _files(source):
        if normpath(file).split("/")[0] == "..":  # where a link leads is known only where the file is
            hint = "Name a file inside the repository, or an absolute path."
            yield problem_at(source, path, "file-outside", "This path leads out of the repository.", hint)


def _secret_ids(source: Source) -> Iterator[tuple[Path, str]]:
    """The labels of client secrets, with their paths, as far as the value has the right shape."""
    for path, credential in _credentials(source):
        if isinstance(label := credential.get("secret_id"), str):
            yield (*path, "secret_id"), label


def _files(source: Source) -> Iterator[tuple[Path, str]]:
    """The files that references point to, with their paths, as far as the value has the right shape."""
    for path, credential in _credentials(source):
        for key, reference in credential.items():
            if isinstance(file := _mapping(reference).get("file"), str):
                yield (*path, key, "file"), file
    pseudonym_key = _mapping(_mapping(_mapping(source.value).get("report")).get("pseudonym_key"))
    if isinstance(file := pseudonym_key.get("file"), str):
        yield ("report", "pseudonym_key", "file"), file


def _credentials(source: Source) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The credentials of a portal, or the one of the settings, with their paths."""
    value = _mapping(source.value)
    keyvault = value.get("keyvault")
    within: Path = ("keyvault", "authentication") if isinstance(keyvault, dict) else ("authentication",)
    declared = keyvault.get("authentication") if isinstance(keyvault, dict) else value.get("authentication")
    several = list(enumerate(declared)) if isinstance(declared, list) else []
    for path, credential in [(within, declared), *(((*within, index), item) for index, item in several)]:
        if isinstance(credential, dict):
            yield path, credential


def across(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Names that two portals share, and tenants that two portals read. ``sources`` are the portals by id."""
    hint = "Products are named after their portal: give each its own name."
    for source, first in _repeated(sources.values(), "name", comparable):
        message = f"{first.file} has the same name."
        yield problem_at(source, ("name",), "duplicate-name", message, hint)
    hint = "Each product of that tenant is counted twice, once in each portal."
    for source, first in _repeated(sources.values(), "tenant_id", str.lower):
        message = f"{first.file} reads the same tenant."
        yield problem_at(source, ("tenant_id",), "same-tenant", message, hint, warning=True)


def _mapping(value: Any) -> Mapping[str, Any]:
    """A value if it is a mapping, else nothing."""
    return value if isinstance(value, dict) else {}


def unconfigured(sources: Iterable[Source], settings: Source | None) -> Iterator[Problem]:
    """References to key vaults while the settings do not say how to sign in there."""
    if settings is not None and (not settings.readable or _mapping(settings.value).get("keyvault") is not None):
        return
    message = "This secret is in a key vault, and nothing says how to sign in there."
    hint = "Add `keyvault` with tenant_id, client_id and authentication to reconcile.yaml."
    for source in sources:
        for path, credential in _credentials(source):
            for key, reference in credential.items():
                if isinstance(reference, dict) and "keyvault" in reference:
                    yield problem_at(source, (*path, key, "keyvault"), "keyvault-not-configured", message, hint)


def _repeated(sources: Iterable[Source], key: str, comparable: Any) -> Iterator[tuple[Source, Source]]:
    """Each source that has the value of an earlier one, with the first one that has it."""
    first: dict[str, Source] = {}
    for source in sources:
        value = source.value.get(key) if isinstance(source.value, dict) else None
        if isinstance(value, str) and value and (known := first.setdefault(comparable(value), source)) is not source:
            yield source, known


def comparable(name: str) -> str:
    """A name as it looks: without case, width and composition of letters, invisible characters, or spare blanks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(char for char in folded if unicodedata.category(char) != "Cf").split())


def problem_at(source: Source, path: Path, code: str, message: str, hint: str, *, warning: bool = False) -> Problem:
    """A problem with the value at ``path``."""
    position = source.position(*path)
    return Problem(source.file, *position, code, message, hint, "warning" if warning else "error")
