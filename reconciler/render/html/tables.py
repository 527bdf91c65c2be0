"""What the tables of the page share: cells, columns, the addresses of portals and products within the page.

Nothing is escaped here: the templates escape every value that they print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.portal_report import PortalReport, ProductReport


@dataclass(frozen=True, slots=True)
class Line:
    """A picture of two lines over time, each a path. ``label`` is what it shows, in words."""

    consumed: str
    entitled: str
    is_short: bool
    label: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is more than its text: with a second, smaller line, a link within the page, or a picture instead."""

    text: str
    note: str = ""
    href: str = ""
    picture: Line | None = None


Row = tuple[Cell, Sequence[str | Cell]]
"""The cell that names a row, and the others."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title. ``alignment`` names a class for each column of numbers, such as ``n3`` for the third.

    ``note`` is what stands below it.
    """

    title: str
    head: tuple[str, ...]
    alignment: str
    rows: Sequence[Row]
    note: str = ""

    @property
    def has_links(self) -> bool:
        """Whether the keyboard finds something in it, and so can scroll it."""
        return any(first.href for first, _ in self.rows)


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str | Cell]], note: str = "") -> Table:
    """A table. A head that ends in ``:`` is that of a column of numbers."""
    numeric = [f"n{place}" for place, name in enumerate(head, 1) if name.endswith(":")]
    named = [(Cell(row[0]) if isinstance(row[0], str) else row[0], row[1:]) for row in rows]
    return Table(title, tuple(name.removesuffix(":") for name in head), " ".join(numeric), named, note)


def portal_anchor(portal_id: str) -> str:
    """The stable id of a portal's section."""
    return f"portal-{portal_id}"


def product_anchor(portal_id: str, sku_id: str) -> str:
    """The stable id of a product's row."""
    return f"product-{portal_id}-{sku_id}"


def portal_cell(portal: PortalReport) -> Cell:
    """A portal's name, leading to its section."""
    return Cell(portal.state.portal.name, href=f"#{portal_anchor(portal.state.id)}")


def product_cell(portal: PortalReport, item: ProductReport) -> Cell:
    """A product's name, leading to its row in the table of all products."""
    return Cell(item.name, href=f"#{product_anchor(portal.state.id, item.product.sku_id)}")
