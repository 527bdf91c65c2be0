"""How results reach stdout: the option ``--format``; pages, with colors and folded on a terminal, plain elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import click

from reconciler.report import Report


class Render(Protocol):
    """A renderer of a page for the terminal. Without ``width`` it folds no line."""

    def __call__(self, *, width: int | None, color: bool) -> str:
        """The page."""


def format_option(command: str, words: str, forms: Sequence[str] = ("text", "json")) -> Callable[[Any], Any]:
    """The option ``--format`` as the parameter ``form``. ``command`` is the command's full name, for its variable."""
    variable = f"RECONCILE_{command.upper().replace(' ', '_').replace('-', '_')}_FORMAT"
    choice = click.Choice(forms)
    return click.option("--format", "form", type=choice, default="text", show_default=True, envvar=variable, help=words)


def print_page(render: Render) -> None:
    """Print what fits where stdout goes."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    click.echo(render(width=width, color=terminal and "NO_COLOR" not in os.environ), nl=False)


def print_status(report: Report) -> None:
    """Print the table of products and statuses."""
    from functools import partial

    from reconciler.render.status_table import render

    print_page(partial(render, report))
