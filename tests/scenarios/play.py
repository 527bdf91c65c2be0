"""Plays worlds: ``python -m tests.scenarios.play FOLDER WORLD,WORLD… [GLOBAL OPTION…]``, each in a folder of its own.

It is for a process of its own, and for any Python: it needs what the product needs, and no test library.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from reconciler.cli.main import main
from reconciler.emulator import scenarios
from tests.scenarios.worlds import WORLDS, World


def play(world: World, root: Path, options: Sequence[str] = ()) -> int:
    """Let every day of a world happen in a folder. Returns how many days did not end as is due."""
    (root / "portals.d").mkdir(parents=True)
    for path, text in world.files.items():
        (root / path).write_text(text, encoding="utf-8")
    wrong = 0
    for day in world.days:
        scenario = day.scenario()
        if world.emulate not in scenarios.SCENARIOS:
            scenarios.load = lambda name, scenario=scenario: scenario  # type: ignore[assignment]
        words = ["--chdir", str(root), "--emulate", world.emulate, "--now", day.now.isoformat(), "--retry-limit", "0"]
        code = main([*words, *options, "apply"])
        if code != day.code:
            sys.stderr.write(f"{root.name}, {day.now}: exit code {code}, expected {day.code}\n")
            wrong += 1
    return wrong


if __name__ == "__main__":
    known = scenarios.load
    failed = 0
    for each in sys.argv[2].split(","):
        scenarios.load = known
        failed += play(WORLDS[each](), Path(sys.argv[1]) / each, sys.argv[3:])
    sys.exit(failed)
