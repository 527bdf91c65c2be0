"""From a valid ``portals.d/removals.yaml`` to the model's values."""

from __future__ import annotations

from reconciler.config.portal import sku
from reconciler.config.source import Source
from reconciler.model import Removal


def removals(source: Source) -> tuple[Removal, ...]:
    """What may be deleted from the state, in the order of the file; nothing where there are only comments."""
    declared = source.value["removals"] if source.value else ()
    return tuple(
        Removal(
            portal=item["portal"],
            sku=sku(item["sku"]),
            reason=item["reason"],
            ticket=item.get("ticket"),
            position=str(source.place("removals", index)),
        )
        for index, item in enumerate(declared)
    )
