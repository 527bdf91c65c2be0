"""``reconcile schema``: the JSON Schemas that ship with the product, for editors and other tools."""

from __future__ import annotations

import click

from reconciler.resources import folder

_SUFFIX = ".schema.json"


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema NAME; without NAME, list the names."""
    files = {path.name.removesuffix(_SUFFIX): path for path in sorted(folder("schemas").glob(f"*{_SUFFIX}"))}
    if name is None:
        click.echo("\n".join(files))
    elif name in files:
        click.echo(files[name].read_text(encoding="utf-8"), nl=False)
    else:
        raise click.UsageError(f"There is no schema {name!r}. Names: {', '.join(files)}.")
