"""``watch``: the loop with a clock of its own, and the real thing with real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli.invocation import Invocation
from reconciler.cli.main import cli
from reconciler.emulator.scenario import SECRET
from reconciler.render.watch_words import health_json, result_text
from reconciler.store.state import read
from reconciler.watch import JITTER, Ended, Outside, seconds, watch
from tests.cli.cli_world import PACKAGE, World, portal_yaml, tenant

NEXT = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A world in which only runs and sleep take time. It ends after so many runs."""

    runs: list[tuple[float, int]]
    chance: float = 0.0
    now: float = 1000.0
    began: list[float] = field(default_factory=list)
    told: list[Ended] = field(default_factory=list)

    def run(self) -> int:
        """The next of the runs: how long it takes, and its exit code."""
        self.began.append(self.now)
        length, code = self.runs.pop(0)
        self.now += length
        return code

    def sleep(self, wait: float) -> None:
        self.now += wait

    def watch(self, every: float) -> int:
        outside = Outside(lambda: self.now, self.sleep, lambda: self.chance, lambda: not self.runs)
        return watch(self.run, every, outside, self.told.append)


def test_runs_begin_as_often_as_asked_for_however_long_they_take() -> None:
    clock = Clock([(10, 0), (90, 0), (10, 0)])
    clock.watch(100)
    assert clock.began == [1000, 1100, 1200]


def test_a_run_begins_after_the_one_before_has_ended_and_never_beside_it() -> None:
    clock = Clock([(250, 0), (10, 0)])
    clock.watch(100)
    assert clock.began == [1000, 1250]


def test_chance_makes_the_time_shorter_by_a_tenth_at_most_and_never_longer() -> None:
    for chance in (0.0, 0.5, 1.0):
        clock = Clock([(0, 0), (0, 0)], chance)
        clock.watch(100)
        assert clock.began[1] - clock.began[0] == pytest.approx(100 * (1 - JITTER * chance))


def test_a_run_that_failed_does_not_end_the_loop() -> None:
    clock = Clock([(1, 1), (1, 3), (1, 4), (1, 0), (1, 64)])
    clock.watch(100)
    assert [(each.exit_code, each.result, each.failures) for each in clock.told] == [
        (1, "failed", 1),
        (3, "refused", 2),
        (4, "partial", 3),
        (0, "complete", 0),
        (64, "failed", 0),  # the loop was to end by then, so it is no failure that counts
    ]


def test_a_command_line_that_no_run_understands_ends_the_loop() -> None:
    clock = Clock([(1, 1), (1, 64), (1, 0)])
    assert clock.watch(100) == 64
    assert [(each.exit_code, each.wait) for each in clock.told] == [(1, 99), (64, None)]
    assert clock.now == 1000 + 100 + 1, "it does not wait"


def test_a_loop_that_is_stopped_ends_with_0_however_its_last_run_ended() -> None:
    assert Clock([(1, 0), (1, 4)]).watch(100) == 0
    assert Clock([(1, 0), (1, 64)]).watch(100) == 0


def test_no_next_run_is_promised_when_it_is_to_end() -> None:
    clock = Clock([(1, 0), (1, 130)])
    clock.watch(100)
    assert [each.wait for each in clock.told] == [99, None]
    assert clock.told[-1].result == "stopped"


@pytest.mark.parametrize(("text", "expected"), [("5h", 18_000), ("30m", 1800), ("90s", 90), ("7d", 604_800)])
def test_a_time_is_a_number_with_its_unit(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "h", "0h", "-1h", "1.5h", "8d", "5 h", "5H", "٥h", "9" * 5000 + "h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        seconds(text)


def test_people_and_machines_are_told_the_same() -> None:
    ended = Ended(3, 4, 2, 100.0)
    words = (
        "Run 3: partial (exit code 4), 2 in a row were not complete. The next one begins at 2026-11-23 11:00:00 UTC."
    )
    assert result_text(ended, NEXT) == words
    assert json.loads(health_json(ended, "apply", NEXT, None)) == {
        "format_version": 1,
        "command": "apply",
        "run": 3,
        "result": "partial",
        "exit_code": 4,
        "failures_in_a_row": 2,
        "ended": "2026-11-23T11:00:00Z",
        "next": None,
    }


@pytest.mark.parametrize(
    "invocation",
    [
        Invocation(Path("/repository")),
        Invocation(Path("/with space"), "demo", NEXT, 3, 4, 5, "json", 2, quiet=True),
    ],
)
def test_a_run_gets_the_global_options_of_watch(invocation: Invocation, tmp_path: Path) -> None:
    given = Invocation(**{**vars(invocation), "root": tmp_path})
    with cli.make_context("reconcile", [*given.words(), "status"]) as context:
        context.invoke(cli.callback or pytest.fail, **context.params)
        assert context.obj == given


# --- the real thing --------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one portal, of the demo's emulator."""
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d/contoso.yaml").write_bytes((PACKAGE / "portals.d/contoso.yaml").read_bytes())
    return tmp_path


@contextmanager
def watching(
    folder: Path, *words: str, script: str | None = None, log_format: str = "text"
) -> Iterator[subprocess.Popen[str]]:
    """The program in a process of its own, ended at last."""
    code = script or "from reconciler.cli.main import run; run()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--emulate", "demo", "--log-format", log_format, "watch", *words],
        cwd=folder,
        env={**os.environ, "TEST_SECRET": SECRET, "PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], seen: Callable[[str], bool]) -> str:
    """Read stderr until it says what is waited for."""
    assert process.stderr is not None
    said = ""
    while not seen(said):
        line = process.stderr.readline()
        assert line, f"ended by itself: {said}"
        said += line
    return said


def health(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_it_runs_again_and_sigterm_ends_the_wait_with_0(repository: Path) -> None:
    file = repository / "health.json"
    with watching(repository, "--every", "1s", "--health", str(file)) as process:
        until(process, lambda said: "Run 2: complete" in said)
    with watching(repository, "--every", "5h", "--health", str(file)) as process:
        said = until(process, lambda said: "Run 1: complete" in said)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - began < 20, "it does not wait for five hours"
        while not file.exists():
            time.sleep(0.01)
    assert "The next one begins at" in said
    found = health(file)
    assert (found["result"], found["exit_code"], found["run"]) == ("complete", 0, 1)
    assert found["next"]
    assert read(repository / "state")["contoso"].last_import.users == 973


SLOW = """
import sys
from reconciler.cli import watch
from reconciler.cli.main import main
inner = '''
import sys
from reconciler.cli.main import run
from reconciler.emulator import scenarios
from reconciler.emulator.faults import ALWAYS, Fault, throttled
from reconciler.emulator.scenario import Scenario
from tests.cli.cli_world import tenant
slow = Fault(throttled(60), "/v1.0/users", times=ALWAYS)
world = Scenario((tenant(1), tenant(2, faults=(slow,))))
scenarios.load = lambda name: world
run()
'''
watch.PROGRAM = (sys.executable, "-P", "-c", inner)
sys.exit(main())
"""


def test_sigterm_stops_the_present_run_where_what_is_complete_is_kept(tmp_path: Path) -> None:
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d/one.yaml").write_text(portal_yaml(1))
    (tmp_path / "portals.d/two.yaml").write_text(portal_yaml(2))
    file = tmp_path / "health.json"
    with watching(tmp_path, "--health", str(file), "apply", script=SLOW) as process:
        until(process, lambda said: "one: complete" in said and "two: reading" in said)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=50)  # less than the 60 s that Graph asks for
        assert process.returncode == 0, rest
    assert "Run 1: stopped (exit code 130)." in rest
    assert "Traceback" not in rest
    assert health(file)["result"] == "stopped"
    assert health(file)["next"] is None
    assert set(read(tmp_path / "state")) == {"one"}


def test_the_health_file_is_there_before_the_first_run_ends(tmp_path: Path) -> None:
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "portals.d/two.yaml").write_text(portal_yaml(2))
    file = tmp_path / "health.json"
    with watching(tmp_path, "--health", str(file), "apply", script=SLOW) as process:
        until(process, lambda said: "two: reading" in said)
        found = health(file)
    assert (found["result"], found["run"], found["ended"]) == ("running", 0, None)


def test_a_health_file_that_cannot_be_written_ends_it_before_the_first_run(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    ended = world.run("watch", "--health", str(world.root / "nowhere/health.json"), "apply")
    assert ended.code == 64
    assert f"{world.root}/nowhere/health.json cannot be written: No such file or directory" in " ".join(
        ended.err.split()
    )
    assert not (world.root / "state").exists()


def test_a_health_file_that_cannot_be_written_later_is_said_and_the_loop_goes_on(repository: Path) -> None:
    folder = repository / "health"
    folder.mkdir()
    with watching(repository, "--every", "1s", "--health", str(folder / "h.json")) as process:
        until(process, lambda said: "Run 1: complete" in said)
        (folder / "h.json").unlink()
        folder.rmdir()
        said = until(process, lambda said: "Run 3: complete" in said)
    assert "health/h.json cannot be written: No such file or directory." in said
    assert "Traceback" not in said


def test_every_line_of_a_log_in_json_is_json(repository: Path) -> None:
    with watching(repository, "--every", "1s", "apply", log_format="json") as process:
        said = until(process, lambda said: '"number": 2' in said)
    lines = [json.loads(line) for line in said.splitlines()]
    assert all({"time", "level", "logger", "run", "message"} <= line.keys() for line in lines)
    ends = [line for line in lines if "number" in line]
    assert [(line["number"], line["exit_code"], line["level"]) for line in ends] == [(1, 0, "info"), (2, 0, "info")]
    assert len({line["run"] for line in ends}) == 1, "the loop is one process"


def test_a_run_that_fails_does_not_end_the_process(repository: Path) -> None:
    (repository / "portals.d/contoso.yaml").write_text("nmae: Contoso\n")
    with watching(repository, "--every", "1s") as process:
        said = until(process, lambda said: "Run 2: failed (exit code 1), 2 in a row" in said)
    assert "Traceback" not in said


def test_a_portal_that_nobody_knows_ends_the_process(repository: Path) -> None:
    with watching(repository, "--every", "1s", "apply", "nosuch") as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 64
    assert "Run 1: failed (exit code 64)." in said
    assert "Run 2" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "soon"],
        ["plan"],
        ["aply"],
        ["apply", "--shrad", "1/2"],
        ["apply", "--shard", "3/2"],
        ["publish", "plan"],
        ["publish", "apply", "--shrad", "1/2"],
    ],
)
def test_a_typo_ends_it_at_once(world: World, words: list[str]) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    assert world.run("watch", *words).code == 64


def test_signals_are_as_they_were_afterwards(world: World) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    assert world.run("watch", "aply").code == 64
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == before
