"""The first ``reconcile.yaml``: every setting with its meaning and its default, as comments. Made from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

_WIDTH = 110

_HEAD = """\
# yaml-language-server: $schema=schemas/settings.schema.json
#
# Settings for the whole repository. Each stands here with its default: to set it, take "# " away before it.
"""


def settings_file(schema: Mapping[str, Any]) -> str:
    """The text of the file, from the schema of settings."""
    return _HEAD + "".join(f"\n{_commented(_setting(key, inner))}" for key, inner in schema["properties"].items())


def _setting(key: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """One setting in YAML, and in comments within it what it means. A mapping shows its own members."""
    yield from _meaning(schema)
    members = {name: inner for name, inner in schema.get("properties", {}).items() if "default" in inner}
    if "default" not in schema or schema["default"] == []:
        yield f"# Such as: {key}: {_yaml(schema['examples'][0])}"
    if "default" in schema and members:
        yield f"{key}:"
        for name, inner in members.items():
            yield from (f"  {line}" for line in _setting(name, inner))
    elif "default" in schema:
        yield f"{key}: {_yaml(schema['default'])}"


def _meaning(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"# {line}" for line in wrap(schema["description"], _WIDTH))


def _yaml(value: object) -> str:
    """A value in YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)


def _commented(lines: Iterator[str]) -> str:
    """Lines as comments; what is a comment at the left edge already stays as it is."""
    return "".join(f"{line}\n" if line.startswith("#") else f"# {line}\n" for line in lines)
