"""Whether the history of a portal ends with what its ledger file says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.history import record_of
from reconciler.model import DayRecord, PortalState
from reconciler.store import history_file
from reconciler.verification import Difference


def history_difference(ledger: Path, state: PortalState) -> Difference | None:
    """The first product of a portal whose newest record says something else than the ledger. Raises StateError.

    A record is written whenever something changes that it says, so the newest is as the ledger. A product without any
    is older than its portal's history.
    """
    records = history_file.read(ledger, state.id)
    newest = {record.sku_id: number for number, record in enumerate(records)}
    for product in state.products:
        if (at := newest.get(product.sku_id)) is not None:
            expected = record_of(product, records[at].day)
            if records[at] != expected:
                why = f"it is the newest record of its product, and state/ledger/{state.id}.json says otherwise"
                name = f"state/ledger/{history_file.name(state.id)}"
                return Difference(name, why, at + 1, _text([expected]), _text([records[at]]))
    return None


def _text(records: Sequence[DayRecord]) -> str:
    return history_file.render(records).removesuffix("\n")
