"""Histories to draw lines from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from reconciler.model import DayRecord, Status
from tests.core.core_world import E3, TODAY


def went(*numbers: tuple[int, int, int | None], sku_id: str = E3) -> list[DayRecord]:
    """The history of a product from so many days before today: days, entitled, consumed."""
    return [
        DayRecord(
            TODAY - timedelta(days=days),
            sku_id,
            "Office 365 E3",
            "Microsoft 365/Contoso",
            Status.FULLY_LICENSED,
            enabled=entitled,
            warning=0,
            suspended=0,
            locked_out=0,
            consumed_units=consumed,
            consumers=consumed,
        )
        for days, entitled, consumed in numbers
    ]


def deleted(days: int, sku_id: str = E3) -> DayRecord:
    """The record of the day on which the product was deleted from the state."""
    return DayRecord(TODAY - timedelta(days=days), sku_id, "Office 365 E3", "Microsoft 365/Contoso", None)


def only(records: Iterable[DayRecord], portal_id: str = "contoso") -> Callable[[str], tuple[DayRecord, ...]]:
    """The history of one portal; the others have none."""
    ordered = tuple(sorted(records, key=lambda record: (record.day, record.sku_id)))
    return lambda asked: ordered if asked == portal_id else ()


YEAR = went((300, 90, 80), (200, 90, 95), (100, 120, 96), (10, 120, 118))
"""A product that was short for a while, until licenses were bought."""
