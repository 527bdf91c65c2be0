"""JSON Schema for people: validates one file against a shipped schema and says what is wrong in our own words.

The schemas under ``schemas/`` are the source of truth, for this module and for editors. Beside draft-07 they carry
``patternErrorMessage`` (which editors show too) and ``x-code``, the code of the problem when the pattern does not fit.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend

from reconciler.config.problems import Problem, quote
from reconciler.config.source import Path, Source
from reconciler.resources import folder

AUTHENTICATION = "authentication"
"""Below this key nothing that stands in the file is quoted, not even a key."""

KEYVAULT = "keyvault"
"""The key of the settings under which a credential stands too, and the kind of reference that cannot be part of it."""

REPORT = "report"
PSEUDONYM_KEY = "pseudonym_key"
"""The key of ``report`` in the settings whose value is secret too."""

SECRETS = frozenset({"secret", "private_key", "pfx", "passphrase", "token", PSEUDONYM_KEY})
"""Keys whose value is secret; ``public_certificate`` is not."""

_EXPECTED = {
    "object": "keys and values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}
_FOUND = {bool: "true or false", int: "a number", float: "a number with decimals", str: "text", list: "a list"}
_REFERENCE = "Write `{env: NAME}` or `{file: PATH}`."
_TOKEN = "Write `{file: PATH}` or `{github: true}`."  # noqa: S105 - how to refer to one
_INSTEAD = {"public_certificate": "Or give `pfx`.", "private_key": "Or give `pfx`.", "token": _TOKEN}
"""Hints for missing keys of a credential."""


def problems(source: Source, schema: str) -> list[Problem]:
    """Everything in ``source`` that the schema ``portal``, ``settings`` or ``removals`` does not allow."""
    found: dict[Problem, None] = {}
    for error in _validator(schema).iter_errors(source.value):
        path = tuple(error.absolute_path)
        if not any(path[: len(opaque)] == opaque for opaque in source.opaque):
            found.update(dict.fromkeys(_Translation(source, path, error).problems()))
    return list(found)


# --- the validator ---------------------------------------------------------------------------------------------------


@cache
def _validator(name: str) -> Any:
    """The validator of one schema: built once, because it serves a thousand files."""
    document = json.loads((folder("schemas") / f"{name}.schema.json").read_text(encoding="utf-8"))
    validator = extend(Draft7Validator, {"pattern": _pattern, "format": _format})  # type: ignore[no-untyped-call]
    return validator(_inlined(document, document.get("definitions", {})))


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with each ``allOf: [{$ref}]`` replaced by what it refers to: following it each time is slow.

    ``false`` becomes ``{"not": {}}``, which means the same: jsonschema does not say which key ``false`` stands for.
    """
    if not isinstance(schema, dict):
        return {"not": {}} if schema is False else schema
    inlined: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "allOf" and "$ref" in value[0]:
            target = definitions[value[0]["$ref"].removeprefix("#/definitions/")]
            inlined = {**_inlined(target, definitions), **inlined}
        elif keyword == "allOf":
            inlined[keyword] = [_inlined(part, definitions) for part in value]
        elif keyword == "properties":
            inlined[keyword] = {key: _inlined(part, definitions) for key, part in value.items()}
        elif keyword in ("items", "if", "then", "else"):
            inlined[keyword] = _inlined(value, definitions)
        elif keyword not in ("title", "description", "examples", "default", "definitions"):
            inlined[keyword] = value
    return inlined


def _pattern(validator: Any, pattern: str, instance: object, schema: Any) -> Iterator[ValidationError]:
    """``pattern`` as JSON Schema means it: there ``$`` is the end, in Python also the place before a last line end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("pattern")


def _format(validator: Any, name: str, instance: object, schema: Any) -> Iterator[ValidationError]:
    """``format: date``: a day that exists. The schemas use no other format."""
    if isinstance(instance, str) and not (re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", instance) and _exists(instance)):
        yield ValidationError("format")


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


# --- the words -------------------------------------------------------------------------------------------------------


class _Translation:
    """One finding of jsonschema in words. Its own message is never shown: it quotes values, which may be secret."""

    def __init__(self, source: Source, path: Path, error: ValidationError) -> None:
        self._source = source
        self._path = path
        self._error = error
        self._instance: Any = error.instance
        self._limit: Any = error.validator_value
        self._schema: Any = error.schema
        below = path[1:] if path[:1] == (KEYVAULT,) else path
        self._secretive = below[:1] == (AUTHENTICATION,) or path[:2] == (REPORT, PSEUDONYM_KEY)
        self._in_authentication = below[1:] if self._secretive else ()

    def problems(self) -> Iterator[Problem]:
        """The problems behind the finding: one, or one for each key that is missing or too many."""
        match self._error.validator:
            case "additionalProperties":
                yield from self._unknown_keys()
            case "required":
                yield from self._missing_keys()
            case "type":
                yield self._wrong_type()
            case "enum":
                yield from self._unknown_value()
            case "pattern":
                yield self._at_value(self._schema["x-code"], f"{self._label} {self._schema['patternErrorMessage']}.")
            case "not" if not self._limit:
                yield self._misplaced_key()
            case "not":
                hint = "Copy the GUID from the app registration in Entra."
                yield self._at_value("placeholder-guid", f"{self._label} is only a placeholder.", hint)
            case "format":
                hint = "Write a day that exists as YYYY-MM-DD."
                yield self._at_value("not-a-date", f"{self._label} is not a date.", hint)
            case "minimum":
                yield self._at_value("out-of-range", f"{self._label} must be at least {self._limit}.")
            case "maximum":
                yield self._at_value("out-of-range", f"{self._label} must be at most {self._limit}.")
            case "maxLength":
                yield self._at_value("too-long", f"{self._label} is longer than {self._limit} characters.")
            case "maxItems":
                yield self._at_value("too-long", f"{self._label} has more than {self._limit} entries.")
            case "minItems":
                yield self._at_value(
                    "wrong-type", f"{self._label} is an empty list.", "Add an entry, or delete the key."
                )
            case "const":
                yield self._at_value("unknown-value", f"{self._label} must be `{str(self._limit).lower()}`.", _TOKEN)
            case "minProperties" | "maxProperties":
                yield self._at_value("bad-reference", f"{self._label} must name exactly one place.", self._reference)
            case keyword:
                raise NotImplementedError(f"no words for the keyword {keyword}")

    @property
    def _label(self) -> str:
        """The value's path as people write it: ``exclusions[0].reason``."""
        label = ""
        for part in self._path:
            label += f"[{part}]" if isinstance(part, int) else f".{part}"
        return f"`{label.removeprefix('.')}`" if label else "The file"

    @property
    def _credential_key(self) -> str | None:
        """The key of a credential that this is the value of, also when there are two credentials."""
        keys = [part for part in self._in_authentication if isinstance(part, str)]
        return keys[0] if len(keys) == 1 else None

    @property
    def _reference(self) -> str:
        """How to refer to a value that must not stand here."""
        return _TOKEN if self._credential_key == "token" else _REFERENCE

    def _at_value(self, code: str, message: str, hint: str | None = None) -> Problem:
        return Problem(self._source.file, *self._source.position(*self._path), code, message, hint)

    def _at_key(self, code: str, message: str, hint: str | None = None, key: str | None = None) -> Problem:
        path = self._path if key is None else (*self._path, key)
        return Problem(self._source.file, *self._source.key_position(*path), code, message, hint)

    def _unknown_keys(self) -> Iterator[Problem]:
        known = list(self._schema["properties"])
        for key in self._instance:
            if key not in known:
                message = (
                    "This key is not known here." if self._secretive else f"The key {quote(key)} is not known here."
                )
                hint = did_you_mean(key, known) or f"Known here: {', '.join(known)}."
                if key == KEYVAULT and self._path[:1] == (KEYVAULT,) and self._credential_key is not None:
                    hint = f"The way into the vaults cannot lie in a vault. {self._reference}"
                yield self._at_key("unknown-key", message, hint, key)

    def _missing_keys(self) -> Iterator[Problem]:
        if self._path in self._source.incomplete:
            return
        where = f" in {self._label}" if self._path else ""
        for key in self._limit:
            if key not in self._instance:
                hint = _INSTEAD.get(key) if self._secretive else None
                yield self._at_key("missing-key", f"The key `{key}` is missing{where}.", hint)

    def _misplaced_key(self) -> Problem:
        """A key of ``authentication`` that belongs to another type, or to the other form of a certificate."""
        key = self._path[-1]
        hint = "Delete it, or change the other keys."
        if key == "expires":
            hint = "Only a secret needs it: a certificate carries its own end date, a token is always fresh."
        return self._at_key("misplaced-key", f"The key `{key}` does not go together with the others here.", hint)

    def _wrong_type(self) -> Problem:
        expected = self._limit
        if self._instance is None:
            hint = "Give it a value, or delete the key." if self._path else None
            return self._at_value("wrong-type", f"{self._label} has no value.", hint)
        is_reference = expected == "object" and self._credential_key is not None
        if self._credential_key in SECRETS and is_reference and not isinstance(self._instance, list):
            hint = f"{self._reference} Take the value out and renew it: git keeps what was committed."
            return self._at_value("literal-secret", f"{self._label}: a secret must not stand in a file.", hint)
        message = (
            f"{self._label} must be {_EXPECTED[expected]}, not {_FOUND.get(type(self._instance), 'keys and values')}."
        )
        return self._at_value("wrong-type", message, self._reference if is_reference else self._type_hint(expected))

    def _type_hint(self, expected: str) -> str | None:
        if expected == "string" and isinstance(self._instance, bool | int | float):
            return "Put it in quotes."
        if expected == "array":
            return "Begin each entry on a line of its own with `- `."
        if expected == "integer" and isinstance(self._instance, str):
            return "Write digits only, without quotes."
        if expected == "boolean":
            return "Write true or false, without quotes."
        if expected == "object" and self._secretive and self._path[-1] == KEYVAULT:
            return "Write `{vault: NAME, secret: NAME}`."
        return None

    def _unknown_value(self) -> Iterator[Problem]:
        if not isinstance(self._instance, str):
            return  # the type is wrong, which is said already
        values = " or ".join(f"`{value}`" for value in self._limit)
        yield self._at_value(
            "unknown-value", f"{self._label} must be {values}.", did_you_mean(self._instance, self._limit)
        )


def did_you_mean(word: str, known: list[str]) -> str | None:
    """A hint that names the nearest known word, if one is near."""
    near = difflib.get_close_matches(word[:100].lower().replace("-", "_"), known, n=1)
    return f"Did you mean `{near[0]}`?" if near else None
