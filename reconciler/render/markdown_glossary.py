"""The glossary of the report: every status, facet and finding with its formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from reconciler.findings import COUNTED_BY_GRAPH_ONLY, ERRORS, FINDINGS, HELD_BUT_NOT_COUNTED, SAVINGS
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
from reconciler.model import Reason, Status
from reconciler.render.markdown_tables import table

Facet = TypeVar("Facet")

_NUMBERS = (
    ("Entitled", "enabled + in grace (without grace when `count_warning: false`)"),
    ("In grace", "expired, but still usable"),
    ("Suspended", "cannot be assigned, can be reactivated; never entitled"),
    ("Consumers", "distinct users who hold the license"),
    ("Consumed", "the greater of Graph's own count and consumers"),
    ("Balance", "entitled − consumed; negative is a shortage"),
    ("Available", "the balance, or 0 when it is negative"),
    ("Only by grace", "entitled ≥ consumed > enabled"),
    ("Unchanged since", "when the tenant was first seen as it is shown; every complete read since saw the same"),
    (
        "If it is not renewed",
        "the licenses of enabled subscriptions that end later − consumed; too few from the first day on which that is "
        "below 0",
    ),
    ("Difference", "declared − entitled; negative where the portal gives more than is declared"),
    ("True-up", "missing licenses × price"),
    ("Idle", "available × price"),
    ("Reclaimable", "consumers who do not need the license (× price): each counts once, under the first that fits"),
    ("a year", "a price per month × 12; amounts of different currencies are never added"),
)

_REASON_MEANINGS = {
    Reason.PORTAL_DELETED: "no file declares its portal",
    Reason.EXCLUDED: "an exclusion in force means it",
    Reason.GONE_FROM_PORTAL: "the last complete import did not report it",
}


def glossary() -> list[str]:
    """Every word of the tables, with its formula."""
    statuses = [(f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}", STATUS_MEANINGS[status]) for status in Status]
    reasons = [(f"… {REASON_LABELS[reason]}", _REASON_MEANINGS[reason]) for reason in Reason]
    muted = (MUTED_LABEL, "an exclusion with `scope: alerts` is in force: shown and counted, but without next steps")
    groups = (
        ("Numbers", list(_NUMBERS)),
        ("Status; the first that fits", [statuses[0], *reasons, *statuses[1:], muted]),
        ("Position; the first that fits", _pairs(POSITION_LABELS, POSITION_MEANINGS)),
        (
            "Lifecycle; of several subscriptions the first that fits, and what ends",
            _pairs(LIFECYCLE_LABELS, LIFECYCLE_MEANINGS),
        ),
        ("Freshness", _pairs(FRESHNESS_LABELS, FRESHNESS_MEANINGS)),
        ("Evidence", _pairs(EVIDENCE_LABELS, EVIDENCE_MEANINGS)),
        ("Findings on consumers", _findings()),
    )
    lines: list[str] = []
    for title, rows in groups:
        lines += [f"### {title}", "", *table(("Word", "Meaning"), rows), ""]
    return lines


def _findings() -> list[tuple[str, str]]:
    """The findings by their ids in status.json, and Graph's words for errors."""
    rows = [(f"`{name}`", meaning + ("; reclaimable" if name in SAVINGS else "")) for name, meaning in FINDINGS.items()]
    mismatch = f"consumedUnits − consumers is not 0. Above 0: {COUNTED_BY_GRAPH_ONLY}. Below 0: {HELD_BUT_NOT_COUNTED}"
    rows.append(("`count_mismatch`", mismatch))
    return rows + [(f"… {name}", meaning) for name, meaning in ERRORS.items()]


def _pairs(labels: Mapping[Facet, str], meanings: Mapping[Facet, str]) -> list[tuple[str, str]]:
    """Label and meaning of each value."""
    return [(label, meanings[value]) for value, label in labels.items()]
