"""The known state as OpenMetrics text, for those who scrape: ``reconcile metrics``.

Counts only, no name of a portal or a person; labels are ids and Microsoft's part numbers. Sorted, so that the same
state makes the same text.

Source: the OpenMetrics specification, version 1.0 (names, escapes, order of families, ``# EOF``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from reconciler.model import ImportOutcome, Presence
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.escape import plain
from reconciler.report import Report

PREFIX = "m365_license"

Sample = tuple[dict[str, str], int]
"""The labels of a sample, and its value."""

_PRODUCT: tuple[tuple[str, str, Callable[[ProductReport], int | None]], ...] = (
    ("entitled", "Licenses that may be used.", lambda item: item.numbers.entitled),
    ("consumed", "Licenses in use.", lambda item: item.numbers.consumed),
    ("balance", "Licenses left; negative when there are too few.", lambda item: item.numbers.balance),
    ("shortfall", "Licenses that are missing.", lambda item: _shortfall(item)),
)
"""The numbers of a product; one that is None is not told."""


def render(report: Report) -> str:
    """The whole exposition."""
    families = (*_whole(report), *_portals(report), *_products(report))
    return "".join(line for family in families for line in family) + "# EOF\n"


def _whole(report: Report) -> Iterator[Iterable[str]]:
    """What is counted over all portals. Every combination is there, with 0 too."""
    found = [(portal.state.presence, portal.state.last_import.outcome) for portal in report.portals]
    pairs = [(presence, outcome) for presence in Presence for outcome in ImportOutcome]
    counted = [
        ({"state": presence.value, "outcome": outcome.value}, found.count((presence, outcome)))
        for presence, outcome in pairs
    ]
    yield _family("portals", "Portals, by state and by how their last import ended.", counted)
    statuses = [({"status": status.value}, total) for status, total in report.statuses.items()]
    yield _family("products", "Products by status.", statuses)


def _portals(report: Report) -> Iterator[Iterable[str]]:
    """What is known of each portal."""

    def of_each(value: Callable[[PortalReport], int | None]) -> Iterator[Sample]:
        for portal in report.portals:
            number = value(portal)
            if number is not None:
                yield {"portal": portal.state.id}, number

    yield _family("portal_users", "Users of the tenant at the last complete import.", of_each(lambda item: item.users))
    as_of = "When the present content of the tenant was first observed."
    yield _time("portal_as_of", as_of, of_each(lambda item: _seconds(item.state.last_import.as_of)))
    since = "Since when the imports of the portal have been failing."
    yield _time("portal_failed_since", since, of_each(lambda item: _seconds(item.state.last_import.failed_since)))
    end = "When the last day of the portal's first credential is over, in UTC."
    yield _time("portal_credential_end", end, of_each(_credential_end))


def _products(report: Report) -> Iterator[Iterable[str]]:
    """The numbers of each product that can be synchronized; those of the others are old."""
    listed = [
        (_labels(portal, item), item)
        for portal in report.portals
        for item in sorted(portal.products, key=lambda item: item.product.sku_id)
        if item.product.reason is None
    ]
    for name, words, value in _PRODUCT:
        samples = [(labels, number) for labels, item in listed if (number := value(item)) is not None]
        yield _family(f"product_{name}", words, samples)


def _labels(portal: PortalReport, item: ProductReport) -> dict[str, str]:
    license_ = item.product.license
    return {"portal": portal.state.id, "sku_part_number": license_.part_number, "sku_id": license_.sku_id}


def _shortfall(item: ProductReport) -> int | None:
    """How many are missing; None where that cannot be said."""
    return None if item.numbers.balance is None else item.numbers.shortfall


def _credential_end(portal: PortalReport) -> int | None:
    """Midnight after the last day on which the credential works."""
    end = portal.state.credential_expires
    if end is None or end == date.max or portal.state.presence is Presence.DELETED:
        return None
    return _seconds(datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(days=1))


def _seconds(moment: datetime | None) -> int | None:
    """Seconds since 1970."""
    return None if moment is None else int(moment.timestamp())


def _time(name: str, words: str, samples: Iterable[Sample]) -> Iterator[str]:
    """One family whose values are times. OpenMetrics wants the unit at the end of the name."""
    return _family(f"{name}_timestamp_seconds", words, samples, unit="seconds")


def _family(name: str, words: str, samples: Iterable[Sample], unit: str | None = None) -> Iterator[str]:
    """One family of metrics: what it is, then its samples."""
    full = f"{PREFIX}_{name}"
    yield f"# TYPE {full} gauge\n"
    if unit:
        yield f"# UNIT {full} {unit}\n"
    yield f"# HELP {full} {words}\n"
    for labels, value in samples:
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{full}{{{told}}} {value}\n"


def _escaped(text: str) -> str:
    """A label's value. Control characters are visible escapes, as everywhere."""
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
