"""Users on their way into the DB: gathered in SQL and counted as one by one counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.counting import Alike, Contents, Counted, count
from reconciler.findings import SAVINGS
from reconciler.model import ChangedPage, Consumption, Contact, Holding, Reason, UserPage
from reconciler.store.database import open_for_writing
from tests.store.store_world import (
    E3,
    E5,
    F3,
    VISIO,
    StateFolder,
    contact,
    holding,
    page,
    portal,
    portal_state,
    product,
)

SKUS = (E3, E5, F3, VISIO)

Person = tuple[Contact, tuple[Holding, ...]]

PLANS = ("p1", "p2", "p3")


@st.composite
def people(draw: st.DrawFn) -> Person:
    """One of few people, with one or more licenses in any shape."""
    number = draw(st.integers(0, 5))
    person = contact(
        number,
        display_name=draw(st.sampled_from([None, "", "A\nB", "\u2028", "Robert'); DROP TABLE contacts;--"])),
        account_enabled=draw(st.sampled_from([None, True, False])),
        user_type=draw(st.sampled_from([None, "Guest", "Member"])),
        usage_location=draw(st.sampled_from([None, "", "NP"])),
    )
    flags = st.tuples(
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from([None, "CountViolation", "New", '","']),
        st.sets(st.sampled_from(PLANS)).map(sorted).map(tuple),
        st.sampled_from([None, "inactive", "never_signed_in"]),
    )
    shapes = draw(st.dictionaries(st.sampled_from(SKUS), flags, min_size=1))
    return person, tuple(sorted(Holding(sku_id, *shape) for sku_id, shape in shapes.items()))


insides = st.builds(
    Contents,
    st.dictionaries(st.sampled_from(SKUS), st.frozensets(st.sampled_from(PLANS))),
    st.frozensets(st.tuples(st.sampled_from(SKUS), st.sampled_from(SKUS)).filter(lambda pair: pair[0] != pair[1])),
)
"""What the SKUs contain."""

pages = st.lists(st.lists(people(), max_size=4, unique_by=lambda each: each[0].object_id), max_size=5)


def as_page(found: list[Person]) -> UserPage:
    """A page with these people."""
    return UserPage(len(found), [person for person, _ in found], [held for _, held in found])


def latest(found: list[list[Person]]) -> list[tuple[Contact, Holding]]:
    """Every license of everybody, as the last page that has them says."""
    last = {person.object_id: (person, held) for each in found for person, held in each}
    return [(person, each) for person, held in last.values() for each in held]


def one_by_one(found: list[list[Person]], inside: Contents, imported: Collection[str]) -> Counted:
    """The same count with each user a group of its own."""
    last = {person.object_id: (person, held) for each in found for person, held in each}
    users = [
        Alike(
            held,
            person.account_enabled is False,
            person.user_type == "Guest",
            not person.usage_location,
        )
        for person, held in last.values()
    ]
    return count(users, inside, imported)


@settings(max_examples=150, deadline=None)
@given(pages, insides, st.sets(st.sampled_from(SKUS)))
def test_users_gathered_in_sql_count_as_one_by_one(
    found: list[list[Person]], inside: Contents, imported: Collection[str]
) -> None:
    with (
        TemporaryDirectory() as folder,
        open_for_writing(Path(folder)) as database,
        database.staging() as staged,
    ):
        for each in found:
            staged.add(as_page(each))

        counted = staged.count(inside, imported)
        assert counted == one_by_one(found, inside, imported)
        assert list(counted.consumption) == sorted(counted.consumption)
        holders = Counter(held.sku_id for _, held in latest(found) if held.holds)
        assert {sku_id: each.consumers for sku_id, each in counted.consumption.items() if each.consumers} == holders
        assert counted.users == len(holders_of(found, imported))


def holders_of(found: list[list[Person]], imported: Collection[str]) -> set[str]:
    """Who holds one of these SKUs."""
    return {person.object_id for person, held in latest(found) if held.holds and held.sku_id in imported}


@settings(max_examples=150, deadline=None)
@given(pages, insides)
def test_each_consumer_is_saved_once_at_most(found: list[list[Person]], inside: Contents) -> None:
    counted = one_by_one(found, inside, SKUS)
    for each in counted.consumption.values():
        assert sum(each.reclaimable.values()) <= each.consumers
        assert each.reclaimable.keys() <= set(SAVINGS)
        assert all(0 < number <= each.findings[name] for name, number in each.reclaimable.items())
        assert sum(each.errors.values()) <= each.findings.get("assignment_error", 0)


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ([ChangedPage(page(1)), ChangedPage(page(), unclear=("id-000001",))], True),
        ([ChangedPage(page(1), unclear=("id-000001",))], True),
        ([ChangedPage(page(), gone=("id-000001",)), ChangedPage(page(), unclear=("id-000001",))], True),
        ([ChangedPage(page(), unclear=("id-000001",))], False),
        ([ChangedPage(page(1)), ChangedPage(page(), unclear=("id-000002",))], False),
    ],
)
def test_a_clear_answer_that_is_followed_by_an_unclear_one_is_not_lost(
    changes: list[ChangedPage], lacks: bool, tmp_path: Path
) -> None:
    with open_for_writing(tmp_path) as database, database.staging() as staged:
        staged.clear(changing=True)
        for each in changes:
            staged.change(each)
        assert staged.lacks_licenses() is lacks


def test_a_user_who_comes_again_is_who_the_later_page_says(tmp_path: Path) -> None:
    earlier = UserPage(2, [contact(1), contact(2)], [(holding(E3), holding(E5)), (holding(E3),)])
    later = UserPage(2, [contact(1, user_type="Guest"), contact(3)], [(holding(F3),), (holding(E3),)])
    with open_for_writing(tmp_path) as database, database.staging() as staged:
        staged.add(earlier)
        staged.add(later)

        found = staged.count(Contents(), {E3, F3})
    assert {sku_id: each.consumers for sku_id, each in found.consumption.items()} == {E3: 2, F3: 1}
    assert found.consumption[F3].findings["guest_licensed"] == 1
    assert "guest_licensed" not in found.consumption[E3].findings
    assert found.users == 3


def test_a_list_that_starts_again_starts_from_nothing(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as database, database.staging() as staged:
        staged.add(page(1, 2, 3))
        staged.clear()
        assert staged.count(Contents(), {E3}) == Counted({}, 0)

        staged.add(page(1))
        assert staged.count(Contents(), {E3}).users == 1


# --- what is kept ----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(pages, pages, st.sets(st.sampled_from(SKUS)))
def test_exactly_the_consumers_of_synchronized_products_are_kept(
    first: list[list[Person]], second: list[list[Person]], lost: Collection[str]
) -> None:
    products = tuple(product(sku_id, reason=Reason.EXCLUDED if sku_id in lost else None) for sku_id in SKUS[:3])
    synchronized = {each.sku_id for each in products if each.reason is None}
    with TemporaryDirectory() as path:
        folder = StateFolder(Path(path) / "state")
        folder.apply(portal_state(), users=tuple(map(as_page, first)))
        folder.apply(portal_state(serial=2, products=products), users=tuple(map(as_page, second)))

        kept = [(person, held) for person, held in latest(second) if held.holds and held.sku_id in synchronized]
        stored = set(folder.rows("SELECT object_id, sku_id, direct, via_group, error FROM assignments"))
        assert stored == {(person.object_id, *held[:1], *held[2:5]) for person, held in kept}
        contacts = "object_id, user_principal_name, display_name, mail, account_enabled, user_type, usage_location"
        assert set(folder.rows(f"SELECT {contacts} FROM contacts")) == {tuple(person) for person, _ in kept}


def test_a_read_replaces_the_consumers_of_its_own_portal_only(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.apply(portal_state("contoso"), users=(page(1, 2),))
    folder.apply(portal_state("fabrikam", portal=portal("fabrikam", client_id="other")), users=(page(2, 3),))

    folder.apply(portal_state("contoso", serial=2), users=(page(4),))

    owners = folder.rows("SELECT id, object_id FROM contacts JOIN portals ON portals.key = contacts.portal")
    assert sorted(owners) == [("contoso", "id-000004"), ("fabrikam", "id-000002"), ("fabrikam", "id-000003")]


def test_a_complete_read_without_users_keeps_nobody(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.apply(portal_state(), users=(page(1, 2),))
    folder.apply(portal_state(serial=2), users=())

    assert folder.people() == set()
    assert folder.held() == set()


def read_and_fail(folder: StateFolder) -> None:
    """A read that breaks off after some pages."""
    with folder.opened() as opened, opened.database.staging() as staged:
        for start in range(0, 5000, 500):
            staged.add(page(*range(start, start + 500), skus=SKUS))
        raise ConnectionError


def test_a_failed_read_leaves_no_trace(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.apply(portal_state(), users=(page(1),))
    before = folder.database.read_bytes()

    with pytest.raises(ConnectionError):
        read_and_fail(folder)

    assert folder.database.read_bytes() == before
    assert sorted(path.name for path in folder.path.iterdir()) == [".gitignore", ".lock", "ledger", "reconciler.db"]


def test_the_space_of_staged_users_is_given_back(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as database:
        for _ in range(3):
            with database.staging() as staged:
                staged.add(page(1))
        assert database._db.execute("SELECT count(*) FROM temp.sqlite_master").fetchone() == (0,)


def test_tenants_that_are_read_at_once_do_not_mix(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    names, rounds = ("contoso", "fabrikam", "northwind"), 40
    together = Barrier(len(names))

    def read(which: int) -> Mapping[str, Consumption]:
        with opened.database.staging() as staged:
            for turn in range(rounds):
                together.wait(timeout=60)
                staged.add(page(*range(turn * 10, turn * 10 + which + 1), skus=(SKUS[which],)))
                if turn == rounds // 2 and which == 0:
                    staged.clear()
            found = staged.count(Contents(), SKUS).consumption
            state = portal_state(names[which], portal=portal(names[which]), products=(product(SKUS[which]),))
            opened.database.save(state, None, staged)
        return found

    with folder.opened() as opened, ThreadPoolExecutor(len(names)) as pool:
        counts = list(pool.map(read, range(len(names))))

    consumers = [{sku_id: each.consumers for sku_id, each in found.items()} for found in counts]
    assert consumers[0] == {SKUS[0]: rounds - rounds // 2 - 1}
    assert consumers[1:] == [{SKUS[which]: rounds * (which + 1)} for which in (1, 2)]
    stored = folder.rows(
        "SELECT id, sku_id, count(*) FROM assignments JOIN portals ON portals.key = portal GROUP BY id, sku_id"
    )
    assert sorted(stored) == [(name, SKUS[i], counts[i][SKUS[i]].consumers) for i, name in enumerate(names)]
