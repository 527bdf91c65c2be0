"""Every command line that the documentation quotes would be understood by the program."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

from reconciler.cli.main import COMMANDS, cli
from tests.docs.docs_pages import ROOT, command_lines, name, pages


def understand(arguments: list[str]) -> None:
    """Parse a command line without running it. Raises click.UsageError for what the program would refuse.

    Options that must name an existing file or folder are not checked: those exist where the reader is.
    """
    command: click.Command = cli
    path = "reconcile"
    rest = arguments
    while True:
        context = click.Context(command, info_name=path, **{**cli.context_settings, **command.context_settings})
        values, rest, _ = command.make_parser(context).parse_args(list(rest))
        _check(command, context, values)
        words = values.get("words")
        if isinstance(words, tuple | list) and words and words[0] in COMMANDS:  # which this one runs, with its words
            command, rest = _member(cli, words[0]), list(words[1:])
            continue
        if not isinstance(command, click.Group) or not rest:
            break
        path = f"{path} {rest[0]}"
        command = _member(command, rest[0])
        rest = rest[1:]
    if rest and not isinstance(command, click.Group):
        raise click.UsageError(f"{path}: too many arguments: {rest}")


def _member(group: click.Group, word: str) -> click.Command:
    if group is cli and word in COMMANDS:
        found = import_module(COMMANDS[word][0]).command
        assert isinstance(found, click.Command)
        return found
    if word in group.commands:
        return group.commands[word]
    raise click.UsageError(f"there is no command {word}")


def _check(command: click.Command, context: click.Context, values: dict[str, object]) -> None:
    """Values of options that take one of several words, or a number."""
    for parameter in command.params:
        value = values.get(parameter.name or "")
        if isinstance(value, str | list) and isinstance(parameter.type, click.Choice | click.IntRange):
            parameter.type_cast_value(context, value)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_quoted_command_line_is_understood(page: Path) -> None:
    refused = []
    for arguments in command_lines(page.read_text(encoding="utf-8")):
        try:
            understand(arguments)
        except click.UsageError as error:
            refused.append(f"reconcile {' '.join(arguments)}: {error.format_message()}")
    assert not refused, f"{name(page)}: {'; '.join(refused)}"


def test_the_documentation_quotes_every_command() -> None:
    quoted = {
        argument
        for page in pages()
        for line in command_lines(page.read_text(encoding="utf-8"))
        for argument in line
        if argument in COMMANDS
    }
    assert quoted == set(COMMANDS)


@pytest.mark.parametrize(
    "line",
    [
        "aply",
        "apply --alow loss",
        "publish apply --alow loss",
        "apply --allow everything",
        "--retry-limit many plan",
        "catalogue shw",
        "report x",
    ],
)
def test_a_command_line_that_the_program_refuses_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        understand(line.split())


def test_command_lines_are_found_wherever_they_stand() -> None:
    text = (
        "Run `reconcile plan x` or `make demo`.\n"
        "```console\n$ A=1 reconcile --quiet apply 2>/dev/null | tail; reconcile status\nreconcile says so\n```\n"
        "```yaml\n    - run: reconcile validate --format github\n```\n"
    )
    assert list(command_lines(text)) == [
        ["--quiet", "apply"],
        ["status"],
        ["says", "so"],
        ["validate", "--format", "github"],
        ["plan", "x"],
    ]


def test_the_readme_names_the_commands_that_do_everything() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make test" in text
    assert "make demo" in text
