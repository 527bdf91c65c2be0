"""A value that must never be shown."""

from __future__ import annotations


class Secret:
    """A secret value that masks itself wherever it is printed, formatted, compared by eye or logged.

    Resolve as late as possible, call ``reveal`` at the last moment, keep the result in no variable that outlives
    the call.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The value itself."""
        return self._value

    def text(self) -> str:
        """The value as text, without the line end that files and pipes add.

        Raises UnicodeDecodeError, which shows the value: callers catch it and say where the secret came from.
        """
        return self._value.decode("utf-8").rstrip("\r\n")

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret is never serialized")
