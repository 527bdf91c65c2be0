"""Runs the ``console`` blocks of a page for real, in a scratch folder, and says what the page should show.

In a ``console`` block, lines that begin with ``$ `` are commands; what follows is their output. A block after a
comment ``<!-- write: FILE -->`` or ``<!-- append: FILE -->`` goes into that file first. A page with the comment
``<!-- starts in: demo -->`` starts in a repository with the demo's portals, emulated, applied once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.docs_pages import ROOT, Block, blocks

STARTS_IN_DEMO = "<!-- starts in: demo -->"
_END = "\x1e"


def is_run(text: str) -> bool:
    """Whether a page has commands whose output it shows."""
    return any(block.language == "console" for block in blocks(text))


def replayed(text: str, folder: Path) -> str:
    """The page with the output of every command as it is now. ``folder`` is empty and its own.

    Raises RuntimeError when the shell ends before the page does, and when the program has an internal error.
    """
    repository, environment = _prepared(folder)
    if STARTS_IN_DEMO in text:
        environment["RECONCILE_EMULATE"] = "demo"
        shutil.copytree(ROOT / "portals.d", repository / "portals.d")
        _run(["bash", "-c", "reconcile --quiet apply"], repository, environment)
    played = [block for block in blocks(text) if block.language == "console" or block.target]
    outputs = _outputs(played, repository, environment)
    for block in reversed(played):
        if block.language == "console":
            shown = "".join(f"$ {command}\n{outputs[block.start, command]}" for command in commands(block))
            text = text[: block.start] + shown + text[block.end :]
    return text


def commands(block: Block) -> list[str]:
    """The commands of a block."""
    return [line.removeprefix("$ ") for line in block.text.splitlines() if line.startswith("$ ")]


def program_folder(folder: Path) -> Path:
    """A folder for ``PATH`` in which ``reconcile`` is this checkout's, wherever the tests run."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "reconcile"
    main = "import sys; from reconciler.cli.main import main; sys.exit(main())"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{main}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    return programs


def _prepared(folder: Path) -> tuple[Path, dict[str, str]]:
    """An empty repository, and an environment in which ``reconcile`` is this checkout's."""
    repository = folder / "licenses"
    repository.mkdir()
    person = {"NAME": "Tutorial", "EMAIL": "tutorial@example.invalid", "DATE": "2026-11-23T06:00:00Z"}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RECONCILE_", "GIT_"))},
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": f"{program_folder(folder)}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        "RECONCILE_JOBS": "1",  # the lines of progress come in the order of the portals
    }
    return repository, environment


def _outputs(played: list[Block], repository: Path, environment: dict[str, str]) -> dict[tuple[int, str], str]:
    """What each command prints, by its block's place and its text. One shell runs them all."""
    files = repository.parent / "blocks"
    files.mkdir()
    script, keys = [], []
    for number, block in enumerate(played):
        if block.target:
            (files / str(number)).write_text(block.text, encoding="utf-8")
            arrow = ">" if block.action == "write" else ">>"
            script += [f'mkdir -p "$(dirname {block.target})"', f"cat {files / str(number)} {arrow} {block.target}"]
            continue
        for command in commands(block):
            keys.append((block.start, command))
            script += [command, f"last=$?; printf '{_END}'; (exit $last)"]
    parts = _run(["bash", "-c", "\n".join(script)], repository, environment).split(_END)
    if len(parts) != len(keys) + 1 or len(set(keys)) != len(keys):
        raise RuntimeError(f"the shell ended early, or a block repeats a command:\n{''.join(parts)}")
    if broken := [command for (_, command), part in zip(keys, parts, strict=False) if "error: internal:" in part]:
        raise RuntimeError(f"the program is broken: {broken}")
    return dict(zip(keys, parts, strict=False))


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Output and errors of a process, as a terminal would mix them."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.stdout
