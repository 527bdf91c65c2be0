"""Problems of the configuration as text, as JSON, and as annotations that GitHub shows beside the line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from reconciler.config.problems import Problem
from reconciler.render.escape import plain
from reconciler.render.json_document import json_document


def render_problems(problems: Iterable[Problem]) -> str:
    """A line ``file:line:column: CODE message`` per problem, each with its hint on an indented line below."""
    return "".join(f"{plain(line)}\n" for problem in problems for line in problem.described().splitlines())


def render_json(problems: Iterable[Problem]) -> str:
    """``{"problems": [{file, line, column, code, message, hint, severity}]}``, for programs."""
    return json_document({"problems": [asdict(problem) for problem in problems]})


def render_github(problems: Iterable[Problem]) -> str:
    """GitHub's workflow commands, one per problem. Source: GitHub Docs, "Workflow commands for GitHub Actions"."""
    return "".join(_annotation(problem) for problem in problems)


def _annotation(problem: Problem) -> str:
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column},title={_property(problem.code)}"
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    return f"::{problem.severity} {place}::{_data(text)}\n"


def _data(text: str) -> str:
    """Text after the second ``::``."""
    return (
        "\n".join(plain(line) for line in text.splitlines())
        .replace("%", "%25")
        .replace("\r", "%0D")
        .replace("\n", "%0A")
    )


def _property(text: str) -> str:
    """The value of a property, which a colon or a comma would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
