"""What makes a saved plan stale, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.model import ErrorInfo
from reconciler.plan_page import KnownAs, SavedPlan
from reconciler.staleness import staleness
from tests.core.plan_story import refreshed_page, saved, story_page

SAVED = saved(story_page())


def basis(**members: Any) -> SavedPlan:
    """The saved plan, made from something else."""
    return replace(SAVED, basis=replace(SAVED.basis, **members))


def page(**members: Any) -> SavedPlan:
    """The saved plan, come out otherwise."""
    return replace(SAVED, page=replace(SAVED.page, **members))


def renamed_portal() -> SavedPlan:
    """The same with another headline of the first portal."""
    first, *others = SAVED.page.portals
    return page(portals=(replace(first, headline="otherwise"), *others))


OTHER = "f" * 64


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (basis(tool="2.0"), "it was made with version 1.0 of the tool, this is 2.0"),
        (basis(emulated=True), "it was made for real tenants, not for the emulator"),
        (basis(state={"contoso": KnownAs(4, OTHER)}), "portal contoso changed since: serial 4 instead of 3"),
        (
            basis(state={"contoso": KnownAs(3, OTHER)}),
            "portal contoso is in another state than then, at the same serial 3",
        ),
        (basis(state={}), "portal contoso is not known any more"),
        (
            basis(state={**SAVED.basis.state, "fabrikam": KnownAs(1, OTHER)}),
            "portal fabrikam is known since",
        ),
        (basis(portals={"contoso": OTHER}), "portals.d/contoso.yaml changed since"),
        (basis(portals={}), "portals.d/contoso.yaml is gone"),
        (basis(portals={**SAVED.basis.portals, "fabrikam": OTHER}), "portals.d/fabrikam.yaml is new"),
        (basis(settings=OTHER), "reconcile.yaml changed since"),
        (basis(removals=OTHER), "portals.d/removals.yaml changed since"),
        (basis(only=("contoso",)), "it was made for other portals, or with other options --allow"),
        (basis(allowed=()), "it was made for other portals, or with other options --allow"),
        (renamed_portal(), "portal brand-new comes out differently today"),
        (page(portals=SAVED.page.portals[1:]), "portal brand-new comes out differently today"),
        (page(removals=()), "the removals come out differently today"),
        (page(refusals=(ErrorInfo("a", "b", "c"),)), "the safety checks come out differently today"),
    ],
)
def test_what_differs_first_is_named(present: SavedPlan, expected: str) -> None:
    assert staleness(SAVED, present) == expected


def test_a_plan_for_the_emulator_is_not_one_for_tenants() -> None:
    assert staleness(basis(emulated=True), SAVED) == "it was made for the emulator"


def test_the_same_plan_is_not_stale() -> None:
    assert staleness(SAVED, saved(story_page())) is None


@pytest.mark.parametrize(
    "present",
    [
        page(credentials=()),
        page(warnings=()),
        page(refreshed=True),
        basis(credential_ends={"rotated": date(2027, 1, 1)}),
    ],
)
def test_what_apply_does_not_do_makes_no_plan_stale(present: SavedPlan) -> None:
    assert staleness(SAVED, present) is None


def test_what_was_read_for_the_plan_does_not_count() -> None:
    read = refreshed_page()
    unread = replace(read, portals=tuple(replace(item, preview=None) for item in read.portals), refreshed=False)
    assert read != unread
    assert staleness(saved(read), saved(unread)) is None
