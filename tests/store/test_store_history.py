"""The history in DB and ledger: the two say the same, no day is lost, and it goes where its portal goes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import history
from reconciler.errors import StateError, UnknownPortal
from reconciler.model import DayRecord, PortalState, Presence, Reason, Removed
from reconciler.store import history_file
from tests.store.store_world import (
    E3,
    E5,
    HOSTILE,
    NOW,
    StateFolder,
    files_under,
    portal,
    portal_state,
    product,
    values,
)

TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
ONE, TWO, THREE = (portal_state(serial=serial) for serial in (1, 2, 3))
RENAMED = replace(portal_state("contoso-eu", serial=3), products=TWO.products)
REMOVED = tuple(
    Removed(each.sku_id, each.license.part_number, each.title, Reason.PORTAL_DELETED, "*", "Closed", "T-1", TOMORROW)
    for each in ONE.products
)
FORGOTTEN = portal_state(serial=2, presence=Presence.DELETED, products=(), removed=REMOVED)

Situation = Callable[[StateFolder, StateFolder], None]


def said(*runs: tuple[PortalState, date]) -> list[DayRecord]:
    """The history that these runs make, one after the other."""
    known: dict[tuple[date, str], DayRecord] = {}
    before = None
    for state, day in runs:
        known.update({(each.day, each.sku_id): each for each in history.records(before, state, day)})
        before = state
    return [known[key] for key in sorted(known)]


BOTH = said((ONE, TODAY), (TWO, TOMORROW))


@pytest.fixture
def ours(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "ours" / "state")


@pytest.fixture
def other(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "other" / "state")


def two_days(folder: StateFolder) -> None:
    """A portal whose numbers changed on the second day."""
    folder.apply(ONE, day=TODAY)
    folder.apply(TWO, day=TOMORROW)


def lines(folder: StateFolder, portal_id: str = "contoso") -> list[bytes]:
    """The lines of a history in the ledger."""
    return (folder.ledger / "history" / f"{portal_id}.jsonl").read_bytes().splitlines(keepends=True)


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_record_a_line_and_former_lines_stay_byte_for_byte(ours: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    before = lines(ours)
    ours.apply(TWO, day=TOMORROW)

    assert lines(ours)[: len(before)] == before
    assert [(row["day"], row["sku_id"], row["consumers"]) for row in map(json.loads, lines(ours))] == [
        ("2026-11-23", E3, 1),
        ("2026-11-23", E5, 1),
        ("2026-11-24", E3, 2),
        ("2026-11-24", E5, 2),
    ]


def test_the_last_of_a_day_counts(ours: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    ours.apply(TWO, day=TODAY)
    ours.apply(THREE, day=TODAY)

    assert ours.history() == said((THREE, TODAY))
    assert len(lines(ours)) == 2


def test_a_change_of_one_product_adds_one_line(ours: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    before = lines(ours)
    ours.apply(replace(TWO, products=(product(E3, 1), product(E5, 8))), day=TOMORROW)

    assert lines(ours)[:-1] == before


def test_nothing_is_written_when_nothing_changed(ours: StateFolder) -> None:
    two_days(ours)
    before = files_under(ours.ledger)

    ours.apply(TWO, day=TOMORROW + timedelta(days=1))

    assert files_under(ours.ledger) == before
    assert ours.history() == BOTH


def test_the_histories_of_other_portals_are_not_touched(ours: StateFolder) -> None:
    ours.apply(ONE, portal_state("fabrikam"), day=TODAY)
    before = files_under(ours.ledger)
    ours.apply(TWO, day=TOMORROW)

    after = files_under(ours.ledger)
    moved = {path.name for path in after if before.get(path) != after[path]}
    assert moved == {"ledger", "history", "contoso.json", "contoso.jsonl"}


def test_a_portal_without_records_has_no_file(ours: StateFolder) -> None:
    ours.apply(portal_state(products=()), day=TODAY)

    assert sorted(ours.written()) == ["contoso.json", "meta.json"]
    assert ours.history() == []


def killed_while_saving(folder: StateFolder) -> None:
    """A run that ends when it has stored the state and not yet the records."""

    def broken() -> Iterator[DayRecord]:
        yield from history.records(ONE, TWO, TOMORROW)
        raise KeyboardInterrupt

    with folder.opened() as opened:
        opened.database.save(TWO, records=broken())


def test_records_and_state_are_one_transaction(ours: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    with pytest.raises(KeyboardInterrupt):
        killed_while_saving(ours)

    assert ours.read() == {"contoso": ONE}
    assert ours.history() == said((ONE, TODAY))


# --- which of the two is believed ------------------------------------------------------------------------------------


def level(ours: StateFolder, other: StateFolder) -> None:
    two_days(ours)


def database_lost(ours: StateFolder, other: StateFolder) -> None:
    two_days(ours)
    ours.lose_the_database()


def database_behind(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    other.take_over(ours.written())
    other.apply(TWO, day=TOMORROW)
    ours.take_over(other.written())


def killed_before_the_ledger(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    ours.apply(TWO, day=TOMORROW, killed=True)


def older_commit_checked_out(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    before = ours.written()
    ours.apply(TWO, day=TOMORROW)
    ours.take_over(before)


def ours_was_rejected_and_theirs_went_on(ours: StateFolder, other: StateFolder) -> None:
    other.apply(ONE, day=TODAY)
    ours.take_over(other.written())
    ours.apply(portal_state(serial=2, consumers=99), day=TOMORROW + timedelta(days=1))
    other.apply(replace(ONE, serial=2), day=TODAY)
    other.apply(replace(TWO, serial=3), day=TOMORROW)
    ours.take_over(other.written())


def history_deleted(ours: StateFolder, other: StateFolder) -> None:
    two_days(ours)
    (ours.ledger / "history" / "contoso.jsonl").unlink()


def killed_between_history_and_portal(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    old = ours.written()
    ours.apply(TWO, day=TOMORROW)
    ours.take_over({**ours.written(), "contoso.json": old["contoso.json"]})


def line_ends_converted(ours: StateFolder, other: StateFolder) -> None:
    two_days(ours)
    ours.take_over({name: content.replace(b"\n", b"\r\n") for name, content in ours.written().items()})
    ours.lose_the_database()


SITUATIONS: list[Situation] = [
    level,
    database_lost,
    database_behind,
    killed_before_the_ledger,
    older_commit_checked_out,
    ours_was_rejected_and_theirs_went_on,
    history_deleted,
    killed_between_history_and_portal,
    line_ends_converted,
]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_history_comes_from_where_the_state_comes_from(
    ours: StateFolder, other: StateFolder, situation: Situation
) -> None:
    situation(ours, other)
    before = files_under(ours.path)

    assert ours.history() == BOTH
    assert files_under(ours.path) == before

    ours.apply()
    assert ours.history() == BOTH
    ours.lose_the_database()
    assert ours.history() == BOTH
    assert lines(ours) == [line.encode() for line in history_file.render(BOTH).splitlines(keepends=True)]


def test_a_run_that_was_killed_with_its_database_keeps_what_the_ledger_had(ours: StateFolder) -> None:
    killed_between_history_and_portal(ours, ours)
    ours.lose_the_database()

    ours.apply(TWO, day=TOMORROW)

    assert ours.read() == {"contoso": TWO}
    assert ours.history() == BOTH


def test_the_history_is_written_before_its_portal_and_outlives_it(
    ours: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_days(ours)
    steps: list[str] = []
    replace_, unlink = os.replace, Path.unlink

    def replacing(source: str, target: Path) -> None:
        steps.append(f"write {Path(target).name}")
        replace_(source, target)

    def removing(path: Path, missing_ok: bool = False) -> None:
        steps.append(f"remove {path.name}")
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "replace", replacing)
    monkeypatch.setattr(Path, "unlink", removing)
    ours.apply(RENAMED, previous_id="contoso", day=TOMORROW)

    assert steps == [
        "write contoso-eu.jsonl",
        "write contoso-eu.json",
        "remove contoso.json",
        "remove contoso.jsonl",
    ]


# --- renamed and forgotten portals -----------------------------------------------------------------------------------


def test_the_history_of_a_renamed_portal_goes_along(ours: StateFolder) -> None:
    two_days(ours)
    ours.apply(RENAMED, previous_id="contoso", day=TOMORROW)

    assert ours.history("contoso-eu") == BOTH
    assert sorted(ours.written()) == ["contoso-eu.json", "history/contoso-eu.jsonl", "meta.json"]
    with pytest.raises(UnknownPortal):
        ours.history("contoso")


def test_the_history_of_a_portal_that_another_run_renamed_goes_along(ours: StateFolder, other: StateFolder) -> None:
    two_days(ours)
    other.take_over(ours.written())
    other.apply(RENAMED, previous_id="contoso", day=TOMORROW)
    ours.take_over(other.written())

    assert ours.history("contoso-eu") == BOTH
    ours.apply()
    assert ours.history("contoso-eu") == BOTH
    assert ours.rows("SELECT DISTINCT id FROM history JOIN portals ON portal = key") == [("contoso-eu",)]


@pytest.mark.parametrize("lost", [False, True], ids=["level", "database lost"])
def test_a_forgotten_portal_keeps_its_row_its_file_and_its_history(ours: StateFolder, lost: bool) -> None:
    ours.apply(ONE, day=TODAY)
    ours.apply(FORGOTTEN, day=TOMORROW)
    before = ours.written()
    if lost:
        ours.lose_the_database()

    ours.apply(portal_state("fabrikam", portal=portal("fabrikam", tenant_id=E3)))

    assert ours.read()["contoso"] == FORGOTTEN
    assert ours.rows("SELECT id FROM portals ORDER BY id") == [("contoso",), ("fabrikam",)]
    assert [(each.day, each.status is None) for each in ours.history()] == [
        (TODAY, False),
        (TODAY, False),
        (TOMORROW, True),
        (TOMORROW, True),
    ]
    assert {name: content for name, content in ours.written().items() if "fabrikam" not in name} == before


def test_a_forgotten_portal_that_comes_back_goes_on_with_its_history(ours: StateFolder) -> None:
    later = TOMORROW + timedelta(days=1)
    ours.apply(ONE, day=TODAY)
    ours.apply(FORGOTTEN, day=TOMORROW)
    ours.apply(replace(THREE, removed=REMOVED), day=later)

    assert ours.read() == {"contoso": replace(THREE, removed=REMOVED)}
    assert [each.day for each in ours.history()] == [TODAY, TODAY, TOMORROW, TOMORROW, later, later]
    assert [step.before is None for step in history.steps(ours.history())] == [True, True, *[False] * 4]


def test_a_forgotten_portal_is_not_taken_for_the_former_name_of_a_new_one(
    ours: StateFolder, other: StateFolder
) -> None:
    ours.apply(ONE, day=TODAY)
    ours.apply(FORGOTTEN, day=TOMORROW, killed=True)
    other.apply(portal_state("contoso-eu", serial=9), day=TODAY)
    ours.take_over(other.written())

    assert list(ours.read()) == ["contoso", "contoso-eu"]
    ours.apply()
    assert ours.read()["contoso"] == FORGOTTEN
    assert len(ours.history()) == 4


def test_a_forgotten_portal_that_another_run_forgot_is_taken_over(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, day=TODAY)
    other.take_over(ours.written())
    other.apply(FORGOTTEN, day=TOMORROW)
    ours.take_over(other.written())

    ours.apply()

    assert ours.read() == {"contoso": FORGOTTEN}
    assert len(ours.history()) == 4
    assert ours.rows("SELECT * FROM contacts") == []


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [b"<<<<<<< HEAD\n", b"{}\n", b"\n", b"[1]\n", b'{"day": "yesterday"}\n', b"\xff\n"],
    ids=["conflict", "empty", "blank", "list", "no day", "no text"],
)
def test_a_history_that_makes_no_sense_is_an_error_that_names_file_and_line(ours: StateFolder, line: bytes) -> None:
    two_days(ours)
    good = lines(ours)
    (ours.ledger / "history" / "contoso.jsonl").write_bytes(b"".join([good[0], line, *good[1:]]))
    ours.lose_the_database()

    for attempt in (ours.history, ours.apply):
        with pytest.raises(StateError, match=r"state/ledger/history/contoso\.jsonl") as caught:
            attempt()
        assert caught.value.code == "ledger-unreadable"
        assert "git" in caught.value.remedy
        assert (caught.value.detail or "").startswith("line 2: ")
    assert ours.rows("SELECT count(*) FROM portals") == [(0,)]


def test_a_row_that_makes_no_sense_is_an_error_with_a_remedy(ours: StateFolder) -> None:
    two_days(ours)
    with ours.opened() as opened:
        opened.database._db.execute("UPDATE history SET status = 'splendid'")
        opened.database._db.conn.commit()

    with pytest.raises(StateError, match=r"reconciler\.db cannot be read") as caught:
        ours.history()
    assert "Delete state/reconciler.db" in caught.value.remedy
    ours.lose_the_database()
    assert ours.history() == BOTH


def test_an_unknown_portal_has_no_history(ours: StateFolder) -> None:
    two_days(ours)

    with pytest.raises(UnknownPortal, match="fabrikam") as caught:
        ours.history("fabrikam")
    assert "contoso" in caught.value.remedy


# --- whatever happens ------------------------------------------------------------------------------------------------

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(st.lists(values(DayRecord), max_size=4))
def test_the_ledger_gives_back_any_record_one_a_line_for_every_reader(found: list[DayRecord]) -> None:
    text = history_file.render(found)

    assert len(text.splitlines()) == len(found)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / history_file.name("contoso")
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8", newline="")
        assert list(history_file.read(Path(folder), "contoso")) == found


def test_hostile_titles_are_harmless_in_the_ledger() -> None:
    text = history_file.render([replace(BOTH[0], title=" ".join(HOSTILE))])

    assert not set("\r\x00\x85\u2028\u202e") & set(text)


FATES = ["", "killed", "database lost", "older commit", "renamed", "other runner"]

Story = list[tuple[dict[str, int], int, str]]
"""Runs: the products with their consumers, days since the run before, and what befalls the state."""


def stories() -> st.SearchStrategy[Story]:
    """A few runs of one portal."""
    held = st.dictionaries(st.sampled_from([E3, E5]), st.integers(1, 3))
    return st.lists(st.tuples(held, st.integers(0, 2), st.sampled_from(FATES)), min_size=1, max_size=8)


@dataclass
class Checkouts:
    """Two runners' checkouts of one repository. ``commit`` is an older ledger of which our database knows."""

    ours: StateFolder
    other: StateFolder
    commit: dict[str, bytes] = field(default_factory=dict)

    def befall(self, fate: str) -> StateFolder:
        """What happens between two runs; returns where the next one works."""
        if fate in ("database lost", "older commit", "other runner") or not self.commit:
            self.ours.apply()
            self.commit = self.commit or self.ours.written()
        if fate == "database lost":
            self.ours.lose_the_database()
            self.commit = self.ours.written()
        if fate == "older commit":
            self.ours.take_over(self.commit)
        if fate == "other runner":
            self.other.take_over(self.ours.written())
            return self.other
        return self.ours


@thorough
@given(stories())
def test_database_and_ledger_tell_the_same_history_and_no_day_is_lost(story: Story) -> None:
    expected: dict[tuple[date, str], DayRecord] = {}
    before, day = portal_state(products=(), serial=1), TODAY
    with tempfile.TemporaryDirectory() as root:
        ours, other = StateFolder(Path(root) / "ours"), StateFolder(Path(root) / "other")
        checkouts = Checkouts(ours, other)
        ours.apply(before, day=day)
        for serial, (held, days, fate) in enumerate(story, start=2):
            day += timedelta(days=days)
            id_ = f"contoso-{serial}" if fate == "renamed" else before.id
            products = tuple(product(sku_id, count) for sku_id, count in sorted(held.items()))
            state = portal_state(id_, serial, products=products)
            expected.update({(each.day, each.sku_id): each for each in history.records(before, state, day)})

            runner = checkouts.befall(fate)
            runner.apply(state, previous_id=before.id, day=day, killed=fate == "killed")
            if runner is other:
                ours.take_over(other.written())
            before = state

            wanted = [expected[key] for key in sorted(expected)]
            assert ours.history(id_) == wanted
        ours.apply()
        assert list(history_file.read(ours.ledger, before.id)) == wanted
        ours.lose_the_database()
        assert ours.history(before.id) == wanted
        ours.apply()
        assert ours.history(before.id) == wanted
