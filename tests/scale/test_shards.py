"""The parts of the portals: which portal is in which, and that their sum is the run over all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import Tenant
from reconciler.shards import MOST, Shard, parse, shard_of, shards_with_work
from tests.cli.cli_world import World, flow, office, portal_yaml, power_bi, tenant

COUNT = 4
IDS = [f"portal-{number:02d}" for number in range(1, 13)]
NOW = "2026-11-23T06:00:00Z"
LATER = "2026-11-24T06:00:00Z"
ids = st.text(st.characters(categories=["Ll", "Nd"], include_characters="-"), min_size=1)


@given(ids, st.integers(1, MOST))
def test_a_portal_is_in_exactly_one_shard(portal_id: str, count: int) -> None:
    assert sum(portal_id in Shard(number, count) for number in range(1, count + 1)) == 1


@given(st.sets(ids, min_size=1), st.integers(1, MOST))
def test_the_shards_with_work_have_all_portals_and_none_is_empty(portals: set[str], count: int) -> None:
    found = shards_with_work(portals, count)
    assert list(found) == sorted(found, key=lambda shard: shard.number)
    assert all(any(portal_id in shard for portal_id in portals) for shard in found)
    assert {portal_id for portal_id in portals if any(portal_id in shard for shard in found)} == portals


def test_the_shard_of_a_portal_never_moves() -> None:
    """It is agreed between runners of different versions, and a cached state DB rests on it."""
    assert [shard_of(portal_id, 16) for portal_id in ("contoso", "fabrikam", "northwind")] == [12, 15, 8]
    assert shard_of("contoso", 1) == 1


def test_portals_spread_over_the_shards() -> None:
    sizes = [sum(shard_of(f"tenant-{number}", 16) == shard for number in range(1600)) for shard in range(1, 17)]
    assert min(sizes) > 60
    assert max(sizes) < 140


@pytest.mark.parametrize(
    "text", ["", "3", "0/4", "5/4", "-1/4", "1/257", "1/0", "a/b", "1/2/3", " 1/2", "1/2 ", "٣/١٦", "1/" + "9" * 5000]
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4/3", "4/3 is no shard: the first is 1/3, the last 3/3"),
        ("0/3", "0/3 is no shard: the first is 1/3, the last 3/3"),
        ("1/300", "1/300 is no shard: there are 1 to 256 of them"),
    ],
)
def test_a_shard_that_is_not_there_is_answered_with_those_that_are(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="is no shard") as caught:
        parse(text)
    assert str(caught.value) == words


def test_a_shard_reads_as_it_was_written() -> None:
    assert str(parse("3/16")) == "3/16"
    assert parse("256/256") == Shard(256, 256)


# --- commands --------------------------------------------------------------------------------------------------------


def tenants(*, users: int = 7, failing: Sequence[int] = ()) -> list[Tenant]:
    """Twelve tenants; those that fail cannot be read."""
    down = Fault(Reply(503), "/v1.0/*", times=ALWAYS)
    skus = (office(), power_bi(), flow())
    return [tenant(number, skus=skus, faults=(down,) if number in failing else ()) for number in range(1, len(IDS) + 1)]


def files(**more: str) -> dict[str, str]:
    """A portal file for each tenant."""
    return {portal_id: portal_yaml(number) for number, portal_id in enumerate(IDS, 1)} | more


def removal(portal: str, sku: str, reason: str) -> str:
    return f"  - {{portal: {portal}, sku: {sku}, reason: {reason}}}\n"


class Twins:
    """The same repository twice: one is applied by one run, the other by shards and a last job."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = world.root
        self.sharded = world.root.with_name("sharded")

    def single(self, now: str) -> int:
        return self._run(self.root, "--now", now, "--retry-limit", "0", "apply")

    def in_shards(self, now: str) -> list[int]:
        """Apply each shard in a fresh clone of what is committed, bring their files together, and write the overview.

        As with git, two shards that change the same file are a conflict.
        """
        self._copy_configuration()
        state = self.sharded / "state"
        before = _committed(state)
        changed: dict[str, bytes | None] = {}
        codes = []
        for number in range(1, COUNT + 1):
            clone = self.sharded.with_name(f"clone-{number}")
            shutil.rmtree(clone, ignore_errors=True)
            shutil.copytree(self.sharded, clone, ignore=shutil.ignore_patterns("reconciler.db", ".lock"))
            codes.append(self._run(clone, "--now", now, "--retry-limit", "0", "apply", "--shard", f"{number}/{COUNT}"))
            after = _committed(clone / "state")
            mine = {name: after.get(name) for name in before.keys() | after if before.get(name) != after.get(name)}
            both = {name for name in mine.keys() & changed if name not in ("ledger/meta.json", ".gitignore")}
            assert not both, "shards never conflict in git"
            changed |= mine
        for name, content in changed.items():
            (state / name).parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                (state / name).unlink()
            else:
                (state / name).write_bytes(content)
        assert self._run(self.sharded, "--now", now, "report") == 0
        (state / "reconciler.db").unlink()
        return codes

    def agree(self) -> None:
        """Both have the same bytes under ``state/``."""
        one, many = _committed(self.root / "state"), _committed(self.sharded / "state")
        assert one.keys() == many.keys()
        assert [name for name in one if one[name] != many[name]] == []

    def _copy_configuration(self) -> None:
        shutil.rmtree(self.sharded / "portals.d", ignore_errors=True)
        shutil.copytree(self.root / "portals.d", self.sharded / "portals.d")

    def _run(self, root: Path, *arguments: str) -> int:
        self.world.root = root
        try:
            return self.world.run(*arguments).code
        finally:
            self.world.root = self.root


def _committed(state: Path) -> dict[str, bytes]:
    paths = (path for path in state.rglob("*") if path.is_file() and path.name not in ("reconciler.db", ".lock"))
    return {path.relative_to(state).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def twins(world: World) -> Twins:
    world.tenants(*tenants())
    world.portals(**files())
    made = Twins(world)
    assert made.single(NOW) == 0
    assert made.in_shards(NOW) == [0] * COUNT
    return made


def test_the_shards_and_a_report_come_to_what_one_run_comes_to(twins: Twins) -> None:
    twins.agree()
    assert len(_committed(twins.root / "state")) > 3 * len(IDS)


def test_nothing_changes_when_the_shards_run_again(twins: Twins) -> None:
    before = _committed(twins.sharded / "state")
    assert twins.in_shards(LATER) == [0] * COUNT
    assert _committed(twins.sharded / "state") == before


def test_renames_deletions_exclusions_failures_and_removals_come_to_the_same(twins: Twins) -> None:
    world = twins.world
    renamed = "another-name"
    assert shard_of(renamed, COUNT) != shard_of(IDS[0], COUNT), "the old and the new id are in different shards"
    named = files(**{renamed: portal_yaml(1)}) | {IDS[1]: portal_yaml(2, name="Other words")}
    named[IDS[2]] = portal_yaml(3, extra="exclusions:\n  - {sku: FLOW_FREE, reason: Free}\n")
    named[IDS[3]] = portal_yaml(4, extra="suspend: {reason: Migration}\n")
    del named[IDS[0]], named[IDS[4]]
    world.portals(**named)
    world.tenants(*tenants(failing=(6, 7)))
    assert twins.single(LATER) == 4
    codes = twins.in_shards(LATER)
    failing = {shard_of(IDS[5], COUNT), shard_of(IDS[6], COUNT)}
    assert {number for number, code in enumerate(codes, 1) if code} == failing
    twins.agree()
    assert not (twins.sharded / f"state/ledger/{IDS[0]}.json").exists()
    assert not (twins.sharded / f"state/reports/{IDS[0]}.md").exists()
    entries = removal(IDS[4], '"*"', "Contract has ended") + removal(renamed, "ENTERPRISEPACK", "Not gone at all")
    (world.root / "portals.d/removals.yaml").write_text(f"removals:\n{entries}")
    world.tenants(*tenants())
    assert twins.single("2026-11-25T06:00:00Z") == 4
    codes = twins.in_shards("2026-11-25T06:00:00Z")
    assert {number for number, code in enumerate(codes, 1) if code} == {shard_of(renamed, COUNT)}
    twins.agree()
    assert not (twins.sharded / f"state/reports/{IDS[4]}.md").exists()


def test_a_shard_writes_nothing_but_the_files_of_its_portals(world: World) -> None:
    world.tenants(*tenants())
    world.portals(**files())
    shard = Shard(2, COUNT)
    assert world.run("apply", "--shard", str(shard)).code == 0
    mine = {portal_id for portal_id in IDS if portal_id in shard}
    assert mine
    written = world.written()
    assert {name for name in written if name.startswith("reports/")} == {f"reports/{each}.md" for each in mine}
    ledgers = {f"ledger/{each}.json" for each in mine} | {f"ledger/history/{each}.jsonl" for each in mine}
    assert {name for name in written if name.startswith("ledger/")} == ledgers | {"ledger/meta.json"}


def test_a_shard_leaves_the_overview_of_an_earlier_run_alone(world: World) -> None:
    world.tenants(*tenants())
    world.portals(**files())
    assert world.run("apply").code == 0
    before = world.written()
    number = shard_of(IDS[0], COUNT)
    world.portals(**files(**{IDS[0]: portal_yaml(1, name="Other words")}))
    assert world.run("apply", "--shard", f"{number}/{COUNT}").code == 0
    after = world.written()
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {f"ledger/{IDS[0]}.json", f"ledger/history/{IDS[0]}.jsonl", f"reports/{IDS[0]}.md"} & changed
    assert f"ledger/{IDS[0]}.json" in changed


def test_a_shard_is_refused_whenever_the_run_over_all_is(world: World) -> None:
    """Else a plan that loses too much would pass in small parts."""
    world.tenants(*tenants())
    world.portals(**files())
    assert world.run("apply").code == 0
    world.portals(**{IDS[0]: portal_yaml(1)})
    before = world.written()
    for number in range(1, COUNT + 1):
        ended = world.run("apply", "--shard", f"{number}/{COUNT}")
        assert (ended.code, "too-many-lost" in ended.err) == (3, True)
    assert world.written() == before


def test_a_shard_without_a_portal_is_a_success(world: World) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    empty = next(number for number in range(1, 5) if number != shard_of("one", 4))
    ended = world.run("apply", "--shard", f"{empty}/4", "--format", "json")
    assert ended.code == 0
    assert json.loads(ended.out)["portals"] == []


@pytest.mark.parametrize(
    "arguments", [["--shard", "5/4"], ["--shard", "x"], ["--shard", "1/2", "one"], ["--shard", "1/2", "--plan", "p"]]
)
def test_a_shard_that_makes_no_sense_is_a_usage_error(world: World, arguments: list[str]) -> None:
    world.tenants(tenant())
    world.portals(one=portal_yaml())
    assert world.run("apply", *arguments).code == 64


def test_the_shard_may_come_from_the_environment(world: World) -> None:
    world.tenants(*tenants())
    world.portals(**files())
    world.monkeypatch.setenv("RECONCILE_APPLY_SHARD", "1/4")
    ended = world.run("apply", "--format", "json")
    assert json.loads(ended.out)["shard"] == "1/4"


def test_the_matrix_has_the_shards_with_a_portal_and_no_other(world: World) -> None:
    world.portals(contoso=portal_yaml(1), fabrikam=portal_yaml(2), northwind=portal_yaml(3))
    ended = world.run("shards", "--count", "16")
    assert ended.code == 0
    assert json.loads(ended.out) == {"shard": ["8/16", "12/16", "15/16"]}
    assert ended.out.count("\n") == 1, "it is one line, for the output of a step"


def test_the_matrix_has_the_shard_of_a_portal_whose_file_is_gone(world: World) -> None:
    world.tenants(tenant(1), tenant(2))
    world.portals(contoso=portal_yaml(1), fabrikam=portal_yaml(2))
    assert world.run("apply").code == 0
    world.portals(fabrikam=portal_yaml(2))
    assert json.loads(world.run("shards", "--count", "16").out) == {"shard": ["12/16", "15/16"]}
