"""As of when what the last complete read told is known, where that is not the same for all of it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model import Import
from reconciler.render.words import moment


def reading(last: Import) -> Iterator[tuple[str, str]]:
    """Facts about a portal's last import, each with its name. None of a portal that was never read.

    Changes do not tell ways of assignment and sign-ins: those are as of the last read of all users.
    """
    if last.as_of is None:
        return
    full_read = f"as of the full read of {moment(last.paths_as_of)}" if last.paths_as_of else ""
    if full_read:
        yield "Assignment ways and errors", full_read
    if last.sign_ins:
        yield "Sign-ins", f"read, {full_read}" if full_read else "read"
    else:
        yield "Sign-ins", "not read: who is inactive or never signed in is unknown"
