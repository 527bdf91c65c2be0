"""What a process costs: time, processor time and peak memory, as the kernel counts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PRODUCT = (str(Path(sys.executable).with_name("reconcile")),)
"""The installed product."""
LAUNCH = (sys.executable, "-S", "-E", str(Path(__file__).with_name("launch.py")))
"""What starts a process and measures it."""
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


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end. Raises ProcessFailed when its exit code is not 0."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at every start
    launched = subprocess.run(
        [*LAUNCH, *command], env={**clean, **(environment or {})}, capture_output=True, check=True
    )
    told = json.loads(launched.stdout)
    if told["code"] != 0:
        raise ProcessFailed(f"{' '.join(command)} ended with {told['code']}: {launched.stderr[-2000:].decode()}")
    return Cost(told["wall"], told["cpu"], told["peak"])


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each of several runs of the same; of memory, the most."""
    return Cost(min(c.wall for c in costs), min(c.cpu for c in costs), max(c.peak for c in costs))


def alternating(rounds: int, *runs: Callable[[], Cost]) -> list[Cost]:
    """The best of each of several things that are run by turns."""
    costs = [[run() for run in runs] for _ in range(rounds)]
    return [best(column) for column in zip(*costs, strict=True)]
