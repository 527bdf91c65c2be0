"""The loop around runs that follow each other in one container or one unit of systemd: one at a time, until stopped.

A run that failed does not end it. The time between the beginnings of two runs is never longer than what was asked for,
and by chance up to a tenth shorter, so that many runners do not come to Graph at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

JITTER = 0.1
"""The share of the time between two runs that chance may take away."""

USAGE_ERROR = 64
"""The exit code of a run that does not understand its command line: none will, so there is nothing to wait for."""

RESULTS: Mapping[int, str] = {0: "complete", 3: "refused", 4: "partial", 130: "stopped"}
"""What an exit code means for a run. Every other one means that it failed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. ``run`` counts from 1, ``failures`` the runs since the last one that ended with 0.

    ``wait`` is how many seconds the next one is away, None when there is none.
    """

    run: int
    exit_code: int
    failures: int
    wait: float | None

    @property
    def result(self) -> str:
        """The exit code in one word."""
        return RESULTS.get(self.exit_code, "failed")


@dataclass(frozen=True, slots=True)
class Outside:
    """What the loop needs of the world: seconds that pass, chance from 0 to 1, and whether it is to end.

    ``sleep`` returns early when the loop is to end.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    stopping: Callable[[], bool]


def watch(run: Callable[[], int], every: float, outside: Outside, tell: Callable[[Ended], None]) -> int:
    """Run, tell how it ended, wait, and so on until it is to stop; the exit code of the loop. ``every`` is in seconds.

    A usage error ends it too, and is the exit code then.
    """
    number = failures = 0
    while not outside.stopping():
        started = outside.clock()
        code = run()
        number, stopped = number + 1, outside.stopping()
        failures = failures + (not stopped) if code else 0
        wait = max(0.0, every * (1 - JITTER * outside.random()) - (outside.clock() - started))
        useless = code == USAGE_ERROR and not stopped
        tell(Ended(number, code, failures, None if stopped or useless else wait))
        if useless:
            return code
        outside.sleep(wait)
    return 0


def seconds(text: str) -> int:
    """The length of time that ``5h``, ``30m`` or ``90s`` means. Raises ValueError."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = text[:-1], units.get(text[-1:])
    is_number = number.isascii() and number.isdecimal() and len(number) <= len(str(LONGEST))
    if not (unit and is_number and 0 < int(number) * unit <= LONGEST):
        raise ValueError(f"{text!r} is no time such as 5h, 30m or 90s, of at most a week")
    return int(number) * unit


LONGEST = 7 * 86400
"""The longest time between two runs, in seconds."""
