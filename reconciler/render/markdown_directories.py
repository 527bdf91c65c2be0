"""The tree of directories in the Markdown report, as a nested list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.portal_report import PortalReport
from reconciler.render.escape import markdown as safe
from reconciler.render.words import count


def counted(portals: Iterable[PortalReport]) -> list[str]:
    """Every directory with the number of its products."""
    sizes: dict[tuple[str, ...], int] = {}
    for portal in portals:
        for item in portal.products:
            path = _path(item.product.directory)
            sizes[path] = sizes.get(path, 0) + 1
    return list(_tree({path: [] for path in sizes}, sizes))


def named(portal: PortalReport) -> list[str]:
    """Every directory of one portal with its products."""
    names: dict[tuple[str, ...], list[str]] = {}
    for item in portal.products:
        names.setdefault(_path(item.product.directory), []).append(item.name)
    return list(_tree(names, {}))


def _path(directory: str) -> tuple[str, ...]:
    """The names of a directory, from the top."""
    return tuple(directory.split("/"))


def _tree(leaves: Mapping[tuple[str, ...], list[str]], sizes: Mapping[tuple[str, ...], int]) -> Iterator[str]:
    """The list: directories sorted as people look for them, each before what it contains."""
    paths = {path[:depth] for path in leaves for depth in range(1, len(path) + 1)}
    for path in sorted(paths, key=lambda names: [(name.casefold(), name) for name in names]):
        indent = "  " * (len(path) - 1)
        size = f": {count(sizes[path], 'product')}" if path in sizes else ""
        yield f"{indent}- **{safe(path[-1])}**{size}"
        yield from (f"{indent}  - {safe(name)}" for name in leaves.get(path, []))
