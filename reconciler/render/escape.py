"""Text from outside, made harmless for each output. Every name of a tenant, SKU, portal or exclusion goes through here.

``plain`` is for terminals, ``markdown`` for Markdown as GitHub and GitLab render it, ``markdown_advice`` for our own
words there, ``json_text`` for JSON.
"""

from __future__ import annotations

import re
import unicodedata

_MARKUP = re.compile(r"[\\`*{}\[\]<>#!|~$&]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
_CODE = re.compile(r"(?<!`)`((?! )(?![^`]*(?:\{\{|::))[A-Za-z0-9 ._:,;=/*'\"(){}\[\]…-]{1,80}(?<! ))`(?!`)")
_BLOCK = re.compile(r"^(?:[-+=]|\d+(?=[.)]))")
_LINKS = re.compile(r"(?i)(?<![^\W_])(www)\.|(?<=[a-z])://|@|(?<=:):(?=[a-z])")
_COMMANDS = re.compile(r"(?i)(?<=#)#(?=(?:vso)?\[)|(?<=:):(?=[a-z])")
"""What makes a line of a log a command: ``##vso[`` and ``##[`` anywhere in it, ``::name`` at its start.

Source: Azure DevOps, "Logging commands"; GitHub Docs, "Workflow commands", whose runner still knows ``##[`` too. A line
begins wherever a terminal's width or a table ends the one before, so ``::`` is broken everywhere.
"""
_UNSEEN = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])


def plain(text: str) -> str:
    r"""Text without control and format characters: they become visible escapes such as ``\x1b`` or ``\u202e``.

    Terminal control sequences, line breaks and characters that change the direction of text are all among them. So is
    one character of whatever the agent of a CI would obey in its log: ``#\x23[``, ``:\x3aerror``.
    """
    return _COMMANDS.sub(lambda match: f"\\x{ord(match[0]):x}", printable(text))


def printable(text: str) -> str:
    """Text in which everything can be seen."""
    if text.isprintable():
        return text
    return "".join(
        _visible(character) if unicodedata.category(character) in _UNSEEN else character for character in text
    )


def _visible(character: str) -> str:
    """A character as the escape that Python would write for it."""
    return character.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    """Text that shows as itself in a Markdown cell or line: no markup, no HTML, no link, no mention, no line break.

    Blanks at its ends are dropped: four of them at the start of a line would make it code.
    """
    return _BLOCK.sub(_inline, _escaped(printable(text).strip()))


def markdown_advice(text: str) -> str:
    """The same, but what stands between backticks is code: for remedies, which name commands, files and settings.

    Names of a tenant may stand in them too. So only what no reader of Markdown takes for anything else may be code.
    """
    parts = _CODE.split(printable(text).strip())
    marked = (f"`{part}`" if place % 2 else _escaped(part) for place, part in enumerate(parts))
    return _BLOCK.sub(_inline, "".join(marked))


def _escaped(text: str) -> str:
    """Text without markup and links, wherever in a line it stands."""
    return _LINKS.sub(_unlinked, _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), text))


def _inline(match: re.Match[str]) -> str:
    """The start of what would make a line a list, a rule or a heading."""
    return f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}"


def _unlinked(match: re.Match[str]) -> str:
    """The start of what GitHub would make a link or a mention of, or the agent of a CI a command.

    The word joiner behind an at sign is not seen; without it GitHub links the address although the sign is an entity.
    """
    return {"@": "&#64;&#8288;", "://": "&#58;//", ":": "&#58;"}.get(match[0], f"{match[1]}&#46;")


def json_text(text: str) -> str:
    r"""JSON text that reads the same, with control and format characters written as ``\u`` escapes.

    JSON itself asks for that only below U+0020; terminals and viewers of diffs act on more of them, and the agent of a
    CI on ``##[`` and ``##vso[``. JSON has them in strings only, and none of its lines begins with ``::``.
    """
    return re.sub(r"(?i)[^ -~\n]|(?<=#)#(?=(?:vso)?\[)", _json_escaped, text)


def _json_escaped(match: re.Match[str]) -> str:
    """One character, as an escape if nobody could see it, or a machine would obey it."""
    if match[0] != "#" and unicodedata.category(match[0]) not in _UNSEEN:
        return match[0]
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
