"""What a portal's state becomes: by its configuration, by its deletion, by an observation of its tenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reconciler.model import (
    Consumption,
    ExcludedLicense,
    ImportOutcome,
    Observation,
    Overlap,
    Portal,
    PortalState,
    Presence,
    ProductEntry,
    Reason,
    Settings,
    Status,
    Suspension,
    Thresholds,
)
from reconciler.transition import configure, delete, is_suspended, observe, stamp
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    LATER,
    NOW,
    OTHER_TENANT,
    OUTAGE,
    TODAY,
    applied,
    complete,
    exclusion,
    failed,
    known,
    license_,
    only_product,
    organization,
    plan_of,
    portal,
    portal_state,
    product,
    title,
)

EXCLUDING = portal(exclusions=(exclusion("ENTERPRISEPACK"),))
BOTH = complete(license_(E3), license_(E5))


def reasons(state: PortalState) -> dict[str, Reason | None]:
    """The reason of every product."""
    return {item.sku_id: item.reason for item in state.products}


# --- an observation --------------------------------------------------------------------------------------------------


def test_a_first_import_makes_a_product_of_every_license() -> None:
    state = applied(None, portal(), complete(license_(E3), license_(E5, enabled=0, consumed_units=0), users=97))
    assert [item.sku_id for item in state.products] == sorted([E3, E5])
    assert only_product(state).status is Status.FULLY_LICENSED
    assert (only_product(state).title, only_product(state).consumers) == ("Office 365 E3", 97)
    assert (only_product(state, E5).status, only_product(state, E5).consumers) == (Status.CLEAR, 0)
    assert state.last_import.outcome is ImportOutcome.COMPLETE
    assert (state.last_import.users, state.last_import.as_of) == (97, NOW)
    assert state.last_import.organization == organization()
    assert state.last_import.error is None


def test_consumers_and_findings_come_from_our_own_count() -> None:
    seen = complete(license_(), consumption={E3: Consumption(90, {"disabled_account": 2})})
    state = applied(None, portal(), seen)
    assert only_product(state).consumers == 90
    assert only_product(state).findings == {"disabled_account": 2}


def test_errors_and_savings_come_from_our_own_count() -> None:
    counted = Consumption(90, errors={"CountViolation": 3}, reclaimable={"disabled_account": 2})
    state = applied(None, portal(), complete(license_(), consumption={E3: counted}))
    assert only_product(state).errors == {"CountViolation": 3}
    assert only_product(state).reclaimable == {"disabled_account": 2}


def test_an_excluded_license_that_was_never_imported_is_not_imported() -> None:
    state = applied(None, EXCLUDING, BOTH)
    assert reasons(state) == {E5: None}


def test_what_an_exclusion_kept_out_is_remembered_until_the_next_complete_read() -> None:
    state = applied(None, EXCLUDING, BOTH)
    assert state.last_import.excluded == (ExcludedLicense(E3, "ENTERPRISEPACK"),)
    assert applied(state, portal(), failed()).last_import.excluded == state.last_import.excluded
    assert applied(state, portal(), BOTH).last_import.excluded == ()


def test_an_exclusion_of_the_repository_takes_effect_in_the_import() -> None:
    rules = Settings(exclusions=(exclusion("ENTERPRISEPACK"),))
    before = applied(None, portal(), BOTH)
    assert reasons(applied(before, portal(), settings=rules)) == {E3: Reason.EXCLUDED, E5: None}
    assert reasons(applied(None, portal(), BOTH, settings=rules)) == {E5: None}


def test_a_license_that_a_complete_read_does_not_show_is_gone_with_its_last_numbers() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(), complete(license_(E5)), now=LATER)
    gone = only_product(after)
    assert (gone.status, gone.reason) == (Status.CANNOT_BE_SYNCHRONISED, Reason.GONE_FROM_PORTAL)
    assert (gone.license, gone.consumers) == (only_product(before).license, 97)
    assert only_product(after, E5).reason is None


def test_a_license_that_comes_back_recovers_with_its_directory() -> None:
    moved = portal(products=(ProductEntry(E3, directory="Office"),))
    gone = applied(applied(None, moved, BOTH), portal(), complete(license_(E5)), now=LATER)
    back = applied(gone, portal(), BOTH, now=LATER + timedelta(hours=5))
    assert (only_product(back).reason, only_product(back).status) == (None, Status.FULLY_LICENSED)
    assert only_product(back).directory == "Office"


def test_a_failed_read_never_marks_a_license_as_gone() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(), failed(), now=LATER)
    assert after.products == before.products
    assert after.last_import == replace(
        before.last_import, outcome=ImportOutcome.FAILED, error=OUTAGE, failed_since=LATER
    )


def test_a_failure_that_lasts_keeps_the_time_at_which_it_began() -> None:
    once = applied(applied(None, portal(), BOTH), portal(), failed(), now=LATER)
    again = applied(once, portal(), failed(), now=LATER + timedelta(days=3))
    assert again.last_import.failed_since == LATER
    assert applied(again, portal(), BOTH, now=LATER + timedelta(days=4)).last_import.failed_since is None


def test_a_portal_turns_to_another_tenant_with_a_complete_read_only() -> None:
    before = applied(None, portal(), BOTH)
    turned = plan_of(portal(tenant_id=OTHER_TENANT), known=known(before)).portals[0]
    assert turned.kept == before, "numbers of the one tenant never stand under the name of the other"
    assert turned.after.portal.tenant_id == OTHER_TENANT
    there = applied(before, portal(tenant_id=OTHER_TENANT), BOTH)
    assert {item.reason for item in there.products} == {None}


def test_a_first_read_that_fails_leaves_nothing_but_its_error() -> None:
    state = applied(None, portal(), failed())
    assert state.products == ()
    assert (state.last_import.outcome, state.last_import.as_of) == (ImportOutcome.FAILED, None)
    assert state.last_import.error == OUTAGE


def test_a_complete_read_after_a_failed_one_takes_the_error_away() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(applied(before, portal(), failed(), now=LATER), portal(), BOTH, now=LATER + timedelta(hours=5))
    assert after.last_import == before.last_import


def test_a_known_license_that_is_excluded_by_its_new_part_number_is_not_gone() -> None:
    before = applied(None, EXCLUDING, complete(license_("00000000-0000-4000-8000-000000000001", part_number="OLD")))
    declared = portal(exclusions=(exclusion("NEW"),), products=(ProductEntry("NEW", directory="Office"),))
    seen = complete(license_("00000000-0000-4000-8000-000000000001", part_number="NEW"))
    after = applied(before, declared, seen, now=LATER)
    known = after.products[0]
    assert (known.reason, known.title, known.directory) == (Reason.EXCLUDED, "NEW", "Office")
    assert applied(after, declared, seen, now=LATER) is after


def test_an_emulated_read_says_so_until_a_real_one_replaces_it() -> None:
    emulated = applied(None, portal(), complete(license_(), emulated="demo"))
    assert emulated.last_import.emulated == "demo"
    assert applied(emulated, portal(), failed(), now=LATER).last_import.emulated == "demo"
    assert applied(emulated, portal(), complete(license_()), now=LATER).last_import.emulated is None


# --- as_of and serial ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "moves"),
    [
        pytest.param(BOTH, False, id="the same"),
        pytest.param(complete(license_(E3, consumed_units=98), license_(E5)), True, id="another count of Graph"),
        pytest.param(complete(license_(E3), license_(E5), consumers={E3: 96}), True, id="another count of ours"),
        pytest.param(complete(license_(E3), license_(E5), users=98), True, id="another number of users"),
        pytest.param(
            complete(
                license_(E3),
                license_(E5),
                consumption={E3: Consumption(97, {"guest_licensed": 1}), E5: Consumption(97)},
            ),
            True,
            id="a finding",
        ),
        pytest.param(
            complete(
                license_(E3),
                license_(E5),
                consumption={E3: Consumption(97, errors={"Other": 1}), E5: Consumption(97)},
            ),
            True,
            id="an error",
        ),
        pytest.param(
            complete(
                license_(E3),
                license_(E5),
                consumption={E3: Consumption(97, reclaimable={"overlap": 1}), E5: Consumption(97)},
            ),
            True,
            id="a saving",
        ),
        pytest.param(replace(BOTH, sign_ins=True), True, id="sign-ins"),
        pytest.param(complete(license_(E3)), True, id="a license gone"),
        pytest.param(complete(license_(E3), license_(E5), license_(FLOW)), True, id="a license more"),
        pytest.param(
            complete(license_(E3), license_(E5), organization=organization(name="Fabrikam")), True, id="another name"
        ),
        pytest.param(complete(license_(E3), license_(E5, capability_status="Warning")), True, id="another capability"),
        pytest.param(complete(license_(E3), license_(E5), emulated="demo"), True, id="another source"),
        pytest.param(failed(), False, id="a failure"),
    ],
)
def test_as_of_stays_while_the_content_stays(seen: Observation, moves: bool) -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(), seen, now=LATER)
    assert after.last_import.as_of == (LATER if moves else NOW)


def test_an_import_says_with_which_settings_it_counted() -> None:
    longer = Settings(thresholds=Thresholds(inactive_days=200))
    paired = Settings(overlaps=(Overlap("SPE_E5", "ENTERPRISEPACK"),))
    before = applied(None, portal(), BOTH)
    said = [applied(before, portal(), BOTH, settings=each, now=LATER).last_import for each in (longer, paired)]
    assert len({before.last_import.counted_with, *(last.counted_with for last in said)}) == 3
    assert [last.as_of for last in said] == [NOW, NOW], "the content is the same"
    assert applied(before, portal(), failed(), settings=longer).last_import.counted_with == (
        before.last_import.counted_with
    )


def test_as_of_stays_while_what_is_excluded_changes() -> None:
    before = applied(None, EXCLUDING, complete(license_(E3), license_(E5), users=97))
    after = applied(before, EXCLUDING, complete(license_(E3, enabled=5), license_(E5), users=97), now=LATER)
    assert after is before


@pytest.mark.parametrize(
    ("declared", "seen"),
    [
        pytest.param(portal(), complete(license_(enabled=101)), id="a number"),
        pytest.param(portal(), failed(), id="a failure"),
        pytest.param(portal(name="Contoso AG"), None, id="a name"),
        pytest.param(portal(description="Production"), None, id="a description"),
        pytest.param(portal(suspend=Suspension("Migration")), None, id="a pause"),
    ],
)
def test_the_serial_rises_by_one_with_a_change_and_says_which(declared: Portal, seen: Observation | None) -> None:
    before = applied(None, portal(), complete(license_()))
    after = applied(before, declared, seen, now=LATER)
    assert (before.serial, after.serial) == (1, 2)
    assert after.changed is not None
    assert after.changed.at == LATER
    assert after.changed.changes


def test_the_serial_stays_when_nothing_changed() -> None:
    before = applied(None, portal(), complete(license_()))
    assert applied(before, portal(), complete(license_()), now=LATER) is before
    assert applied(before, portal(), now=LATER) is before


def test_a_failure_that_lasts_changes_nothing_more() -> None:
    once = applied(applied(None, portal(), BOTH), portal(), failed(), now=LATER)
    assert applied(once, portal(), failed(), now=LATER + timedelta(hours=5)) is once


def test_the_first_state_has_the_serial_one() -> None:
    state = stamp(None, PortalState(portal()), NOW)
    assert state.serial == 1
    assert state.changed is not None
    assert [change.field for change in state.changed.changes] == ["portal"]


# --- the three reasons -----------------------------------------------------------------------------------------------


def test_a_deleted_portal_keeps_its_products_and_their_numbers() -> None:
    before = applied(None, portal(), BOTH)
    after = delete(before)
    assert after.presence is Presence.DELETED
    assert reasons(after) == {E3: Reason.PORTAL_DELETED, E5: Reason.PORTAL_DELETED}
    assert all(item.status is Status.CANNOT_BE_SYNCHRONISED for item in after.products)
    assert [item.license for item in after.products] == [item.license for item in before.products]
    assert after.last_import == before.last_import


def test_an_exclusion_takes_effect_without_an_import() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, EXCLUDING, now=LATER)
    assert reasons(after) == {E3: Reason.EXCLUDED, E5: None}
    assert only_product(after).status is Status.CANNOT_BE_SYNCHRONISED
    assert only_product(after).license == only_product(before).license


@pytest.mark.parametrize("reason", Reason)
def test_the_reason_of_a_deleted_portal_goes_before_all_others(reason: Reason) -> None:
    assert reasons(delete(portal_state(product(reason=reason)))) == {E3: Reason.PORTAL_DELETED}


@pytest.mark.parametrize("seen", [None, complete(license_(E5)), BOTH])
def test_an_exclusion_goes_before_a_license_that_is_gone(seen: Observation | None) -> None:
    gone = portal_state(product(reason=Reason.GONE_FROM_PORTAL), product(license_(E5)))
    assert reasons(applied(gone, EXCLUDING, seen, now=LATER))[E3] is Reason.EXCLUDED


def test_without_its_exclusion_a_product_waits_for_the_next_complete_import() -> None:
    excluded = applied(applied(None, portal(), BOTH), EXCLUDING, BOTH, now=LATER)
    waiting = applied(excluded, portal(), failed(), now=LATER)
    assert reasons(waiting)[E3] is Reason.EXCLUDED
    assert reasons(applied(waiting, portal(), BOTH, now=LATER))[E3] is None
    assert reasons(applied(waiting, portal(), complete(license_(E5)), now=LATER))[E3] is Reason.GONE_FROM_PORTAL


def test_an_exclusion_that_has_ended_lets_the_product_recover() -> None:
    until = portal(exclusions=(exclusion("ENTERPRISEPACK", until=TODAY),))
    excluded = applied(applied(None, portal(), BOTH), until, BOTH, now=NOW)
    assert reasons(excluded)[E3] is Reason.EXCLUDED
    assert reasons(applied(excluded, until, BOTH, now=LATER))[E3] is None


def test_a_portal_that_is_declared_again_recovers_with_the_next_complete_import() -> None:
    deleted = delete(applied(None, portal(), BOTH))
    again = applied(deleted, portal(), now=LATER)
    assert again.presence is Presence.PRESENT
    assert set(reasons(again).values()) == {Reason.PORTAL_DELETED}
    assert set(reasons(applied(again, portal(), failed(), now=LATER)).values()) == {Reason.PORTAL_DELETED}
    assert set(reasons(applied(again, portal(), BOTH, now=LATER)).values()) == {None}


def test_a_portal_that_is_declared_again_with_an_exclusion_is_excluded() -> None:
    deleted = delete(applied(None, portal(), BOTH))
    assert reasons(applied(deleted, EXCLUDING, now=LATER)) == {E3: Reason.EXCLUDED, E5: Reason.PORTAL_DELETED}


# --- directories and names -------------------------------------------------------------------------------------------


def test_a_new_product_goes_to_the_portals_directory() -> None:
    state = applied(None, portal(directory="Licenses/Contoso"), BOTH)
    assert {item.directory for item in state.products} == {"Licenses/Contoso"}


def test_a_new_product_with_an_entry_goes_to_its_own_directory() -> None:
    state = applied(None, portal(products=(ProductEntry("ENTERPRISEPACK", directory="Office"),)), BOTH)
    assert only_product(state).directory == "Office"
    assert only_product(state, E5).directory == "Microsoft 365/Contoso"


def test_an_entry_moves_a_known_product_and_leaves_it_there_when_the_entry_goes() -> None:
    before = applied(None, portal(), BOTH)
    moved = applied(before, portal(products=(ProductEntry("ENTERPRISEPACK", directory="Office"),)), now=LATER)
    assert only_product(moved).directory == "Office"
    stays = applied(moved, portal(), BOTH, now=LATER)
    assert only_product(stays).directory == "Office"
    assert only_product(stays, E5).directory == "Microsoft 365/Contoso"


def test_an_entry_without_a_directory_moves_nothing() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(products=(ProductEntry("ENTERPRISEPACK"),)), BOTH, now=LATER)
    assert only_product(after).directory == "Microsoft 365/Contoso"


def test_an_excluded_product_is_moved_by_its_entry_too() -> None:
    before = applied(None, portal(), BOTH)
    declared = replace(EXCLUDING, products=(ProductEntry(E3, directory="Old"),))
    assert only_product(applied(before, declared, BOTH, now=LATER)).directory == "Old"


def test_a_new_name_or_default_directory_leaves_products_where_they_are() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(name="Contoso AG", directory="Elsewhere"), BOTH, now=LATER)
    assert {item.directory for item in after.products} == {"Microsoft 365/Contoso"}
    assert after.portal.name == "Contoso AG"


# --- titles, settings, pauses ----------------------------------------------------------------------------------------


def test_a_new_title_reaches_known_products_without_an_import() -> None:
    before = applied(None, portal(), complete(license_()))
    after = configure(before, portal(), Settings(), lambda sku_id, part: f"{part} of {sku_id}", TODAY)
    assert only_product(after).title == f"ENTERPRISEPACK of {E3}"


def test_a_setting_reaches_known_products_without_an_import() -> None:
    before = applied(None, portal(), complete(license_()))
    after = applied(before, portal(), settings=Settings(unmetered=("*PACK",)), now=LATER)
    assert only_product(after).status is Status.NOT_METERED


@pytest.mark.parametrize(
    ("pause", "expected"),
    [
        (None, False),
        (Suspension("Migration"), True),
        (Suspension("Migration", TODAY), True),
        (Suspension("Migration", TODAY - timedelta(days=1)), False),
        (Suspension("Migration", date(2027, 1, 1)), True),
    ],
)
def test_a_pause_holds_through_its_last_day(pause: Suspension | None, expected: bool) -> None:
    declared = portal(suspend=pause)
    assert is_suspended(declared, TODAY) is expected
    presence = configure(None, declared, Settings(), title, TODAY).presence
    assert presence is (Presence.SUSPENDED if expected else Presence.PRESENT)


def test_a_suspended_portal_keeps_its_products_as_they_are() -> None:
    before = applied(None, portal(), BOTH)
    after = applied(before, portal(suspend=Suspension("Migration")), now=LATER)
    assert after.products == before.products
    assert after.last_import == before.last_import


def test_products_stand_in_the_order_of_their_sku_ids() -> None:
    state = observe(PortalState(portal()), complete(license_(E5), license_(FLOW), license_(E3)), Settings(), title, NOW)
    assert [item.sku_id for item in state.products] == sorted([E3, E5, FLOW])
