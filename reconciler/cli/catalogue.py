"""``reconcile catalogue``: show what SKUs are called, and take over Microsoft's own list of names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say

if TYPE_CHECKING:
    from reconciler.catalogue.titles import Catalogue

WIDEST = 40
"""How far titles are moved to the right for the sake of alignment; a few part numbers have 100 characters."""


@click.group("catalogue", short_help="Titles of SKUs.")
def command() -> None:
    """Titles of SKUs: a built-in table, and state/catalogue.csv where that exists."""


@command.command(short_help="Take over Microsoft's list of product names.")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    envvar="RECONCILE_CATALOGUE_UPDATE_FROM",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read Microsoft's CSV from this file instead of downloading it.",
)
@click.pass_obj
def update(invocation: Invocation, source: Path | None) -> None:
    """Write Microsoft's list of product names to state/catalogue.csv.

    A title that changes is a planned change: it reaches the reports with the next apply.
    """
    from reconciler.catalogue import microsoft, titles
    from reconciler.cli.session import state_folder

    state = state_folder(invocation)
    before = titles.load(state)
    entries = microsoft.parse(source.read_bytes() if source else _download(invocation), titles.built_in())
    changed = titles.save(state, entries)
    click.echo(_summary(len(entries), before, titles.load(state)))
    if changed and not invocation.quiet:
        say("Wrote state/catalogue.csv. `reconcile plan` shows which titles will change.")


def _download(invocation: Invocation) -> bytes:
    """Microsoft's file from where it is published."""
    if invocation.emulate is not None:
        raise click.UsageError("The emulator has no list of product names; give one with --from FILE.")
    from reconciler.catalogue.microsoft import URL
    from reconciler.graph.http import fetch, open_http
    from reconciler.graph.retry import RetryPolicy

    with open_http(retry=RetryPolicy(invocation.retry_limit)) as client:
        return fetch(client, URL)


def _summary(count: int, before: Catalogue, after: Catalogue) -> str:
    """One line: how many SKUs Microsoft lists, and what that changed."""
    common = before.entries.keys() & after.entries.keys()
    differences = {
        "new": len(after.entries.keys() - common),
        "renamed": sum(before.entries[sku_id].title != after.entries[sku_id].title for sku_id in common),
        "no longer listed": len(before.entries.keys() - common),
    }
    said = [f"{number:,} {what}" for what, number in differences.items() if number]
    return ", ".join([f"{count:,} SKUs", *(said or ["no title changed"])]) + "."


@command.command(short_help="Print what SKUs are called.")
@click.argument("sku", default="*")
@click.pass_obj
def show(invocation: Invocation, sku: str) -> None:
    """Print SKU ID, part number and title of the SKUs that match, or of all.

    SKU is a SKU ID, a part of a part number or title, or a glob over part numbers such as "*_FREE".
    """
    from reconciler.catalogue.titles import load
    from reconciler.cli.session import state_folder
    from reconciler.errors import ConfigurationError

    found = load(state_folder(invocation)).find(sku)
    if not found:
        raise ConfigurationError(f"The catalogue has no SKU that matches {sku!r}.", code="sku-unknown")
    width = min(WIDEST, max(len(entry.part_number) for entry in found))
    for entry in found:
        click.echo(f"{entry.sku_id}  {entry.part_number:<{width}}  {entry.title}")
