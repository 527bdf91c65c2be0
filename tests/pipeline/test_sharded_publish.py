"""Shards that publish at the same time, with real git and a served emulator: in sum they are one run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler.shards import shard_of
from tests.pipeline.conftest import Served
from tests.pipeline.pipeline_world import Remote, demo_portal

COUNT = 3
NAMES = ("contoso", "fabrikam", "northwind")
OVERVIEW = {"state/reports/status.md", "state/reports/status.json", "state/reports/index.html"}


def repository(folder: Path, emulator: Served) -> Remote:
    """A remote with the demo's portals, pushed by a person."""
    made = Remote(folder, emulator.environment).create()
    person = made.clone("license manager")
    assert person.reconcile("init").code == 0
    for name in NAMES:
        person.write(f"portals.d/{name}.yaml", demo_portal(name, emulator.credentials))
    person.push("The first portals")
    return made


def committed(remote: Remote) -> dict[str, str]:
    """Every file under ``state/`` but the identity of the state, which each repository has its own."""
    paths = (path for path in remote.files() if path.startswith("state/") and "evidence" not in path)
    return {path: remote.git("show", f"main:{path}") for path in sorted(paths) if path != "state/ledger/meta.json"}


def test_shards_that_publish_at_once_and_a_last_job_come_to_one_run(tmp_path: Path, emulator: Served) -> None:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    single = repository(tmp_path / "single", emulator)
    assert single.clone("runner").reconcile("--now", now, "publish").code == 0
    remote = repository(tmp_path / "sharded", emulator)
    numbers = range(1, COUNT + 1)
    assert len({shard_of(name, COUNT) for name in NAMES}) > 1
    clones = [remote.clone(f"runner {number}") for number in numbers]
    runs = [
        clone.start("--now", now, "publish", "apply", "--shard", f"{number}/{COUNT}")
        for number, clone in zip(numbers, clones, strict=True)
    ]
    ended = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * COUNT, ended
    assert not OVERVIEW & remote.files()
    assert remote.clone("last").reconcile("--now", now, "publish", "report").code == 0
    assert remote.files() >= OVERVIEW
    assert committed(remote) == committed(single)
