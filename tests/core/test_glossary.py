"""The glossary leaves nothing out, and what the report says stands in it."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from reconciler import labels
from reconciler.facets import Evidence, Freshness, Position
from reconciler.findings import ERRORS, FINDINGS, SAVINGS, SUBSCRIPTIONS_DIFFER
from reconciler.lifecycle import Lifecycle
from reconciler.model import Reason, Status, Thresholds
from reconciler.render.markdown_glossary import glossary

LIMITS = Thresholds(
    at_capacity_percent=81,
    surplus_percent=16,
    renewal_days=61,
    urgent_renewal_days=21,
    stale_days=9,
    inactive_days=45,
)


def rows(thresholds: Thresholds) -> dict[str, str]:
    """Every word with its meaning."""
    lines = (line.strip("| ") for line in glossary(thresholds) if line.startswith("| "))
    return {word: meaning for word, _, meaning in (line.partition(" | ") for line in lines)}


ROWS = rows(Thresholds())


@pytest.mark.parametrize(
    ("kind", "names", "meanings"),
    [
        (Status, labels.STATUS_LABELS, labels.STATUS_MEANINGS),
        (Position, labels.POSITION_LABELS, labels.POSITION_MEANINGS),
        (Lifecycle, labels.LIFECYCLE_LABELS, labels.LIFECYCLE_MEANINGS),
        (Freshness, labels.FRESHNESS_LABELS, labels.FRESHNESS_MEANINGS),
        (Evidence, labels.EVIDENCE_LABELS, labels.EVIDENCE_MEANINGS),
    ],
)
def test_every_status_and_facet_is_in_the_glossary_with_its_formula(
    kind: type[StrEnum], names: dict[StrEnum, str], meanings: dict[StrEnum, str]
) -> None:
    assert set(names) == set(meanings) == set(kind)
    bare = re.sub(r" \(\d+(?: %)?\)", "", "\n".join(glossary(Thresholds())))
    for value in kind:
        assert f"{names[value]} | {meanings[value]} |" in bare


@pytest.mark.parametrize(
    ("word", "limit"),
    [
        ("at capacity", "`thresholds.at_capacity_percent` (81 %)"),
        ("surplus", "`thresholds.surplus_percent` (16 %)"),
        ("balanced", "`thresholds.at_capacity_percent` (81 %) + `thresholds.surplus_percent` (16 %) > 100 %"),
        ("active", "`thresholds.renewal_days` (61) days"),
        ("expiring", "`thresholds.renewal_days` (61) days"),
        ("stale", "`thresholds.stale_days` (9) days"),
        ("`inactive`", "`thresholds.inactive_days` (45)"),
    ],
)
def test_the_glossary_shows_the_thresholds_in_force(word: str, limit: str) -> None:
    assert limit in rows(LIMITS)[word]
    assert limit not in ROWS[word]


def test_no_threshold_of_the_glossary_is_without_its_value() -> None:
    text = "\n".join(glossary(LIMITS))
    assert text.count("`thresholds.") == len(re.findall(r"`thresholds\.\w+` \(\d", text))


def test_what_a_report_never_shows_is_in_the_glossary_with_the_command_that_does() -> None:
    assert "`reconcile contacts`" in ROWS["`same_person_two_portals`"]


COUNTED = {"count_mismatch": "consumedUnits − consumers", "subscription_mismatch": SUBSCRIPTIONS_DIFFER}


@pytest.mark.parametrize("finding", [*FINDINGS, *COUNTED])
def test_every_finding_is_in_the_glossary(finding: str) -> None:
    assert {**FINDINGS, **COUNTED}[finding] in ROWS[f"`{finding}`"]
    assert ("reclaimable" in ROWS[f"`{finding}`"]) == (finding in SAVINGS)


@pytest.mark.parametrize(
    "word", [*(f"… {labels.REASON_LABELS[reason]}" for reason in Reason), *(f"… {w}" for w in ERRORS)]
)
def test_every_reason_and_every_kind_of_error_is_in_the_glossary(word: str) -> None:
    assert ROWS[word]


@pytest.mark.parametrize(
    "word",
    ["Entitled", "Consumers", "Consumed", "Balance", "Available", "True-up", "Idle", "Reclaimable", "Difference"],
)
def test_every_number_is_in_the_glossary(word: str) -> None:
    assert ROWS[word]


def test_savings_are_named_in_the_order_in_which_they_count() -> None:
    assert tuple(labels.SAVING_NOUNS) == SAVINGS


def test_every_finding_has_a_short_name() -> None:
    assert [*labels.FINDING_LABELS] == [*FINDINGS, *COUNTED]
