"""Links in a repository that lead out of it. Whoever may open a pull request may bring one."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.errors import ConfigurationError


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path, or a folder on the way to it, is a link to somewhere outside of ``root`` or into its ``.git``.

    ``.git`` is no part of what people review, and may have the credentials of a CI in it. A loop of links counts too.
    """
    try:
        within = path.resolve().relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        return True
    return ".git" in (part.casefold() for part in within.parts)


def refuse_links_out(folder: Path, root: Path) -> None:
    """Raise ConfigurationError when a folder, or anything in it, is a link that leads out of ``root``."""
    if leads_out(folder, root):
        raise refused(folder.relative_to(root).as_posix())
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink() and leads_out(path, root):
                raise refused(path.relative_to(root).as_posix())


def refused(name: str) -> ConfigurationError:
    """The error about a link that leads out. ``name`` is its path in the repository."""
    return ConfigurationError(f"{name} is a link that leads out of the repository.", code="link-refused")
