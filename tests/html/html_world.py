"""Pages to test, and what is in them: a tree that refuses markup which is not well-formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from reconciler.history import History
from reconciler.model import PortalState, Settings
from reconciler.render.html import page
from reconciler.report import Report, make_report
from tests.core.core_world import TODAY, known, license_, numbered, portal, portal_state, product, subscription
from tests.core.history_world import only, went

VOID = ("meta", "link", "input", "col")
"""Elements of the page that have no end."""


@dataclass
class Element:
    """One element. Its children are elements and text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def elements(self) -> Iterator[Element]:
        """This element and all below it."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.elements

    @property
    def text(self) -> str:
        """All text, that of different elements apart, but for dates: their elements only keep a line from breaking."""
        parts, day = [""], False
        for child in self.children:
            was, day = day, isinstance(child, Element) and child.attributes == {"class": "w"} and child.tag == "span"
            said = child if isinstance(child, str) else child.text
            parts = [*parts[:-1], parts[-1] + said] if day or was else [*parts, said]
        return " ".join(parts).strip(" ")

    def all(self, wanted: Callable[[Element], bool]) -> list[Element]:
        """Every element that is wanted."""
        return [element for element in self.elements if wanted(element)]

    def tagged(self, tag: str) -> list[Element]:
        """Every element of one kind."""
        return self.all(lambda element: element.tag == tag)

    def by_id(self, id_: str) -> Element:
        """The one element with this id."""
        (found,) = self.all(lambda element: element.attributes.get("id") == id_)
        return found


class _Reader(HTMLParser):
    """Builds the tree. An end without its start, or a start without its end, is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> in {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def tree_of(text: str) -> Element:
    """The page as a tree."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert [element.tag for element in reader.open] == [""]
    return reader.open[0]


def report_of(*states: PortalState, settings: Settings | None = None) -> Report:
    """The report over these states."""
    return make_report(known(*states), settings or Settings(), TODAY)


def report_with_history(*states: PortalState, history: History) -> Report:
    """The report over these states with their history."""
    return make_report(known(*states), Settings(), TODAY, history)


def page_of(*states: PortalState, settings: Settings | None = None) -> str:
    """The page of the report over these states."""
    return page.render(report_of(*states, settings=settings))


def many(portals: int, products: int) -> tuple[PortalState, ...]:
    """So many portals with so many products each; none is like another."""
    return tuple(
        portal_state(
            *(
                product(
                    license_(
                        numbered(number),
                        part_number=f"SKU_{place:03}_{number:03}",
                        enabled=100 + number,
                        consumed_units=(37 * number + place) % 140,
                        subscriptions=(subscription(total_licenses=100 + number),),
                    ),
                    consumers=(37 * number + place) % 140,
                    findings={"disabled_account": 1 + number} if number % 5 == 0 else {},
                )
                for number in range(products)
            ),
            declared=portal(f"p{place:04}", name=f"Portal {place}"),
        )
        for place in range(portals)
    )


def changing(state: PortalState) -> History:
    """A history in which every product of a portal changed so often that its line has as many points as it may."""
    days = range(390, 0, -7)
    numbers = [(day, 100 + day % 9, 60 + (day * 7) % 61) for day in days]
    return only([one for item in state.products for one in went(*numbers, sku_id=item.sku_id)], state.id)


NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def numbers_in(*parts: Element) -> set[str]:
    """Every number that stands there, as it is written, without its sign."""
    return {found for part in parts for found in NUMBER.findall(part.text)}
