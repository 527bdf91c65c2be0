"""American spelling in all that people read of the product; the original's label and status name stay as they are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ORIGINAL = ("Product cannot be synchronised", "cannot_be_synchronised", "CANNOT_BE_SYNCHRONISED")
"""The words of the original that are part of the contract."""
BRITISH = re.compile(
    r"(?i)(?:synchron|serial|normal|author|recogn|summar|optim|minim|custom|initial|util)is(?:e|es|ed|ing|ation)\b"
    r"|\b(?:licence|colour|behaviour|honour|favour|centre|labelled|organis)\w*"
)
READ = (("reconciler", "*.py"), ("reconciler/scaffold", "*.md"), ("schemas", "*.json"), ("docs", "*.md"))


def test_the_spelling_is_american() -> None:
    files = {path for folder, pattern in READ for path in (ROOT / folder).rglob(pattern)}
    found = {}
    for path in sorted(files | {ROOT / "README.md"}):
        text = path.read_text(encoding="utf-8")
        for words in ORIGINAL:
            text = text.replace(words, "")
        if british := [match[0] for match in BRITISH.finditer(text)]:
            found[str(path.relative_to(ROOT))] = british
    assert not found
