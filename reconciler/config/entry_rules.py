"""Rules that no schema can express, over the lists and numbers of one file: portal, settings or removals.

They look at files with other problems too, so that all problems are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.config.problems import Problem
from reconciler.config.rules import problem_at
from reconciler.config.source import Path, Source

_CURRENCY = re.compile("[A-Z]{3}")

Entries = list[tuple[Path, dict[str, Any]]]

_LISTS = (
    ("exclusions", ("sku",), "duplicate-exclusion", "This SKU is excluded"),
    ("include", ("sku",), "duplicate-include", "This SKU is included"),
    ("products", ("sku",), "duplicate-product", "This SKU stands"),
    ("overlaps", ("sku", "includes"), "duplicate-overlap", "This pair stands"),
    ("removals", ("portal", "sku"), "duplicate-removal", "This SKU of this portal stands"),
)
"""Each list: what makes two of its entries the same, the code of that problem, and its words."""


def entries(source: Source) -> Iterator[Problem]:
    """Entries that stand twice or contradict each other, mixed currencies, thresholds that cannot both hold."""
    for key, members, code, what in _LISTS:
        yield from _repeated(source, key, members, code, what)
    yield from _contradictions(source)
    yield from _currencies(source)
    yield from _circles(source)
    yield from _thresholds(source)


def _repeated(source: Source, key: str, members: tuple[str, ...], code: str, what: str) -> Iterator[Problem]:
    """Entries of one list that are the same as an earlier one."""
    first: dict[tuple[str, ...], Path] = {}
    for path, entry in _entries(source, key):
        if (words := _words(entry, members)) and (known := first.setdefault(words, path)) != path:
            message = f"{what} on line {_line(source, (*known, 'sku'))} already."
            yield problem_at(source, (*path, "sku"), code, message, "Keep one of them.")


def _contradictions(source: Source) -> Iterator[Problem]:
    """Licenses that one portal both includes and excludes."""
    excluded = {_words(entry, ("sku",)): path for path, entry in reversed(_entries(source, "exclusions"))}
    hint = "Delete one of them: a portal's own exclusion always counts, and `include` lifts those of reconcile.yaml."
    for path, entry in _entries(source, "include"):
        if (words := _words(entry, ("sku",))) and words in excluded:
            message = f"This SKU is excluded on line {_line(source, (*excluded[words], 'sku'))}."
            yield problem_at(source, (*path, "sku"), "contradictory-include", message, hint)


def _currencies(source: Source) -> Iterator[Problem]:
    """Prices in another currency than the first price of the file."""
    first: tuple[str, Path] | None = None
    hint = "Write all prices of a portal in one currency, so that they can be summed up."
    for path, entry in _entries(source, "products"):
        price = entry.get("price")
        currency = price.get("currency") if isinstance(price, dict) else None
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            continue
        place = (*path, "price", "currency")
        first = first or (currency, place)
        if currency != first[0]:
            message = f"The price on line {_line(source, first[1])} is in another currency."
            yield problem_at(source, place, "mixed-currencies", message, hint)


def _circles(source: Source) -> Iterator[Problem]:
    """Overlaps of a SKU with itself, and pairs that stand both ways round."""
    first: dict[tuple[str, ...], Path] = {}
    for path, entry in _entries(source, "overlaps"):
        words = _words(entry, ("sku", "includes"))
        if not words:
            continue
        first.setdefault(words, path)
        if words[0] == words[1]:
            message, hint = "A license cannot include itself.", "Write the part number of the other license."
            yield problem_at(source, (*path, "includes"), "circular-overlap", message, hint)
        elif opposite := first.get(words[::-1]):
            message = f"Line {_line(source, (*opposite, 'sku'))} says the opposite."
            hint = "Keep the pair whose `sku` is the larger license."
            yield problem_at(source, (*path, "sku"), "circular-overlap", message, hint)


def _thresholds(source: Source) -> Iterator[Problem]:
    """Thresholds of one file that contradict each other."""
    declared = source.value.get("thresholds") if isinstance(source.value, dict) else None
    if not isinstance(declared, dict):
        return
    days, urgent = declared.get("renewal_days"), declared.get("urgent_renewal_days")
    numbers = not isinstance(days, bool) and not isinstance(urgent, bool)  # a bool is an int to Python
    if numbers and isinstance(days, int | float) and isinstance(urgent, int | float) and urgent > days:
        message = f"`urgent_renewal_days` must be at most `renewal_days`, which is {days:.0f}."
        hint = "What is urgent is due earlier than the rest."
        yield problem_at(source, ("thresholds", "urgent_renewal_days"), "contradictory-thresholds", message, hint)


def _entries(source: Source, key: str) -> Entries:
    """The mappings of a list, with their paths, as far as the value has the right shape."""
    found = source.value.get(key) if isinstance(source.value, dict) else None
    listed = found if isinstance(found, list) else []
    return [((key, index), entry) for index, entry in enumerate(listed) if isinstance(entry, dict)]


def _words(entry: dict[str, Any], members: tuple[str, ...]) -> tuple[str, ...]:
    """What an entry is recognized by, whatever the case of its letters; nothing when a part of it is missing."""
    words = [entry[member].casefold() for member in members if isinstance(entry.get(member), str)]
    return tuple(words) if len(words) == len(members) else ()


def _line(source: Source, path: Path) -> int:
    """The line that a value stands on."""
    return source.position(*path)[0]
