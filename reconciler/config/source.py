"""One file of configuration as plain values, with the place of each part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reconciler.config.problems import Problem

Path = tuple[str | int, ...]
"""Where a value is: the keys and indices that lead to it, as in a JSON pointer."""

Position = tuple[int, int]
"""Line and column, both from 1."""


class Place(NamedTuple):
    """Where something stands, as people and editors jump to it: ``file:line:column``."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Source:
    """One file: its value as plain dicts, lists and scalars, where each part of it stands, and what is wrong.

    ``file`` is how the file is displayed. ``opaque`` are paths whose value is not known (an alias, a tag);
    ``incomplete`` are mappings that may have more keys than are known (a merge key). ``readable`` is False when the
    text could not be read to its end, so that ``value`` means nothing.
    """

    file: str
    value: Any = field(repr=False)
    keys: Mapping[Path, Position]
    values: Mapping[Path, Position]
    problems: tuple[Problem, ...]
    opaque: frozenset[Path] = frozenset()
    incomplete: frozenset[Path] = frozenset()
    readable: bool = True

    def position(self, *path: str | int) -> Position:
        """Where the value at ``path`` stands, else the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def place(self, *path: str | int) -> Place:
        """The same with the file."""
        return Place(self.file, *self.position(*path))

    def key_position(self, *path: str | int) -> Position:
        """Where the key of ``path`` stands, else (for an entry of a list) its value."""
        return self.keys.get(path) or self.position(*path)


def unreadable(problem: Problem, *others: Problem) -> Source:
    """A source of which nothing is known but its problems."""
    return Source(problem.file, None, {}, {}, (problem, *others), readable=False)
