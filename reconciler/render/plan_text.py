"""The plan as text: signs with a legend of those that are used, a reason for each, one summary line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reconciler.labels import EXPIRING_SIGN
from reconciler.model import ErrorInfo
from reconciler.plan_page import (
    MEANINGS,
    SYMBOLS,
    CredentialPage,
    Effect,
    EntryPage,
    PlanPage,
    PortalPage,
    PreviewPage,
    ProductPage,
)
from reconciler.removals import RemovalOutcome
from reconciler.render.escape import plain
from reconciler.render.plan_summary import import_summary, reading, summary

_COLORS = {
    SYMBOLS[Effect.NEW]: "\x1b[32m",
    SYMBOLS[Effect.RECOVERS]: "\x1b[32m",
    SYMBOLS[Effect.CHANGED]: "\x1b[33m",
    SYMBOLS[Effect.MOVED]: "\x1b[36m",
    SYMBOLS[Effect.LOST]: "\x1b[31m",
    SYMBOLS[Effect.REMOVED]: "\x1b[31m",
    SYMBOLS[Effect.STOPPED]: "\x1b[1;31m",
}
_STOPPED = SYMBOLS[Effect.STOPPED]
_ENTRY_SIGNS = {
    RemovalOutcome.DONE: SYMBOLS[Effect.UNCHANGED],
    RemovalOutcome.UNMATCHED: EXPIRING_SIGN,
}


def render(page: PlanPage, *, width: int | None = None, color: bool = False) -> str:
    """The whole plan, with a line end. Without ``width`` no line is folded; signs have a color with ``color``.

    Credentials that end, and entries of ``removals.yaml`` that do nothing, are told also when nothing changes.
    """
    lines = [line for section in _sections(page) for line in (*section, "")][:-1]
    folded = _folded(lines, width) if width else lines
    return "".join(f"{_colored(line) if color else line}\n" for line in folded)


def _sections(page: PlanPage) -> Iterator[list[str]]:
    """The parts of the page, each with something in it."""
    for portal in page.portals:
        if portal.is_shown:
            yield list(_portal(portal))
    notes = [line for credential in page.credentials for line in _credential(credential)]
    notes += [line for entry in page.removals for line in _entry(entry)]
    if notes:
        yield notes
    refused = [line for refusal in page.stops for line in _refusal("Refused", refusal)]
    refused += [line for refusal in page.left_out for line in _refusal("Left out", refusal)]
    if refused:
        yield refused
    if legend := _legend(page):
        yield [f"Legend: {legend}"]
    if read := reading(page):
        yield [plain(read)]
    yield [summary(page), *import_summary(page)]


def _legend(page: PlanPage) -> str:
    """The signs of the page with their meaning."""
    used = set(page.effects)
    if any(_ENTRY_SIGNS.get(entry.outcome) == SYMBOLS[Effect.UNCHANGED] for entry in page.removals):
        used.add(Effect.UNCHANGED)
    return "   ".join(f"{symbol} {MEANINGS[effect]}" for effect, symbol in SYMBOLS.items() if effect in used)


def _portal(portal: PortalPage) -> Iterator[str]:
    """One portal: what happens, then its own settings, then its products, then what its import would bring."""
    yield f"{SYMBOLS[portal.effect]} {plain(portal.id)}: {plain(portal.headline)}"
    yield from (f"    {plain(words)}" for words in portal.words)
    for product in portal.products:
        yield from _product(product, "    ")
    if portal.preview:
        yield from _preview(portal.preview)


def _preview(preview: PreviewPage) -> Iterator[str]:
    """What an import would bring."""
    if preview.error:
        yield f"    {_STOPPED} The tenant could not be read: {_said(preview.error)}"
        yield from (f"    {line}" for line in _remedy(preview.error))
    elif preview.changes:
        yield "    Its import would bring:"
        yield from (f"      {plain(words)}" for words in preview.words)
        for product in preview.products:
            yield from _product(product, "      ")


def _product(product: ProductPage, indent: str) -> Iterator[str]:
    """One product with what happens to it."""
    yield f"{indent}{SYMBOLS[product.effect]} {plain(product.title)} ({plain(product.sku_part_number)})"
    yield from (f"{indent}    {plain(words)}" for words in product.words)


def _credential(credential: CredentialPage) -> Iterator[str]:
    """That a credential ends, with what to do."""
    yield f"{EXPIRING_SIGN} {plain(credential.portal)}: {plain(credential.type)}: {plain(credential.message)}"
    yield f"    {plain(credential.remedy)}"


def _entry(entry: EntryPage) -> Iterator[str]:
    """An entry of ``removals.yaml`` that does nothing. What one removes stands with its portal."""
    if entry.outcome in _ENTRY_SIGNS:
        what = f"removal of {plain(entry.sku)} from {plain(entry.portal)}"
        yield f"{_ENTRY_SIGNS[entry.outcome]} {plain(entry.position)}: {what}: {plain(entry.why)}"


def _refusal(word: str, error: ErrorInfo) -> Iterator[str]:
    """What apply would refuse, and what to do."""
    yield f"{_STOPPED} {word}: {_said(error)}"
    yield from _remedy(error)


def _said(error: ErrorInfo) -> str:
    """What happened, in one line."""
    detail = f" ({plain(error.detail)})" if error.detail else ""
    return f"{plain(error.code)}: {plain(error.message)}{detail}"


def _remedy(error: ErrorInfo) -> Iterator[str]:
    """What to do about it."""
    yield from (f"    {plain(line)}" for line in error.remedy.splitlines())


def _folded(lines: list[str], width: int) -> Iterator[str]:
    """The lines within so many columns; what is folded goes on a little further in."""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        yield from textwrap.wrap(
            line,
            max(width, 40),
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
            replace_whitespace=False,
        ) or [""]


def _colored(line: str) -> str:
    """The line with its sign in color."""
    sign = line.lstrip()[:2].rstrip()
    return line.replace(sign, f"{_COLORS[sign]}{sign}\x1b[0m", 1) if sign in _COLORS else line
