"""``reconcile contacts``: how many contacts the portals have, and how many they have in common."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option


@click.command("contacts")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@format_option("contacts", "Tables, or JSON.")
@click.pass_obj
def command(invocation: Invocation, ids: tuple[str, ...], *, form: str) -> int:
    """Count the contacts of each portal, those known in another portal too, and the licenses they hold in both.

    Persons are matched by e-mail address. Names are never shown. Writes nothing and needs no credential.
    """
    from functools import partial

    from reconciler.cli.output import print_page
    from reconciler.cli.session import state_folder
    from reconciler.errors import UnknownPortal
    from reconciler.render import contacts_json, contacts_table
    from reconciler.store.people import read_contacts

    found = read_contacts(state_folder(invocation))
    known = {each.portal_id for each in found.portals}
    if unknown := set(ids) - known:
        raise UnknownPortal(unknown, known)
    found = found.only(ids) if ids else found
    if form == "json":
        click.echo(contacts_json.render(found), nl=False)
    else:
        print_page(partial(contacts_table.render, found))
    return 0
