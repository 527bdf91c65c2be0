"""``reconcile explain``: why the status of a product is what it is, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option

if TYPE_CHECKING:
    from reconciler.model import PortalState


@click.command("explain")
@click.argument("id_", metavar="ID")
@click.argument("sku")
@format_option("explain", "A page, or JSON.")
@click.pass_obj
def command(invocation: Invocation, id_: str, sku: str, *, form: str) -> int:
    """Explain the status of one product of the portal ID: its numbers, the rule, what is behind it, what to do.

    SKU is a part number or a SKU ID. Writes nothing and needs no credential.
    """
    from reconciler.cli.session import load_desired, state_folder, titles
    from reconciler.config.behind import behind, exclusion_behind
    from reconciler.plan import Declared, make_plan
    from reconciler.product_explanation import explain
    from reconciler.render import product_explanation_json, product_explanation_text
    from reconciler.store.state import read

    desired, today = load_desired(invocation), invocation.now().date()
    declared = Declared(desired.portals, desired.settings, titles(invocation), today, desired.removals)
    known = read(state_folder(invocation))
    if id_ in known and known[id_].is_forgotten:
        anew = " The next apply begins it anew." if id_ in desired.portals else ""
        raise click.UsageError(
            f"Nothing is left of the portal {id_}: `reconcile history {id_}` shows what it had.{anew}"
        )
    (plan,) = make_plan(declared, known, (id_,)).portals
    found = explain(
        plan, sku, desired.settings, today, lambda license_: exclusion_behind(desired, plan.id, license_, today)
    )
    if not found:
        raise click.UsageError(_unknown(plan.before, id_, sku))
    told = [(each, behind(desired, plan.id, each.license, today)) for each in found]
    render = product_explanation_json.render if form == "json" else product_explanation_text.render
    click.echo(render(told), nl=False)
    return 0


def _unknown(state: PortalState | None, id_: str, sku: str) -> str:
    """That the portal has no such license, and which one may be meant."""
    import difflib

    from reconciler.unmatched import known_licenses

    if state is None:
        return f"The portal {id_} is declared but was never applied, so nothing is known of {sku!r}."
    if state.last_import.as_of is None:
        return f"The portal {state.id} was never imported, so nothing is known of {sku!r}."
    names = {item.part_number.casefold(): item.part_number for item in known_licenses(state.portal, state) or ()}
    for product in state.products:
        for title in (product.title, f"{state.portal.name} - {product.title}"):
            names.setdefault(title.casefold(), product.license.part_number)
    near = difflib.get_close_matches(sku.casefold(), names, n=1)
    hint = f" Did you mean {names[near[0]]!r}?" if near else ""
    return f"The portal {state.id} has no license {sku!r}.{hint}"
