"""Brings the generated parts of the documentation up to date: ``python -m tests.docs.generate``, or ``make docs``.

Two kinds of text are generated. What stands between ``<!-- generated: WHAT -->`` and ``<!-- end -->`` is made from the
code, the schemas, and a run of the demo. What stands under a command in a ``console`` block is what that command
prints, run in order in a scratch folder. A test fails when a page differs from what this would write.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from reconciler import labels
from reconciler.findings import ERRORS, FINDINGS
from reconciler.labels import REASON_LABELS, REMEDIES, STATUS_LABELS, STATUS_MEANINGS, STATUS_SIGNS
from tests.docs import docs_errors, docs_tables
from tests.docs.docs_console import is_run, replayed
from tests.docs.docs_pages import ROOT, name, pages

WIDTH = 90
"""Columns of the terminal that the help texts are printed for."""

_REGION = re.compile(r"(<!-- generated: (\S+)(?: ([^>]*?))? -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """A page with its generated regions as they should be."""
    return _REGION.sub(lambda found: found[1] + GENERATORS[found[2]](found[3] or "") + found[5], text)


def current(text: str) -> str:
    """A page as it should be: regions, then the output of its commands."""
    text = generated(text)
    if not is_run(text):
        return text
    with tempfile.TemporaryDirectory() as folder:
        return replayed(text, Path(folder))


# --- what can be generated -------------------------------------------------------------------------------------------


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def help_of(command: str) -> str:
    """The help of a command, or of the whole program."""
    return _fenced("text", _reconcile(*command.split(), "--help"))


def _reconcile(*arguments: str, code: int = 0) -> str:
    """What the program prints on stdout, in a process of its own, given that it ends with this exit code."""
    program = "import sys; from reconciler.cli.main import main; sys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**environment, "COLUMNS": str(WIDTH)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    if done.returncode != code:
        raise RuntimeError(f"reconcile {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def file_of(path: str) -> str:
    """A file of this repository, as it is."""
    return _fenced("yaml", (ROOT / path).read_text(encoding="utf-8"))


@cache
def _demo() -> tuple[str, str]:
    """What the demo prints on stdout, and its ``status.md``."""
    with tempfile.TemporaryDirectory() as folder:
        printed = _reconcile("--quiet", "--chdir", folder, "--emulate", "demo", "apply", code=4)
        return printed, (Path(folder) / "state/reports/status.md").read_text(encoding="utf-8")


def demo_table(_: str) -> str:
    """The table that ``make demo`` ends with."""
    return _fenced("text", _demo()[0])


def report_excerpt(_: str) -> str:
    """What the demo's ``status.md`` begins with, and the first three of its next steps."""
    report = _demo()[1]
    beginning, _, _ = report.partition("## Coverage")
    steps = report[report.index("## Next steps") : report.index("## Portals")].splitlines(keepends=True)
    return _fenced("markdown", f"{beginning}{''.join(steps[:7])}")


def statuses(_: str) -> str:
    """The statuses, in the order of their rules."""
    rows = [
        (f"`{status.value}`", f"{STATUS_SIGNS[status]} {label}", STATUS_MEANINGS[status])
        for status, label in STATUS_LABELS.items()
    ]
    return docs_errors.table(("Status", "Label", "Meaning"), rows)


def reasons(_: str) -> str:
    """Why a product cannot be synchronised, and what to do."""
    rows = [(f"`{reason.value}`", label, REMEDIES[reason]) for reason, label in REASON_LABELS.items()]
    return docs_errors.table(("Reason", "Label", "What to do"), rows)


def facet(name: str) -> str:
    """The values of a facet, such as ``position``, in the order of their rules."""
    meanings: dict[str, str] = getattr(labels, f"{name.upper()}_MEANINGS")
    return docs_errors.table((name.capitalize(), "Meaning"), [(f"`{value}`", meanings[value]) for value in meanings])


def assignment_errors(_: str) -> str:
    """Graph's words for what is wrong with an assignment."""
    return docs_errors.table(("Error", "Meaning"), [(f"`{k}`", v) for k, v in ERRORS.items()])


def findings(_: str) -> str:
    """The findings on consumers."""
    return docs_errors.table(
        ("Finding", "Counts users of whom this holds"), [(f"`{k}`", v) for k, v in FINDINGS.items()]
    )


GENERATORS: dict[str, Callable[[str], str]] = {
    "help": help_of,
    "file": file_of,
    "demo-table": demo_table,
    "report-excerpt": report_excerpt,
    "statuses": statuses,
    "reasons": reasons,
    "facet": facet,
    "findings": findings,
    "assignment-errors": assignment_errors,
    "keys": docs_tables.keys,
    "errors": docs_errors.errors_in,
    "configuration-problems": lambda _: docs_errors.configuration_problems(),
}


def main() -> None:
    """Rewrite every page that is not current."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (wanted := current(text)) != text:
            page.write_text(wanted, encoding="utf-8")
            print(f"updated {name(page)}")


if __name__ == "__main__":
    main()
