"""The catalogue of errors for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from reconciler.error_catalogue.explanation import Explanation

_WIDTH = 100
_LABEL = 10


def page(row: Explanation) -> str:
    """Everything about one code."""
    lines = [row.code, _part("Message", row.message), _part("When", row.when), _part("Remedy", row.remedy)]
    if row.example:
        lines.append(_part("Example", row.example))
    lines += [_part("From", str(row.source)), _part("About", str(row.about))]
    for case in row.cases:
        lines += ["", _part("If it says", case.message), _part("When", case.when), _part("Remedy", case.remedy)]
    return "\n".join(lines) + "\n"


def listing(rows: Iterable[Explanation]) -> str:
    """One line a code, under what it is about."""
    groups: dict[str, list[Explanation]] = {}
    for row in rows:
        groups.setdefault(str(row.about), []).append(row)
    blocks = []
    for about, members in groups.items():
        width = max(len(row.code) for row in members)
        blocks.append("\n".join([f"About {about}", *(f"  {row.code:<{width}}  {_brief(row.when)}" for row in members)]))
    return "\n\n".join(blocks) + "\n"


def as_json(content: Explanation | Iterable[Explanation]) -> str:
    """One row as an object, several as a list of objects."""
    rows = asdict(content) if isinstance(content, Explanation) else [asdict(row) for row in content]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _brief(text: str) -> str:
    """The first sentence."""
    return text if ". " not in text else text.partition(". ")[0] + "."


def _part(label: str, text: str) -> str:
    """A labeled paragraph, folded between words; words are never broken, because they are copied."""
    lines, line = [], f"  {label:<{_LABEL}}"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH and line.strip():
            lines.append(line)
            line = " " * (_LABEL + 2)
        line = f"{line} {word}"
    return "\n".join([*lines, line])
