"""Fixtures of the pipeline's tests."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.pipeline_world import without_outer_git


@dataclass(frozen=True)
class Served:
    """An emulator in a process of its own: how to reach it, and where the demo's credentials are."""

    environment: dict[str, str]
    credentials: Path


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, served over TLS."""
    folder = tmp_path_factory.mktemp("emulator")
    served = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from reconciler.cli.main import run; run()",
            "--chdir",
            str(folder),
            "emulator",
            "serve",
        ],
        env=without_outer_git(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert served.stdout is not None
        lines = [served.stdout.readline(), served.stdout.readline()]
        words = [word for line in lines for word in shlex.split(line) if word != "export"]
        yield Served(dict(word.split("=", 1) for word in words), folder / ".emulator")
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=20) == 0
        assert served.stdout is not None
        served.stdout.close()
