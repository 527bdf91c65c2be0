"""What is measured: each case starts its world, runs the product, checks its numbers, and gives lines of the table."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from functools import partial

from tests.benchmarks.measure import BARE, PRODUCT, Cost, alternating, best, measure
from tests.benchmarks.table import Bench, Case, Row
from tests.benchmarks.world import BenchTenant, BenchWorld, WrongAnswer, serving

MEMORY = 120.0
"""MiB that an import may take at its peak."""
SLOW = 0.3
"""Seconds that a page takes in the slow worlds."""
CHANGES = (0.0, 0.001, 0.01)


def first_import(licensed: int, name: str, ratio: float | None, memory: float | None, bench: Bench) -> list[Row]:
    """A tenant that was never imported, against the bare loop."""
    tenant = BenchTenant(1, bench.scaled(licensed))
    with serving(bench.folder, [tenant]) as world:
        ours, bare = alternating(_rounds(bench, licensed), partial(_import, world), partial(_bare, world))
    case = f"{name}: first import, {tenant.licensed:,} licensed users"
    return [
        Row(case, ours, ours.wall / bare.wall, against=bare, compared="bare loop", budget=ratio),
        Row(f"{name}: processor time", ours, ours.cpu / bare.cpu, against=bare, compared="bare loop"),
        Row(f"{name}: peak memory", ours, ours.peak, "MiB", bare, "bare loop", memory),
    ]


def second_import(licensed: int, name: str, budget: float | None, bench: Bench) -> list[Row]:
    """The same tenant again, when some of its users have changed, against its first import."""
    tenant = BenchTenant(1, bench.scaled(licensed), CHANGES)
    rounds = _rounds(bench, licensed)
    with serving(bench.folder, [tenant]) as world:
        first = best([_import(world, name="first") for _ in range(rounds)])
        rows = []
        for generation, share in enumerate(CHANGES, 1):
            costs, asked = zip(*(_again(world, generation) for _ in range(rounds)), strict=True)
            cost = best(costs)
            rows.append(
                Row(
                    f"{name}: second import, {share:.1%} of {tenant.licensed:,} changed",
                    cost,
                    cost.wall / first.wall,
                    "%",
                    first,
                    "first import",
                    budget if share == 0.001 else None,
                    note=_requests(asked[0]),
                )
            )
    return rows


def portals(bench: Bench) -> list[Row]:
    """A thousand portals of fifty users, and what looks at all of them."""
    tenants = [BenchTenant(number, 50) for number in range(1, bench.scaled(1000) + 1)]
    with serving(bench.folder, tenants) as world:
        rounds = _rounds(bench, 50 * len(tenants))
        ours, bare = alternating(rounds, partial(_import, world), partial(_bare, world))
        root = world.folder / "ours"
        plan, status, report = (
            best([measure([*PRODUCT, "--chdir", str(root), command]) for _ in range(rounds)])
            for command in ("plan", "status", "report")
        )
    case = f"portals: import of {len(tenants):,} portals with 50 users"
    return [
        Row(case, ours, ours.wall / bare.wall, against=bare, compared="bare loop, users only"),
        Row(f"portals: plan over {len(tenants):,}, no change", plan, plan.cpu, "s CPU", budget=1.0),
        Row(f"portals: status over {len(tenants):,}", status, status.cpu, "s CPU"),
        Row(f"portals: report over {len(tenants):,}, no change", report, report.cpu, "s CPU"),
    ]


def slow_tenants(bench: Bench) -> list[Row]:
    """Twenty tenants of one to twenty thousand users, 300 ms a page, against the largest alone."""
    tenants = [BenchTenant(number, bench.scaled(900 * number)) for number in range(1, 21)]
    with serving(bench.folder, tenants, SLOW) as world:
        together, alone = alternating(
            min(bench.rounds, 2), partial(_import, world), partial(_import, world, only=tenants[-1:], name="alone")
        )
    case = f"slow-tenants: 20 tenants, {SLOW * 1000:.0f} ms a page"
    return [Row(case, together, together.wall / alone.wall, against=alone, compared="the slowest", budget=1.3)]


def slow_pages(bench: Bench) -> list[Row]:
    """A million users at 300 ms a page: page after page, and by ranges."""
    tenant = BenchTenant(1, bench.scaled(1_000_000), by_letter=True)
    size = f"{tenant.licensed:,} users, {SLOW * 1000:.0f} ms a page"
    with serving(bench.folder, [tenant], SLOW) as world:
        one = _import(world, options=("--streams", "1"))
        world.asked()
        many = _import(world)
        note = _requests(world.asked())
    case = f"slow-pages: {size}, by ranges"
    return [Row(case, one, one.wall / many.wall, "x", many, "by ranges", 5.0, at_most=False, note=note)]


def start(bench: Bench) -> list[Row]:
    """Start-up, against an interpreter that imports click."""
    with serving(bench.folder, [BenchTenant(1, 50)]) as world:
        root = world.repository("start")
        measure([*PRODUCT, "--chdir", str(root), "import"], world.environment)
        commands = {
            "reconcile --help": [*PRODUCT, "--help"],
            "reconcile validate": [*PRODUCT, "--chdir", str(root), "validate"],
            "reconcile plan": [*PRODUCT, "--chdir", str(root), "plan"],
        }
        runs = [partial(measure, command) for command in commands.values()]
        costs = alternating(max(5 * bench.rounds, 5), *runs, partial(measure, [sys.executable, "-c", "import click"]))
    bare = costs[-1]
    return [
        Row(f"start: {name}", cost, cost.wall / bare.wall, against=bare, compared="import click", budget=budget)
        for name, cost, budget in zip(commands, costs, (2.5, None, None), strict=False)
    ]


def sdk(bench: Bench) -> list[Row]:
    """The fetch alone by Microsoft's SDK, where an interpreter that has it is given."""
    tenant = BenchTenant(1, bench.scaled(2_000))
    if not bench.sdk:
        return []
    with serving(bench.folder, [tenant]) as world:
        command = [bench.sdk, "-m", "tests.benchmarks.sdk", str(world.folder / "compared.db"), str(tenant.number)]
        ours, theirs = alternating(bench.rounds, partial(_import, world), partial(_compared, world, command))
    case = f"sdk: first import, {tenant.licensed:,} licensed users"
    times = theirs.wall / ours.wall
    return [Row(case, ours, times, against=theirs, compared="msgraph-sdk, fetch alone", note="how many times faster")]


def _import(
    world: BenchWorld, only: Sequence[BenchTenant] = (), options: Sequence[str] = (), name: str = "ours"
) -> Cost:
    """Import into a fresh repository, and check what came of it."""
    root = world.repository(name)
    command = [*PRODUCT, *options, "--chdir", str(root), "import", *(tenant.portal_id for tenant in only)]
    cost = measure(command, world.environment)
    world.check(root, only=only)
    return cost


def _again(world: BenchWorld, generation: int) -> tuple[Cost, dict[str, int]]:
    """Import what the repository ``first`` knows once more, in a later generation; with the requests that it took."""
    root = world.repository("second", copied="first")
    world.go_to(generation)
    try:
        world.asked()
        cost = measure([*PRODUCT, "--chdir", str(root), "import"], world.environment)
        asked = world.asked()
        world.check(root, generation)
    finally:
        world.go_to(0)
    return cost, asked


def _bare(world: BenchWorld) -> Cost:
    """The bare loop over the same tenants."""
    return _compared(world, [*BARE, str(world.folder / "compared.db"), str(len(world.tenants))])


def _compared(world: BenchWorld, command: Sequence[str]) -> Cost:
    """What something else costs that reads the tenants into ``compared.db``. Its rows are counted."""
    file = world.folder / "compared.db"
    file.unlink(missing_ok=True)
    cost = measure(command, world.environment)
    db = sqlite3.connect(file)
    (found,) = db.execute("SELECT count(*) FROM consumers").fetchone()
    db.close()
    expected = sum(tenant.facts().assignments for tenant in world.tenants)
    if found != expected:
        raise WrongAnswer(f"{' '.join(command)}: {found} rows instead of {expected}")
    return cost


def _rounds(bench: Bench, users: int) -> int:
    """How often a run is repeated: the large ones vary little and take long."""
    return bench.rounds if users * bench.scale <= 300_000 else 1


def _requests(asked: dict[str, int]) -> str:
    """Requests by path, without those that every import makes."""
    return ", ".join(f"{count} {path}" for path, count in asked.items() if path.startswith("users"))


CASES: dict[str, Case] = {
    "start": start,
    "first-20k": partial(first_import, 20_000, "first-20k", None, None),
    "first-200k": partial(first_import, 200_000, "first-200k", 1.3, MEMORY),
    "first-1m": partial(first_import, 1_000_000, "first-1m", None, MEMORY),
    "second-200k": partial(second_import, 200_000, "second-200k", 0.15),
    "second-1m": partial(second_import, 1_000_000, "second-1m", 0.05),
    "portals": portals,
    "slow-tenants": slow_tenants,
    "slow-pages": slow_pages,
    "sdk": sdk,
}
"""Every case by the name that ``make bench CASES=…`` takes."""
