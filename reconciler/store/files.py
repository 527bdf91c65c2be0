"""Files that the tool owns: written whole or not at all, and only when their bytes change."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content at once: readers and a killed run see the old bytes or the new, never a part.

    The file is created with the permissions that the process's umask gives.
    """
    umask = os.umask(0)
    os.umask(umask)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_changed(folder: Path, texts: Mapping[str, str], owned: str) -> bool:
    """Make a folder hold exactly these files among those that match the glob ``owned``.

    Returns whether anything had to be written or removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = False
    for name, text in sorted(texts.items()):
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            write_atomically(path, text)
            changed = True
    for path in sorted(folder.glob(owned)):
        if path.name not in texts:
            path.unlink()
            changed = True
    return changed
