"""What a catalogue of errors says about one of them: what happened, when it happens, what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

UNKNOWN = "…"
"""Stands in a message for what only a run knows, and in a remedy for the first of these that the run met."""


class Source(StrEnum):
    """Who says so."""

    OURS = "this tool"
    ENTRA = "Microsoft Entra"
    GRAPH = "Microsoft Graph"
    TRANSPORT = "the connection"


class About(StrEnum):
    """What the error stops."""

    PORTAL = "one portal"
    TEST = "a test of one portal's connection"
    SAFETY = "a safety stop"
    STATE = "the state"
    CONFIGURATION = "the configuration"
    MACHINE = "this machine"


@dataclass(frozen=True, slots=True)
class Case:
    """One of several things that the same code can mean; its ``message`` tells them apart."""

    message: str
    when: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A row of the catalogue. ``message`` is a pattern; ``example`` is what to type, or what a value looks like."""

    code: str
    message: str
    when: str
    remedy: str
    source: Source
    about: About
    cases: tuple[Case, ...] = ()
    example: str = ""

    def advice(self, text: str) -> str:
        """What to do, given all that was said: the remedy of the case that it shows, with what the server named."""
        for message, remedy in (*((case.message, case.remedy) for case in self.cases), (self.message, self.remedy)):
            found = _pattern(message).search(text)
            if found:
                return remedy.replace(UNKNOWN, found[1]) if found.groups() else remedy
        return self.remedy


@cache
def _pattern(message: str) -> re.Pattern[str]:
    """A message as a pattern: an unknown part is any text up to the next known words, or to the parenthesis around."""
    known = "(.*?)".join(re.escape(part) for part in message.split(UNKNOWN))
    return re.compile(re.sub(r"\(\.\*\?\)$", "([^()]*)", known), re.IGNORECASE)
