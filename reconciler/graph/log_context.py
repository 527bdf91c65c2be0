"""Which portal a line of the log is about: what is logged while a portal is read says so by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_PORTAL: ContextVar[str | None] = ContextVar("portal", default=None)


@contextmanager
def about(portal_id: str) -> Iterator[None]:
    """What this thread logs meanwhile is about this portal. A thread that it starts has to be given its context."""
    before = _PORTAL.set(portal_id)
    try:
        yield
    finally:
        _PORTAL.reset(before)


def portal() -> str | None:
    """The portal that this thread works for."""
    return _PORTAL.get()
