"""Exclusions as a report shows them: own and of the whole repository, what they match, and what portals include."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

import pytest

from reconciler import matching
from reconciler.exclusion_report import (
    ExclusionReport,
    InclusionReport,
    Origin,
    SharedExclusion,
    exclusions_of,
    inclusions_of,
    shared_exclusions,
)
from reconciler.model import ExcludedLicense, Inclusion, Portal, PortalState, Settings
from reconciler.plan import Declared, make_plan
from reconciler.report import make_report
from reconciler.transition import delete
from tests.core.core_world import (
    E3,
    FLOW,
    TODAY,
    exclusion,
    known,
    license_,
    numbered,
    portal,
    portal_state,
    product,
    title,
    with_import,
)

FREE, VIRAL = exclusion("*_FREE"), exclusion("*_VIRAL", until=date(2026, 1, 1))
SHARED = Settings(exclusions=(FREE, VIRAL))
INCLUDES = portal(include=(Inclusion("FLOW_FREE", "Flows are counted here"), Inclusion("OTHER")))


def read(declared: Portal | None = None) -> PortalState:
    """A portal with one product and two licenses that were kept out."""
    state = portal_state(product(), declared=declared)
    kept_out = (ExcludedLicense(FLOW, "FLOW_FREE"), ExcludedLicense(numbered(1), "TEAMS_FREE"))
    return with_import(state, excluded=kept_out)


def test_a_portals_own_exclusions_stand_before_those_of_the_repository() -> None:
    declared = portal(exclusions=(exclusion("ENTERPRISEPACK"), exclusion("TYPO")))
    assert exclusions_of(read(declared), SHARED, TODAY) == (
        ExclusionReport(exclusion("ENTERPRISEPACK"), True, Origin.PORTAL, ("ENTERPRISEPACK",)),
        ExclusionReport(exclusion("TYPO"), True, Origin.PORTAL, ()),
        ExclusionReport(FREE, True, Origin.REPOSITORY, ("FLOW_FREE", "TEAMS_FREE")),
        ExclusionReport(VIRAL, False, Origin.REPOSITORY, ()),
    )


def test_what_a_portal_includes_no_exclusion_of_the_repository_matches() -> None:
    assert exclusions_of(read(INCLUDES), SHARED, TODAY)[0].matched == ("TEAMS_FREE",)
    own = replace(INCLUDES, exclusions=(FREE,))
    assert exclusions_of(read(own), SHARED, TODAY)[0].matched == ("FLOW_FREE", "TEAMS_FREE")


def test_an_include_shows_the_exclusions_that_it_lifts() -> None:
    first, second = INCLUDES.include
    assert inclusions_of(read(INCLUDES), SHARED) == (
        InclusionReport(first, ("FLOW_FREE",)),
        InclusionReport(second, ()),
    )
    assert inclusions_of(read(INCLUDES), Settings())[0].matched == ()


def test_a_license_is_matched_once_although_it_is_a_product_and_kept_out() -> None:
    state = with_import(portal_state(product()), excluded=(ExcludedLicense(E3, "ENTERPRISEPACK"),))
    declared = Settings(exclusions=(exclusion("ENTERPRISE*"),))
    assert exclusions_of(state, declared, TODAY)[0].matched == ("ENTERPRISEPACK",)


def test_a_deleted_portal_excludes_and_includes_nothing() -> None:
    gone = delete(read(INCLUDES))
    assert (exclusions_of(gone, SHARED, TODAY), inclusions_of(gone, SHARED)) == ((), ())
    assert shared_exclusions([gone], SHARED, TODAY)[0] == SharedExclusion(FREE, True, (), 0, ())


def test_an_exclusion_of_the_repository_is_told_once_for_all_portals() -> None:
    north = replace(read(INCLUDES), portal=replace(INCLUDES, id="north"))
    only_flow = with_import(read(replace(INCLUDES, id="south")), excluded=(ExcludedLicense(FLOW, "FLOW_FREE"),))
    unread = PortalState(portal("unread"))
    assert shared_exclusions([read(), north, only_flow, unread], SHARED, TODAY) == (
        SharedExclusion(FREE, True, ("FLOW_FREE", "TEAMS_FREE"), 2, ("north", "south")),
        SharedExclusion(VIRAL, False, (), 0, ()),
    )


def test_a_product_that_was_excluded_later_is_matched_too() -> None:
    state = portal_state(product(license_(FLOW)))
    assert exclusions_of(state, SHARED, TODAY)[0].matched == ("FLOW_FREE",)


def test_what_a_glob_means_is_found_once_for_all_portals(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Settings(exclusions=tuple(exclusion(f"ONCE_{number}_*") for number in range(30)))
    owned = [product(license_(numbered(number), part_number=f"ALIKE_{number}")) for number in range(20)]
    portals = (portal(f"p{number}", tenant_id=numbered(number)) for number in range(40))
    states = known(*(portal_state(*owned, declared=each) for each in portals))
    asked = Counter[str]()
    monkeypatch.setattr(matching, "fnmatchcase", lambda name, glob: asked.update(["glob"]) or fnmatchcase(name, glob))
    make_report(states, rules, TODAY)
    make_plan(Declared({each.id: each.portal for each in states.values()}, rules, title, TODAY), states)
    assert asked["glob"] == len(owned) * len(rules.exclusions)
