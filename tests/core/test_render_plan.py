"""The plan as text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.model import Reason, Suspension
from reconciler.plan import Action, Plan
from reconciler.render.plan_text import render, summary
from reconciler.transition import delete
from tests.core.core_snapshots import TextFile
from tests.core.core_world import (
    applied,
    complete,
    exclusion,
    known,
    license_,
    plan_of,
    portal,
    portal_state,
    product,
)
from tests.core.plan_story import story_plan

CONTOSO = applied(None, portal(), complete(license_()))
EXCLUDING = portal(exclusions=(exclusion("ENTERPRISEPACK", "Moved"),))


def test_the_text_of_a_plan(snapshot: SnapshotAssertion) -> None:
    assert {item.action for item in story_plan().portals} == set(Action)
    assert render(story_plan()) == snapshot(extension_class=TextFile)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of(), "No changes. 0 portals are as declared.\n"),
        (plan_of(portal(), known=known(CONTOSO)), "No changes. 1 portal is as declared.\n"),
        (plan_of(known=known(delete(CONTOSO))), "No changes. 0 portals are as declared.\n"),
    ],
)
def test_a_plan_without_changes_says_so(plan: Plan, expected: str) -> None:
    assert render(plan) == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of(portal()), "Plan: 1 to create, 0 to update, 0 to delete, 0 unchanged."),
        (
            plan_of(known=known(CONTOSO)),
            "Plan: 0 to create, 0 to update, 1 to delete, 0 unchanged. 1 product loses synchronization.",
        ),
        (
            plan_of(EXCLUDING, portal("north", client_id=portal().tenant_id), known=known(CONTOSO)),
            "Plan: 1 to create, 1 to update, 0 to delete, 0 unchanged. 1 product loses synchronization.",
        ),
        (
            plan_of(portal(), known=known(applied(CONTOSO, EXCLUDING))),
            "Plan: 0 to create, 1 to update, 0 to delete, 0 unchanged. 1 product recovers with the next complete "
            "import.",
        ),
    ],
)
def test_the_summary_is_one_line_with_what_happens_to_products(plan: Plan, expected: str) -> None:
    assert summary(plan) == expected
    assert render(plan).endswith(f"\n{expected}\n")


def test_the_legend_shows_only_signs_that_are_used() -> None:
    assert "\nLegend: + create\n" in render(plan_of(portal()))
    assert "\nLegend: - delete\n" in render(plan_of(known=known(CONTOSO)))
    assert "\nLegend: ~ update  - delete\n" in render(
        plan_of(EXCLUDING, known=known(CONTOSO, replace(CONTOSO, portal=portal("gone", client_id=portal().tenant_id))))
    )


def test_a_lost_product_stands_with_its_reason_and_the_words_of_the_exclusion() -> None:
    text = render(plan_of(EXCLUDING, known=known(CONTOSO)))
    assert (
        "    Office 365 E3 (ENTERPRISEPACK)\n"
        "      status: Fully licensed → Product cannot be synchronised, the license is excluded "
        "(ENTERPRISEPACK: Moved)\n"
    ) in text


def test_another_reason_for_the_same_status_is_told_with_the_words_of_the_exclusion() -> None:
    gone = portal_state(product(reason=Reason.GONE_FROM_PORTAL))
    text = render(plan_of(EXCLUDING, known=known(gone)))
    assert (
        "      reason: the license is gone from the portal → the license is excluded (ENTERPRISEPACK: Moved)\n" in text
    )


def test_a_renamed_file_that_is_suspended_at_once_says_both() -> None:
    declared = portal("north", name="Contoso", suspend=Suspension("Migration"))
    text = render(plan_of(declared, known=known(CONTOSO)))
    assert "~ north: Contoso: file renamed from contoso.yaml, present → suspended (Migration)\n" in text


def test_nothing_in_a_plan_acts_on_a_terminal() -> None:
    text = render(story_plan())
    assert all(character == "\n" or character.isprintable() for character in text)
    assert sum(line.startswith("Plan: ") for line in text.splitlines()) == 1
