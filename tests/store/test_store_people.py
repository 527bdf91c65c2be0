"""Contacts: kept while they are required, matched across portals by e-mail, and told as numbers only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contacts import Contacts, PortalContacts, SharedContacts, SharedLicense
from reconciler.model import Contact, Holding, Import, Presence, Product, Reason, UserPage
from reconciler.store.people import read_contacts
from tests.store.store_world import (
    E3,
    E5,
    F3,
    StateFolder,
    contact,
    files_under,
    holding,
    page,
    portal,
    portal_state,
    product,
)

TENANTS = {name: f"0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a{number}" for number, name in enumerate(("a", "b", "c"), 10)}

Held = dict[int, tuple[str, ...]]
"""The persons of a portal by number, with the SKUs that each holds. The number is in the e-mail address."""


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def person(number: int, **members: Any) -> Contact:
    """A contact with an address that says who it is."""
    return contact(number, **{"mail": f"person{number}@contoso.example", **members})


def stored(folder: StateFolder, name: str, held: Held, *, tenant: str | None = None, **members: Any) -> None:
    """A portal whose import brought these persons, each with an object ID of the portal's own."""
    people = [person(number, object_id=f"{name}-{number}") for number in held]
    holdings = [tuple(map(holding, sorted(skus))) for skus in held.values()]
    import_people(folder, name, people, holdings, tenant=tenant, **members)


def import_people(
    folder: StateFolder,
    name: str,
    people: list[Contact],
    held: list[tuple[Holding, ...]],
    *,
    tenant: str | None = None,
    **members: Any,
) -> None:
    """A portal whose import brought these people."""
    declared = portal(name, tenant_id=tenant or TENANTS[name], client_id=name)
    state = portal_state(name, portal=declared, **members)
    folder.apply(state, users=(UserPage(len(people), people, held),))


# --- as required -----------------------------------------------------------------------------------------------------


def without(sku_id: str, reason: Reason | None) -> tuple[Product, ...]:
    """The products of a portal when this one was removed, or lost its synchronization."""
    both = (product(E3), product(E5))
    kept = [each for each in both if each.sku_id != sku_id]
    return tuple(kept if reason is None else [*kept, product(sku_id, reason=reason)])


@pytest.mark.parametrize("reason", [*Reason, None], ids=lambda reason: reason or "removed")
def test_contacts_go_with_the_last_product_that_required_them(folder: StateFolder, reason: Reason | None) -> None:
    users = UserPage(
        3,
        [contact(1), contact(2), contact(3)],
        [(holding(E3),), (holding(E5),), (holding(E3), holding(E5))],
    )
    folder.apply(portal_state(), users=(users,))
    assert folder.people() == {"id-000001", "id-000002", "id-000003"}

    folder.apply(portal_state(serial=2, products=without(E3, reason)))
    assert folder.people() == {"id-000002", "id-000003"}
    assert folder.held() == {("id-000002", E5), ("id-000003", E5)}


def test_a_deleted_portal_has_no_contacts_and_the_others_keep_theirs(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,)})
    stored(folder, "b", {1: (E3,), 2: (E3,)})
    gone = tuple(product(sku_id, reason=Reason.PORTAL_DELETED) for sku_id in (E3, E5))
    state = portal_state("a", 2, portal=portal("a", tenant_id=TENANTS["a"]), presence=Presence.DELETED, products=gone)
    folder.apply(state)

    assert folder.people() == {"b-1", "b-2"}
    assert read_contacts(folder.path) == Contacts((PortalContacts("a", 0), PortalContacts("b", 2)))

    folder.apply(replace(state, serial=3, products=()))
    assert read_contacts(folder.path) == Contacts((PortalContacts("b", 2),)), "a portal that is forgotten is not shown"


def test_contacts_come_back_with_the_product(folder: StateFolder) -> None:
    folder.apply(portal_state(), users=(page(1, 2),))
    folder.apply(portal_state(serial=2, products=(product(E3, reason=Reason.EXCLUDED),)))
    assert folder.people() == set()
    folder.apply(portal_state(serial=3), users=(page(2, 3),))
    assert folder.people() == {"id-000002", "id-000003"}


# --- in two portals --------------------------------------------------------------------------------------------------


def test_a_person_in_two_portals_is_known_by_the_address(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,), 2: (E3, E5), 3: (E5,), 4: (E3,)})
    stored(folder, "b", {1: (E5,), 2: (E3, E5), 3: (E5,), 5: (E3,)})
    stored(folder, "c", {3: (E3,)})
    assert read_contacts(folder.path) == Contacts(
        (PortalContacts("a", 4, 3), PortalContacts("b", 4, 3), PortalContacts("c", 1, 1)),
        (
            SharedContacts(
                ("a", "b"), 3, (SharedLicense(E5, f"License {E5[:8]}", 2), SharedLicense(E3, f"License {E3[:8]}", 1))
            ),
            SharedContacts(("a", "c"), 1),
            SharedContacts(("b", "c"), 1),
        ),
    )


@pytest.mark.parametrize(
    ("mine", "yours", "shared"),
    [
        ("anna@contoso.example", "anna@contoso.example", True),
        ("anna@contoso.example", "Anna@Contoso.EXAMPLE", True),
        ("anna@contoso.example", "anna@fabrikam.example", False),
        ("", "", False),
        (None, None, False),
        ("anna@contoso.example", None, False),
    ],
)
def test_addresses_are_compared_in_any_case_and_no_address_matches_none(
    folder: StateFolder, mine: str | None, yours: str | None, shared: bool
) -> None:
    for name, mail in (("a", mine), ("b", yours)):
        import_people(folder, name, [contact(1, mail=mail)], [(holding(),)])
    found = read_contacts(folder.path)
    assert [each.elsewhere for each in found.portals] == [int(shared)] * 2
    assert len(found.pairs) == shared


def test_two_portals_that_read_one_tenant_have_nobody_in_common(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,), 2: (E3,)})
    stored(folder, "b", {1: (E3,), 2: (E3,)}, tenant=TENANTS["a"])
    assert read_contacts(folder.path).pairs == ()

    stored(folder, "c", {2: (E3,)})
    found = read_contacts(folder.path)
    assert [pair.portals for pair in found.pairs] == [("a", "c"), ("b", "c")]
    assert [each.elsewhere for each in found.portals] == [1, 1, 1]


def test_one_address_twice_in_a_portal_is_one_person_and_two_contacts(folder: StateFolder) -> None:
    twins = [person(1), person(1, object_id="other")]
    import_people(folder, "a", twins, [(holding(),), (holding(),)])
    stored(folder, "b", {1: (E3,)})
    found = read_contacts(folder.path)
    assert found.portals == (PortalContacts("a", 2, 2), PortalContacts("b", 1, 1))
    assert [(pair.persons, [each.persons for each in pair.licenses]) for pair in found.pairs] == [(1, [1])]


def test_only_what_concerns_the_chosen_portals_is_told(folder: StateFolder) -> None:
    for name in TENANTS:
        stored(folder, name, {1: (E3,)})
    found = read_contacts(folder.path).only({"a"})
    assert found.portals == (PortalContacts("a", 1, 1),)
    assert [pair.portals for pair in found.pairs] == [("a", "b"), ("a", "c")]


holdings = st.dictionaries(
    st.integers(0, 4), st.sets(st.sampled_from([E3, E5]), min_size=1).map(sorted).map(tuple), max_size=5
)


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(TENANTS, holdings)))
def test_what_pairs_have_in_common_equals_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory, portals: dict[str, Held]
) -> None:
    folder = StateFolder(tmp_path_factory.mktemp("people") / "state")
    for name, held in portals.items():
        products = tuple(product(sku_id, len(held)) for sku_id in (E3, E5))
        stored(folder, name, held, products=products)
    found = read_contacts(folder.path)

    assert {each.portal_id: each.contacts for each in found.portals} == {
        name: len(held) for name, held in portals.items()
    }
    pairs = {pair.portals: pair for pair in found.pairs}
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        common = portals[one].keys() & portals[other].keys()
        assert ((one, other) in pairs) == bool(common)
        if common:
            twice = [sku_id for number in common for sku_id in set(portals[one][number]) & set(portals[other][number])]
            pair = pairs[one, other]
            assert pair.persons == len(common)
            assert {each.sku_id: each.persons for each in pair.licenses} == {
                sku_id: twice.count(sku_id) for sku_id in set(twice)
            }


# --- what the DB lacks -----------------------------------------------------------------------------------------------


def test_a_fresh_clone_has_no_contacts_and_knows_it(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,)})
    stored(folder, "b", {1: (E3,)})
    folder.database.unlink()
    lacking = Contacts((PortalContacts("a", None), PortalContacts("b", None)))
    assert read_contacts(folder.path) == lacking

    with folder.opened():
        pass  # the ledger is loaded into a new DB, without contacts
    assert folder.database.exists()
    assert read_contacts(folder.path) == lacking

    stored(folder, "b", {1: (E3,)}, serial=2)
    assert read_contacts(folder.path) == Contacts((PortalContacts("a", None), PortalContacts("b", 1)))


def test_contacts_of_older_numbers_are_not_told(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,)})
    elsewhere = StateFolder(folder.path.with_name("elsewhere"))
    stored(elsewhere, "a", {1: (E3,)})
    stored(elsewhere, "a", {1: (E3,), 2: (E3,)}, serial=2)
    folder.take_over({name: text for name, text in elsewhere.written().items() if name != "history"})
    assert read_contacts(folder.path) == Contacts((PortalContacts("a", None),))


def test_a_portal_without_consumers_has_no_contacts_and_lacks_none(folder: StateFolder) -> None:
    stored(folder, "a", {}, products=(product(F3, 0),))
    assert read_contacts(folder.path) == Contacts((PortalContacts("a", 0),))


def test_counting_contacts_writes_nothing(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,)})
    stored(folder, "b", {1: (E3,)})
    before = files_under(folder.path)
    assert read_contacts(folder.path).pairs
    assert files_under(folder.path) == before


def test_where_nothing_is_there_are_no_contacts(tmp_path: Path) -> None:
    assert read_contacts(tmp_path / "state") == Contacts(())
    assert list(tmp_path.iterdir()) == []


def test_emulated_contacts_are_called_so(folder: StateFolder) -> None:
    stored(folder, "a", {1: (E3,)}, last_import=Import(emulated="demo"))
    assert read_contacts(folder.path).emulated
