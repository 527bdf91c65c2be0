"""What ``reconcile explain --format json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.labels import STATUS_LABELS
from reconciler.product_explanation import NotImported, ProductExplanation
from reconciler.render.json_document import json_document
from reconciler.render.product_explanation_text import Told


def render(found: Sequence[Told]) -> str:
    """``{"explanations": [...]}``, one for each license of that name."""
    document = {"explanations": [_document(explanation, places) for explanation, places in found]}
    return json_document(document)


def _document(explanation: ProductExplanation | NotImported, places: Sequence[tuple[str, object]]) -> dict[str, Any]:
    """One explanation; what is not imported has no status."""
    license_ = explanation.license
    document: dict[str, Any] = {
        "sku_id": license_.sku_id,
        "sku_part_number": license_.part_number,
        "imported": isinstance(explanation, ProductExplanation),
        "because": explanation.because,
        "behind": [{"what": what, "place": str(where)} for what, where in places],
        "changes": list(explanation.changes),
    }
    if isinstance(explanation, ProductExplanation):
        item = explanation.item
        document |= {
            "name": item.name,
            "directory": item.product.directory,
            "status": item.product.status.value,
            "label": STATUS_LABELS[item.product.status],
            "reason": item.product.reason and item.product.reason.value,
            "rule": explanation.rule,
            "muted": item.muted.reason if item.muted else None,
            "calculation": [{"name": each.name, "how": each.how, "value": each.value} for each in explanation.steps],
            "remedy": explanation.remedy,
        }
    return document
