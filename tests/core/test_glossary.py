"""The glossary leaves nothing out, and what the report says stands in it."""

from __future__ import annotations

from enum import StrEnum

import pytest

from reconciler import labels
from reconciler.facets import Evidence, Freshness, Position
from reconciler.findings import ERRORS, FINDINGS, SAVINGS
from reconciler.lifecycle import Lifecycle
from reconciler.model import Reason, Status
from reconciler.render.markdown_glossary import glossary

ROWS = {
    word: meaning
    for word, _, meaning in (line.strip("| ").partition(" | ") for line in glossary() if line.startswith("| "))
}
"""Every word with its meaning."""


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
    text = "\n".join(glossary())
    for value in kind:
        assert f"{names[value]} | {meanings[value]} |" in text


@pytest.mark.parametrize("finding", [*FINDINGS, "count_mismatch"])
def test_every_finding_is_in_the_glossary(finding: str) -> None:
    assert FINDINGS.get(finding, "consumedUnits − consumers") in ROWS[f"`{finding}`"]
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
    assert [*labels.FINDING_LABELS] == [*FINDINGS, "count_mismatch"]
