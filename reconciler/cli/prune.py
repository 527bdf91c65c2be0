"""``reconcile prune``: proposes what may be deleted from the state; a person decides, apply deletes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.cli.targets import writing
from reconciler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.prune import Proposal


def _one_line(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Text as ``removals.yaml`` takes it."""
    if value is not None and not (value.strip() and value.isprintable()):
        raise click.BadParameter("This must be one line of text.", param=parameter)
    return value and value.strip()


@click.command("prune")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--why",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    help="Only products that cannot be synchronized for this reason. Repeatable.",
)
@click.option("--reason", callback=_one_line, metavar="TEXT", help="Why they may go; auditors ask.")
@click.option("--ticket", callback=_one_line, metavar="TEXT", help="Where it was agreed.")
@click.option("--write", is_flag=True, help="Add the entries to portals.d/removals.yaml. Needs --reason.")
@click.pass_obj
def command(
    invocation: Invocation,
    ids: tuple[str, ...],
    *,
    why: tuple[str, ...],
    reason: str | None,
    ticket: str | None,
    write: bool,
) -> int:
    """Propose entries for portals.d/removals.yaml, for all products that cannot be synchronized any more.

    Deletes nothing: with --write it edits that file, which is reviewed like any change; the next apply carries it out.
    What the next import may bring back is not proposed, and nothing that an entry removes already.
    """
    if write and not reason:
        raise click.UsageError("--write needs --reason TEXT: say why the products may go.")
    from reconciler.cli.session import run_for, state_folder
    from reconciler.plan import make_plan
    from reconciler.prune import proposals
    from reconciler.store.state import read

    run = run_for(invocation, ids)
    plan = make_plan(run.declared, read(state_folder(invocation)), ids)
    reasons = [Reason(value) for value in why]
    found = proposals(plan, run.settings, run.today, reason=reason, ticket=ticket, why=reasons)
    if found and write:
        _write(invocation.root / "portals.d", found)
    elif found:
        from reconciler.config.removals_file import rendered

        click.echo(rendered(proposal.removal for proposal in found), nl=False)
    if not invocation.quiet:
        say(_said(found, written=write))
        done = {(entry.portal, entry.sku.casefold()) for entry in run.removals}
        if again := sum((item.removal.portal, item.removal.sku.casefold()) in done for item in found):
            what = "took the place of" if write else "must take the place of"
            say(f"{again} of them {what} an entry that is done: a SKU of a portal may stand there once.")
    return 0


def _write(folder: Path, found: Sequence[Proposal]) -> None:
    """Add the entries to the file, which is valid or not there."""
    from reconciler.config.removals_file import NAME, rendered, with_entries
    from reconciler.store.files import write_atomically

    path, entries = folder / NAME, [proposal.removal for proposal in found]
    with writing(f"{folder.name}/{NAME}"):
        text = with_entries(path.read_bytes().decode(), entries) if path.exists() else rendered(entries)
        write_atomically(path.resolve(), text.encode())


def _said(found: Sequence[Proposal], *, written: bool) -> str:
    """How many, and what to do next."""
    from reconciler.render.words import count

    if not found:
        return "Nothing to prune: every product can be synchronized, may come back, or is about to be removed."
    entries = count(len(found), "entry", "entries")
    products = count(sum(len(proposal.titles) for proposal in found), "product")
    if written:
        return (
            f"Added to portals.d/removals.yaml: {entries} for {products}. "
            "Look at `reconcile plan`, and have the change reviewed; the next apply removes them from the state."
        )
    return (
        f"Proposed: {entries} for {products}. Put those you agree with into portals.d/removals.yaml, "
        "or run this again with --reason TEXT --write."
    )
