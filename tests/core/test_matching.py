"""Which license a declaration means, and until when an exclusion applies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from reconciler.matching import entries_of, entry_of, exclusion_of, in_force, matches, matches_any, muted_by, rule_of
from reconciler.model import (
    DeclaredEntitlement,
    Exclusion,
    ExclusionScope,
    Inclusion,
    Price,
    ProductEntry,
    Settings,
)
from tests.core.core_world import E3, E5, exclusion, license_, portal

TODAY = date(2027, 6, 30)


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("FLOW_FREE", True),
        ("flow_free", True),
        ("*_FREE", True),
        ("*_free", True),
        ("FLOW_????", True),
        ("FLOW_[EF]REE", True),
        ("*", True),
        ("FLOW", False),
        ("FLOW_FREE_2", False),
        ("FREE_*", False),
        ("FLOW_[!F]REE", False),
        ("FLOW.FREE", False),
        ("", False),
        ("f30db892-07e9-47e9-837c-80727f46fd3d", True),
        ("F30DB892-07E9-47E9-837C-80727F46FD3D", True),
        ("f30db892-*", False),
        (E3, False),
    ],
)
def test_a_license_is_meant_by_part_number_sku_id_or_glob(sku: str, expected: bool) -> None:
    free = license_("f30db892-07e9-47e9-837c-80727f46fd3d", part_number="FLOW_FREE")
    assert matches(sku, free) is expected
    assert matches_any(["NOTHING", sku], free) is expected


def test_nothing_means_no_license() -> None:
    assert not matches_any([], license_())


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, True),
        (date(2027, 7, 1), True),
        (date(2027, 6, 30), True),
        (date(2027, 6, 29), False),
    ],
)
def test_the_last_day_of_an_exclusion_is_one_on_which_it_applies(until: date | None, expected: bool) -> None:
    item = exclusion("ENTERPRISEPACK", until=until)
    assert in_force(item, TODAY) is expected
    assert exclusion_of(portal(exclusions=(item,)), Settings(), license_(), TODAY) == (item if expected else None)


def test_the_closest_exclusion_in_force_gives_the_reason_whatever_the_order() -> None:
    ended = exclusion("ENTERPRISEPACK", "ended", date(2020, 1, 1))
    other = exclusion("SPE_E5", "another license")
    wide, narrow, exact = exclusion("*", "wide"), exclusion("ENTERPRISEPACK", "narrow"), exclusion(E3, "exact")
    for order in permutations((ended, other, wide, narrow)):
        assert exclusion_of(portal(exclusions=order), Settings(), license_(), TODAY) == narrow
    for order in permutations((wide, narrow, exact)):
        assert exclusion_of(portal(exclusions=order), Settings(), license_(), TODAY) == exact


def test_the_closest_entry_counts_whatever_the_order() -> None:
    by_id, by_number = ProductEntry(E3, directory="A"), ProductEntry("ENTERPRISEPACK", directory="B")
    for order in permutations((by_id, by_number)):
        assert entry_of(portal(products=order), license_(E3)) == by_id


def test_an_entry_is_found_by_part_number_or_sku_id() -> None:
    by_id, by_number = ProductEntry(E5, directory="A"), ProductEntry("enterprisepack", directory="B")
    declared = portal(products=(by_id, by_number))
    assert entry_of(declared, license_(E5)) == by_id
    assert entry_of(declared, license_(E3)) == by_number
    assert entry_of(portal(), license_()) is None


def test_each_member_comes_from_the_closest_entry_that_has_it_whatever_the_order() -> None:
    price, near, far = Price(Decimal(10), "EUR", "month"), DeclaredEntitlement(7), DeclaredEntitlement(100)
    by_id = ProductEntry(E3, price=price)
    by_number = ProductEntry("ENTERPRISEPACK", directory="B", entitlement=far)
    for order in permutations((by_id, by_number, ProductEntry(E5, entitlement=near))):
        declared = portal(products=order)
        assert entries_of(declared, license_(E3)) == (by_id, by_number)
        assert entry_of(declared, license_(E3)) == ProductEntry(E3, "B", price, far)
    closer = ProductEntry(E3, entitlement=near)
    assert entry_of(portal(products=(by_number, closer)), license_(E3)) == ProductEntry(E3, "B", None, near)


REPOSITORY = Settings(exclusions=(exclusion("*PACK", "for everybody"),))


def test_an_exclusion_of_the_repository_counts_in_every_portal() -> None:
    assert exclusion_of(portal(), REPOSITORY, license_(), TODAY) == REPOSITORY.exclusions[0]


@pytest.mark.parametrize("included", ["ENTERPRISEPACK", "enterprise*", E3])
def test_what_a_portal_includes_is_out_of_reach_of_the_repositorys_exclusions(included: str) -> None:
    lifted = portal(include=(Inclusion(included),))
    assert rule_of(lifted, REPOSITORY, license_(), TODAY) is None


def test_what_a_portal_includes_is_still_excluded_by_the_portal_itself() -> None:
    own = exclusion("ENTERPRISE*", "own")
    both = portal(include=(Inclusion("*"),), exclusions=(own,))
    assert exclusion_of(both, REPOSITORY, license_(), TODAY) == own


def test_the_portals_own_exclusion_goes_before_a_closer_one_of_the_repository() -> None:
    own = Exclusion("*", "own", scope=ExclusionScope.ALERTS)
    closer = Settings(exclusions=(exclusion(E3, "closer"),))
    assert rule_of(portal(exclusions=(own,)), closer, license_(), TODAY) == own
    assert exclusion_of(portal(exclusions=(own,)), closer, license_(), TODAY) is None


def test_an_own_exclusion_that_has_ended_leaves_the_license_to_the_repository() -> None:
    ended = exclusion("ENTERPRISEPACK", "ended", date(2020, 1, 1))
    assert exclusion_of(portal(exclusions=(ended,)), REPOSITORY, license_(), TODAY) == REPOSITORY.exclusions[0]


def test_an_exclusion_from_alerts_keeps_nothing_out_of_the_import() -> None:
    alerts = Exclusion("ENTERPRISEPACK", "known", scope=ExclusionScope.ALERTS)
    assert exclusion_of(portal(exclusions=(alerts,)), Settings(), license_(), TODAY) is None
    assert muted_by(portal(exclusions=(alerts,)), Settings(), license_(), TODAY) == alerts
    assert muted_by(portal(exclusions=(exclusion("ENTERPRISEPACK"),)), Settings(), license_(), TODAY) is None
