"""Who consumes what: personal data, which no report and no ledger has."""

from __future__ import annotations

from typing import NamedTuple


class Consumer(NamedTuple):
    """One user consuming one product. ``direct`` and ``via_group`` say by which ways, both can be true.

    ``error`` is Graph's word for what is wrong with the assignment.
    """

    portal_id: str
    tenant_id: str
    object_id: str
    user_principal_name: str | None
    display_name: str | None
    mail: str | None
    sku_id: str
    title: str
    part_number: str
    direct: bool
    via_group: bool
    error: str | None
