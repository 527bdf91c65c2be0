"""Changes in the words of people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff import differences
from reconciler.model import (
    Change,
    Consumption,
    DeclaredEntitlement,
    Exclusion,
    ExclusionScope,
    Inclusion,
    Portal,
    PortalLimits,
    Price,
    ProductEntry,
    Reason,
    Suspension,
)
from reconciler.render.change_words import sentences
from reconciler.transition import delete
from tests.core.core_strategies import portals
from tests.core.core_world import (
    E3,
    LATER,
    OTHER_TENANT,
    applied,
    complete,
    exclusion,
    failed,
    license_,
    portal,
    portal_state,
    product,
    secret,
    subscription,
)

SEEN = complete(license_())
START = applied(None, portal(), SEEN)


def told(before: Portal, after: Portal) -> list[str]:
    """What an edit of the portal's file is called, without an import."""
    return sentences(differences(applied(None, before), applied(applied(None, before), after)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"directory": "X"}, {"name": "Contoso Ltd", "directory": "X"}, "renamed from Contoso to Contoso Ltd"),
        ({}, {"description": "Production"}, "description added: Production"),
        ({"description": "Production"}, {}, "description taken out"),
        ({"description": "Production"}, {"description": "Test"}, "description Production → Test"),
        ({}, {"exclusions": (exclusion(),)}, "exclusion of FLOW_FREE added: Free"),
        ({"exclusions": (exclusion(),)}, {}, "exclusion of FLOW_FREE taken out"),
        (
            {"exclusions": (exclusion(),)},
            {"exclusions": (exclusion(until=date(2027, 6, 30)),)},
            "exclusion of FLOW_FREE: Free → Free, until 2027-06-30",
        ),
        (
            {},
            {"exclusions": (Exclusion("A.B", "Known", scope=ExclusionScope.ALERTS),)},
            "exclusion of A.B added: Known, alerts only",
        ),
        ({}, {"include": (Inclusion("FLOW_FREE", "Counted"),)}, "inclusion of FLOW_FREE added: Counted"),
        (
            {},
            {"products": (ProductEntry("SPE_E5", "Office", Price(Decimal("34.40"), "EUR", "month")),)},
            "declaration of SPE_E5 added: directory Office; 34.40 EUR per month",
        ),
        (
            {"products": (ProductEntry("SPE_E5", entitlement=DeclaredEntitlement(500, "EA-77")),)},
            {"products": (ProductEntry("SPE_E5", entitlement=DeclaredEntitlement(600, "EA-77")),)},
            "declaration of SPE_E5: 500 declared (EA-77) → 600 declared (EA-77)",
        ),
        ({}, {"directory": "X"}, "output directory of new products Microsoft 365/Contoso → X"),
        ({}, {"protect": True}, "protection no → yes"),
        ({}, {"tenant_id": OTHER_TENANT}, f"tenant ID {portal().tenant_id} → {OTHER_TENANT}"),
        ({}, {"safety": PortalLimits(max_lost_percent=50)}, "safety limits added: max lost percent 50"),
        (
            {"authentication": secret(date(2026, 12, 31))},
            {"authentication": secret(date(2027, 11, 23))},
            "the way it signs in: expires 2026-12-31 → 2027-11-23",
        ),
        (
            {},
            {"second_authentication": secret(date(2027, 1, 1))},
            "the second way it signs in added: name CONTOSO_SECRET, expires 2027-01-01, type secret",
        ),
    ],
)
def test_an_edit_of_a_portals_file_is_told_in_words(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    assert told(portal(**before), portal(**after)) == [expected]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, "FLOW_FREE", "now kept out of the import: FLOW_FREE"),
        ("FLOW_FREE", None, "no longer kept out of the import: FLOW_FREE"),
        ("A, B", "B, C, D", "now kept out of the import: C, D; no longer kept out of the import: A"),
    ],
)
def test_what_exclusions_keep_out_is_told_by_what_is_other_now(
    before: str | None, after: str | None, expected: str
) -> None:
    assert sentences([Change("Contoso", "excluded", before, after)]) == [expected]


def test_a_suspension_is_told_with_its_reason() -> None:
    paused = portal(suspend=Suspension("Migration", date(2026, 12, 31)))
    assert told(portal(), paused) == ["suspension added: reason Migration, until 2026-12-31", "suspended"]
    assert told(paused, portal()) == ["no longer suspended", "suspension taken out"]


def test_a_deletion_and_a_return_are_told() -> None:
    gone = delete(START)
    assert sentences(differences(START, gone)) == [
        "no longer declared",
        "Office 365 E3: status Fully licensed → Product cannot be synchronised: the portal is no longer declared",
    ]
    assert sentences(differences(gone, applied(gone, portal())))[0] == "declared again"


def test_a_renamed_file_is_told() -> None:
    assert sentences(differences(START, replace(START, portal=replace(START.portal, id="north")))) == [
        "its file was contoso.yaml and is north.yaml now"
    ]


def test_an_import_is_told_with_its_error() -> None:
    broken = applied(START, portal(), failed(), now=LATER)
    assert sentences(differences(START, broken)) == [
        "the import has failed: graph-unreachable: Could not connect to GraphAPI server."
    ]
    assert sentences(differences(broken, applied(broken, portal(), SEEN, now=LATER))) == [
        "the import is complete again"
    ]
    other = applied(START, portal(), failed(replace(failed().error, message="Refused.")), now=LATER)
    assert sentences(differences(broken, other)) == ["the import fails for another reason: graph-unreachable: Refused."]


def test_what_happened_to_a_product_is_one_sentence() -> None:
    counted = {E3: Consumption(99, {"guest_licensed": 2}, {"CountViolation": 1}, {"guest_licensed": 2})}
    after = applied(START, portal(), replace(complete(license_(enabled=90)), consumption=counted, users=97), now=LATER)
    assert sentences(differences(START, after)) == [
        "Office 365 E3: status Fully licensed → Not enough licenses assigned; enabled units 100 → 90; "
        "consumers 97 → 99; guests 0 → 2; assignments in error (CountViolation) 0 → 1"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((Change("E5", "product", None, "clear", "2"),), "E5: new, Clear"),
        ((Change("E5", "product", "clear", None, "2", "Sold, T-1"),), "E5: removed from the state (Sold, T-1)"),
        ((Change("E5", "product", "clear", None, "2"),), "E5: removed from the state"),
        (
            (
                Change("E5", "status", "clear", "cannot_be_synchronised", "2"),
                Change("E5", "reason", None, "excluded", "2", "Free"),
            ),
            "E5: status Clear → Product cannot be synchronised: the license is excluded (Free)",
        ),
        (
            (Change("E5", "reason", "gone_from_portal", "excluded", "2"),),
            "E5: reason the license is gone from the portal → the license is excluded",
        ),
        ((Change("E5", "directory", "A", "B", "2"),), "E5: moved from A to B"),
        ((Change("E5", "title", "SPE_E5", "E5", "2"),), "E5: was called SPE_E5"),
        ((Change("E5", "consumed_units", None, -1_000, "2"),), "E5: Graph's count none → −1,000"),
        ((Change("E5", "findings.guest_licensed", 3, None, "2"),), "E5: guests 3 → 0"),
        ((Change("E5", "reclaimable.guest_licensed", 3, None, "2"),), None),
    ],
)
def test_a_change_of_a_product_is_told_in_words(changes: tuple[Change, ...], expected: str | None) -> None:
    assert sentences(changes) == ([expected] if expected else [])


def test_subscriptions_are_told_as_what_they_are() -> None:
    def having(*subscriptions: object) -> tuple[Change, ...]:
        return differences(portal_state(product()), portal_state(product(subscriptions=subscriptions)))

    end = datetime(2027, 2, 1, tzinfo=UTC)
    bought = subscription(id="a.b", next_lifecycle=end)
    assert sentences(having(bought)) == [
        "Office 365 E3: new subscription, Enabled, 100 licenses, no trial, until 2027-02-01"
    ]
    before = portal_state(product(subscriptions=(bought,)))
    renewed = replace(bought, total_licenses=150, next_lifecycle=end.replace(year=2028))
    assert sentences(differences(before, portal_state(product(subscriptions=(renewed,))))) == [
        "Office 365 E3: a subscription: licenses 100 → 150, next change of state 2027-02-01 → 2028-02-01"
    ]
    assert sentences(differences(before, portal_state(product()))) == [
        "Office 365 E3: a subscription is gone, 100 licenses"
    ]


def test_what_a_new_portal_brings_is_not_said_again() -> None:
    assert sentences(differences(None, START)) == []


@given(portals, portals, st.sampled_from(Reason))
def test_every_edit_has_words_without_a_path_of_fields(before: Portal, after: Portal, reason: Reason) -> None:
    old, new = portal_state(product(), declared=before), portal_state(product(reason=reason), declared=after)
    changes = differences(old, new)
    words = sentences(changes)
    assert words
    for change in changes:
        if "." in change.field and len(change.field) > 12:
            assert not any(change.field in sentence for sentence in words)
