"""Ctrl-C: a run ends soon, keeps what was complete, and counts nothing else, not even as a failure."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from reconciler.store.state import read
from tests.cli.cli_world import PACKAGE, portal_yaml

SCRIPT = """
import sys
from reconciler.cli.main import main
from reconciler.emulator import scenarios
from reconciler.emulator.faults import ALWAYS, Fault, throttled
from reconciler.emulator.scenario import Scenario
from tests.cli.cli_world import tenant

slow = Fault(throttled(60), "/v1.0/users", times=ALWAYS)
world = Scenario((tenant(1), tenant(2, faults=(slow,))))
scenarios.load = lambda name: world
sys.exit(main(["--emulate", "test", "-v", "apply"]))
"""


def test_a_run_that_is_stopped_does_not_wait_for_retries_and_stores_no_failure(tmp_path: Path) -> None:
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d/one.yaml").write_text(portal_yaml(1))
    (tmp_path / "portals.d/two.yaml").write_text(portal_yaml(2))
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "TEST_SECRET": "open-sesame"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    seen = ""
    while not ("one: complete" in seen and "429" in seen):
        line = run.stderr.readline()
        assert line, f"ended by itself: {seen}"
        seen += line
    run.send_signal(signal.SIGINT)
    _, rest = run.communicate(timeout=50)  # less than the 60 s that Graph asks for
    assert run.returncode == 130, rest
    assert "Stopped." in rest
    assert "Traceback" not in rest
    known = read(tmp_path / "state")
    assert set(known) == {"one"}
    assert known["one"].last_import.users == 7


def test_a_run_that_waits_for_an_answer_that_never_comes_is_stopped_at_once(tmp_path: Path) -> None:
    """A proxy that takes the connection and then says nothing."""
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d/one.yaml").write_text(portal_yaml(1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run = subprocess.Popen(
            [sys.executable, "-c", "from reconciler.cli.main import run; run()", "apply"],
            cwd=tmp_path,
            env={**os.environ, "HTTPS_PROXY": proxy, "TEST_SECRET": "open-sesame"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(30)
        taken, _ = silent.accept()
        with taken:
            run.send_signal(signal.SIGINT)
            _, rest = run.communicate(timeout=30)  # the client would wait for 60 s, five times
    assert run.returncode == 130, rest
    assert "Traceback" not in rest
    assert read(tmp_path / "state") == {}
