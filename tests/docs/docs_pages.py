"""The documentation as data: its pages, their fenced blocks, headings, links and quoted command lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""

_FENCE = re.compile(r"^( *)(`{3,})([a-z]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (write|append): (\S+) -->\s*$")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ENDS = frozenset(["|", "||", "&&", ";", ">", ">>", "2>", "&", "(", ")", "<"])


@dataclass(frozen=True)
class Block:
    """A fenced block. ``start`` and ``end`` are where its text stands in the page.

    ``action`` and ``target`` come from a comment before it: the text is written, or appended, to that file.
    """

    language: str
    text: str
    start: int
    end: int
    action: str | None = None
    target: str | None = None


def pages() -> list[Path]:
    """Every page, README first."""
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return top + sorted((ROOT / "docs").rglob("*.md"))


def name(page: Path) -> str:
    """A page as messages and test ids call it."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    found = []
    for match in _FENCE.finditer(text):
        comment = _COMMENT.search(text[: match.start()])
        action, target = comment.groups() if comment else (None, None)
        indent = len(match[1])
        body = "".join(line[indent:] if line.strip() else line for line in match[4].splitlines(keepends=True))
        found.append(Block(match[3], body, match.start(4), match.end(4), action, target))
    return found


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    made: set[str] = set()
    for heading in _HEADING.findall(prose(text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = next(n for n in range(len(made) + 1) if (f"{slug}-{n}" if n else slug) not in made)
        made.add(f"{slug}-{number}" if number else slug)
    return made


def links(text: str) -> list[str]:
    """The targets of a page's links, without those to other sites."""
    without_code = _INLINE.sub("", prose(text))
    return [link for link in _LINK.findall(without_code) if "://" not in link and not link.startswith("mailto:")]


def command_lines(text: str) -> Iterator[list[str]]:
    """The arguments of every ``reconcile …`` that a page quotes, in blocks and between backticks."""
    for block in blocks(text):
        if block.language in ("console", "sh", "yaml"):
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from _commands(line)
    for code in _INLINE.findall(prose(text)):
        if code.startswith("reconcile "):
            yield from _commands(code)


def _commands(line: str) -> Iterator[list[str]]:
    """Every call of ``reconcile`` in one line of shell."""
    stripped = re.sub(r"^\s*(?:\$ |- run: |run: )?", "", line)
    lexer = shlex.shlex(stripped, posix=True, punctuation_chars="|&;<>()")
    lexer.commenters = "#"
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an apostrophe in output or in a sentence: no command line
        return
    for start, word in enumerate(words):
        first = start == 0 or words[start - 1] in _ENDS or "=" in words[start - 1]
        if word == "reconcile" and first:
            arguments = []
            for argument in words[start + 1 :]:
                if argument in _ENDS:
                    break
                arguments.append(argument)
            if arguments[-1:] == ["2"]:
                arguments.pop()  # of ``2>``
            yield arguments
