"""What a process costs: time, processor time and peak memory, as the kernel counts them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PRODUCT = (str(Path(sys.executable).with_name("reconcile")),)
"""The installed product."""
BARE = (sys.executable, "-m", "tests.benchmarks.bare")
"""The bare loop."""


@dataclass(frozen=True, order=True)
class Cost:
    """``wall`` and ``cpu`` (user and system) in seconds, ``peak`` resident memory in MiB."""

    wall: float
    cpu: float
    peak: float


class ProcessFailed(Exception):
    """A measured process did not end as it should. The text says how, with the end of what it wrote."""


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None, exit_code: int = 0) -> Cost:
    """Run a command to its end, in a clean environment plus ``environment``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    start = time.perf_counter()
    with subprocess.Popen(
        command, env={**clean, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != exit_code:
        raise ProcessFailed(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:].decode()}")
    return Cost(wall, used.ru_utime + used.ru_stime, _peak(used))


def _peak(used: resource.struct_rusage) -> float:
    """The peak of a child in MiB, when it is its own: until a child has its program it counts the memory of this."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float("nan") if used.ru_maxrss <= own else used.ru_maxrss / 1024


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each of several runs of the same; of memory, the most."""
    return Cost(min(c.wall for c in costs), min(c.cpu for c in costs), max(c.peak for c in costs))


def alternating(rounds: int, *runs: Callable[[], Cost]) -> list[Cost]:
    """The best of each of several things that are run by turns."""
    costs = [[run() for run in runs] for _ in range(rounds)]
    return [best(column) for column in zip(*costs, strict=True)]
