"""``python -m tests.benchmarks [CASE…]``: run cases, print the table, and write it as Markdown.

Before anything is measured the server is compared with the emulator, so that what is measured is what the product reads
elsewhere too.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.cases import CASES
from tests.benchmarks.table import Bench, Row


def main() -> int:
    """Run what the command line asks for. Returns 1 when a budget is missed; a wrong number raises."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which to run: {', '.join(CASES)}; all without any")
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated; the best counts")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all numbers of users and portals")
    parser.add_argument(
        "--ranges", default="", metavar="OPTIONS", help="options with which the product lists by ranges"
    )
    parser.add_argument("--out", type=Path, help="where the Markdown goes")
    given = parser.parse_args()
    if unknown := [name for name in given.cases if name not in CASES]:
        parser.error(f"no such case: {', '.join(unknown)}")
    subprocess.run([sys.executable, "-m", "tests.benchmarks.agreement"], check=True)
    rows: list[Row] = []
    for name in given.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
            bench = Bench(Path(folder), given.rounds, given.scale, tuple(shlex.split(given.ranges)))
            found = CASES[name](bench)
        rows += found
        print(table.terminal(found), file=sys.stderr, flush=True)
    print(table.terminal(rows))
    if given.out:
        given.out.write_text(table.markdown(rows, given.scale, datetime.now(UTC)), encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
