"""``reconcile what-if``: balance, status and cost as they would be."""

from __future__ import annotations

import re

import click

from reconciler.cli.invocation import Invocation
from reconciler.findings import SAVINGS

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
    metavar="SKU",
    help="Renew it: units in grace and suspended ones are enabled again, and it no longer ends. Repeatable.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    ids: tuple[str, ...],
    *,
    buy: tuple[tuple[str, int], ...],
    reclaim: tuple[str, ...],
    renew: tuple[str, ...],
) -> int:
    """Show what would become of products: entitled, consumed, balance, status and cost, before and after.

    SKU is a part number or a SKU ID. --buy must mean one product of one portal: name the portal by ID where several
    have it. Writes nothing, buys nothing and needs no credential.
    """
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.errors import UnknownPortal
    from reconciler.render.what_if import render
    from reconciler.report import make_report
    from reconciler.store.state import read
    from reconciler.what_if import Assumptions, assume, effects, meant

    known = read(state_folder(invocation))
    if unknown := set(ids) - known.keys():
        raise UnknownPortal(unknown, known)
    assumptions = Assumptions(buy, renew, reclaim)
    if not (assumptions.skus or reclaim):
        raise click.UsageError("Say what to assume: --buy SKU=NUMBER, --reclaim FINDING or --renew SKU.")
    chosen = {portal_id: state for portal_id, state in known.items() if not ids or portal_id in ids}
    for sku in assumptions.skus:
        if not meant(chosen, sku):
            raise click.UsageError(f"No portal has a product {sku!r} that could be bought or renewed.")
    for sku, _ in buy:
        if len(found := meant(chosen, sku)) > 1:
            raise click.UsageError(
                f"{sku!r} is in {', '.join(sorted({id_ for id_, _ in found}))}: name the portal by ID."
            )
    settings, today = load_desired(invocation).settings, invocation.now().date()
    then = {portal_id: assume(state, assumptions, settings) for portal_id, state in chosen.items()}
    before, after = make_report(chosen, settings, today), make_report(then, settings, today)
    click.echo(render(effects(before, after), before, after), nl=False)
    return 0
