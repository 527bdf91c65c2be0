"""``reconcile history``: what became of a portal's products, day by day."""

from __future__ import annotations

from collections.abc import Mapping

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option


@click.command("history")
@click.argument("id_", metavar="ID")
@click.argument("sku", required=False)
@format_option("history", "A table, or JSON.")
@click.pass_obj
def command(invocation: Invocation, id_: str, sku: str | None, *, form: str) -> int:
    """Show what became of the products of the portal ID: a record for each day on which something changed.

    SKU is a part number, a SKU ID, or a glob over part numbers such as "*_FREE". Oldest first. Writes nothing and needs
    no credential.
    """
    from functools import partial

    from reconciler.cli.output import print_page
    from reconciler.cli.session import state_folder
    from reconciler.history import meant, part_numbers, steps
    from reconciler.render import history_json, history_table
    from reconciler.store.state import read_history

    state, records = read_history(state_folder(invocation), id_)
    names = part_numbers(state, records)
    chosen = meant(sku, names) if sku else set(names)
    if sku and not chosen:
        raise click.UsageError(_unknown(id_, sku, names))
    found = list(steps(record for record in records if record.sku_id in chosen))
    if form == "json":
        click.echo(history_json.render(state, found, names), nl=False)
    else:
        print_page(partial(history_table.render, state, found))
    return 0


def _unknown(id_: str, sku: str, names: Mapping[str, str]) -> str:
    """That there never was such a product, and which one may be meant."""
    import difflib

    known = sorted({name for name in (*names.values(), *names) if name})
    near = difflib.get_close_matches(sku.upper(), known, n=1) or difflib.get_close_matches(sku.lower(), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"The portal {id_} has and had no product {sku!r}.{hint}"
