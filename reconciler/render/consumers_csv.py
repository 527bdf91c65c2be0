"""Consumers as CSV: one row for each user and product, by pseudonym or by name. Personal data; never committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reconciler.consumer import Consumer
from reconciler.render.cells import lines

_PRODUCT = ("title", "sku_id", "sku_part_number", "direct", "group", "error")

BY_NAME = ("portal", "object_id", "user_principal_name", "display_name", "mail", *_PRODUCT)
"""The columns with names."""

BY_PSEUDONYM = ("portal", "consumer", "key_id", *_PRODUCT)
"""The columns with pseudonyms."""


def by_name(found: Iterable[Consumer]) -> Iterator[str]:
    """The lines of the table with who they are."""
    return lines(
        BY_NAME,
        (
            (who.portal_id, who.object_id, who.user_principal_name, who.display_name, who.mail, *_product(who))
            for who in found
        ),
    )


def by_pseudonym(found: Iterable[Consumer], pseudonym: Callable[[str, str], str], key_id: str) -> Iterator[str]:
    """The lines of the table with a pseudonym for each. ``pseudonym`` takes a tenant's and a user's ID."""
    return lines(
        BY_PSEUDONYM,
        ((who.portal_id, pseudonym(who.tenant_id, who.object_id), key_id, *_product(who)) for who in found),
    )


def _product(who: Consumer) -> tuple[str | bool | None, ...]:
    """What is consumed."""
    return (who.title, who.sku_id, who.part_number, who.direct, who.via_group, who.error)
