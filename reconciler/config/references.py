"""From a reference to the secret value, as late as possible. Errors name the reference and never the value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.config.problems import escape
from reconciler.errors import SecretUnresolved
from reconciler.model import Reference
from reconciler.secret import Secret

MAX_BYTES = 64 * 1024
"""Keys, certificates and tokens are smaller by far."""


def resolve(reference: Reference, root: Path, environ: Mapping[str, str]) -> Secret:
    """The value behind ``reference``; ``root`` is the repository that relative paths start at and must stay in.

    Raises ``SecretUnresolved``, which says which reference leads to no value, and why.
    """
    if reference.kind == "keyvault":
        raise _unresolved(reference, "a key vault is asked only when a portal is read")
    value = _variable(reference, environ) if reference.kind == "env" else _file(reference, root)
    if not value.strip():
        raise _unresolved(reference, "it is empty")
    return Secret(value)


def _variable(reference: Reference, environ: Mapping[str, str]) -> bytes:
    if reference.name not in environ:
        raise _unresolved(reference, "the variable is not set")
    return os.fsencode(environ[reference.name])


def _file(reference: Reference, root: Path) -> bytes:
    path = Path(reference.name)
    try:
        if not path.is_absolute():
            path = (root / path).resolve()
            if not path.is_relative_to(root.resolve()):
                raise _unresolved(reference, "the path leads out of the repository")
        with path.open("rb") as stream:
            value = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unresolved(reference, "there is no such file") from None
    except IsADirectoryError:
        raise _unresolved(reference, "it is a folder") from None
    except PermissionError:
        raise _unresolved(reference, "the file may not be read") from None
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the path, a failing disk
        raise _unresolved(reference, "the file cannot be read") from None
    if len(value) > MAX_BYTES:
        raise _unresolved(reference, f"the file is larger than {MAX_BYTES // 1024} KiB")
    return value


def _unresolved(reference: Reference, why: str) -> SecretUnresolved:
    emulated = reference.kind == "file" and reference.name.startswith(".emulator/")
    return SecretUnresolved(
        f"The secret {escape(str(reference))} could not be resolved: {why}.",
        remedy="This portal belongs to the emulator: run `reconcile --emulate demo apply`." if emulated else None,
    )
