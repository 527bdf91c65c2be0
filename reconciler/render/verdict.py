"""The report in one line: the first line of the overview, and the line below the terminal's table."""

from __future__ import annotations

from reconciler.labels import MUTED_LABEL
from reconciler.model import Status
from reconciler.portal_report import ProductReport
from reconciler.render.words import count
from reconciler.report import Report


def verdict(report: Report) -> str:
    """How many products need a person, and how much of what is declared was read."""
    coverage = report.coverage
    read = f"{coverage.read:,} of {count(coverage.portals, 'portal')} read"
    apart = [(coverage.failed, "failed"), (coverage.never, "never read"), (coverage.suspended, "suspended")]
    read += "".join(f", {number:,} {what}" for number, what in apart if number)
    if not report.products:
        return f"There are no products. {read}."
    parts = []
    for status, words in (
        (Status.NOT_ENOUGH_LICENSES, f"short, by {count(_missing(report), 'license')} in all{_muted(report)}"),
        (Status.CALCULATION_ERROR, "with a calculation error"),
        (Status.CANNOT_BE_SYNCHRONISED, "that cannot be synchronised"),
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


def _short(report: Report) -> list[ProductReport]:
    """The products without enough licenses."""
    items = (item for portal in report.portals for item in portal.products)
    return [item for item in items if item.product.status is Status.NOT_ENOUGH_LICENSES]
