"""What is wrong with configuration, and where: the codes, one problem, and the error that carries all of them.

Problems never quote text from a file, because it may be a secret that somebody pasted into the wrong place; a day or
number that was read as one they may repeat. They quote keys (but none below ``authentication``), names of files, and
part numbers and SKU IDs that a tenant reported, with control characters escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import ConfigurationError

CODES = {
    # the file as bytes and as YAML
    "unreadable-file": "The file cannot be read.",
    "too-large": "The file is larger than any portal needs.",
    "not-utf-8": "The file is not UTF-8 text.",
    "byte-order-mark": "The file starts with a byte order mark.",
    "control-character": "A character that is not visible, or that reorders the text around it.",
    "tab-indentation": "A tab where YAML wants spaces.",
    "yaml-syntax": "The text is not YAML.",
    "empty-file": "The file declares nothing.",
    "multiple-documents": "More than one YAML document in a file.",
    "duplicate-key": "The same key twice in one mapping.",
    "key-not-text": "A list or a mapping where a key should be.",
    "anchor-or-alias": "A YAML anchor or alias.",
    "merge-key": "The YAML merge key.",
    "tag": "A YAML tag.",
    "too-deep": "Nested deeper than any portal needs.",
    # the schema
    "unknown-key": "A key that means nothing here.",
    "missing-key": "A key that must be there.",
    "misplaced-key": "A key that does not go together with the others.",
    "wrong-type": "Text where a number should be, one entry where a list should be, and so on.",
    "unknown-value": "Not one of the possible values.",
    "out-of-range": "A number that is too small or too large.",
    "too-long": "Text or a list that is too long.",
    "not-a-guid": "Not a GUID.",
    "placeholder-guid": "A GUID of zeros only.",
    "not-a-date": "Not a date of the calendar, as YYYY-MM-DD.",
    "not-an-amount": "Not a price.",
    "not-a-currency": "Not a currency code.",
    "bad-name": "Not a usable name of a portal.",
    "bad-text": "Not one line of text.",
    "bad-sku": "Neither a part number nor a SKU ID, nor a glob where one is allowed.",
    "bad-directory": "Not a usable directory.",
    "bad-reference": "Not exactly one place where a value is kept.",
    "file-outside": "A reference to a file outside of the repository.",
    "literal-secret": "A secret that stands in the file itself.",
    # files and rules across them
    "stray-file": "Something in the folder of portals that is not a portal.",
    "bad-id": "A file name, or the portal of a removal, that cannot be a portal's identity.",
    "reserved-id": "A file name that has another meaning.",
    "duplicate-name": "Two portals of the same name.",
    "duplicate-exclusion": "The same license excluded twice in one file.",
    "duplicate-include": "The same license included twice in one portal.",
    "contradictory-include": "A license that one portal includes and excludes.",
    "duplicate-product": "The same product twice in one portal.",
    "mixed-currencies": "Prices of one portal in more than one currency.",
    "duplicate-overlap": "The same overlap twice.",
    "circular-overlap": "A license that makes itself unnecessary, or two that each do so with the other.",
    "contradictory-thresholds": "Two thresholds that cannot both hold.",
    "duplicate-removal": "The same removal twice.",
    "keyvault-not-configured": "A secret in a key vault, and no `keyvault` in reconcile.yaml.",
    "same-tenant": "Two portals that read the same tenant.",
    # what is valid and does nothing
    "ended-exclusion": "An exclusion whose last day is over.",
    "ended-suspension": "A pause whose last day is over.",
    "unmatched-exclusion": "An exclusion that matches no license of a tenant that was read.",
    "unmatched-include": "An inclusion that matches no license of the tenant, or none that reconcile.yaml excludes.",
    "unmatched-product": "A product's entry that matches no license of the tenant.",
    "unmatched-unmetered": "An entry of `unmetered` that matches no license of any tenant.",
    "unmatched-policy": "A policy about a portal that is not declared, or a license that none of its portals has.",
    "unmatched-overlap": "An overlap of which one side matches no license of any tenant.",
    "ambiguous-product": "One declared entitlement for what is several licenses of the tenant.",
}
"""Every code, and what it stands for. Codes are stable: CI jobs match on them."""

QUOTED_LENGTH = 60
"""How much of a key a message quotes, in characters."""


def escape(text: str) -> str:
    """``text`` on one line, with everything that a terminal could obey or hide shown as a Python escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def quote(text: str) -> str:
    """A key as messages show it: escaped, shortened, between backticks."""
    shown = text if len(text) <= QUOTED_LENGTH else text[:QUOTED_LENGTH] + "…"
    return f"`{escape(shown)}`"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``file`` is relative to the repository; ``line`` and ``column`` count from 1.

    ``message`` says what is wrong in one sentence, ``hint`` what to do. Only errors stop a command.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __post_init__(self) -> None:
        """Escape what came from files, whatever the caller did; refuse a code that the table does not have."""
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in the table of codes")
        object.__setattr__(self, "file", escape(self.file))
        object.__setattr__(self, "message", escape(self.message))

    def __str__(self) -> str:
        """``file:line:column: CODE message``, the form that editors and CI jobs can jump from."""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}"

    def __lt__(self, other: Problem) -> bool:
        """Order by file, then by position."""
        return self._key() < other._key()

    def _key(self) -> tuple[str, int, int, str, str]:
        return (self.file, self.line, self.column, self.code, self.message)

    def described(self) -> str:
        """The problem's line, and its hint on an indented line below."""
        line = f"{self} (warning)" if self.severity == "warning" else str(self)
        return f"{line}\n    {self.hint}" if self.hint else line


class InvalidConfiguration(ConfigurationError):
    """Portals or settings with problems. ``problems`` holds all of them, and the warnings, sorted.

    As a string it is a line with the number of problems, then each problem with its hint.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(f"{count(self.problems)} in the configuration.")

    def __str__(self) -> str:
        return "\n".join([self.message, *(problem.described() for problem in self.problems)])


def count(problems: Iterable[Problem]) -> str:
    """How many errors and warnings there are, in words: ``2 problems and 1 warning``."""
    severities = [problem.severity for problem in problems]
    numbers = (("problem", severities.count("error")), ("warning", severities.count("warning")))
    parts = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in numbers if number]
    return " and ".join(parts) or "No problems"
