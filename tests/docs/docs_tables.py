"""Tables of keys and members, read from the JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.docs.docs_errors import table
from tests.docs.docs_pages import ROOT

Schema = Mapping[str, Any]


def keys(name: str) -> str:
    """Every key of a schema of configuration: what it is, whether it must be there, its default, an example."""
    document = _document(name)
    rows = []
    for path, schema, required in _keys(document, document, ""):
        default = f"`{json.dumps(schema['default'])}`" if "default" in schema else "–"
        example = f"`{_example(schema['examples'][0])}`"
        needed = "yes" if required else "no"
        rows.append(
            (f"`{path}`", needed, default, f"{schema['description']} {_limits(schema, document)}".rstrip(), example)
        )
    return table(("Key", "Required", "Default", "Meaning", "Example"), rows)


def members(name: str = "report") -> set[str]:
    """The path of every member that ``status.json`` has, as its schema lists them."""
    document = _document(name)
    return {path for path, _ in _members(document, document, "")}


def _document(name: str) -> dict[str, Any]:
    text = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _keys(schema: Schema, document: Schema, prefix: str) -> Iterator[tuple[str, Schema, bool]]:
    """Every key below a schema, its own first, then what is in it."""
    for key, inner in schema.get("properties", {}).items():
        path = f"{prefix}{key}"
        yield path, inner, key in schema.get("required", ())
        if "else" in inner:  # one of them, or a list
            yield from _keys(_target(inner["else"]["allOf"][0], document), document, f"{path}.")
        elif inner.get("type") == "array":
            yield from _keys(inner["items"], document, f"{path}[].")
        else:
            yield from _keys(inner, document, f"{path}.")


def _limits(schema: Schema, document: Schema) -> str:
    """The values that a key takes, as far as the schema lists or bounds them."""
    merged = {**_target(schema.get("allOf", [{}])[0], document), **schema}
    if "enum" in merged:
        return "One of " + ", ".join(f"`{value}`" for value in merged["enum"]) + "."
    if "minimum" in merged:
        return f"{merged['minimum']} to {merged['maximum']}."
    if merged.get("format") == "date":
        return "YYYY-MM-DD."
    return f"At most {merged['maxLength']} characters." if "maxLength" in merged else ""


def _members(schema: Schema, document: Schema, prefix: str) -> Iterator[tuple[str, Schema]]:
    for key, inner in schema.get("properties", {}).items():
        target = _target(inner, document)
        path = f"{prefix}{key}"
        yield path, target
        if "items" in target:
            yield from _members(_target(target["items"], document), document, f"{path}[].")
        else:
            yield from _members(target, document, f"{path}.")


def _target(schema: Schema, document: Schema) -> Schema:
    """What ``$ref`` leads to."""
    if "$ref" not in schema:
        return schema
    found: Schema = document["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return found


def _example(value: object) -> str:
    """A value as people write it in YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_example(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_example(item) for item in value) + "]"
    if isinstance(value, str) and value[0] not in "*" and not value.replace(".", "").isdigit():
        return value
    return json.dumps(value)
