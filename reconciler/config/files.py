"""The files that people declare things in, as bytes: which they are, and their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from reconciler.config.loader import PORTALS, SETTINGS


def digests(root: Path) -> dict[str, str]:
    """The SHA-256, in hexadecimal, of every file of configuration in a repository, by its path there.

    A file that cannot be read is left out: whoever loads the configuration says so.
    """
    found = {}
    for path in _files(root):
        try:
            found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue
    return found


def _files(root: Path) -> Iterator[Path]:
    """The settings, the portals and the removals, in order of their names."""
    yield from sorted((root / PORTALS).glob("*.yaml"))
    yield root / SETTINGS
