"""One run at a time, shown with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import Refused
from reconciler.store.lock import exclusive
from tests.store.store_world import CLIENT_ID, TENANT_ID, StateFolder, files_under, portal_state

HOLD = """
import sys
from pathlib import Path
from reconciler.store.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
RECONCILE = "import sys; from reconciler.cli.main import main; sys.exit(main())"

PORTAL = f"""
name: Contoso
tenant_id: {TENANT_ID}
client_id: {CLIENT_ID}
authentication:
  type: secret
  secret: {{env: CONTOSO_SECRET}}
"""


@contextmanager
def held(state: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_run_ends_with_3_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d" / "contoso.yaml").write_text(PORTAL)
    folder = StateFolder(tmp_path / "state")
    folder.apply(portal_state())

    with held(folder.path):
        before = files_under(folder.path)
        command = [sys.executable, "-c", RECONCILE, "--chdir", str(tmp_path), "report"]
        second = subprocess.run(command, capture_output=True, text=True, check=False)

        assert second.returncode == 3
        assert "locked" in second.stderr
        assert files_under(folder.path) == before


def test_reading_does_not_wait_for_a_run(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.apply(portal_state())

    with held(folder.path):
        assert folder.read() == {"contoso": portal_state()}


def test_the_lock_ends_with_the_run(tmp_path: Path) -> None:
    with held(tmp_path) as other:
        other.communicate()
        assert other.returncode == 0

        with exclusive(tmp_path):
            pass


def test_a_killed_run_leaves_no_lock(tmp_path: Path) -> None:
    with held(tmp_path) as other:
        with pytest.raises(Refused) as caught, exclusive(tmp_path):
            pass
        assert caught.value.exit_code == 3

        other.send_signal(signal.SIGKILL)
        assert other.wait() == -signal.SIGKILL

        with exclusive(tmp_path):
            pass


def test_an_error_during_a_run_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), exclusive(tmp_path):
        raise KeyboardInterrupt
    with exclusive(tmp_path), pytest.raises(Refused), exclusive(tmp_path):
        pass
