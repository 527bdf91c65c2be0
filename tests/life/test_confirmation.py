"""``report.confirm``: a report in which nothing changes says as of when everything was read, and only then."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.cli_world import World, office, portal_yaml, power_bi, tenant

Files = Mapping[str, bytes]

OVERVIEW = [
    "ledger/meta.json",
    "reports/evidence.json",
    "reports/index.html",
    "reports/status.json",
    "reports/status.md",
]
SUSPENDED = "suspend: {reason: Migration}\n"


class Days:
    """A repository with two portals, and what a run on a day of November 2026 leaves."""

    def __init__(self, world: World, confirm: str | None) -> None:
        self.world = world
        self.settings(confirm)
        world.portals(one=portal_yaml(1), two=portal_yaml(2))
        self.reachable()

    def settings(self, confirm: str | None) -> None:
        """Write ``reconcile.yaml``."""
        (self.world.root / "reconcile.yaml").write_text(f"report: {{confirm: {confirm}}}\n" if confirm else "")

    def reachable(self, **more: object) -> None:
        """Let both tenants answer; ``more`` is about the first."""
        self.world.tenants(tenant(1, **more), tenant(2))

    def broken(self) -> None:
        """Let the second tenant refuse."""
        self.world.tenants(tenant(1), tenant(2, applications=()))

    def run(self, day: int, *arguments: str, code: int = 0, hour: int = 6) -> Files:
        """Run on a day; what is committed then. The reports are always those of the ledger."""
        ended = self.world.run("--now", f"2026-11-{day:02d}T{hour:02d}:00:00Z", *(arguments or ("apply",)))
        assert ended.code == code, ended.err
        if "import" not in arguments:
            verified = self.world.run("verify", emulate=False)
            assert verified.code == 0, verified.out
        return self.world.written()

    def confirmed(self) -> str | None:
        """The day that the overview says, which is the same everywhere."""
        state = self.world.root / "state"
        said = json.loads((state / "reports/status.json").read_text()).get("confirmed")
        rows = [row for row in (state / "reports/status.md").read_text().splitlines() if "onfirmed" in row]
        assert rows == ([f"| Confirmed complete as of | {said} |"] if said else [])
        page = re.sub("<[^>]+>", "", (state / "reports/index.html").read_text())
        assert f"confirmed complete as of {said}" in page if said else "confirmed" not in page
        day: str | None = said
        return day


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "repository", capsys, monkeypatch)


@pytest.fixture
def daily(world: World) -> Days:
    return Days(world, "daily")


@pytest.fixture
def weekly(world: World) -> Days:
    return Days(world, "weekly")


def changed(before: Files, after: Files) -> list[str]:
    """Which files are others."""
    assert before.keys() == after.keys()
    return sorted(name for name in after if before[name] != after[name])


# --- how often -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirm", [None, "never"])
def test_unless_the_settings_ask_for_it_nothing_moves(world: World, confirm: str | None) -> None:
    days = Days(world, confirm)
    first = days.run(10)
    assert days.confirmed() is None
    assert "confirmed" not in json.loads(first["ledger/meta.json"])
    assert all(days.run(day) == first for day in (11, 17, 28))


def test_a_daily_confirmation_is_one_line_a_day_in_the_overview(daily: Days) -> None:
    before = daily.run(10)
    assert daily.confirmed() == "2026-11-10"
    assert daily.run(10, hour=23) == before
    after = daily.run(11)
    assert daily.confirmed() == "2026-11-11"
    assert changed(before, after) == OVERVIEW
    for name in OVERVIEW:
        if name != "reports/evidence.json":
            old, new = before[name].splitlines(), after[name].splitlines()
            moved = [was for was, now in zip(old, new, strict=True) if was != now]
            assert len(moved) == 1, name
    assert daily.run(11, hour=11) == after


def test_a_weekly_confirmation_waits_seven_days(weekly: Days) -> None:
    first = weekly.run(10)
    assert weekly.confirmed() == "2026-11-10"
    assert all(weekly.run(day) == first for day in range(11, 17))
    assert changed(first, weekly.run(17)) == OVERVIEW
    assert weekly.confirmed() == "2026-11-17"


def test_where_something_else_changed_the_confirmation_goes_along(weekly: Days) -> None:
    first = weekly.run(10)
    weekly.reachable(skus=(office(11),))
    after = weekly.run(12)
    assert weekly.confirmed() == "2026-11-12"
    assert "ledger/one.json" in changed(first, after)
    assert weekly.run(13) == weekly.run(18) == after
    weekly.run(19)
    assert weekly.confirmed() == "2026-11-19"


def test_a_confirmation_is_written_and_told_as_a_change(daily: Days) -> None:
    daily.run(10)
    assert "Changed: " in daily.world.run("--now", "2026-11-11T06:00:00Z", "apply").err
    assert "Nothing changed: " in daily.world.run("--now", "2026-11-11T07:00:00Z", "apply").err


# --- only what was read ----------------------------------------------------------------------------------------------


def test_a_portal_that_failed_keeps_the_day_where_it_was(daily: Days) -> None:
    daily.run(10)
    daily.broken()
    broken = daily.run(11, code=4)
    assert daily.confirmed() == "2026-11-10"
    assert daily.run(12, code=4) == broken
    daily.reachable()
    daily.run(13)
    assert daily.confirmed() == "2026-11-13"


def test_what_was_never_read_completely_is_not_confirmed(daily: Days) -> None:
    daily.broken()
    daily.run(10, code=4)
    assert daily.confirmed() is None


def test_an_answer_that_was_held_back_is_not_confirmed(daily: Days) -> None:
    daily.run(10)
    daily.reachable(skus=(), users=())
    daily.run(11, code=4)
    assert daily.confirmed() == "2026-11-10"


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "one"),
        ("apply", "one", "two"),
        ("apply", "--shard", "1/1"),
        ("import",),
        ("recalculate",),
        ("report",),
    ],
    ids=" ".join,
)
def test_only_a_run_that_has_read_all_portals_confirms(daily: Days, arguments: tuple[str, ...]) -> None:
    before = daily.run(10)
    assert daily.run(11, *arguments) == before
    daily.run(11)
    assert daily.confirmed() == "2026-11-11"


def test_recalculating_completely_confirms_as_it_imports_everything(daily: Days) -> None:
    daily.run(10)
    daily.run(11, "recalculate", "--completely")
    assert daily.confirmed() == "2026-11-11"


def test_a_suspended_portal_is_left_out_and_the_report_says_so(daily: Days) -> None:
    daily.world.portals(one=portal_yaml(1), two=portal_yaml(2, extra=SUSPENDED))
    daily.run(10)
    daily.run(11)
    assert daily.confirmed() == "2026-11-11"
    assert "| Portals suspended | [1](#portals) |" in (daily.world.root / "state/reports/status.md").read_text()


def test_where_no_portal_is_read_nothing_is_confirmed(daily: Days) -> None:
    daily.run(10)
    daily.world.portals(one=portal_yaml(1, extra=SUSPENDED), two=portal_yaml(2, extra=SUSPENDED))
    daily.run(11)
    daily.run(12)
    assert daily.confirmed() == "2026-11-10"


# --- the ledger knows ------------------------------------------------------------------------------------------------


def test_a_lost_database_takes_no_confirmation_with_it(weekly: Days) -> None:
    first = weekly.run(10)
    (weekly.world.root / "state/reconciler.db").unlink()
    assert weekly.run(11) == first


def test_a_line_that_is_not_asked_for_any_more_goes(daily: Days) -> None:
    daily.run(10)
    daily.settings("never")
    daily.run(11)
    assert daily.confirmed() is None
    daily.settings("daily")
    daily.run(12)
    assert daily.confirmed() == "2026-11-12"


@pytest.mark.parametrize("day", [19, 3])
def test_a_clock_set_back_takes_no_confirmation_back(weekly: Days, day: int) -> None:
    first = weekly.run(20)
    assert weekly.run(day) == first


def test_an_edited_day_is_noticed(daily: Days) -> None:
    daily.run(10)
    meta = daily.world.root / "state/ledger/meta.json"
    meta.write_text(meta.read_text().replace("2026-11-10", "2026-11-11"))
    ended = daily.world.run("verify", emulate=False)
    assert ended.code == 1
    assert ended.out.startswith("state/ledger/meta.json: ")


@pytest.mark.parametrize("day", ['"yesterday"', "7", '["2026-11-10"]', '"2026-11-31"'])
def test_a_ledger_that_says_no_day_cannot_be_read(daily: Days, day: str) -> None:
    daily.run(10)
    meta = daily.world.root / "state/ledger/meta.json"
    meta.write_text(meta.read_text().replace('"2026-11-10"', day))
    ended = daily.world.run("apply")
    assert ended.code == 1
    assert "ledger-unreadable" in ended.err
    assert "meta.json" in ended.err


def test_a_clone_goes_on_where_the_ledger_is(daily: Days, tmp_path: Path) -> None:
    daily.run(10)
    clone = World(tmp_path / "clone", daily.world.capsys, daily.world.monkeypatch)
    shutil.rmtree(clone.root)
    shutil.copytree(daily.world.root, clone.root, ignore=shutil.ignore_patterns("reconciler.db"))
    ended = clone.run("--now", "2026-11-10T09:00:00Z", "apply")
    assert ended.code == 0
    assert clone.written() == daily.world.written()


def test_a_new_portal_that_cannot_be_read_counts_from_its_first_day(daily: Days) -> None:
    daily.run(10)
    daily.world.tenants(tenant(1), tenant(2), tenant(3, skus=(power_bi(),), users=(), applications=()))
    daily.world.portals(one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3))
    daily.run(11, code=4)
    assert daily.confirmed() == "2026-11-10"
