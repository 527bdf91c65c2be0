"""Text from outside, made harmless for each output. Every name of a tenant, SKU, portal or exclusion goes through here.

``plain`` is for terminals, ``markdown`` for Markdown as GitHub and GitLab render it, ``json_text`` for JSON.
"""

from __future__ import annotations

import re
import unicodedata

_MARKUP = re.compile(r"[\\`*{}\[\]<>#!|~$&]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
_BLOCK = re.compile(r"^(?:[-+=]|\d+(?=[.)]))")
_LINKS = re.compile(r"(?i)(?<![^\W_])(www)\.|(?<=[a-z])://|@")
_UNSEEN = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])


def plain(text: str) -> str:
    r"""Text without control and format characters: they become visible escapes such as ``\x1b`` or ``\u202e``.

    Terminal control sequences, line breaks and characters that change the direction of text are all among them.
    """
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
    escaped = _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), plain(text).strip())
    return _LINKS.sub(_unlinked, _BLOCK.sub(_inline, escaped))


def _inline(match: re.Match[str]) -> str:
    """The start of what would make a line a list, a rule or a heading."""
    return f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}"


def _unlinked(match: re.Match[str]) -> str:
    """The start of what GitHub would make a link or a mention of.

    The word joiner behind an at sign is not seen; without it GitHub links the address although the sign is an entity.
    """
    return {"@": "&#64;&#8288;", "://": "&#58;//"}.get(match[0], f"{match[1]}&#46;")


def json_text(text: str) -> str:
    r"""JSON text that reads the same, with control and format characters written as ``\u`` escapes.

    JSON itself asks for that only below U+0020; terminals and viewers of diffs act on more of them.
    """
    return re.sub(r"[^ -~\n]", _json_escaped, text)


def _json_escaped(match: re.Match[str]) -> str:
    """One character beyond ASCII, as an escape if nobody could see it."""
    if unicodedata.category(match[0]) not in _UNSEEN:
        return match[0]
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
