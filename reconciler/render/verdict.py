"""The report in one line: the first line of the overview, and the line below the terminal's table."""

from __future__ import annotations

from reconciler.labels import MUTED_LABEL
from reconciler.model import ImportOutcome, Presence, Status
from reconciler.portal_report import ProductReport
from reconciler.render.words import count
from reconciler.report import Report

NAMED = 3
"""How many products, or portals, are named at most. Of more than that only the number is said."""


def verdict(report: Report, *, named: bool = False) -> str:
    """How many products need a person, and how much of what is declared was read.

    ``named`` says which ones, where they are few. Nothing is escaped here.
    """
    coverage = report.coverage
    read = f"{coverage.read:,} of {count(coverage.portals, 'portal')} read"
    failed = f"failed{_failed(report)}" if named else "failed"
    apart = [(coverage.failed, failed), (coverage.never, "never read"), (coverage.suspended, "suspended")]
    read += "".join(f", {number:,} {what}" for number, what in apart if number)
    if not report.products:
        none = "There are no products" if coverage.read == coverage.portals else "No product is known"
        return f"{none}. {read}."
    missing, parts = count(_missing(report), "license"), []
    for status, words in (
        (Status.NOT_ENOUGH_LICENSES, f"short, by {missing} in all{_muted(report)}{_names(report) if named else ''}"),
        (Status.CALCULATION_ERROR, "with a calculation error"),
        (Status.CANNOT_BE_SYNCHRONISED, "that cannot be synchronized"),
    ):
        if report.statuses[status]:
            parts.append(f"{report.statuses[status]:,} {words}")
    if not parts:
        return f"None of {count(report.products, 'product')} is short of licenses. {read}."
    return f"Of {count(report.products, 'product')}: {'; '.join(parts)}. {read}."


def _missing(report: Report) -> int:
    """How many licenses are missing. Old numbers of a product that is not synchronized do not count."""
    return sum(item.numbers.shortfall for item in _short(report))


def _muted(report: Report) -> str:
    """How many of the products that are short ask for no action."""
    muted = sum(item.muted is not None for item in _short(report))
    return f" ({muted:,} of them {MUTED_LABEL})" if muted else ""


def _names(report: Report) -> str:
    """Which products are short, and by how many licenses each, the worst first."""
    short = sorted(_short(report), key=lambda item: -item.numbers.shortfall)
    if len(short) == 1:
        return f": {short[0].name}"
    by = [f"{item.name} by {item.numbers.shortfall:,}" for item in short]
    return f": {', '.join(by)}" if len(short) <= NAMED else ""


def _failed(report: Report) -> str:
    """Which portals could not be read."""
    names = [
        portal.state.portal.name
        for portal in report.portals
        if portal.state.presence is Presence.PRESENT and portal.state.last_import.outcome is ImportOutcome.FAILED
    ]
    return f" ({', '.join(names)})" if len(names) <= NAMED else ""


def _short(report: Report) -> list[ProductReport]:
    """The products without enough licenses."""
    items = (item for portal in report.portals for item in portal.products)
    return [item for item in items if item.product.status is Status.NOT_ENOUGH_LICENSES]
