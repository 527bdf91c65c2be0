"""DB and ledger side by side: which of them is believed, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import Refused, StateError
from reconciler.model import PortalState, Reason, State
from reconciler.store import database
from reconciler.store.rows import save_state
from tests.store.store_world import (
    CLIENT_ID,
    E3,
    E5,
    LINEAGE,
    StateFolder,
    files_under,
    page,
    portal,
    portal_state,
    product,
)

Situation = Callable[[StateFolder, StateFolder], None]
"""Brings ours, and another runner's checkout of the same repository, into a situation."""

ONE, TWO, THREE = (portal_state(serial=serial) for serial in (1, 2, 3))
OTHER_TWO = portal_state(serial=2, consumers=99)
RENAMED = portal_state("contoso-eu", serial=2)
FABRIKAM = portal_state("fabrikam", portal=portal("fabrikam", client_id=CLIENT_ID.replace("4", "5")))


def nothing(ours: StateFolder, other: StateFolder) -> None:
    """Nobody has applied yet."""


def level(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)


def database_lost(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)
    ours.database.unlink()


def database_behind(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)
    other.take_over(ours.written())
    other.apply(THREE)
    ours.take_over(other.written())


def killed_before_the_ledger(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    ours.apply(TWO, FABRIKAM, killed=True)


def killed_twice_before_the_ledger(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    ours.apply(TWO, killed=True)
    ours.apply(THREE, killed=True)


def killed_at_the_first_run(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, killed=True)


def renamed_and_killed(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    ours.apply(RENAMED, previous_id="contoso", killed=True)


def renamed_by_another_run(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.take_over(ours.written())
    other.apply(RENAMED, previous_id="contoso")
    ours.take_over(other.written())


def renamed_and_an_older_commit_checked_out(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    before = ours.written()
    ours.apply(RENAMED, previous_id="contoso")
    ours.take_over(before)


def a_second_portal_of_the_tenant(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.take_over(ours.written())
    other.apply(RENAMED)
    ours.take_over(other.written())


def a_second_portal_that_is_younger(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(THREE, killed=True)
    other.apply(RENAMED)
    ours.take_over(other.written())


def older_commit_checked_out(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)
    before = ours.written()
    ours.apply(TWO)
    ours.apply(THREE)
    ours.take_over(before)


def commit_before_the_portal_checked_out(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(FABRIKAM)
    before = ours.written()
    ours.apply(ONE)
    ours.take_over(before)


def ledger_deleted(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)
    shutil.rmtree(ours.ledger)


def ledger_file_deleted(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE, FABRIKAM)
    (ours.ledger / "contoso.json").unlink()


def line_ends_converted(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    ours.take_over({name: content.replace(b"\n", b"\r\n") for name, content in ours.written().items()})


def ours_was_rejected_and_theirs_went_on(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.take_over(ours.written())
    other.apply(OTHER_TWO)
    other.apply(THREE)
    ours.apply(TWO)
    ours.take_over(other.written())


def empty_database_of_another_lineage(ours: StateFolder, other: StateFolder) -> None:
    other.apply(ONE)
    with ours.opened(lineage="of a run whose plan was refused"):
        pass
    ours.take_over(other.written())


def killed_while_the_database_was_made(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    ours.database.write_bytes(b"")


BELIEVED: dict[Situation, State] = {
    nothing: {},
    level: {"contoso": ONE, "fabrikam": FABRIKAM},
    database_lost: {"contoso": ONE, "fabrikam": FABRIKAM},
    database_behind: {"contoso": THREE, "fabrikam": FABRIKAM},
    killed_before_the_ledger: {"contoso": TWO, "fabrikam": FABRIKAM},
    killed_twice_before_the_ledger: {"contoso": THREE},
    killed_at_the_first_run: {"contoso": ONE},
    renamed_and_killed: {"contoso-eu": RENAMED},
    renamed_by_another_run: {"contoso-eu": RENAMED},
    renamed_and_an_older_commit_checked_out: {"contoso-eu": RENAMED},
    a_second_portal_of_the_tenant: {"contoso": ONE, "contoso-eu": RENAMED},
    a_second_portal_that_is_younger: {"contoso": THREE, "contoso-eu": RENAMED},
    older_commit_checked_out: {"contoso": THREE, "fabrikam": FABRIKAM},
    commit_before_the_portal_checked_out: {"contoso": ONE, "fabrikam": FABRIKAM},
    ledger_deleted: {"contoso": ONE, "fabrikam": FABRIKAM},
    ledger_file_deleted: {"contoso": ONE, "fabrikam": FABRIKAM},
    line_ends_converted: {"contoso": ONE},
    ours_was_rejected_and_theirs_went_on: {"contoso": THREE},
    empty_database_of_another_lineage: {"contoso": ONE},
    killed_while_the_database_was_made: {"contoso": ONE},
}


def same_serial(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.take_over(ours.written())
    other.apply(OTHER_TWO)
    ours.apply(TWO)
    ours.take_over(other.written())


def earlier(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.take_over(ours.written())
    other.apply(OTHER_TWO)
    ours.apply(TWO)
    ours.apply(THREE)
    ours.take_over(other.written())


def older_than_a_restored_database(ours: StateFolder, other: StateFolder) -> None:
    other.apply(ONE)
    before = other.written()
    other.apply(TWO)
    ours.take_over(other.written())
    ours.apply()
    ours.take_over(before)


def another_repository(ours: StateFolder, other: StateFolder) -> None:
    ours.apply(ONE)
    other.apply(FABRIKAM, lineage="00000000-0000-4000-8000-000000000002")
    ours.take_over(other.written())


REFUSED: dict[Situation, str] = {
    same_serial: "state-diverged",
    earlier: "state-diverged",
    older_than_a_restored_database: "state-diverged",
    another_repository: "lineage-mismatch",
}


@pytest.fixture
def ours(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "ours" / "state")


@pytest.fixture
def other(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "other" / "state")


def name(value: object) -> str | None:
    """A situation's name, for the test's name."""
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("situation", "expected"), BELIEVED.items(), ids=name)
def test_the_newer_of_database_and_ledger_is_believed(
    ours: StateFolder, other: StateFolder, situation: Situation, expected: State
) -> None:
    situation(ours, other)

    assert ours.read() == expected
    with ours.opened() as opened:
        assert opened.known == expected
        assert opened.database.load() == expected
        assert opened.lineage == LINEAGE
        opened.write_ledger()
    assert list(ours.read()) == sorted(expected)


@pytest.mark.parametrize("situation", BELIEVED, ids=name)
def test_a_run_makes_database_and_ledger_level_and_the_next_changes_nothing(
    ours: StateFolder, other: StateFolder, situation: Situation
) -> None:
    situation(ours, other)
    ours.apply()
    known = ours.read()
    before = files_under(ours.path)

    with ours.opened() as opened:
        assert not opened.write_ledger()
    assert files_under(ours.path) == before

    other.take_over(ours.written())
    other.database.unlink(missing_ok=True)
    assert other.read() == known


@pytest.mark.parametrize(("situation", "code"), REFUSED.items(), ids=name)
def test_a_pair_that_has_diverged_is_refused_and_nothing_is_written(
    ours: StateFolder, other: StateFolder, situation: Situation, code: str
) -> None:
    situation(ours, other)
    before = files_under(ours.path)

    with pytest.raises(Refused) as read:
        ours.read()
    with pytest.raises(Refused) as opened, ours.opened():
        pass

    assert [read.value.code, opened.value.code] == [code, code]
    assert opened.value.exit_code == 3
    assert files_under(ours.path) == before


@pytest.mark.parametrize(("situation", "own"), [(same_serial, TWO), (earlier, THREE)], ids=name)
def test_the_refusal_names_two_ways_out_and_both_work(
    ours: StateFolder, other: StateFolder, situation: Situation, own: PortalState
) -> None:
    situation(ours, other)
    with pytest.raises(Refused, match="portal contoso") as caught:
        ours.read()

    assert "delete that ledger file" in caught.value.remedy
    (ours.ledger / "contoso.json").unlink()
    assert ours.read() == {"contoso": own}

    assert "delete state/reconciler.db" in caught.value.remedy
    ours.take_over(other.written())
    ours.database.unlink()
    assert ours.read() == {"contoso": OTHER_TWO}


# --- taking the ledger over ------------------------------------------------------------------------------------------


def test_consumers_of_older_numbers_are_dropped_and_those_of_other_portals_stay(
    ours: StateFolder, other: StateFolder
) -> None:
    ours.apply(ONE, users=(page(1, 2),))
    ours.apply(FABRIKAM, users=(page(3),))
    other.take_over(ours.written())
    other.apply(TWO)
    ours.take_over(other.written())

    ours.apply()

    assert ours.people() == {"id-000003"}
    assert ours.held() == {("id-000003", E3)}


def test_a_level_ledger_keeps_the_consumers(ours: StateFolder) -> None:
    ours.apply(ONE, users=(page(1, 2),))
    ours.apply()

    assert ours.people() == {"id-000001", "id-000002"}


def test_taking_over_is_one_transaction(ours: StateFolder, other: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.apply(ONE, users=(page(1, 2),))
    other.take_over(ours.written())
    other.apply(TWO, FABRIKAM)
    ours.take_over(other.written())

    def failing(*arguments: object) -> int:
        if arguments[-1] == FABRIKAM:
            raise KeyboardInterrupt
        return save_state(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(database, "save_state", failing)
        with pytest.raises(KeyboardInterrupt), ours.opened():
            pass

    assert ours.rows("SELECT id, serial FROM portals") == [("contoso", 1)]
    assert ours.people() == {"id-000001", "id-000002"}
    assert ours.read() == {"contoso": TWO, "fabrikam": FABRIKAM}


# --- saving ----------------------------------------------------------------------------------------------------------


def test_a_renamed_portal_keeps_its_contacts_and_assignments(ours: StateFolder) -> None:
    ours.apply(ONE, users=(page(1, 2, skus=(E3, E5)),))
    before = ours.people(), ours.held(), ours.rows("SELECT key FROM portals")

    ours.apply(RENAMED, previous_id="contoso")

    assert ours.read() == {"contoso-eu": RENAMED}
    assert (ours.people(), ours.held(), ours.rows("SELECT key FROM portals")) == before
    assert sorted(ours.written()) == ["contoso-eu.json", "meta.json"]


def test_without_a_read_consumers_stay_except_of_products_that_are_lost(ours: StateFolder) -> None:
    ours.apply(ONE, users=(page(1, skus=(E3,)), page(2, skus=(E5,)), page(3, skus=(E3, E5))))

    ours.apply(portal_state(serial=2, products=(product(E3), product(E5, reason=Reason.EXCLUDED))))

    assert ours.held() == {("id-000001", E3), ("id-000003", E3)}
    assert ours.people() == {"id-000001", "id-000003"}


def test_the_first_run_names_the_lineage_and_later_runs_keep_it(ours: StateFolder) -> None:
    ours.apply(ONE)
    ours.apply(TWO, lineage="another")
    ours.database.unlink()
    ours.apply(lineage="another")

    assert LINEAGE.encode() in ours.written()["meta.json"]
    assert ours.rows("SELECT value FROM meta WHERE key = 'lineage'") == [(LINEAGE,)]


def test_a_state_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")

    with pytest.raises(StateError, match="cannot be written") as caught:
        StateFolder(tmp_path / "state").apply(ONE)
    assert caught.value.code == "state-not-writable"
