"""What ``reconcile what-if`` prints: the products that would be otherwise, before and after, and the costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.labels import STATUS_LABELS, STATUS_SIGNS
from reconciler.money import Costs
from reconciler.portal_report import ProductReport
from reconciler.render.columns import columns
from reconciler.render.escape import plain
from reconciler.render.verdict import verdict
from reconciler.render.words import money, number
from reconciler.report import Report
from reconciler.what_if import Effect

HEAD = ("PORTAL", "PRODUCT", "ENTITLED:", "CONSUMED:", "BALANCE:", "STATUS")
_COSTS = (("true_up", "Missing licenses"), ("idle", "Licenses nobody consumes"), ("reclaimable", "Reclaimable"))


def render(effects: Sequence[Effect], before: Report, after: Report) -> str:
    """A line for each product, the costs a year that would change, and the verdict then."""
    if not effects:
        return "Nothing would change.\n"
    rows = [
        (
            effect.portal_id,
            plain(effect.before.product.title),
            _sides(number(effect.before.numbers.entitled), number(effect.after.numbers.entitled)),
            _sides(number(effect.before.numbers.consumed), number(effect.after.numbers.consumed)),
            _sides(number(effect.before.numbers.balance), number(effect.after.numbers.balance)),
            _sides(_status(effect.before), _status(effect.after)),
        )
        for effect in effects
    ]
    lines = [*columns(HEAD, rows), *_costs(before, after), f"Then: {verdict(after)}"]
    return "".join(f"{line}\n" for line in lines)


def _status(item: ProductReport) -> str:
    return f"{STATUS_SIGNS[item.product.status]} {STATUS_LABELS[item.product.status]}"


def _sides(before: str, after: str) -> str:
    """Both sides, or one where they are the same."""
    return before if before == after else f"{before} → {after}"


def _costs(before: Report, after: Report) -> Iterator[str]:
    """What would cost another amount a year, of products with a price."""
    then: dict[str, Costs] = {total.currency: total for total in after.totals}
    for total in before.totals:
        for member, words in _COSTS:
            one, other = getattr(total, member), getattr(then.get(total.currency, total), member)
            if one != other:
                sides = _sides(money(one, total.currency), money(other, total.currency))
                yield f"{words} a year: {sides}"
