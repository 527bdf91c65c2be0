"""History lines in the reports of a repository, from run to run: made again from the ledger, to the byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.cli_world import E3, World, office, portal_yaml, tenant

LINE = re.compile(r'aria-label="([^"]*lowest balance[^"]*)"')


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path / "repository", capsys, monkeypatch)
    made.portals(one=portal_yaml(1), two=portal_yaml(2))
    return made


def bought(world: World, day: int, enabled: int, *arguments: str) -> None:
    """Apply on a day of November 2026 on which the first tenant owns so many licenses."""
    world.tenants(tenant(1, skus=(office(enabled),)), tenant(2))
    ended = world.run("--now", f"2026-11-{day:02d}T06:00:00Z", *(arguments or ("apply",)))
    assert ended.code == 0, ended.err


def lines(world: World) -> list[str]:
    """The history lines of the page, in words."""
    return LINE.findall((world.root / "state/reports/index.html").read_text())


def history(world: World, portal: str = "one") -> list[str]:
    """The rows of the table in the portal's page."""
    page = (world.root / "state/reports" / f"{portal}.md").read_text()
    return [row for row in page.partition("## History\n")[2].partition("\n## ")[0].splitlines() if "→" in row]


def test_a_product_gets_a_line_when_its_numbers_have_changed_twice(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6)):
        bought(world, day, enabled)
        assert lines(world) == history(world) == []
    bought(world, 9, 12)
    assert lines(world) == [
        "2026-11-02 to 2026-11-09: entitled 10 to 12, consumed 7 to 7, lowest balance −1 on 2026-11-05"
    ]
    (row,) = history(world)
    assert row.endswith("| 2026-11-02 | 2026-11-09 | 10 → 12 | 7 → 7 | −1 | 2026-11-05 |")
    assert history(world, "two") == []


def test_the_lines_are_made_again_from_the_ledger_and_stay_while_nothing_changes(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6), (9, 12)):
        bought(world, day, enabled)
    before = world.written()
    bought(world, 20, 12)
    assert world.written() == before
    (world.root / "state/reconciler.db").unlink()
    bought(world, 21, 12)
    assert world.written() == before
    bought(world, 22, 12, "report")
    assert world.written() == before
    assert world.run("verify", emulate=False).code == 0


def test_a_run_over_some_portals_keeps_the_lines_of_the_others(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6), (9, 12)):
        bought(world, day, enabled)
    before = world.written()
    bought(world, 10, 12, "apply", "two")
    bought(world, 10, 12, "apply", "--shard", "1/1")
    assert world.written() == before


def test_a_line_that_somebody_drew_is_noticed(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6), (9, 12)):
        bought(world, day, enabled)
    page = world.root / "state/reports/index.html"
    page.write_text(page.read_text().replace("lowest balance −1", "lowest balance 1"))
    ended = world.run("verify", emulate=False)
    assert ended.code == 1
    assert ended.out.startswith("state/reports/index.html:")


def test_a_history_that_cannot_be_read_is_named_instead_of_left_out(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6), (9, 12)):
        bought(world, day, enabled)
    past = world.root / "state/ledger/history/one.jsonl"
    past.write_text(f"<<<<<<< HEAD\n{past.read_text()}")
    ended = world.run("--now", "2026-11-10T06:00:00Z", "apply")
    assert ended.code == 1
    assert "ledger-unreadable" in ended.err
    assert "history/one.jsonl" in ended.err


def test_a_line_follows_a_renamed_file(world: World) -> None:
    for day, enabled in ((2, 10), (5, 6), (9, 12)):
        bought(world, day, enabled)
    world.portals(first=portal_yaml(1), two=portal_yaml(2))
    bought(world, 10, 12)
    assert len(history(world, "first")) == 1
    assert f"product-first-{E3}" in (world.root / "state/reports/index.html").read_text()
