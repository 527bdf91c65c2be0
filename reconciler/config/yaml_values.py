"""From a YAML parser's events to plain values, with the position of each key and value.

Plain scalars follow the YAML 1.2 core schema, less the notations of numbers that mislead: ``no``, ``on``, ``010``,
``0x1F``, ``1:30`` and ``2027-03-31`` are text. Duplicate keys, anchors, aliases, merge keys, tags and further
documents are problems, and reading goes on after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from reconciler.config.problems import Problem
from reconciler.config.source import Path, Position, Source

MAX_DEPTH = 16
"""The schemas nest five levels deep."""

# C0 and C1 controls but tab and line ends, line and paragraph separators, bidirectional overrides, byte order marks,
# lone surrogates (an escape in a double-quoted string can write one).
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that no configuration needs, and that hide what a reviewer should see."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def plain(text: str) -> str | int | float | bool | None:
    """What a plain (unquoted) scalar means. Absurdly long numbers stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def forbidden_character(file: str, position: Position, found: re.Match[str]) -> Problem:
    """The problem with a character that ``FORBIDDEN`` found."""
    message = f"The character U+{ord(found.group()):04X} must not be here."
    return Problem(file, *position, "control-character", message, "Delete it.")


class TooDeep(Exception):
    """Nested so deep that reading stops. ``problem`` says where."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class Builder:
    """Builds one ``Source``. ``problems`` are those met so far, also when the parser gives up."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._keys: dict[Path, Position] = {}
        self._values: dict[Path, Position] = {}
        self._opaque: set[Path] = set()
        self._incomplete: set[Path] = set()
        self._events: Iterator[Any] = iter(())

    def build(self, events: Iterable[Any]) -> Source:
        """Read the one document of the parser's events. Raises ``TooDeep``, and what the parser raises."""
        self._events = iter(events)
        value = self._document()
        opaque, incomplete = frozenset(self._opaque), frozenset(self._incomplete)
        return Source(self._file, value, self._keys, self._values, tuple(self.problems), opaque, incomplete)

    def _problem(self, position: Position, code: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self._file, *position, code, message, hint))

    def _document(self) -> Any:
        """The value of the first document; a second one is a problem."""
        value: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "A second document starts here."
                    self._problem(_start(event), "multiple-documents", message, "Write one file per portal.")
                    break
                value = self._value(next(self._events), ())
        return value

    def _value(self, event: Any, path: Path) -> Any:
        """Build the value that starts with ``event``."""
        position = self._values[path] = _start(event)
        if isinstance(event, yaml.AliasEvent):
            self._anchor(position)
            self._opaque.add(path)
            return None
        if event.anchor is not None:
            self._anchor(position)
        if event.tag is not None:
            self._tag(position)
            self._opaque.add(path)
        if isinstance(event, yaml.ScalarEvent):
            if not self._visible(event, position):
                self._opaque.add(path)
            return plain(event.value) if event.implicit[0] else event.value
        if len(path) >= MAX_DEPTH:
            message = f"This is nested more than {MAX_DEPTH} levels deep."
            raise TooDeep(Problem(self._file, *position, "too-deep", message, "Put text with brackets in quotes."))
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path)

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._skip(next(self._events))
                continue
            self._keys[(*path, key)] = _start(event)
            mapping[key] = self._value(next(self._events), (*path, key))
        return mapping

    def _key(self, event: Any, path: Path) -> str | None:
        """The text of a key, or None after saying why it is no good. No message quotes it: it may be a secret."""
        position = _start(event)
        if isinstance(event, yaml.AliasEvent):
            self._anchor(position)
            return None
        if event.anchor is not None:
            self._anchor(position)
        if event.tag is not None:
            self._tag(position)
        if not isinstance(event, yaml.ScalarEvent):
            self._problem(position, "key-not-text", "A key must be text.", "Put text with brackets in quotes.")
            self._skip(event)
            return None
        if event.value == "<<" and event.implicit[0]:
            self._problem(position, "merge-key", "The YAML merge key must not be used.", "Write the keys out.")
            self._incomplete.add(path)
            return None
        if first := self._keys.get((*path, event.value)):
            message = f"This key stands on line {first[0]} already."
            self._problem(position, "duplicate-key", message, "Keep one of them.")
            return None
        return str(event.value) if self._visible(event, position) else None

    def _skip(self, event: Any) -> None:
        """Pass over the rest of a value that begins with ``event``."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if not depth:
                return
            event = next(self._events)

    def _anchor(self, position: Position) -> None:
        hint = "Write the value out; put text that starts with & or * in quotes."
        self._problem(position, "anchor-or-alias", "YAML anchors and aliases must not be used.", hint)

    def _tag(self, position: Position) -> None:
        hint = "Delete it; put text that starts with ! in quotes."
        self._problem(position, "tag", "YAML tags must not be used.", hint)

    def _visible(self, event: yaml.ScalarEvent, position: Position) -> bool:
        """Whether no escape of a double-quoted string has put a forbidden character into it."""
        forbidden = FORBIDDEN.search(event.value)
        if forbidden:
            self.problems.append(forbidden_character(self._file, position, forbidden))
        return forbidden is None


def _start(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
