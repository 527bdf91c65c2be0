"""``reconcile what-if``: balance, status and cost as they would be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.findings import SAVINGS

if TYPE_CHECKING:
    from reconciler.model import State
    from reconciler.what_if import Assumptions

_NUMBER = re.compile("[1-9][0-9]{0,8}")


def _bought(
    _context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """``SKU=20`` as a pair."""
    found = []
    for value in values:
        sku, _, number = value.rpartition("=")
        if not (sku and _NUMBER.fullmatch(number)):
            raise click.BadParameter(
                f"{value!r} is not a SKU and a number of licenses such as SPE_E3=20.", param=parameter
            )
        found.append((sku, int(number)))
    return tuple(found)


def _renewed(
    _context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str | None], ...]:
    """``SKU`` or ``SKU=OTHER`` as a pair."""
    found = []
    for value in values:
        sku, divided, other = value.partition("=")
        if not sku or (divided and not other):
            raise click.BadParameter(f"{value!r} is not a SKU, or two such as SPE_E5=SPE_E3.", param=parameter)
        found.append((sku, other or None))
    return tuple(found)


@click.command("what-if")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--buy", multiple=True, callback=_bought, metavar="SKU=NUMBER", help="So many licenses more. Repeatable.")
@click.option(
    "--reclaim",
    multiple=True,
    type=click.Choice(SAVINGS),
    help="Take the license from the users who do not need it because of this finding. Repeatable.",
)
@click.option(
    "--renew",
    multiple=True,
    callback=_renewed,
    metavar="SKU[=OTHER]",
    help="Renew it: units in grace and suspended ones are enabled again, and it no longer ends. With OTHER, renew it "
    "as that product of the same portal, which its consumers then hold. Repeatable.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    ids: tuple[str, ...],
    *,
    buy: tuple[tuple[str, int], ...],
    reclaim: tuple[str, ...],
    renew: tuple[tuple[str, str | None], ...],
) -> int:
    """Show what would become of products: entitled, consumed, balance, status and cost, before and after.

    SKU is a part number or a SKU ID. --buy must mean one product of one portal: name the portal by ID where several
    have it. With OTHER, who holds both products counts twice. Writes nothing, buys nothing and needs no credential.
    """
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.errors import UnknownPortal
    from reconciler.render.what_if import render
    from reconciler.report import make_report
    from reconciler.store.state import read
    from reconciler.what_if import Assumptions, assume, effects, is_untold, orders

    known = read(state_folder(invocation))
    if unknown := set(ids) - known.keys():
        raise UnknownPortal(unknown, known)
    again = [sku for sku, other in renew if other is None]
    exchange = [(sku, other) for sku, other in renew if other is not None]
    assumptions = Assumptions(buy, again, reclaim, exchange)
    chosen = {portal_id: state for portal_id, state in known.items() if not ids or portal_id in ids}
    _refuse_what_means_nothing(assumptions, chosen)
    settings, today = load_desired(invocation).settings, invocation.now().date()
    then = {portal_id: assume(state, assumptions, settings) for portal_id, state in chosen.items()}
    before, after = make_report(chosen, settings, today), make_report(then, settings, today)
    below = settings.report.small_group if is_untold(before, assumptions) else None
    click.echo(render(effects(before, after), orders(before, assumptions), before, after, below), nl=False)
    return 0


def _refuse_what_means_nothing(assumptions: Assumptions, chosen: State) -> None:
    """Raise UsageError when an assumption is about no product, or about more than it can be."""
    from reconciler.what_if import meant, without_taker

    if not (assumptions.skus or assumptions.reclaim):
        raise click.UsageError("Say what to assume: --buy SKU=NUMBER, --reclaim FINDING or --renew SKU.")
    for sku in assumptions.skus:
        if not meant(chosen, sku):
            raise click.UsageError(f"No portal has a product {sku!r} that could be bought or renewed.")
    for sku, _ in assumptions.buy:
        if len(found := meant(chosen, sku)) > 1:
            raise click.UsageError(
                f"{sku!r} is in {', '.join(sorted({id_ for id_, _ in found}))}: name the portal by ID."
            )
    for sku, other in assumptions.exchange:
        if lacking := without_taker(chosen, sku, other):
            raise click.UsageError(
                f"{sku!r} cannot be renewed as {other!r}: name another product, by part number or SKU ID, of which "
                f"{', '.join(sorted(lacking))} has exactly one."
            )
