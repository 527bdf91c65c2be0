"""The tiles at the top of the page: what a reader needs first, each by sign, word and number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from reconciler.exclusion_report import Origin
from reconciler.labels import STATUS_SIGNS
from reconciler.model import Status
from reconciler.money import spoken
from reconciler.render.product_words import unpriced, unpriced_unused
from reconciler.render.words import count, moment
from reconciler.report import Report

Tone = Literal["bad", "warn", "good", "plain"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile. ``href`` is where the details stand; ``status`` is what the table of products is to show there."""

    label: str
    sign: str
    value: str
    notes: tuple[str, ...]
    tone: Tone
    href: str
    status: str = ""


def tiles(report: Report) -> tuple[Tile, ...]:
    """Every tile, in the order of what presses most."""
    return (_short(report), _portals(report), *_lost(report), _exclusions(report), *_costs(report))


def _short(report: Report) -> Tile:
    """How many products are short, and by how many licenses."""
    status = Status.NOT_ENOUGH_LICENSES
    items = [item for portal in report.portals for item in portal.products if item.product.status is status]
    if not items:
        return Tile("Products short", "✓", "0", (f"of {count(report.products, 'product')}",), "good", "#products")
    notes = [f"by {count(sum(item.numbers.shortfall for item in items), 'license')} in all"]
    muted = sum(item.muted is not None for item in items)
    notes += [f"{muted:,} muted"] if muted else []
    notes.append(f"of {count(report.products, 'product')}")
    return Tile(
        "Products short", STATUS_SIGNS[status], f"{len(items):,}", tuple(notes), "bad", "#products", status.value
    )


def _portals(report: Report) -> Tile:
    """How much was read, and how old it is."""
    seen = report.coverage
    apart = (
        (seen.failed, "failed"),
        (seen.stale, "stale"),
        (seen.never, "never read"),
        (seen.suspended, "suspended"),
        (seen.deleted, "deleted"),
    )
    words = [f"{number:,} {what}" for number, what in apart if number or what in ("failed", "stale")]
    notes = [", ".join(words)]
    if seen.oldest:
        notes.append(f"unchanged since {moment(seen.oldest)}" + (" or later" if seen.oldest != seen.newest else ""))
    if seen.confirmed:
        notes.append(f"confirmed complete as of {seen.confirmed}")
    bad = seen.failed or seen.never
    tone: Tone = "bad" if bad else "warn" if seen.stale else "good"
    sign = {"bad": "✗", "warn": "⚠", "good": "✓"}[tone]
    return Tile("Portals read", sign, f"{seen.read:,} of {seen.portals:,}", tuple(notes), tone, "#portals")


def _lost(report: Report) -> Iterator[Tile]:
    """Products without a status that can be trusted, where there are any."""
    for status, label in (
        (Status.CALCULATION_ERROR, "Calculation errors"),
        (Status.CANNOT_BE_SYNCHRONISED, "Not synchronized"),
    ):
        if number := report.statuses[status]:
            note = ("the numbers are the last known",) if status is Status.CANNOT_BE_SYNCHRONISED else ()
            yield Tile(label, STATUS_SIGNS[status], f"{number:,}", note, "warn", "#products", status.value)


def _exclusions(report: Report) -> Tile:
    """How many exclusions hold, and how many have ended."""
    own = [item.in_force for portal in report.portals for item in portal.exclusions if item.origin is Origin.PORTAL]
    declared = [*own, *(item.in_force for item in report.exclusions)]
    ended = declared.count(False)
    note = f"{ended:,} more ended" if ended else "none has ended" if declared else "none is declared"
    tone: Tone = "warn" if ended else "plain"
    sign = "⚠" if ended else "–"
    return Tile("Exclusions in force", sign, f"{report.coverage.exclusions:,}", (note,), tone, "#exclusions")


def _costs(report: Report) -> Iterator[Tile]:
    """What the missing, the unused and the not needed cost a year, one tile for each currency."""
    items = [item for portal in report.portals for item in portal.products]
    missing, unused = unpriced(items), unpriced_unused(items)
    for total in report.totals:
        notes = (
            *([missing] if missing else []),
            f"idle {spoken(total.idle, total.currency)}",
            f"reclaimable {spoken(total.reclaimable, total.currency)}",
            *([f"both leave out {unused}"] if unused else []),
        )
        tone: Tone = "bad" if total.true_up else "warn" if missing else "good"
        sign = {"bad": "✗", "warn": "⚠", "good": "✓"}[tone]
        yield Tile("True-up a year", sign, spoken(total.true_up, total.currency), notes, tone, "#costs")
