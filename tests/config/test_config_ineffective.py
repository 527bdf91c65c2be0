"""Warnings about what is valid and has no effect, each with its position."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.config.idle_policies import idle_policies
from reconciler.config.ineffective import dated_warnings, unmatched
from reconciler.config.loader import Desired, load
from reconciler.config.problems import Problem
from reconciler.model import ExcludedLicense, State
from reconciler.render.problems import render_problems
from tests.config.config_world import TENANT, portal_yaml, repository
from tests.core.core_world import E3, FLOW, known, license_, numbered, portal, portal_state, product, with_import

LAST_DAY = date(2026, 11, 23)
DAY_AFTER = date(2026, 11, 24)


def desired_of(root: Path, portal_text: str = "", settings: str = "", **others: str) -> Desired:
    """A repository of Contoso, and of other portals by id, each in a tenant of its own."""
    files: dict[str, str | bytes] = {"contoso.yaml": portal_yaml(portal_text), "reconcile.yaml": settings}
    for number, (id_, text) in enumerate(others.items(), 1):
        files[f"{id_}.yaml"] = portal_yaml(text, name=id_, tenant_id=f"{number}{TENANT[1:]}")
    return load(repository(root, files), root / "portals.d")


def places(problems: tuple[Problem, ...]) -> list[str]:
    assert all(problem.severity == "warning" for problem in problems)
    return [f"{problem.file}:{problem.line}:{problem.column} {problem.code}" for problem in problems]


def contoso(*part_numbers: str, excluded: str | None = None) -> State:
    """Contoso with these licenses, and one that was kept out."""
    products = [product(license_(numbered(n), part_number=name)) for n, name in enumerate(part_numbers)]
    state = portal_state(*products, declared=portal(tenant_id=TENANT))
    return known(with_import(state, excluded=(ExcludedLicense(FLOW, excluded),) if excluded else ()))


def test_what_has_ended_is_warned_of_from_the_day_after(tmp_path: Path) -> None:
    desired = desired_of(
        tmp_path,
        "exclusions:\n  - {sku: A, reason: a, until: 2026-11-23}\n  - {sku: B, reason: b}\n"
        "  - {sku: C, reason: c, until: 2026-11-24}\nsuspend:\n  reason: d\n  until: 2026-11-23\n",
        "exclusions:\n  - sku: D\n    reason: e\n    until: 2026-11-23\n    scope: alerts\n",
    )
    assert dated_warnings(desired, LAST_DAY) == ()
    assert places(dated_warnings(desired, DAY_AFTER)) == [
        "portals.d/contoso.yaml:6:32 ended-exclusion",
        "portals.d/contoso.yaml:11:10 ended-suspension",
        "reconcile.yaml:4:12 ended-exclusion",
    ]


def test_a_warning_says_the_last_day_and_what_to_do(tmp_path: Path) -> None:
    desired = desired_of(tmp_path, "exclusions:\n  - {sku: A, reason: a, until: 2026-11-23}\n")
    assert render_problems(dated_warnings(desired, DAY_AFTER)).splitlines() == [
        "portals.d/contoso.yaml:6:32: ended-exclusion "
        "This exclusion ended on 2026-11-23: it applies no more. (warning)",
        "    Delete it, or give it a later last day.",
    ]


def test_a_pause_without_an_end_never_ends(tmp_path: Path) -> None:
    assert dated_warnings(desired_of(tmp_path, "suspend: {reason: a}\n"), date.max) == ()


def test_each_thing_that_matches_nothing_is_named_where_it_stands(tmp_path: Path) -> None:
    desired = desired_of(
        tmp_path,
        "exclusions:\n  - {sku: FLOW_FREE, reason: a}\n  - {reason: b, sku: '*_VIRAL'}\n"
        "include:\n  - {sku: TEAMS_FREE}\n  - {sku: SPE_E5}\n"
        "products:\n  - {sku: SPE_E5}\n  - directory: Office\n    sku: SPE_E7\n",
        "exclusions:\n  - {sku: TEAMS_*, reason: a}\n  - {sku: '*_TRIAL', reason: b}\n",
    )
    assert places(unmatched(desired, contoso("SPE_E5", "TEAMS_FREE", excluded="FLOW_FREE"))) == [
        "portals.d/contoso.yaml:7:22 unmatched-exclusion",
        "portals.d/contoso.yaml:10:11 unmatched-include",
        "portals.d/contoso.yaml:14:10 unmatched-product",
        "reconcile.yaml:3:11 unmatched-exclusion",
    ]


def test_before_a_tenant_was_read_nothing_is_said_about_it(tmp_path: Path) -> None:
    text = "exclusions: [{sku: A, reason: a}]\ninclude: [{sku: B}]\nproducts: [{sku: C}]\n"
    desired = desired_of(tmp_path, text, "exclusions: [{sku: D, reason: a}]\n", fabrikam=text)
    assert unmatched(desired, {}) == ()
    assert {problem.file for problem in unmatched(desired, contoso())} == {"portals.d/contoso.yaml"}


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("ENTERPRISEPAK", "Did you mean `ENTERPRISEPACK`?"),
        ("enterprise-pack", "Did you mean `ENTERPRISEPACK`?"),
        ("FLOW_FEE", "Did you mean `FLOW_FREE`?"),
        ("SPE_E5", "Check the spelling, or delete it."),
        (E3, "Check the spelling, or delete it."),
        ("VISIO*", "Check the spelling, or delete it."),
    ],
)
def test_the_hint_names_the_part_number_that_is_near(written: str, hint: str, tmp_path: Path) -> None:
    rule = f"exclusions: [{{sku: '{written}', reason: a}}]\n"
    state = contoso("ENTERPRISEPACK", excluded="FLOW_FREE")
    found = unmatched(desired_of(tmp_path, rule, rule), state)
    assert [(problem.file, problem.hint) for problem in found] == [
        ("portals.d/contoso.yaml", hint),
        ("reconcile.yaml", hint),
    ]


def test_a_part_number_that_a_terminal_would_obey_is_escaped(tmp_path: Path) -> None:
    desired = desired_of(tmp_path, "products: [{sku: ENTERPRISEPACK}]\n")
    (problem,) = unmatched(desired, contoso("ENTERPRISE\x1b[2JPACK"))
    assert problem.hint == "Did you mean `ENTERPRISE\\x1b[2JPACK`?"


def test_what_the_settings_name_in_vain_is_named_where_it_stands(tmp_path: Path) -> None:
    settings = (
        "unmetered: [SPE_E5, STREEM]\n"
        "overlaps:\n  - {sku: SPE_E5, includes: STREAM}\n  - {sku: SPE_E7, includes: STREAM}\n"
        "  - {includes: STREM, sku: SPE_E5}\n"
    )
    desired = desired_of(tmp_path, "", settings)
    found = unmatched(desired, contoso("SPE_E5", "STREAM"))
    assert places(found) == [
        "reconcile.yaml:1:21 unmatched-unmetered",
        "reconcile.yaml:4:11 unmatched-overlap",
        "reconcile.yaml:5:16 unmatched-overlap",
    ]
    assert [problem.hint for problem in found] == [
        "Did you mean `STREAM`?",
        "Did you mean `SPE_E5`?",
        "Did you mean `STREAM`?",
    ]
    assert unmatched(desired, {}) == ()


def test_one_entitlement_for_several_licenses_is_named_with_their_ids(tmp_path: Path) -> None:
    text = "products:\n  - sku: ENTERPRISEPACK\n    entitlement: {quantity: 20}\n"
    state = contoso("ENTERPRISEPACK", "ENTERPRISEPACK", "SPE_E5")
    (problem,) = unmatched(desired_of(tmp_path, text), state)
    assert places((problem,)) == ["portals.d/contoso.yaml:6:10 ambiguous-product"]
    assert problem.message == "This means 2 licenses of the tenant: its entitlement counts for none of them."
    assert problem.hint == f"Name the SKU ID: `{numbered(0)}` or `{numbered(1)}`."
    assert unmatched(desired_of(tmp_path, text.replace("ENTERPRISEPACK", numbered(1))), state) == ()
    assert unmatched(desired_of(tmp_path, text), contoso("ENTERPRISEPACK", "SPE_E5")) == ()


def test_a_policy_about_nothing_is_named_where_it_stands(tmp_path: Path) -> None:
    settings = (
        "policies:\n"
        "  - {rule: no_product_short, portal: contso}\n"
        "  - {rule: no_product_short, sku: ENTERPRISEPAK}\n"
        "  - {rule: import_complete, portal: 'cont*'}\n"
        "  - {rule: no_product_short, sku: 'ENTER*'}\n"
        "  - {rule: no_product_short, sku: FLOW_FREE, portal: fabrikam}\n"
        "  - {rule: no_product_short, sku: FLOW_*, portal: contoso}\n"
    )
    desired = desired_of(tmp_path, "", settings, fabrikam="")
    assert places(idle_policies(desired, {})) == ["reconcile.yaml:2:38 unmatched-policy"]
    half = contoso("ENTERPRISEPACK")
    assert places(idle_policies(desired, half)) == [
        "reconcile.yaml:2:38 unmatched-policy",
        "reconcile.yaml:7:35 unmatched-policy",
    ]
    other = portal_state(product(license_(FLOW)), declared=portal("fabrikam", tenant_id=f"1{TENANT[1:]}"))
    found = idle_policies(desired, {**half, **known(other)})
    assert places(found) == [
        "reconcile.yaml:2:38 unmatched-policy",
        "reconcile.yaml:3:35 unmatched-policy",
        "reconcile.yaml:7:35 unmatched-policy",
    ]
    assert [problem.hint for problem in found] == [
        "Check the spelling, or delete it.",
        "Did you mean `ENTERPRISEPACK`?",
        "Check the spelling, or delete it.",
    ]
    assert set(found) <= set(unmatched(desired, {**half, **known(other)}))
