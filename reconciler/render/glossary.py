"""The glossary of the report as values, not yet Markdown or HTML: every status, facet and finding with its formula.

A meaning may hold `code` between backticks, as remedies do. Behind the name of a threshold stands the one in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from reconciler.findings import (
    COUNTED_BY_GRAPH_ONLY,
    ERRORS,
    FINDINGS,
    HELD_BUT_NOT_COUNTED,
    SAME_PERSON,
    SAVINGS,
    SUBSCRIPTIONS_DIFFER,
)
from reconciler.labels import (
    EVIDENCE_LABELS,
    EVIDENCE_MEANINGS,
    FRESHNESS_LABELS,
    FRESHNESS_MEANINGS,
    LIFECYCLE_LABELS,
    LIFECYCLE_MEANINGS,
    MUTED_LABEL,
    POSITION_LABELS,
    POSITION_MEANINGS,
    REASON_LABELS,
    STATUS_LABELS,
    STATUS_MEANINGS,
    STATUS_SIGNS,
)
from reconciler.model import Reason, Status, Thresholds

Facet = TypeVar("Facet")


@dataclass(frozen=True, slots=True)
class Group:
    """Words that belong together, each with its meaning."""

    title: str
    entries: tuple[tuple[str, str], ...]


_NUMBERS = (
    ("Entitled", "enabled + in grace (without grace when `count_warning: false`)"),
    ("In grace", "expired, but still usable"),
    ("Suspended", "cannot be assigned, can be reactivated; never entitled"),
    ("Consumers", "distinct users who hold the license"),
    ("Consumed", "the greater of Graph's own count and consumers"),
    ("Balance", "entitled − consumed; negative is a shortage"),
    ("Available", "the balance, or 0 when it is negative"),
    ("Utilization", "consumed ÷ entitled, rounded down; none where nothing is entitled, or the product is not metered"),
    ("Only by grace", "entitled ≥ consumed > enabled"),
    ("Unchanged since", "when the tenant was first seen as it is shown; every complete read since saw the same"),
    (
        "If it is not renewed",
        "entitled − the licenses of all subscriptions, enabled and in grace, that have ended by that day − consumed; "
        "too few where that is below 0, unknown where the subscriptions do not add up to entitled",
    ),
    ("Difference", "declared − entitled; negative where the portal gives more than is declared"),
    ("True-up", "missing licenses × price"),
    ("Idle", "available × price"),
    ("Reclaimable", "consumers who do not need the license: each counts once, under the first that fits"),
    ("… its worth", "(reclaimable − missing licenses, or 0 when that is negative) × price: what could be given back"),
    ("a year", "a price per month × 12; amounts of different currencies are never added"),
)

_MORE = {"inactive": ": `thresholds.inactive_days`"}
"""What the glossary says of a finding beside its meaning."""

_REASON_MEANINGS = {
    Reason.PORTAL_DELETED: "no file declares its portal",
    Reason.EXCLUDED: "an exclusion in force means it",
    Reason.GONE_FROM_PORTAL: "the last complete import did not report it",
}


_THRESHOLD = re.compile(r"`thresholds\.(\w+)`")


def groups(thresholds: Thresholds) -> tuple[Group, ...]:
    """Every word of the report, in the order in which it explains itself best, with the thresholds in force."""
    return tuple(
        Group(group.title, tuple((word, _with_limits(meaning, thresholds)) for word, meaning in group.entries))
        for group in _groups()
    )


def _with_limits(meaning: str, thresholds: Thresholds) -> str:
    """A meaning with the value of each threshold behind its name."""

    def named(match: re.Match[str]) -> str:
        unit = " %" if match[1].endswith("_percent") else ""
        return f"{match[0]} ({getattr(thresholds, match[1])}{unit})"

    return _THRESHOLD.sub(named, meaning)


def _groups() -> tuple[Group, ...]:
    """The same without the thresholds."""
    statuses = [(f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}", STATUS_MEANINGS[status]) for status in Status]
    reasons = [(f"… {REASON_LABELS[reason]}", _REASON_MEANINGS[reason]) for reason in Reason]
    muted = (MUTED_LABEL, "an exclusion with `scope: alerts` is in force: shown and counted, but without next steps")
    return (
        Group("Numbers", _NUMBERS),
        Group("Status; the first that fits", (statuses[0], *reasons, *statuses[1:], muted)),
        Group("Position; the first that fits", _pairs(POSITION_LABELS, POSITION_MEANINGS)),
        Group(
            "Lifecycle; of several subscriptions the first that fits, and what ends",
            _pairs(LIFECYCLE_LABELS, LIFECYCLE_MEANINGS),
        ),
        Group("Freshness", _pairs(FRESHNESS_LABELS, FRESHNESS_MEANINGS)),
        Group("Evidence", _pairs(EVIDENCE_LABELS, EVIDENCE_MEANINGS)),
        Group("Findings", _findings()),
    )


def _findings() -> tuple[tuple[str, str], ...]:
    """The findings by their ids in status.json, and Graph's words for errors."""
    rows = [
        (f"`{name}`", meaning + _MORE.get(name, "") + ("; reclaimable" if name in SAVINGS else ""))
        for name, meaning in FINDINGS.items()
    ]
    mismatch = f"consumedUnits − consumers is not 0. Above 0: {COUNTED_BY_GRAPH_ONLY}. Below 0: {HELD_BUT_NOT_COUNTED}"
    differ = f"{SUBSCRIPTIONS_DIFFER}; counts licenses. What is left when a subscription ends is then unknown"
    return (
        *rows,
        ("`count_mismatch`", f"{mismatch}. Only of licenses for users"),
        ("`subscription_mismatch`", differ),
        ("`same_person_two_portals`", f"{SAME_PERSON}; `reconcile contacts` shows it, this report never does"),
        *((f"… {name}", meaning) for name, meaning in ERRORS.items()),
    )


def _pairs(labels: Mapping[Facet, str], meanings: Mapping[Facet, str]) -> tuple[tuple[str, str], ...]:
    """Label and meaning of each value."""
    return tuple((label, meanings[value]) for value, label in labels.items())
