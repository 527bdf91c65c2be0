"""Strict YAML with positions: the part of YAML that people write by hand, without its surprises.

Here bytes become text, and what the parser stumbles over becomes a problem; ``yaml_values.py`` turns the parser's
events into values. Nothing is ever constructed from a tag, and size and depth are bounded.
"""

from __future__ import annotations

import re

import yaml

from reconciler.config.problems import Problem
from reconciler.config.source import Position, Source, unreadable
from reconciler.config.yaml_values import FORBIDDEN, Builder, TooDeep, forbidden_character

MAX_BYTES = 1024 * 1024
"""A portal with thousands of exclusions and products stays below this."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile(r"\r\n|\r|\n")

_SYNTAX = (
    ("mapping values are not allowed", "A colon stands where no key can be.", "Put text in quotes, or align the key."),
    ("unexpected end of stream", "A quote is opened here and never closed.", "Close it."),
    (
        "escape",
        "This escape is not known.",
        "In double quotes, write a backslash twice; single quotes keep it as it is.",
    ),
    ("cannot start any token", "No value can start with this character.", "Put the text in quotes."),
    ("expected alphabetic or numeric character", "Text that starts with `*`, `&` or `!` needs quotes.", 'Write `"*"`.'),
    ("could not find expected ':'", "This is neither a key with its value nor the text of one.", "Write `key: value`."),
    ("expected ',' or", "A comma or a closing bracket is missing before this.", "Close what was opened."),
    ("expected node content", "A value is missing, or a bracket was not closed.", "Look at the line before it too."),
    ("expected key", "The indentation is not that of the keys around it.", "Align the keys of one mapping."),
    ("expected <block end>", "The indentation is not that of the keys around it.", "Align the keys of one mapping."),
)
"""Words of the parser, and ours for them: message and hint. The parser's own may quote a value: they are not shown."""

_AT_START = ("unexpected end of stream", "could not find expected ':'")
"""Where the beginning of what went wrong says more than its end."""


def read(content: bytes, file: str) -> Source:
    """Parse the bytes of a file that is displayed as ``file``. Never raises: what is wrong is in ``problems``."""
    if problem := _unusable(content, file):
        return unreadable(problem)
    text = content.decode("utf-8")
    if forbidden := FORBIDDEN.search(text):
        return unreadable(forbidden_character(file, _position(text[: forbidden.start()]), forbidden))
    builder = Builder(file)
    try:
        return builder.build(yaml.parse(text, Loader=_LOADER))
    except TooDeep as error:
        return unreadable(error.problem, *builder.problems)
    except yaml.YAMLError as error:
        return unreadable(_syntax_problem(error, text, file), *builder.problems)


def _unusable(content: bytes, file: str) -> Problem | None:
    """What keeps the bytes from being text."""
    if len(content) > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES // 1024} KiB."
        return Problem(file, 1, 1, "too-large", message, "Split the portal, or check what was committed.")
    if content.startswith(b"\xef\xbb\xbf"):
        hint = "Save the file as UTF-8 without BOM."
        return Problem(file, 1, 1, "byte-order-mark", "The file starts with a byte order mark.", hint)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _position(content[: error.start].decode("utf-8"))
        return Problem(file, line, column, "not-utf-8", "The file is not UTF-8 from here on.", "Save it as UTF-8.")
    return None


def _position(before: str) -> Position:
    """The position that follows the text ``before``."""
    lines = _LINE_END.split(before)
    return len(lines), len(lines[-1]) + 1


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """What the parser stumbled over, in our words."""
    said = getattr(error, "problem", None) or ""
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if any(words in said for words in _AT_START):
        marks.reverse()
    mark = marks[0] or marks[1]
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    here = [*_LINE_END.split(text), ""][line - 1][column - 1 : column]
    if "cannot start any token" in said and here == "\t":
        return Problem(file, line, column, "tab-indentation", "A tab cannot indent.", "Indent with spaces.")
    for words, message, hint in _SYNTAX:
        if words in said:
            return Problem(file, line, column, "yaml-syntax", message, hint)
    hint = "Look at the line before it too."
    return Problem(file, line, column, "yaml-syntax", "This is not valid YAML.", hint)
