"""Builder of a file in the form of Microsoft's "Product names and service plan identifiers for licensing"."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from uuid import UUID

COLUMNS = (
    "Product_Display_Name",
    "String_Id",
    "GUID",
    "Service_Plan_Name",
    "Service_Plan_Id",
    "Service_Plans_Included_Friendly_Names",
)

Name = tuple[str, str, str]
"""Product_Display_Name, String_Id and GUID of a row, in the file's order."""


def guid(number: int) -> str:
    """A made-up GUID with letters in it."""
    return str(UUID(int=(0xABCDEF << 104) + number))


def fillers(count: int = 60) -> list[Name]:
    """As many SKUs as make a file plausible."""
    return [(f"Product {number}", f"PRODUCT_{number}", guid(number)) for number in range(count)]


def microsoft_list(
    names: Sequence[Name] = (),
    *,
    others: Sequence[Name] | None = None,
    columns: Sequence[str] = COLUMNS,
    plans: int = 2,
    encoding: str = "utf-8-sig",
) -> bytes:
    """The file's bytes: ``names`` and then ``others``, one row for each of their service plans."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="more", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for title, part_number, sku_id in [*names, *(fillers() if others is None else others)]:
        for plan in range(plans):
            values = (title, part_number, sku_id, f"PLAN_{plan}", guid(1_000_000 + plan), f"Plan {plan}")
            writer.writerow(dict(zip(COLUMNS, values, strict=True)))
    return text.getvalue().encode(encoding)
