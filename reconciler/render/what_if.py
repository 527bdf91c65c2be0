"""What ``reconcile what-if`` prints: the products that would be otherwise, before and after, and the costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.labels import EMULATED_NOTICE, STATUS_LABELS, STATUS_SIGNS
from reconciler.money import Costs, a_year
from reconciler.portal_report import ProductReport
from reconciler.render.columns import columns
from reconciler.render.escape import plain
from reconciler.render.product_words import lifecycle
from reconciler.render.verdict import verdict
from reconciler.render.words import money, number
from reconciler.report import Report
from reconciler.what_if import Effect, Order

HEAD = ("PORTAL", "PRODUCT", "ENTITLED:", "IN GRACE:", "CONSUMED:", "BALANCE:", "STATUS", "LIFECYCLE")
_COSTS = (("true_up", "Missing licenses"), ("idle", "Licenses nobody consumes"), ("reclaimable", "Reclaimable"))


def render(
    effects: Sequence[Effect], orders: Iterable[Order], before: Report, after: Report, untold: int | None = None
) -> str:
    """A line for each product, what is to be paid, the costs a year that would change, and the verdict then.

    ``untold`` is the size below which a group of users was left out, None when none was.
    """
    notes = [] if untold is None else [f"Findings about fewer than {untold:,} users of a product are left out."]
    if not effects:
        return _text([*notes, "Nothing would change."])
    notice = [EMULATED_NOTICE] if before.emulated else []
    lines = columns(HEAD, [_row(effect) for effect in effects])
    return _text([*notice, *notes, *lines, *map(_order, orders), *_costs(before, after), f"Then: {verdict(after)}"])


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _row(effect: Effect) -> tuple[str, ...]:
    """One product, each number on both sides."""
    before, after = effect.before, effect.after
    numbers = (
        (before.numbers.entitled, after.numbers.entitled),
        (before.product.license.units.warning, after.product.license.units.warning),
        (before.numbers.consumed, after.numbers.consumed),
        (before.shown_balance, after.shown_balance),
    )
    return (
        effect.portal_id,
        plain(before.product.title),
        *(_sides(number(one), number(other)) for one, other in numbers),
        _sides(_status(before), _status(after)),
        _sides(lifecycle(before.phases), lifecycle(after.phases)),
    )


def _order(order: Order) -> str:
    """What would be paid for, and what it costs."""
    what = f"{'Renew' if order.is_renewal else 'Buy'} {number(order.number)} × {plain(order.item.product.title)}"
    if order.instead_of:
        what += f" in place of {plain(order.instead_of.product.title)}"
    price = order.item.entry.price if order.item.entry else None
    if price is None or order.number is None:
        return f"{what} ({order.portal_id}): its price is not declared." if price is None else what
    each, year = money(price.amount, price.currency), money(a_year(price, order.number), price.currency)
    return f"{what} ({order.portal_id}), {each} a {price.per} each: {year} a year."


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
