"""What ``reconcile explain`` prints about one product."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.labels import MUTED_LABEL, STATUS_LABELS, STATUS_SIGNS
from reconciler.product_explanation import NotImported, ProductExplanation
from reconciler.render.escape import plain
from reconciler.render.words import number

Told = tuple[ProductExplanation | NotImported, Sequence[tuple[str, object]]]
"""An explanation with the lines behind it: what stands there, and where (``file:line:column``)."""


def render(found: Sequence[Told]) -> str:
    """A page for each, from the status to what to do."""
    return "\n".join("\n".join(_page(explanation, places)) + "\n" for explanation, places in found)


def _page(explanation: ProductExplanation | NotImported, places: Sequence[tuple[str, object]]) -> list[str]:
    """One page."""
    behind = _section("Behind it", [f"{where}  {plain(what)}" for what, where in places])
    if isinstance(explanation, NotImported):
        license_ = explanation.license
        return [
            f"{plain(explanation.portal_name)} - {plain(license_.part_number)}",
            f"  {license_.sku_id}",
            "",
            plain(explanation.because),
            *behind,
            *_section("What would change it", [plain(change) for change in explanation.changes]),
        ]
    item, product = explanation.item, explanation.item.product
    return [
        plain(item.name),
        f"  {plain(product.license.part_number)}, {product.sku_id}, in {plain(product.directory)}",
        "",
        f"{STATUS_SIGNS[product.status]} {STATUS_LABELS[product.status]}: {plain(explanation.because)}",
        f"  rule: {explanation.rule}",
        *([f"  {MUTED_LABEL}: {plain(item.muted.reason)}"] if item.muted else []),
        *_section("Calculation", _steps(explanation)),
        *behind,
        *_section("What would change it", [plain(change) for change in explanation.changes]),
        *_section("What to do", [_remedy(explanation)] if explanation.remedy else []),
    ]


def _remedy(explanation: ProductExplanation) -> str:
    """What to do; nothing is asked for about a product that is muted."""
    if explanation.item.muted:
        return "Nothing: it is muted, so the report asks for nothing."
    return plain(explanation.remedy or "")


def _steps(explanation: ProductExplanation) -> list[str]:
    """The numbers in a column, each with how it comes about."""
    values = [number(step.value) for step in explanation.steps]
    width = max(len(value) for value in values)
    names = max(len(step.name) for step in explanation.steps)
    return [
        f"{step.name:<{names}}  {value:>{width}}  {step.how}"
        for step, value in zip(explanation.steps, values, strict=True)
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    """A heading with lines below it; nothing when there are none."""
    return ["", title, *(f"  {line}" for line in lines)] if lines else []
