"""Files that the tool owns: written whole or not at all, and only when their bytes change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import StateError

_UNFINISHED = ".tmp"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write a path (rights, space) into a StateError that names it."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"{path.name} cannot be written.",
            code="state-not-writable",
            detail=error.strerror,
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content at once: readers and a killed run see the old bytes or the new, never a part.

    The folder is not synced: after a power cut the old file may be back, and the next run writes it again from the
    state DB. Raises OSError.
    """
    _replace(path, (content,), path.with_name(f".{path.name}{_UNFINISHED}"), 0o666)


def is_unfinished(path: Path) -> bool:
    """Whether a file is what a killed run left of ``write_atomically``; git ignores it."""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)


def write_privately(path: Path, chunks: Iterable[bytes]) -> None:
    """Put a file that nobody else may read in place of the one that is there, if any, whole or not at all.

    Processes that write it at once do not meet. Raises OSError, and what ``chunks`` raises.
    """
    _replace(path, chunks, path.with_name(f".{path.name}.{os.getpid()}{_UNFINISHED}"), 0o600)


def _replace(path: Path, chunks: Iterable[bytes], unfinished: Path, mode: int) -> None:
    """Write a new file beside ``path``, with these rights less the umask, and move it there."""
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_alone(path: Path, content: bytes) -> None:
    """Write a file as ``write_atomically`` does, where only one process writes it: what a killed one left is cleared.

    Raises StateError when it cannot be written.
    """
    with writing(path):
        path.with_name(f".{path.name}{_UNFINISHED}").unlink(missing_ok=True)
        write_atomically(path, content)


def write_changed(folder: Path, texts: Mapping[str, str | None], *owned: str) -> bool:
    """Make a folder hold exactly these files among those that match a glob of ``owned``, written in this order.

    Names are paths within the folder. A file without a text stays as it is. Files that are not named are removed, after
    the others are written. Returns whether anything had to be written or removed. What a killed run left unfinished is
    cleared away. Raises StateError when the folder cannot be written.
    """
    changed = False
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for parent in sorted({(folder / pattern).parent for pattern in owned}):
            for unfinished in parent.glob(f".*{_UNFINISHED}"):
                unfinished.unlink(missing_ok=True)
        for name, text in texts.items():
            if text is not None and holds_other(folder / name, text):
                (folder / name).parent.mkdir(exist_ok=True)
                write_atomically(folder / name, text.encode())
                changed = True
        for pattern in owned:
            for path in sorted(folder.glob(pattern)):
                if path.relative_to(folder).as_posix() not in texts and not path.is_dir():
                    path.unlink()
                    changed = True
    return changed


def holds_other(path: Path, text: str) -> bool:
    """Whether a file is missing or says anything but this. Raises OSError."""
    return not path.is_file() or path.read_bytes() != text.encode()
