"""Evaluates the expressions of GitHub's workflows, as far as these use them.

Source: GitHub Docs, "Evaluate expressions in workflows and actions". Contexts are mappings; what is not there is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<after>(?:\.[A-Za-z_][\w-]*|\[\d+\])+)|(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w-]*(?:\.(?:\*|[A-Za-z_][\w-]*|\d+))*)"
    r"|(?P<mark>&&|\|\||==|!=|!|\(|\)|,))"
)
STATUS = ("success", "failure", "cancelled", "always")
"""The functions that ask how a run goes. Without one of them, a condition holds only while nothing has failed."""


def evaluate(text: str, contexts: Mapping[str, Any], *, failed: bool = False, cancelled: bool = False) -> Any:
    """The value of an expression, with or without ``${{ }}`` around it."""
    inner = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, re.DOTALL)
    tokens = list(_tokens(inner[1] if inner else text))
    functions: dict[str, Callable[..., Any]] = {
        "contains": lambda where, what: what in (where or ()),
        "fromJSON": json.loads,
        "hashFiles": lambda *patterns: contexts.get("hashFiles", ""),
        "success": lambda: not failed and not cancelled,
        "failure": lambda: failed and not cancelled,
        "cancelled": lambda: cancelled,
        "always": lambda: True,
    }
    value = _or(tokens, contexts, functions)
    assert not tokens, f"left over: {tokens}"
    return value


def wanted(
    condition: str | None, contexts: Mapping[str, Any], *, failed: bool = False, cancelled: bool = False
) -> bool:
    """Whether a job or step runs under its ``if``."""
    asks = condition is not None and any(f"{name}()" in condition for name in STATUS)
    if not asks and (failed or cancelled):
        return False
    return condition is None or bool(evaluate(condition, contexts, failed=failed, cancelled=cancelled))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        assert found, f"no expression: {text[place:]}"
        place = found.end()
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]


_Tokens = list[tuple[str, str]]


def _takes(tokens: _Tokens, *marks: str) -> str | None:
    """The next mark, taken away, if it is one of these."""
    return tokens.pop(0)[1] if tokens and tokens[0][0] == "mark" and tokens[0][1] in marks else None


def _or(tokens: _Tokens, *world: Any) -> Any:
    value = _and(tokens, *world)
    while _takes(tokens, "||"):
        other = _and(tokens, *world)
        value = value or other
    return value


def _and(tokens: _Tokens, *world: Any) -> Any:
    value = _comparison(tokens, *world)
    while _takes(tokens, "&&"):
        other = _comparison(tokens, *world)
        value = value and other
    return value


def _comparison(tokens: _Tokens, *world: Any) -> Any:
    value = _one(tokens, *world)
    while mark := _takes(tokens, "==", "!="):
        other = _one(tokens, *world)
        same = (value or "") == (other or "")  # null is the empty text here
        value = same if mark == "==" else not same
    return value


def _one(tokens: _Tokens, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    if _takes(tokens, "!"):
        return not _one(tokens, contexts, functions)
    if _takes(tokens, "("):
        value = _or(tokens, contexts, functions)
        assert _takes(tokens, ")")
        return value
    kind, text = tokens.pop(0)
    if kind == "string":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return int(text)
    assert kind == "name", text
    if _takes(tokens, "("):
        given = []
        while not _takes(tokens, ")"):
            given.append(_or(tokens, contexts, functions))
            _takes(tokens, ",")
        return _within(functions[text](*given), tokens)
    return {"true": True, "false": False, "null": None}.get(text) if text in _WORDS else _member(text, contexts)


def _within(value: Any, tokens: _Tokens) -> Any:
    """A member behind a call, such as ``.shard[0]``."""
    while tokens and tokens[0][0] == "after":
        for name in re.findall(r"[\w-]+", tokens.pop(0)[1]):
            value = (value[int(name)] if len(value) > int(name) else None) if name.isdigit() else value.get(name)
    return value


_WORDS = ("true", "false", "null")


def _member(path: str, contexts: Mapping[str, Any]) -> Any:
    """What a path such as ``needs.apply.result`` leads to; ``*`` gives all members."""
    found: Any = contexts
    first, *more = path.split(".")
    assert first in contexts, f"the context {first} is not given"
    for name in (first, *more):
        if name == "*":
            found = list(found.values())
        elif isinstance(found, list):
            found = [inner.get(name) for inner in found]
        else:
            found = found.get(name) if isinstance(found, Mapping) else None
    return found
