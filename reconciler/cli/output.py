"""How results reach stdout: with colors and folded on a terminal, plain and unfolded elsewhere."""

from __future__ import annotations

import os
import shutil
import sys

import click

from reconciler.report import Report


def print_status(report: Report) -> None:
    """Print the table of products and statuses."""
    from reconciler.render.status_table import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    click.echo(render(report, width=width, color=terminal and "NO_COLOR" not in os.environ), nl=False)
