"""The catalogue of errors: every code that a user can meet, what it means, when it happens, what to do.

The one place for these facts. ``errors.py`` takes messages and remedies from here, ``reconcile explain-error`` and
``docs/errors.md`` show it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.error_catalogue.entra import ENTRA
from reconciler.error_catalogue.explanation import UNKNOWN, Explanation
from reconciler.error_catalogue.graph import BY_STATUS, FAILING, GRAPH, TRANSPORT
from reconciler.error_catalogue.local import CONFIGURATION, MACHINE
from reconciler.error_catalogue.own import PORTAL, TEST
from reconciler.error_catalogue.state import SAFETY, STATE

CATALOGUE: Mapping[str, Explanation] = {
    row.code: row for row in (*TRANSPORT, *PORTAL, *ENTRA, *GRAPH, *TEST, *SAFETY, *STATE, *CONFIGURATION, *MACHINE)
}
"""Every row by its code, in the order in which a reader wants them."""

ANY_STATUS = "http-" + UNKNOWN
"""The row of all failures without a code."""

UNLISTED = (
    "Look the code up in Microsoft's documentation of Entra and Graph errors; for AADSTS codes also at "
    "https://login.microsoftonline.com/error."
)
"""What to do about a code of Microsoft's that the catalogue does not have."""


def find(code: str, rows: Mapping[str, Explanation] = CATALOGUE) -> Explanation | None:
    """The row of a code as people write it: in any case, ``AADSTS7000215`` also as ``7000215``."""
    word = code.strip().casefold()
    if re.fullmatch("http-[1-5][0-9]{2}", word, re.ASCII):
        word = ANY_STATUS
    candidates = {word, f"aadsts{word}"}
    return next((row for known, row in rows.items() if known.casefold() in candidates), None)


def reported_remedy(code: str, status: int | None, text: str = "") -> str | None:
    """What to do about an error that Entra or Graph reports: by its code and words, else by its HTTP status.

    None when there is nothing special to say.
    """
    row = find(code)
    if row is not None and row.code != ANY_STATUS:
        return row.advice(text)
    if status is not None and status >= 500:
        return FAILING
    return BY_STATUS.get(status or 0) or (row.advice(text) if row else None)
