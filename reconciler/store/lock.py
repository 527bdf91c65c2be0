"""One writer at a time: an advisory lock on ``state/.lock`` that the kernel releases when the process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Refused
from reconciler.store.files import writing


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the lock of a state folder.

    The file stays, the lock does not: a killed run leaves nothing to clean up. Raises Refused when another run
    holds it, StateError when the folder cannot be written.
    """
    path = state / ".lock"
    with writing(path):
        state.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(code="locked") from None
        yield
