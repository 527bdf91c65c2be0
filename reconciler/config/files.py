"""The files that people declare things in, as bytes: which they are, and their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from reconciler.config.loader import PORTALS, SETTINGS


def digests(root: Path, portals: Path) -> dict[str, str]:
    """The SHA-256, in hexadecimal, of every file of configuration, by its path in the repository.

    ``portals`` is the folder of portal files, wherever it is: it counts as ``portals.d``.

    A file that cannot be read is left out: whoever loads the configuration says so.
    """
    found = {}
    for name, path in _files(root, portals):
        try:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue
    return found


def _files(root: Path, portals: Path) -> Iterator[tuple[str, Path]]:
    """The portals, the removals and the settings, in order of their names."""
    for path in sorted(portals.glob("*.yaml")):
        yield f"{PORTALS}/{path.name}", path
    yield SETTINGS, root / SETTINGS
