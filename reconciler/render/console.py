"""Text with colors, as a string: rich writes it, whoever calls decides where it goes."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

UNFOLDED = 2000
"""Columns where no line is folded, so that pipes get one row a thing."""


class Page:
    """What is printed on ``console``, as text. Nothing of the environment counts: neither size nor colors."""

    def __init__(self, *, width: int | None, color: bool) -> None:
        self._target = StringIO()
        self.console = Console(
            file=self._target,
            width=width or UNFOLDED,
            force_terminal=color,
            color_system="standard" if color else None,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        """Everything so far, without blanks at the ends of lines and without blank lines around it."""
        return "".join(f"{line.rstrip()}\n" for line in self._target.getvalue().strip("\n").splitlines())
