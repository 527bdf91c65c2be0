"""Runs the shell steps of a workflow as GitHub would: in order, each in bash, with its variables and files.

Actions (``uses``) are not run, and ``gh`` is a stand-in that writes down how it is called: it speaks to a service that
is not here. Expressions and conditions are given by the test; one that it does not know is an error.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

GH = """\
#!/usr/bin/env bash
python3 - "$@" >> "$GH_CALLS" <<'END'
import json, sys
print(json.dumps(sys.argv[1:]))
END
answer="$GH_ANSWERS/$1-$2"
if [ -f "$answer" ]; then cat "$answer"; fi
"""

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)


@dataclass
class Runner:
    """A machine that runs one job in a checkout. ``expressions`` are the values of ``${{ … }}`` and of conditions."""

    checkout: Path
    folder: Path
    environment: Mapping[str, str]
    expressions: Mapping[str, str | bool]
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""
    ran: list[str] = field(default_factory=list)
    code: int = 0

    def answer(self, call: str, text: str) -> None:
        """Let ``gh`` answer to its first two words, such as ``pr-list``."""
        (self.folder / "answers").mkdir(parents=True, exist_ok=True)
        (self.folder / f"answers/{call}").write_text(text)

    @property
    def calls(self) -> list[list[str]]:
        """How ``gh`` was called."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def run(self, job: Mapping[str, Any]) -> Runner:
        """Run the steps of a job. After a failure only those run whose condition says so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for step in job["steps"]:
            if "run" not in step or not self._wanted(step.get("if")):
                continue
            self.ran.append(step.get("name", step["run"]))
            code = self._step(step)
            self.code = self.code or code
        return self

    def _wanted(self, condition: str | None) -> bool:
        if condition is None:
            return not self.code
        inner = _EXPRESSION.fullmatch(condition.strip())
        expression = inner[1] if inner else condition.strip()
        if "cancelled()" not in expression and self.code:
            return False
        if expression == "!cancelled()":
            return True
        return bool(self.expressions[expression])

    def _step(self, step: Mapping[str, Any]) -> int:
        files = {name: self.folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        (self.folder / "temp").mkdir(exist_ok=True)
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        stub = self.folder / "bin/gh"
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(GH)
        stub.chmod(0o755)
        done = subprocess.run(
            ["bash", "-e", str(script)],
            cwd=self.checkout,
            env={
                **self.environment,
                "PATH": f"{stub.parent}:{self.environment['PATH']}",
                "HOME": str(self.folder),
                "GH_CALLS": str(self.folder / "calls"),
                "GH_ANSWERS": str(self.folder / "answers"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **{name: str(file) for name, file in files.items()},
                **{name: self._filled(str(value)) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.log += done.stdout
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        self.outputs |= parsed(files["GITHUB_OUTPUT"].read_text())
        return done.returncode

    def _filled(self, value: str) -> str:
        def known(match: re.Match[str]) -> str:
            found = self.expressions[match[1]]
            return str(found).lower() if isinstance(found, bool) else found

        return _EXPRESSION.sub(known, value)


def parsed(text: str) -> dict[str, str]:
    """The outputs in a file: ``name=value``, or ``name<<END`` with lines up to END."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        if match := re.fullmatch(r"(\w+)<<(.+)", line):
            value: list[str] = []
            for inner in lines:
                if inner == match[2]:
                    break
                value.append(inner)
            else:
                raise AssertionError(f"{match[1]} has no end")
            found[match[1]] = "\n".join(value)
        else:
            name, value_ = line.split("=", 1)
            found[name] = value_
    return found


def workflow(path: Path) -> dict[str, Any]:
    """A workflow, with ``on`` under its own name, which YAML 1.1 takes for a truth value."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["on"] = document.pop(True)
    return document


def clean(environment: Mapping[str, str], path: str) -> dict[str, str]:
    """The environment of a new machine: nothing of the one that runs the tests."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return {**kept, "PATH": f"{path}:/usr/bin:/bin", **environment}
