"""Filters by the start of the principal name: plain ones, over any number of pages."""

from __future__ import annotations

import pytest

from reconciler.emulator.scenario import User
from tests.emulator.builders import tenant, world
from tests.emulator.test_emulator_graph import EVENTUAL, code_of

NAMES = ("anna@contoso.example", "Anton@contoso.example", "bob@contoso.example", "o'brien@contoso.example")


@pytest.mark.parametrize(
    ("start", "found"), [("a", 2), ("A", 2), ("an", 2), ("anna", 1), ("o''b", 1), ("c", 0), ("", 4), ("%23", 0)]
)
def test_users_are_listed_and_counted_by_the_start_of_their_names(start: str, found: int) -> None:
    emulated = world(tenant(users=tuple(User(name) for name in NAMES)))
    filtered = f"$filter=startswith(userPrincipalName,'{start}')"
    assert sum(map(len, emulated.listed(f"users?$select=id&$top=1&{filtered}"))) == found
    assert emulated.get(f"users/$count?{filtered}", **EVENTUAL).text == str(found)


def test_a_count_by_the_start_of_names_needs_the_header_like_any_other() -> None:
    assert code_of(world().get("users/$count?$filter=startswith(userPrincipalName,'a')")) == (400, "Request_BadRequest")


@pytest.mark.parametrize(
    "text",
    [
        "startswith(userPrincipalName,'a') or startswith(userPrincipalName,'b')",
        "not(startswith(userPrincipalName,'a'))",
        "startswith(displayName,'a')",
        "startswith(userPrincipalName,'o'b')",
    ],
)
def test_other_filters_by_the_start_of_something_are_not_imitated(text: str) -> None:
    assert code_of(world().get(f"users?$filter={text}")) == (501, "NotEmulated")
