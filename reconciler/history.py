"""The history of products: one record per product and day on which something of it changed.

A record says what was known at the end of its day, so it holds until the next record of the same product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from reconciler.matching import matches
from reconciler.model import Change, DayRecord, License, PortalState, Product, Units

History = Callable[[str], Iterable[DayRecord]]
"""The history of the portal with an id, in order."""

FACTS = (
    "status",
    "reason",
    "enabled",
    "warning",
    "suspended",
    "locked_out",
    "consumed_units",
    "consumers",
    "title",
    "directory",
)
"""What a record says about its product, the important first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One record, and the one before it of the same product, None for the product's first."""

    record: DayRecord
    before: DayRecord | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the record changed.

        A product that is new in the history, comes back, or is deleted from the state is one change of the field
        ``product``. There is none where a day ended as it had begun.
        """
        was, now = self.before, self.record
        if was is None or was.status is None or now.status is None:
            before = was.status if was else None
            return (self._change("product", before, now.status),) if before != now.status else ()
        return tuple(
            self._change(name, getattr(was, name), getattr(now, name))
            for name in FACTS
            if getattr(was, name) != getattr(now, name)
        )

    def _change(self, name: str, before: str | int | None, after: str | int | None) -> Change:
        """One change. Statuses and reasons are text there."""
        return Change(self.record.title, name, _plain(before), _plain(after), self.record.sku_id)


def _plain(value: str | int | None) -> str | int | None:
    """A fact as a change has it: text or number."""
    return str(value) if isinstance(value, str) else value


def records(before: PortalState | None, after: PortalState, day: date) -> tuple[DayRecord, ...]:
    """A record for each product that is new, no more, or of which a recorded fact differs; sorted by SKU ID."""
    old = {product.sku_id: record_of(product, day) for product in before.products} if before else {}
    new = {product.sku_id: record_of(product, day) for product in after.products}
    for sku_id, record in old.items():
        if sku_id not in new:
            new[sku_id] = replace(record, status=None)
    return tuple(new[sku_id] for sku_id in sorted(new) if new[sku_id] != old.get(sku_id))


def record_of(product: Product, day: date) -> DayRecord:
    """What is known of a product on a day."""
    units = product.license.units
    return DayRecord(
        day=day,
        sku_id=product.sku_id,
        title=product.title,
        directory=product.directory,
        status=product.status,
        reason=product.reason,
        enabled=units.enabled,
        warning=units.warning,
        suspended=units.suspended,
        locked_out=units.locked_out,
        consumed_units=product.license.consumed_units,
        consumers=product.consumers,
    )


def steps(ordered: Iterable[DayRecord]) -> Iterator[Step]:
    """Each record with the one before it of the same product."""
    last: dict[str, DayRecord] = {}
    for record in ordered:
        yield Step(record, last.get(record.sku_id))
        last[record.sku_id] = record


def part_numbers(state: PortalState, ordered: Iterable[DayRecord]) -> dict[str, str]:
    """The part number of every product that is or was, by SKU ID; empty where it is not known any more."""
    return {
        **{record.sku_id: "" for record in ordered},
        **{removed.sku_id: removed.part_number for removed in state.removed},
        **{product.sku_id: product.license.part_number for product in state.products},
    }


def meant(sku: str, names: Mapping[str, str]) -> set[str]:
    """The SKU IDs that ``sku`` means: a part number, a SKU ID or a glob. ``names`` are those of ``part_numbers``."""
    nothing = Units(None, None, None, None)
    return {
        sku_id
        for sku_id, part_number in names.items()
        if matches(sku, License(sku_id, part_number, "", "", nothing, None))
    }
