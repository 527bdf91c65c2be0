"""Shards that publish at the same time, with real git and a served emulator: in sum they are one run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler.shards import shard_of
from tests.pipeline.conftest import Served
from tests.pipeline.pipeline_world import Remote, demo_portal
from tests.pipeline.publish_world import PROPOSAL

COUNT = 3
NAMES = ("contoso", "fabrikam", "northwind")
OVERVIEW = {f"state/reports/{name}" for name in ("status.md", "status.json", "index.html", "evidence.json")}


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
    """Every file under ``state/``."""
    paths = (path for path in remote.files() if path.startswith("state/"))
    return {path: remote.git("show", f"main:{path}") for path in sorted(paths)}


def same_identity(remote: Remote, other: Remote) -> None:
    """Let a state begin with the identity of another: evidence names it, and each new state has its own."""
    person = remote.clone("whoever began it")
    person.write("state/ledger/meta.json", other.git("show", "main:state/ledger/meta.json") + "\n")
    person.push("The identity of the state")


def test_shards_that_publish_at_once_and_a_last_job_come_to_one_run(tmp_path: Path, emulator: Served) -> None:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
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
    single = repository(tmp_path / "single", emulator)
    same_identity(single, remote)
    assert single.clone("runner").reconcile("--now", now, "publish").code == 0
    assert committed(remote) == committed(single)


def test_shards_of_a_protected_branch_propose_what_one_run_proposes(tmp_path: Path, emulator: Served) -> None:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    remote = repository(tmp_path / "sharded", emulator)
    remote.protect()
    publish = ("--now", now, "publish", "--pull-request")
    clones = {number: remote.clone(f"runner {number}") for number in range(1, COUNT + 1)}
    runs = [clone.start(*publish, "apply", "--shard", f"{number}/{COUNT}") for number, clone in clones.items()]
    ended = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * COUNT, ended
    assert remote.clone("last").reconcile(*publish, "report").code == 0
    assert remote.count() == 1
    before = remote.git("rev-parse", PROPOSAL)
    again = remote.clone("another run over all").reconcile(*publish)
    assert again.code == 0
    assert f"Nothing to commit: {PROPOSAL} has the state already." in again.err
    assert remote.git("rev-parse", PROPOSAL) == before
    paths = remote.files(PROPOSAL)
    assert paths >= OVERVIEW | {f"state/ledger/{name}.json" for name in NAMES}
