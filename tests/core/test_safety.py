"""Refusals: what is too dangerous to be done without being asked, in which numbers, and what lets it pass."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from reconciler.model import (
    Complete,
    Consumption,
    Portal,
    PortalLimits,
    PortalState,
    Reason,
    Removal,
    SafetyLimits,
    Settings,
)
from reconciler.plan import Plan
from reconciler.plausibility import check_observation
from reconciler.safety import Override, check_plan
from reconciler.transition import delete
from tests.core.core_world import (
    OTHER_TENANT,
    TENANT,
    TODAY,
    applied,
    complete,
    exclusion,
    known,
    license_,
    numbered,
    plan_of,
    portal,
    portal_state,
    product,
    with_import,
)

LIMITS = SafetyLimits()


def with_products(number: int, declared: Portal | None = None, reason: Reason | None = None) -> PortalState:
    """A known portal with so many products."""
    items = [product(license_(numbered(index), part_number=f"SKU_{index}"), reason=reason) for index in range(number)]
    return portal_state(*items, declared=declared)


def excluding(number: int) -> Portal:
    """A portal that excludes the first products of ``with_products``."""
    return portal(exclusions=tuple(exclusion(f"SKU_{index}") for index in range(number)))


def seen_of(state: PortalState, number: int) -> Complete:
    """A complete read that shows the first licenses of a state."""
    return complete(*[item.license for item in state.products[:number]])


def codes(plan: Plan, allowed: Collection[Override] = (), limits: SafetyLimits = LIMITS) -> list[str]:
    """The codes of the refusals of a plan."""
    return [refusal.code for refusal in check_plan(plan, Settings(safety=limits), allowed)]


# --- the plan as a whole ---------------------------------------------------------------------------------------------


def test_a_plan_that_changes_nothing_is_safe() -> None:
    state = with_products(20)
    assert codes(plan_of(portal(), known=known(state))) == []
    assert codes(plan_of()) == []


@pytest.mark.parametrize(
    ("lost", "total", "safe"),
    [
        pytest.param(10, 10, True, id="all of few: at the floor"),
        pytest.param(11, 11, False, id="all, above the floor"),
        pytest.param(11, 37, True, id="below the share"),
        pytest.param(12, 40, True, id="at the share"),
        pytest.param(13, 40, False, id="above the share"),
    ],
)
def test_a_loss_is_refused_above_share_and_floor(lost: int, total: int, safe: bool) -> None:
    plan = plan_of(excluding(lost), known=known(with_products(total)))
    assert codes(plan) == ([] if safe else ["too-many-lost"])


def test_the_refusal_of_a_loss_names_numbers_limit_and_way_over_it() -> None:
    plan = plan_of(excluding(13), known=known(with_products(40)))
    refusal = check_plan(plan, Settings(safety=LIMITS), ())[0]
    assert refusal.message.startswith("13 of 40 products would lose synchronization; the limits are 30 %")
    assert "safety.max_lost_percent" in refusal.message
    assert "10 products (safety.min_products)" in refusal.message
    assert "--allow loss" in refusal.remedy


def test_settings_move_the_limit() -> None:
    plan = plan_of(excluding(5), known=known(with_products(40)))
    assert codes(plan, limits=SafetyLimits(max_lost_percent=10, min_products=4)) == ["too-many-lost"]
    assert codes(plan, limits=SafetyLimits(max_lost_percent=10, min_products=5)) == []
    assert codes(plan, limits=SafetyLimits(max_lost_percent=13, min_products=4)) == []


def test_a_loss_is_counted_over_all_portals_of_the_plan() -> None:
    fabrikam = portal("fabrikam", tenant_id=OTHER_TENANT)
    states = known(with_products(12), with_products(12, fabrikam))
    assert codes(plan_of(portal(), known=states)) == ["too-many-lost"]
    assert codes(plan_of(portal(), known=known(with_products(60), with_products(12, fabrikam)))) == []


def test_products_that_are_lost_already_count_neither_as_loss_nor_as_share() -> None:
    gone = with_products(40, reason=Reason.GONE_FROM_PORTAL)
    assert codes(plan_of(excluding(40), known=known(gone))) == []
    mixed = replace(gone, products=(*gone.products, *[product(license_(numbered(99 + i))) for i in range(11)]))
    assert codes(plan_of(known=known(mixed)), [Override.EMPTY]) == ["too-many-lost"]


def test_allow_loss_lets_a_loss_pass_and_nothing_else() -> None:
    plan = plan_of(known=known(with_products(40)))
    assert codes(plan) == ["no-portals-declared", "too-many-lost"]
    assert codes(plan, [Override.LOSS]) == ["no-portals-declared"]
    assert codes(plan, [Override.EMPTY]) == ["too-many-lost"]
    assert codes(plan, [Override.EMPTY, Override.LOSS]) == []


def test_a_repository_without_portals_is_refused_even_when_little_would_be_lost() -> None:
    refusal = check_plan(plan_of(known=known(with_products(1))), Settings(safety=LIMITS), ())[0]
    assert refusal.code == "no-portals-declared"
    assert "1 known portal would be deleted" in refusal.message
    assert "--allow empty" in refusal.remedy


def test_a_repository_without_portals_is_safe_when_all_were_deleted_before() -> None:
    assert codes(plan_of(known=known(delete(with_products(40))))) == []


def test_a_selection_does_not_make_a_repository_empty() -> None:
    plan = plan_of(portal("fabrikam", client_id=OTHER_TENANT), known=known(with_products(1)), only=("contoso",))
    assert codes(plan) == []


@pytest.mark.parametrize("allowed", [(), tuple(Override)])
def test_protection_is_kept_in_the_state_and_no_option_lifts_it(allowed: tuple[Override, ...]) -> None:
    state = with_products(1, portal(protect=True))
    plan = plan_of(portal("fabrikam", client_id=OTHER_TENANT), known=known(state))
    assert codes(plan, allowed) == ["portal-protected"]


def test_a_protected_portal_can_be_edited_renamed_and_left_deleted() -> None:
    state = with_products(1, portal(protect=True))
    assert codes(plan_of(portal(), known=known(state))) == []
    assert codes(plan_of(portal("renamed", protect=True), known=known(state))) == []
    other = portal("fabrikam", client_id=OTHER_TENANT)
    assert codes(plan_of(other, known=known(delete(state)))) == []


def test_a_portal_applied_once_without_protection_can_be_deleted() -> None:
    state = applied(with_products(1, portal(protect=True)), portal(protect=False))
    assert codes(plan_of(portal("fabrikam", client_id=OTHER_TENANT), known=known(state))) == []


def test_another_tenant_behind_a_portal_is_refused_and_both_are_named() -> None:
    plan = plan_of(portal(tenant_id=OTHER_TENANT), known=known(with_products(2)))
    refusal = check_plan(plan, Settings(safety=LIMITS), ())[0]
    assert refusal.code == "tenant-changed"
    assert f"would read tenant {OTHER_TENANT} instead of {TENANT}; 2 products would be lost" in refusal.message
    assert "--allow tenant-change" in refusal.remedy
    assert codes(plan, [Override.TENANT_CHANGE]) == []


def test_another_tenant_is_refused_for_a_portal_that_comes_back_too() -> None:
    plan = plan_of(portal(tenant_id=OTHER_TENANT), known=known(delete(with_products(2))))
    assert codes(plan) == ["tenant-changed"]


def test_another_tenant_is_fine_while_nothing_is_known_of_the_first() -> None:
    assert codes(plan_of(portal(tenant_id=OTHER_TENANT), known=known(with_products(0)))) == []


# --- one portal's observation ----------------------------------------------------------------------------------------


def held(before: PortalState, seen: Complete, allowed: Collection[Override] = ()) -> str | None:
    """The code of the refusal of an observation."""
    refusal = check_observation(before, seen, Settings(safety=LIMITS), allowed, TODAY)
    return refusal.code if refusal else None


def test_what_a_tenant_showed_before_is_safe() -> None:
    state = with_products(20)
    assert held(state, seen_of(state, 20)) is None


def test_a_tenant_that_suddenly_reports_no_license_is_held_back() -> None:
    state = with_products(1)
    refusal = check_observation(state, complete(), Settings(safety=LIMITS), (), TODAY)
    assert refusal is not None
    assert (refusal.code, refusal.message) == (
        "no-licenses",
        "The tenant reports no licenses; 1 was known before.",
    )
    assert "--allow answer" in refusal.remedy
    assert held(state, complete(), [Override.ANSWER]) is None
    assert held(state, complete(), [Override.EMPTY, Override.TENANT_CHANGE]) == "no-licenses"


def test_an_empty_answer_does_not_make_the_products_of_a_returning_portal_gone() -> None:
    assert held(applied(delete(with_products(3)), portal()), complete()) == "no-licenses"


def test_an_empty_answer_does_not_make_a_product_gone_whose_exclusion_was_lifted() -> None:
    excluded = applied(with_products(3), excluding(3))
    assert held(excluded, complete()) is None
    assert held(applied(excluded, portal()), complete()) == "no-licenses"


def test_a_tenant_without_licenses_is_fine_when_none_was_known_or_all_are_gone() -> None:
    assert held(with_products(0), complete()) is None
    assert held(with_products(3, reason=Reason.GONE_FROM_PORTAL), complete()) is None


@pytest.mark.parametrize(
    ("total", "shown", "code"),
    [
        (3, 0, "no-licenses"),
        (4, 1, None),
        (8, 4, None),
        (9, 4, "too-many-gone"),
        (10, 1, "too-many-gone"),
        (20, 10, None),
        (20, 9, "too-many-gone"),
        (40, 28, None),
        (40, 27, "too-many-gone"),
    ],
)
def test_many_licenses_gone_at_once_are_held_back(total: int, shown: int, code: str | None) -> None:
    state = with_products(total)
    assert held(state, seen_of(state, shown)) == code
    assert held(state, seen_of(state, shown), [Override.ANSWER]) is None


def test_the_refusal_of_gone_licenses_names_the_numbers() -> None:
    state = with_products(40)
    refusal = check_observation(state, seen_of(state, 20), Settings(safety=LIMITS), (), TODAY)
    assert refusal is not None
    assert refusal.message.startswith("20 of 40 products are gone from the portal; the limits are 30 %")


def test_excluded_products_are_not_missed() -> None:
    state = applied(with_products(20), excluding(15))
    assert held(state, complete(*[item.license for item in state.products[15:]])) is None


def test_consumed_licenses_without_a_single_user_are_held_back() -> None:
    state = with_products(1)
    empty = replace(seen_of(state, 1), consumption={}, users=0)
    refusal = check_observation(state, empty, Settings(safety=LIMITS), (), TODAY)
    assert refusal is not None
    assert refusal.code == "no-consumers"
    assert "97 of 97 known consumers are missing from the list of users" in refusal.message
    assert held(state, empty, [Override.ANSWER]) is None


@pytest.mark.parametrize(
    ("before", "now", "units", "code"),
    [
        (1500, 1, 1500, "consumers-missing"),
        (1500, 1000, 1500, "consumers-missing"),
        (1500, 1000, 1000, None),
        (1500, 1400, 1500, None),
        (12, 1, 12, "consumers-missing"),
        (10, 1, 10, None),
        (1500, 1510, 1600, None),
    ],
)
def test_users_that_are_missing_although_graph_counts_them_are_held_back(
    before: int, now: int, units: int, code: str | None
) -> None:
    """A list that was cut short looks well; only Graph's own count gives it away."""
    state = portal_state(product(license_(consumed_units=before), consumers=before))
    seen = complete(license_(consumed_units=units), consumption={license_().sku_id: Consumption(now)})
    assert held(state, seen) == code
    assert held(state, seen, [Override.ANSWER]) is None


def test_a_gap_to_the_count_of_graph_that_was_there_before_is_no_loss() -> None:
    state = portal_state(product(license_(consumed_units=200), consumers=100))
    seen = complete(license_(consumed_units=150), consumption={license_().sku_id: Consumption(50)})
    assert held(state, seen) is None


def test_users_are_missed_although_everything_was_excluded_in_between() -> None:
    state = with_products(1)
    excluded = with_import(applied(state, excluding(1)), users=0)
    assert held(applied(excluded, portal()), replace(seen_of(state, 1), consumption={}, users=0)) == "no-consumers"


def test_no_user_is_fine_when_nothing_is_consumed_or_nobody_was_known() -> None:
    state = with_products(1)
    unused = complete(license_(numbered(0), consumed_units=0))
    assert unused.users == 0
    assert held(state, unused) is None
    nobody = with_import(portal_state(product(license_(numbered(0)), consumers=0)), users=0)
    assert held(nobody, replace(seen_of(state, 1), consumption={}, users=0)) is None


def test_an_emulated_answer_never_replaces_real_numbers() -> None:
    real = with_products(1)
    emulated = replace(seen_of(real, 1), emulated="demo")
    assert held(real, emulated, tuple(Override)) == "emulated-answer"
    assert held(with_import(real, emulated="demo"), emulated) is None
    assert held(with_import(real, as_of=None), emulated) is None


def test_to_exclude_what_every_user_has_is_no_loss_of_users() -> None:
    state = applied(with_products(1), excluding(1))
    assert held(state, replace(seen_of(state, 1), users=0)) is None


# --- more than a share -----------------------------------------------------------------------------------------------


def test_a_number_of_lost_products_is_refused_whatever_its_share() -> None:
    plan = plan_of(excluding(6), known=known(with_products(1000)))
    assert codes(plan, limits=SafetyLimits(max_lost_products=5)) == ["too-many-lost"]
    assert codes(plan, limits=SafetyLimits(max_lost_products=6)) == []


def test_a_portal_with_limits_of_its_own_is_judged_by_itself() -> None:
    strict = replace(excluding(2), safety=PortalLimits(max_lost_percent=0, min_products=0))
    other = portal("other", client_id=OTHER_TENANT)
    states = known(with_products(40), portal_state(product(), declared=other))
    (refusal,) = check_plan(plan_of(strict, other, known=states), Settings(), ())
    assert refusal.message.startswith(
        "2 of 40 products of portal contoso would lose synchronization; the limits are 0 %"
    )
    assert refusal.remedy.endswith("raise the limit in portals.d/contoso.yaml.")


def test_a_generous_portal_leaves_the_others_to_the_limits_of_the_settings() -> None:
    generous = replace(excluding(13), safety=PortalLimits(max_lost_percent=100))
    assert codes(plan_of(generous, known=known(with_products(40)))) == []


def test_too_many_removals_are_refused_with_numbers_limit_and_way_over_it() -> None:
    before = delete(with_products(4))
    plan = plan_of(known=known(before), removals=[Removal("contoso", "*", "closed")])
    limits = Settings(safety=SafetyLimits(max_removals=3))
    (refusal,) = [item for item in check_plan(plan, limits, ()) if item.code == "too-many-removals"]
    assert refusal.message == ("4 products would be deleted from the state; the limit is 3 (safety.max_removals).")
    assert "--allow removals" in refusal.remedy
    assert check_plan(plan, limits, [Override.REMOVALS]) == []
    assert check_plan(plan, Settings(safety=SafetyLimits(max_removals=4)), ()) == []


def test_another_tenant_is_accepted_where_the_file_says_which_one_it_replaces() -> None:
    before = with_products(1)
    turned = portal(tenant_id=OTHER_TENANT)
    assert codes(plan_of(turned, known=known(before))) == ["tenant-changed"]
    assert codes(plan_of(replace(turned, replaces_tenant_id=TENANT), known=known(before))) == []
    assert codes(plan_of(replace(turned, replaces_tenant_id=OTHER_TENANT), known=known(before))) == ["tenant-changed"]


@pytest.mark.parametrize(("percent", "code"), [(50, "too-many-gone"), (40, None)])
def test_the_least_share_that_a_tenant_must_report_is_a_setting(percent: int, code: str | None) -> None:
    state = with_products(10)
    limits = Settings(safety=SafetyLimits(min_reported_percent=percent))
    refusal = check_observation(state, seen_of(state, 4), limits, (), TODAY)
    assert (refusal and refusal.code) == code


def test_a_portals_own_limit_counts_for_what_its_tenant_reports() -> None:
    state = with_products(10)
    own = replace(state, portal=replace(state.portal, safety=PortalLimits(min_reported_percent=10)))
    assert held(state, seen_of(state, 4)) == "too-many-gone"
    assert held(own, seen_of(state, 4)) is None


def test_a_file_renamed_to_the_id_of_a_removed_portal_is_refused() -> None:
    gone = delete(with_products(1))
    forgotten = plan_of(known=known(gone), removals=[Removal("contoso", "*", "closed")]).portals[0].after
    two = portal("two", client_id=OTHER_TENANT)
    states = known(forgotten, portal_state(product(), declared=two))
    (refusal,) = check_plan(plan_of(replace(two, id="contoso"), known=states), Settings(), ())
    assert refusal.code == "id-taken"
    assert "portals.d/two.yaml was renamed to contoso.yaml" in refusal.message


def test_a_deleted_portal_with_limits_of_its_own_is_not_sent_to_its_file() -> None:
    before = with_products(40, replace(portal(), safety=PortalLimits(min_products=0)))
    other = portal("other", client_id=OTHER_TENANT)
    states = known(before, portal_state(product(), declared=other))
    (refusal,) = check_plan(plan_of(other, known=states), Settings(), ())
    assert refusal.remedy.endswith("allow it with --allow loss or restore the file.")
