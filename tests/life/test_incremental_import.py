"""Imports that read only what changed end where a full read ends, or say that they could not."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.emulator import delta
from reconciler.emulator.faults import ALWAYS, Drop, EmptyPage, Fault, ForeignLink, Overlap, Reply
from reconciler.emulator.scenario import ABSENT, LicenseAssignment
from reconciler.model import ImportOutcome
from reconciler.store.sqlite_errors import FILE
from tests.life.delta_world import E3, E5, FLOW, SIGN_INS, START, DeltaWorld, person, read_in_full, removed

DELTA = "/v1.0/users/delta"
FEW = tuple(person(number, E3) for number in range(5))


@pytest.fixture
def world(tmp_path: Path) -> DeltaWorld:
    """Five users, read once in full; five hours later."""
    world = DeltaWorld(tmp_path / "state", FEW)
    world.apply()
    world.after(hours=5)
    return world


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "PAGE", 2)


def same_as_full(world: DeltaWorld) -> bool:
    """Whether what is stored is what one full read stores."""
    return world.tables() == read_in_full(world, world.folder.with_name(f"full-{world.now.timestamp():.0f}"))


def test_the_first_import_lists_all_users_and_takes_a_link_before_that(world: DeltaWorld) -> None:
    assert world.asked() == (1, 1)
    users, changes = world.wire.to("/users")[0], world.wire.to("/users/delta")[0]
    assert world.wire.requests.index(changes) < world.wire.requests.index(users)
    assert changes.url.params["$deltatoken"] == "latest"
    assert changes.url.params["$select"] == users.url.params["$select"]
    assert [taken for _, taken in world.links()] == [START.isoformat()]


def test_the_next_import_reads_the_changes_only(world: DeltaWorld) -> None:
    (before, _), *_ = world.links()
    world.users = (*FEW[1:], person(7, E5), person(8, E3, account_enabled=False), person(9))
    world.apply()
    assert world.asked() == (0, 2)
    assert same_as_full(world)
    ((link, taken),) = world.links()
    assert link != before
    assert taken == world.now.isoformat()


def test_nothing_that_is_committed_tells_an_import_of_changes_from_a_full_one(tmp_path: Path) -> None:
    worlds = [DeltaWorld(tmp_path / name, FEW) for name in ("changes", "full")]
    steps = [FEW[1:], (*FEW, person(9, E3, E5, user_type="Guest")), FEW, FEW, (person(1, E5), *FEW[2:])]
    for users in steps:
        for world in worlds:
            world.users = users
            world.apply(full=world.folder.name == "full")
            world.after(hours=5)
        assert worlds[0].asked()[0] == (0 if users is not steps[0] else 1)
        assert worlds[0].committed() == worlds[1].committed()


# --- as of when -------------------------------------------------------------------------------------------------------


def test_an_import_of_changes_says_as_of_when_ways_are(world: DeltaWorld) -> None:
    assert world.import_().paths_as_of is None, "nothing changed, so nothing is newer than the full read"
    world.users = FEW[1:]
    assert world.import_().paths_as_of == START
    page = (world.folder / "reports/contoso.md").read_text()
    assert "| Assignment ways and errors | as of the full read of 2026-11-23 06:00 UTC |" in page
    assert "as of the full read of" in (world.folder / "reports/index.html").read_text()


def test_changes_that_come_to_nothing_leave_every_file_as_it_was(world: DeltaWorld) -> None:
    world.users = FEW[1:]
    world.apply()
    before = {path: path.read_bytes() for path in world.folder.rglob("*.[jm][sd]*")}
    for _ in range(3):
        world.after(hours=5)
        assert not world.apply().written
    assert before == {path: path.read_bytes() for path in world.folder.rglob("*.[jm][sd]*")}


def test_a_full_read_that_confirms_everything_makes_ways_current(world: DeltaWorld) -> None:
    world.users = FEW[1:]
    changed = world.import_()
    world.after(hours=5)
    (result,) = world.apply(full=True).results
    assert result.after.last_import.paths_as_of is None
    assert result.after.last_import.as_of == changed.as_of
    assert result.before is not None
    assert result.after.serial == result.before.serial + 1
    assert result.after.changed == result.before.changed, "what changed last is still what changed last"


def test_ways_that_change_alone_show_with_the_next_full_read(world: DeltaWorld) -> None:
    world.users = (person(0, LicenseAssignment(E3, group_id="g"), LicenseAssignment(E3)), *FEW[1:])
    world.apply()
    assert not same_as_full(world), "Graph does not tell, so we cannot know"
    world.apply(full=True)
    assert same_as_full(world)


def test_sign_ins_are_kept_as_of_the_full_read(tmp_path: Path) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    world = DeltaWorld(tmp_path / "state", (person(0, E3, signed_in=long_ago), *FEW[1:]), roles=SIGN_INS)
    world.inactive_days = 200
    assigned = LicenseAssignment(E3, updated=long_ago)
    world.users = (person(0, assigned, signed_in=long_ago), *FEW[1:])
    assert world.import_().sign_ins
    world.after(hours=5)
    world.users = (person(0, assigned, signed_in=long_ago, display_name="Renamed"), *FEW[1:])
    last = world.import_()
    assert world.asked()[0] == 0
    assert last.sign_ins
    assert same_as_full(world)
    (product,) = [each for each in world.tables()["products"] if each[0] == E3]
    assert '"inactive": 1' in product[2]


# --- when all users are read ------------------------------------------------------------------------------------------


def grown(world: DeltaWorld) -> None:
    world.skus = (*world.skus, FLOW)


def excluded(world: DeltaWorld) -> None:
    world.exclusions = (E5,)


def allowed_to_read_sign_ins(world: DeltaWorld) -> None:
    world.roles = SIGN_INS


def other_days(world: DeltaWorld) -> None:
    world.inactive_days = 30


def six_days_later(world: DeltaWorld) -> None:
    world.after(days=6)


def a_clock_set_back(world: DeltaWorld) -> None:
    world.after(days=-1)


def a_count_that_went_away(world: DeltaWorld) -> None:
    world.lag = 1


def forgotten_by_graph(world: DeltaWorld) -> None:
    world.faults = (Fault(Reply(410, {"error": {"code": "resyncRequired", "message": ""}}), DELTA),)


def forgotten_without_words(world: DeltaWorld) -> None:
    world.faults = (Fault(Reply(410, b""), DELTA),)


def led_elsewhere(world: DeltaWorld) -> None:
    world.users = (*world.users, *(person(number, E3, E5) for number in range(10, 16)))
    world.faults = (Fault(ForeignLink(), DELTA, page=2),)


def refused(world: DeltaWorld) -> None:
    world.faults = (Fault(Reply(400, {"error": {"code": "SyncStateNotFound", "message": ""}}), DELTA, page=2),)


def another_emulator(world: DeltaWorld) -> None:
    world.forget_tokens()


@pytest.mark.parametrize(
    "happens",
    [
        grown,
        excluded,
        allowed_to_read_sign_ins,
        other_days,
        six_days_later,
        a_clock_set_back,
        a_count_that_went_away,
        forgotten_by_graph,
        forgotten_without_words,
        refused,
        led_elsewhere,
        another_emulator,
    ],
    ids=lambda happens: happens.__name__,
)
def test_all_users_are_read_in_the_same_import_when(
    world: DeltaWorld, happens: object, caplog: pytest.LogCaptureFixture
) -> None:
    world.users = (*FEW[1:], person(7, E3), person(8, E5))
    if happens is six_days_later:
        world.after(hours=1)
    assert callable(happens)
    happens(world)
    with caplog.at_level(logging.INFO, "reconciler"):
        last = world.import_()
    assert last.outcome is ImportOutcome.COMPLETE
    assert last.paths_as_of is None
    assert world.asked()[0] == 1
    assert "contoso: all users are read: " in caplog.text
    world.faults = ()
    assert same_as_full(world)
    world.after(hours=5)
    world.users = FEW
    world.apply()
    assert world.asked()[0] == 0, "from here on changes will do again"
    assert same_as_full(world)


def test_where_changes_have_failed_for_a_day_all_users_are_read(world: DeltaWorld) -> None:
    world.faults = (Fault(Reply(503), DELTA, times=ALWAYS),)
    for _ in range(2):
        assert world.import_().outcome is ImportOutcome.FAILED
        assert world.asked()[0] == 0
        world.after(hours=12)
    world.users = FEW[1:]
    assert world.import_().outcome is ImportOutcome.COMPLETE
    assert world.asked()[0] == 1
    assert same_as_full(world)


def test_a_change_that_does_not_say_what_a_known_user_holds_is_not_believed(
    world: DeltaWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.users = (person(0, E3, display_name="New", overrides={"assignedLicenses": ABSENT}), *FEW[1:])
    with caplog.at_level(logging.INFO, "reconciler"):
        last = world.import_()
    assert "all users are read: a changed user came without licenses" in caplog.text
    assert last.outcome is ImportOutcome.FAILED, "the list does not say it either"
    assert world.asked()[0] == 1


def test_a_change_without_licenses_of_somebody_unknown_is_none(world: DeltaWorld) -> None:
    world.users = (*FEW, person(9, overrides={"assignedLicenses": ABSENT}))
    assert world.import_().outcome is ImportOutcome.COMPLETE
    assert world.asked()[0] == 0


def test_all_users_are_read_once_a_week(world: DeltaWorld) -> None:
    listed = []
    for _ in range(9):
        world.apply()
        listed.append(world.asked()[0])
        world.after(days=1)
    assert listed == [0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_a_tenant_that_tells_no_changes_is_read_in_full_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = DeltaWorld(tmp_path / "state", FEW)
    unsupported = {"error": {"code": "Request_UnsupportedQuery", "message": "Not in a B2C tenant."}}
    world.faults = (Fault(Reply(400, unsupported), DELTA, times=10),)
    with caplog.at_level(logging.INFO, "reconciler"):
        for _ in range(2):
            assert world.import_().outcome is ImportOutcome.COMPLETE
            assert world.asked() == (1, 1)
            assert world.links() == []
    assert "no changes are told, all users are read each time: Request_UnsupportedQuery" in caplog.text


def test_users_that_were_dropped_meanwhile_are_read_again(world: DeltaWorld) -> None:
    world.users = (*FEW, person(7, E5))
    world.apply()
    # An exclusion that comes and goes while the tenant cannot be read: the users are dropped and missing.
    world.exclusions = (E5,)
    world.faults = (Fault(Reply(503), times=99),)
    assert world.import_().outcome is ImportOutcome.FAILED
    assert len(world.tables()["users"]) == 5
    world.exclusions, world.faults = (), ()
    world.after(hours=1)
    world.apply()
    assert world.asked()[0] == 1
    assert same_as_full(world)


def test_a_link_that_makes_no_sense_is_none(world: DeltaWorld) -> None:
    with closing(sqlite3.connect(world.folder / FILE)) as db, db:
        db.execute("UPDATE delta_links SET taken = 'yesterday'")
    assert world.import_().outcome is ImportOutcome.COMPLETE
    assert world.asked()[0] == 1


def test_a_database_that_was_lost_takes_one_full_read(world: DeltaWorld) -> None:
    (world.folder / FILE).unlink()
    world.apply()
    assert world.asked()[0] == 1
    world.after(hours=1)
    world.apply()
    assert world.asked()[0] == 0


# --- pages of a round -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Overlap(2), DELTA, page=1),
        Fault(Overlap(1), DELTA, page=3),
        Fault(EmptyPage(), DELTA, page=2, times=2),
    ],
    ids=["twice on two pages", "twice at the end", "empty pages"],
)
def test_users_who_come_twice_and_empty_pages_change_nothing(world: DeltaWorld, fault: Fault) -> None:
    world.users = tuple(person(number, E5) for number in range(2, 8))
    world.faults = (fault,)
    world.apply()
    assert world.asked()[0] == 0
    assert same_as_full(world)


def test_a_user_who_is_removed_and_restored_is_back(world: DeltaWorld) -> None:
    for users, purged in ((FEW[1:], ()), (FEW, ()), (FEW[2:], (removed(1),)), (FEW, ())):
        world.users, world.purged = users, purged
        world.apply()
        assert world.asked()[0] == 0
        assert same_as_full(world)
        world.after(hours=5)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Reply(503), DELTA, page=2),
        Fault(Reply(429), DELTA, page=3),
        Fault(Drop(), DELTA, page=2),
        Fault(Drop(100), DELTA, page=3),
    ],
    ids=["503", "429", "no answer", "half an answer"],
)
def test_a_round_that_breaks_off_changes_nothing_and_is_read_again(world: DeltaWorld, fault: Fault) -> None:
    before, links = world.tables(), world.links()
    world.users = (*FEW[1:], *(person(number, E3, E5) for number in range(10, 16)))
    world.faults = (fault,)
    assert world.import_().outcome is ImportOutcome.FAILED
    assert world.asked()[0] == 0
    after = world.tables()
    assert {**after, "imports": None} == {**before, "imports": None}
    assert world.links() == links

    world.faults = ()
    world.after(hours=5)
    world.users = (*world.users, person(20, E5))
    world.apply()
    assert world.wire.to("/users/delta")[0].url == links[0][0]
    assert world.asked()[0] == 0
    assert same_as_full(world)


def test_only_rows_that_differ_are_written(world: DeltaWorld) -> None:
    world.users = (*FEW[1:], person(7, E3))
    with closing(sqlite3.connect(world.folder / FILE)) as db, db:
        db.executescript(
            "CREATE TABLE touched (what TEXT);"
            "CREATE TRIGGER a AFTER INSERT ON users BEGIN INSERT INTO touched VALUES ('+' || NEW.object_id); END;"
            "CREATE TRIGGER b AFTER DELETE ON users BEGIN INSERT INTO touched VALUES ('-' || OLD.object_id); END;"
            "CREATE TRIGGER c AFTER UPDATE ON users BEGIN INSERT INTO touched VALUES ('=' || NEW.object_id); END;"
        )
    for full in (False, True):
        world.apply(full=full)
        world.after(hours=1)
    with closing(sqlite3.connect(world.folder / FILE)) as db:
        touched = sorted(what for (what,) in db.execute("SELECT what FROM touched"))
    assert touched == sorted([f"-{removed(0)}", f"+{removed(7)}"])
    assert world.now > START + timedelta(hours=6)
