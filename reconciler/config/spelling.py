"""What to do about a SKU that matches no known license: perhaps it is nearly one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from reconciler.config.problems import quote
from reconciler.model import License

_NEAR = 0.8
"""How alike two part numbers must be (``difflib``'s ratio) to take one for a misspelling of the other."""


def spelling(sku: str, licenses: Iterable[License]) -> str:
    """What to do about a SKU that matches nothing; names the nearest part number, if one is near."""
    known = {item.part_number.casefold(): item.part_number for item in licenses}
    wanted = sku.casefold()
    near = [] if wanted in known else difflib.get_close_matches(wanted, known, n=1, cutoff=_NEAR)
    return f"Did you mean {quote(known[near[0]])}?" if near else "Check the spelling, or delete it."
