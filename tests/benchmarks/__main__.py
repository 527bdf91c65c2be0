"""``python -m tests.benchmarks [CASE…]``: run cases, print the table, and write it into the docs.

Before anything is measured the server is compared with the emulator, so that what is measured is what the product reads
elsewhere too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.cases import CASES
from tests.benchmarks.measure import ProcessFailed
from tests.benchmarks.table import Bench, Row
from tests.benchmarks.world import WrongAnswer


def main() -> int:
    """Run what the command line asks for. Returns 1 when a run failed or came to a wrong number."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which to run: {', '.join(CASES)}; all without any")
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated; the best counts")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all numbers of users and portals")
    parser.add_argument("--sdk", default="", metavar="PYTHON", help="an interpreter that has msgraph-sdk, to compare")
    parser.add_argument("--page", type=Path, help="the page of docs/ to write the table into")
    given = parser.parse_args()
    if unknown := [name for name in given.cases if name not in CASES]:
        parser.error(f"no such case: {', '.join(unknown)}")
    subprocess.run([sys.executable, "-m", "tests.benchmarks.agreement"], check=True)
    rows: list[Row] = []
    failed = False
    for name in given.cases or CASES:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
            bench = Bench(Path(folder), given.rounds, given.scale, given.sdk)
            try:
                rows += CASES[name](bench)
            except (WrongAnswer, ProcessFailed) as error:
                failed = True
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    rows = [replace(row, judged=given.scale == 1) for row in rows]
    print(table.terminal(rows))
    if given.page and not failed:
        table.write(rows, given.scale, given.page, datetime.now(UTC))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
