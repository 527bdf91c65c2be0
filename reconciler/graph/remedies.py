"""What to do about the errors that Entra and Graph report. The facts stand in the catalogue of errors."""

from __future__ import annotations

from reconciler.error_catalogue import reported_remedy


def remedy(code: str, status: int, message: str = "") -> str | None:
    """What to do about an error's code and words, else about its HTTP status; None without anything special to say."""
    return reported_remedy(code, status, message)
