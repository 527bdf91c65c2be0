"""Text from outside, made harmless for each output. Every name of a tenant, SKU, portal or exclusion goes through here.

``plain`` is for terminals and JSON messages, ``markdown`` for Markdown as GitHub and GitLab render it.
"""

from __future__ import annotations

import re
import unicodedata

_MARKDOWN = re.compile(r"[\\`*{}\[\]<>#!|~$&]|(?<![^\W_])_|_(?![^\W_])")
_UNSEEN = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])
_LINKS = re.compile(r"(?i)\b(www)\.|(?<=[a-z])://|@")


def plain(text: str) -> str:
    r"""Text without control and format characters: they become visible escapes such as ``\x1b`` or ``\u202e``.

    Terminal control sequences, line breaks and characters that change the direction of text are all among them.
    """
    return "".join(
        _visible(character) if unicodedata.category(character) in _UNSEEN else character for character in text
    )


def _visible(character: str) -> str:
    """A character as the escape that Python would write for it."""
    return character.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    """Text that shows as itself in a Markdown cell or line: no markup, no HTML, no link, no mention, no line break."""
    escaped = _MARKDOWN.sub(lambda match: _escaped(match[0]), plain(text))
    return _LINKS.sub(_unlinked, escaped)


def _escaped(character: str) -> str:
    """One character of Markdown's alphabet. Angle brackets and ampersands become entities, for HTML's sake."""
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}.get(character, f"\\{character}")


def _unlinked(match: re.Match[str]) -> str:
    """The start of what GitHub would make a link or a mention of."""
    return {"@": "&#64;", "://": "&#58;//"}.get(match[0], f"{match[1]}&#46;")
