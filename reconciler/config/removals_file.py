"""Writing ``portals.d/removals.yaml``: entries are added, and what stands there stays as it is, comments included.

A portal and SKU may stand there once. Where an entry that was carried out has them, it becomes the new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING, Any

from reconciler.config.yaml_values import plain
from reconciler.model import Removal

if TYPE_CHECKING:
    from ruamel.yaml import YAML

NAME = "removals.yaml"
MODELINE = "# yaml-language-server: $schema=../schemas/removals.schema.json\n"
_KEY = "removals"


def rendered(entries: Iterable[Removal]) -> str:
    """A whole file with these entries."""
    return MODELINE + _dumped(_yaml(None), {_KEY: [_entry(item) for item in entries]})


def with_entries(text: str, entries: Iterable[Removal]) -> str:
    """The text of a valid file with these entries: in place of those for the same portal and SKU, else at its end."""
    if "\r\n" in text:
        return with_entries(text.replace("\r\n", "\n"), entries).replace("\n", "\r\n")
    yaml = _yaml(text)
    document = yaml.load(text)
    if document is None:
        return f"{text.rstrip()}\n{_dumped(yaml, {_KEY: [_entry(item) for item in entries]})}".lstrip()
    known = document[_KEY] = document[_KEY] or []
    places = {(str(item["portal"]), str(item["sku"]).casefold()): item for item in known}
    for removal in entries:
        new, old = _entry(removal), places.get((removal.portal, removal.sku.casefold()))
        if old is None:
            known.append(new)
        else:
            old.pop("ticket", None)
            old.update(new)
    return _dumped(yaml, document)


def _yaml(text: str | None) -> YAML:
    """A reader and writer that keeps comments and quotes, and indents as the text does."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10_000
    offset = _offset(text) if text else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _offset(text: str) -> int:
    """How far the entries of the list stand in."""
    found = (len(line) - len(line.lstrip()) for line in text.splitlines() if line.lstrip().startswith("- "))
    return next(found, 2)


def _dumped(yaml: YAML, document: Any) -> str:
    target = StringIO()
    yaml.dump(document, target)
    return target.getvalue()


def _entry(removal: Removal) -> dict[str, str]:
    """One entry. Words of people are quoted, and whatever a reader would not take for the text that it is."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

    names = {"portal": removal.portal, "sku": removal.sku}
    words = {"reason": removal.reason, **({"ticket": removal.ticket} if removal.ticket else {})}
    bare = {key: name if name[0].isalnum() and plain(name) == name else Quoted(name) for key, name in names.items()}
    return {**bare, **{key: Quoted(value) for key, value in words.items()}}
