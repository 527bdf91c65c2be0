"""``reconcile explain-error``: what an error's code means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from reconciler.cli.output import format_option


@click.command("explain-error")
@click.argument("code", required=False)
@format_option("explain-error", "How to print it.")
def command(code: str | None, form: str) -> None:
    """Say what the error CODE means, when it happens, and what to do; without CODE, list all codes.

    CODE is written in any case; a number alone is one of Entra's: 7000215 for AADSTS7000215. Needs no repository, no
    credentials and no network.
    """
    from reconciler.config.explanations import PROBLEMS
    from reconciler.error_catalogue import CATALOGUE, find
    from reconciler.render.explanations import as_json, listing, page

    rows = {**CATALOGUE, **PROBLEMS}
    if code is None:
        click.echo(as_json(rows.values()) if form == "json" else listing(rows.values()), nl=False)
        return
    row = find(code, rows)
    if row is None:
        raise click.UsageError(_unknown(code, _nearest(code, rows)))
    click.echo(as_json(row) if form == "json" else page(row), nl=False)


def _nearest(code: str, known: Iterable[str]) -> list[str]:
    """Up to three codes that are spelled like this one, the most alike first."""
    from difflib import get_close_matches

    spelled = {each.casefold(): each for each in known}
    word = code.strip().casefold()
    wanted = f"aadsts{word}" if word[:1].isdigit() else word
    return [spelled[each] for each in get_close_matches(wanted, spelled, n=3, cutoff=0.7)]


def _unknown(code: str, near: list[str]) -> str:
    """What to say about a code that no row has."""
    number = code.strip().upper().removeprefix("AADSTS")
    words = [f"The catalogue has no code {code!r}."]
    if near:
        words.append(f"Did you mean {' or '.join(near)}?")
    if number.isascii() and number.isdigit():
        words.append(f"Microsoft explains all of Entra's at https://login.microsoftonline.com/error?code={number}")
    elif not near:
        words.append("Without CODE the command lists all.")
    return " ".join(words)
