"""Whose a file is: the tool's, as its marker shows, or people's.

A file of the tool says so in a marker with the digest of the rest. While the rest has that digest, nobody has changed
it, and it is brought up to date. A file that was changed, or has no marker, is people's: it is reported and left.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

_WORDS = "Written by `reconcile init`, which keeps it up to date as long as nobody changes it."
_MARKER = re.compile(re.escape(_WORDS) + r" sha256:([0-9a-f]{64})")
_OBJECT = "{\n"
"""How a JSON file begins."""


class Verdict(StrEnum):
    """What becomes of a file, in the word that people read."""

    CREATED = "created"
    UPDATED = "updated"
    CURRENT = "up to date"
    CHANGED = "left: changed by people"
    PEOPLES = "left: people's own"


def marked(text: str) -> str:
    """A text with its marker: a comment before YAML, a first member ``$comment`` in JSON."""
    marker = f"{_WORDS} sha256:{_digest(text)}"
    if text.startswith(_OBJECT):
        return f'{_OBJECT}  "$comment": "{marker}",\n{text.removeprefix(_OBJECT)}'
    return f"# {marker}\n{text}"


def is_the_tools(text: str) -> bool:
    """Whether a file has a marker."""
    return _MARKER.search(text) is not None


def verdict(present: str | None, wanted: str) -> Verdict:
    """What becomes of a file of the tool: ``present`` is what is there, ``wanted`` the marked text."""
    if present is None:
        return Verdict.CREATED
    if present == wanted:
        return Verdict.CURRENT
    found = _MARKER.search(present)
    if found is None:
        return Verdict.PEOPLES
    return Verdict.UPDATED if _digest(_unmarked(present)) == found[1] else Verdict.CHANGED


def _unmarked(text: str) -> str:
    """A text without the line of its marker."""
    return "".join(line for line in text.splitlines(keepends=True) if not _MARKER.search(line))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
