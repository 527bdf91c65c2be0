"""Policies: what each rule asks for, what it is about, and that what is not known violates it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from reconciler.model import (
    Exclusion,
    ExclusionScope,
    FederatedAuthentication,
    Import,
    Policy,
    PolicyRule,
    Portal,
    PortalState,
    ProductEntry,
    Reason,
    ReportSettings,
    Settings,
    Suspension,
)
from reconciler.policies import MEANINGS, Verdict, Violation, judge
from reconciler.report import make_report
from tests.core.core_world import (
    E3,
    E5,
    OTHER_TENANT,
    TODAY,
    applied,
    certificate,
    complete,
    exclusion,
    failed,
    known,
    license_,
    portal,
    portal_state,
    product,
    secret,
)

YESTERDAY = TODAY - timedelta(days=1)
SHORT = product(enabled=10, consumed_units=12, consumers=12)
ENOUGH = product(E5_LICENSE := license_(E5, enabled=100, consumed_units=50), consumers=50)


def verdict(policy: Policy, *states: PortalState, declared: tuple[Portal, ...] = (), **settings: Any) -> Verdict:
    """The verdict on one policy. The portals are declared as they were applied, unless others are given."""
    rules = Settings(policies=(policy,), **settings)
    portals = {each.id: each for each in declared or [state.portal for state in states]}
    (found,) = judge(make_report(known(*states), replace(rules, report=ReportSettings()), TODAY), portals, rules, TODAY)
    return found


def only(found: Verdict) -> Violation:
    (violation,) = found.violations
    return violation


NO_SHORT = Policy(PolicyRule.NO_PRODUCT_SHORT)
HALF = Policy(PolicyRule.MIN_UTILIZATION, percent=50)
NONE_RECLAIMABLE = Policy(PolicyRule.MAX_RECLAIMABLE, licenses=0)
NO_ENDED = Policy(PolicyRule.NO_ENDED_EXCLUSION)
THIRTY_DAYS = Policy(PolicyRule.CREDENTIAL_VALID_DAYS, days=30)
COMPLETE = Policy(PolicyRule.IMPORT_COMPLETE)


def test_every_rule_says_what_it_asks_for() -> None:
    assert list(MEANINGS) == list(PolicyRule)


# --- products --------------------------------------------------------------------------------------------------------


def test_a_product_that_is_short_violates_and_one_that_is_not_does_not() -> None:
    found = verdict(NO_SHORT, portal_state(SHORT, ENOUGH))
    assert found.judged == 2
    assert only(found).sku_id == E3
    assert only(found).message == "2 too few: 12 consumed, 10 entitled"


def test_a_product_that_cannot_be_calculated_violates() -> None:
    broken = product(enabled=None)
    assert "cannot be calculated" in only(verdict(NO_SHORT, portal_state(broken))).message


@pytest.mark.parametrize(
    "state",
    [
        portal_state(product(enabled=1, consumed_units=2, reason=Reason.EXCLUDED)),
        portal_state(
            replace(product(enabled=1, consumed_units=2, applies_to="Company"), reclaimable={"disabled_account": 2})
        ),
        portal_state(
            SHORT, declared=portal(exclusions=(Exclusion("ENTERPRISEPACK", "Known", scope=ExclusionScope.ALERTS),))
        ),
    ],
    ids=["not synchronized", "not metered", "muted"],
)
def test_what_asks_for_no_action_is_not_judged(state: PortalState) -> None:
    for policy in (NO_SHORT, HALF, NONE_RECLAIMABLE):
        found = verdict(policy, state)
        assert (found.judged, found.violations) == (0, ())


def test_a_portal_whose_file_is_gone_is_not_judged() -> None:
    other = portal("other", client_id=OTHER_TENANT)
    assert verdict(NO_ENDED, portal_state(SHORT), declared=(other,)).judged == 0
    assert only(verdict(NO_SHORT, portal_state(SHORT), declared=(other,))).portal_id == "other"


@pytest.mark.parametrize("policy", [NO_SHORT, HALF, NONE_RECLAIMABLE], ids=lambda policy: policy.rule)
def test_a_portal_that_was_never_read_violates_every_rule_on_products(policy: Policy) -> None:
    never = portal_state(declared=portal("fabrikam"), last_import=Import())
    for found in (verdict(policy, never), verdict(policy, declared=(portal("fabrikam"),))):
        assert only(found).message == "it was never imported"
        assert (only(found).portal_id, only(found).path, found.judged) == ("fabrikam", ("name",), 1)


def test_a_paused_portal_that_was_never_read_is_not_judged() -> None:
    paused = portal(suspend=Suspension("Migration", None))
    assert verdict(NO_SHORT, declared=(paused,)).judged == 0


def test_a_renamed_file_is_judged_by_what_was_read_under_its_former_name() -> None:
    renamed = portal("contoso-eu", name="Contoso")
    for policy in (NO_SHORT, COMPLETE):
        assert verdict(policy, portal_state(ENOUGH), declared=(renamed,)).violations == ()


@pytest.mark.parametrize(("percent", "violated"), [(50, False), (51, True), (100, True), (1, False)])
def test_utilization_at_the_limit_is_enough(percent: int, violated: bool) -> None:
    found = verdict(replace(HALF, percent=percent), portal_state(ENOUGH))
    assert bool(found.violations) is violated
    assert found.judged == 1


def test_a_little_below_the_limit_is_not_rounded_up() -> None:
    nearly = product(license_(enabled=100_000, consumed_units=49_999), consumers=1)
    assert only(verdict(HALF, portal_state(nearly))).message == (
        "49.99 % of 100,000 licenses consumed, at least 50 % asked for"
    )


def test_what_nobody_owns_does_not_lie_idle() -> None:
    assert verdict(HALF, portal_state(product(enabled=0, consumed_units=3, consumers=3))).violations == ()


@pytest.mark.parametrize(("licenses", "violated"), [(9, True), (10, False), (11, False)])
def test_as_many_as_are_allowed_may_be_reclaimable(licenses: int, violated: bool) -> None:
    state = portal_state(replace(ENOUGH, reclaimable={"disabled_account": 7, "overlap": 3}))
    assert bool(verdict(replace(NONE_RECLAIMABLE, licenses=licenses), state).violations) is violated


@pytest.mark.parametrize(
    ("reclaimable", "most", "says"),
    [
        ({"disabled_account": 3}, 0, "more than 0 licenses held"),
        ({"disabled_account": 3, "guest_licensed": 4}, 0, "more than 0 licenses held"),
        ({"disabled_account": 18, "inactive": 14, "guest_licensed": 4}, 10, "more than 32 licenses held"),
        ({"disabled_account": 8, "guest_licensed": 4}, 10, "more than 10 licenses held"),
        ({"disabled_account": 8, "guest_licensed": 5}, 10, "13 licenses held"),
    ],
)
def test_a_small_group_is_judged_and_its_size_is_not_told(reclaimable: dict[str, int], most: int, says: str) -> None:
    state = portal_state(replace(ENOUGH, reclaimable=reclaimable))
    found = verdict(replace(NONE_RECLAIMABLE, licenses=most), state, report=ReportSettings(small_group=5))
    assert only(found).message.startswith(says)


@pytest.mark.parametrize(
    ("portal_glob", "sku", "judged"),
    [
        (None, None, 3),
        ("contoso", None, 2),
        ("c*", "SPE_*", 1),
        ("*", "enterprisepack", 2),
        (None, E5, 1),
        ("fabrikam-*", None, 0),
        (None, "FLOW_*", 0),
    ],
)
def test_a_policy_is_about_the_portals_and_licenses_that_it_names(
    portal_glob: str | None, sku: str | None, judged: int
) -> None:
    states = (portal_state(SHORT, ENOUGH), portal_state(SHORT, declared=portal("fabrikam")))
    assert verdict(replace(NO_SHORT, portal=portal_glob, sku=sku), *states).judged == judged


def test_the_entry_of_a_product_is_behind_it_else_the_portal() -> None:
    entries = (ProductEntry("FLOW_FREE", directory="a"), ProductEntry("ENTERPRISEPACK", directory="b"))
    assert only(verdict(NO_SHORT, portal_state(SHORT, declared=portal(products=entries)))).path == (
        "products",
        1,
        "sku",
    )
    assert only(verdict(NO_SHORT, portal_state(SHORT))).path == ("name",)


# --- exclusions ------------------------------------------------------------------------------------------------------


def test_an_exclusion_whose_last_day_is_over_violates_wherever_it_stands() -> None:
    ended, ends_today = exclusion(until=YESTERDAY), exclusion("STREAM", until=TODAY)
    declared = portal(exclusions=(ends_today, ended))
    found = verdict(NO_ENDED, declared=(declared,), exclusions=(exclusion("A*"), exclusion("B*", until=YESTERDAY)))
    assert found.judged == 4
    assert [(each.portal_id, each.path) for each in found.violations] == [
        ("contoso", ("exclusions", 1, "until")),
        (None, ("exclusions", 1, "until")),
    ]


def test_a_policy_on_some_portals_is_not_about_the_settings() -> None:
    policy = replace(NO_ENDED, portal="contoso")
    assert verdict(policy, declared=(portal(),), exclusions=(exclusion(until=YESTERDAY),)).judged == 0


def test_a_renewed_exclusion_holds_before_it_is_applied() -> None:
    before = portal_state(ENOUGH, declared=portal(exclusions=(exclusion(until=YESTERDAY),)))
    renewed = portal(exclusions=(exclusion(until=TODAY),))
    assert verdict(NO_ENDED, before, declared=(renewed,)).violations == ()


# --- credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "violated"), [(29, True), (30, False), (31, False), (-1, True)])
def test_a_credential_must_be_valid_on_the_day_itself(days: int, violated: bool) -> None:
    declared = portal(authentication=secret(TODAY + timedelta(days=days)))
    found = verdict(THIRTY_DAYS, declared=(declared,))
    assert bool(found.violations) is violated
    assert found.judged == 1


def test_a_secret_whose_end_is_not_written_down_violates() -> None:
    found = only(verdict(THIRTY_DAYS, declared=(portal(authentication=secret()),)))
    assert found.path == ("authentication", "expires")
    assert "`expires`" in found.remedy


def test_the_end_of_a_certificate_is_the_one_that_was_read() -> None:
    declared = portal(authentication=certificate())
    read = portal_state(ENOUGH, declared=declared, credential_expires=TODAY + timedelta(days=29))
    assert only(verdict(THIRTY_DAYS, read)).path == ("authentication",)
    later = replace(read, credential_expires=TODAY + timedelta(days=30))
    assert verdict(THIRTY_DAYS, later).violations == ()
    assert only(verdict(THIRTY_DAYS, declared=(declared,))).message.startswith(
        "The end of the certificate is not known"
    )


def test_a_second_credential_moves_the_place_of_the_first() -> None:
    declared = portal(authentication=secret(YESTERDAY), second_authentication=secret(date(2030, 1, 1)))
    assert only(verdict(THIRTY_DAYS, declared=(declared,))).path == ("authentication", 0, "expires")


def test_what_never_ends_holds() -> None:
    found = verdict(THIRTY_DAYS, declared=(portal(authentication=FederatedAuthentication()),))
    assert (found.judged, found.violations) == (1, ())


def test_the_end_of_the_calendar_is_no_error() -> None:
    rules = Settings(policies=(replace(THIRTY_DAYS, days=3650),))
    declared = {"contoso": portal(authentication=secret(date.max))}
    (found,) = judge(make_report({}, rules, date.max), declared, rules, date.max)
    assert found.violations == ()


# --- imports ---------------------------------------------------------------------------------------------------------


def test_a_failed_import_violates_and_so_does_none() -> None:
    read = applied(None, portal(), complete(license_()))
    assert verdict(COMPLETE, read).violations == ()
    assert only(verdict(COMPLETE, applied(read, portal(), failed()))).message.startswith(
        "the last import failed: graph-unreachable:"
    )
    assert only(verdict(COMPLETE, declared=(portal(),))).message == "it was never imported"
    assert only(verdict(COMPLETE, portal_state(last_import=Import()))).message == "it was never imported"


@pytest.mark.parametrize(("until", "judged"), [(None, 0), (TODAY, 0), (YESTERDAY, 1)])
def test_a_suspended_portal_need_neither_be_read_nor_sign_in(until: date | None, judged: int) -> None:
    paused = portal(suspend=Suspension("Migration", until), authentication=secret(YESTERDAY))
    for policy in (COMPLETE, THIRTY_DAYS):
        assert verdict(policy, declared=(paused,)).judged == judged


# --- verdicts --------------------------------------------------------------------------------------------------------


def test_only_a_violated_error_fails() -> None:
    assert verdict(NO_SHORT, portal_state(SHORT)).fails
    assert not verdict(replace(NO_SHORT, severity="warning"), portal_state(SHORT)).fails
    assert not verdict(NO_SHORT, portal_state(ENOUGH)).fails


def test_a_policy_that_judged_nothing_says_so() -> None:
    assert verdict(replace(NO_SHORT, sku="TYPO_*"), portal_state(ENOUGH)).is_idle
    assert not verdict(NO_SHORT, portal_state(ENOUGH)).is_idle


def test_verdicts_come_in_the_order_of_the_policies() -> None:
    rules = Settings(policies=(COMPLETE, NO_SHORT, COMPLETE))
    found = judge(make_report({}, rules, TODAY), {}, rules, TODAY)
    assert [each.policy for each in found] == list(rules.policies)
