"""``reconcile shards``: the parts that many runners apply, for the matrix of a CI."""

from __future__ import annotations

import json

import click

from reconciler.cli.invocation import Invocation
from reconciler.shards import MOST


@click.command("shards")
@click.option("--count", required=True, type=click.IntRange(1, MOST), help="How many parts.")
@click.pass_obj
def command(invocation: Invocation, count: int) -> int:
    """Print the shards that have a portal, as JSON for the matrix of a CI: {"shard": ["1/16", "3/16"]}.

    Portals that are declared count, and those that are known. Writes nothing and needs no credential.
    """
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.shards import shards_with_work
    from reconciler.store.state import read

    known = (portal_id for portal_id, state in read(state_folder(invocation)).items() if not state.is_forgotten)
    found = shards_with_work([*load_desired(invocation).portals, *known], count)
    click.echo(json.dumps({"shard": [str(shard) for shard in found]}))
    return 0
