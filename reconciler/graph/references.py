"""References to secrets as the sign-in needs them: a way to their values, given from outside."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.errors import SecretUnresolved
from reconciler.model import Reference
from reconciler.secret import Secret

Resolve = Callable[[Reference], Secret]
"""Leads a reference to its value, or raises SecretUnresolved."""


def text_of(reference: Reference, resolve: Resolve) -> str:
    """The value behind a reference, as text on one line. Raises SecretUnresolved, which never quotes it."""
    try:
        text = resolve(reference).text()
    except UnicodeDecodeError:
        raise SecretUnresolved(detail=f"{reference} is not UTF-8 text") from None
    if not text:
        raise SecretUnresolved(detail=f"{reference} is empty")
    return text
