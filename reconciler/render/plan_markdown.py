"""The plan as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.labels import EXPIRING_SIGN
from reconciler.model import ErrorInfo
from reconciler.plan_page import MEANINGS, SYMBOLS, Effect, PlanPage, PortalPage, ProductPage
from reconciler.removals import RemovalOutcome
from reconciler.render.escape import markdown as safe
from reconciler.render.plan_summary import import_summary, reading, summary
from reconciler.render.words import count

MAX_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65,536 characters, and whoever posts it may add some."""


def render(page: PlanPage) -> str:
    """The whole page. What a reader needs first stands first; portals that do not fit a comment are counted."""
    head = [["## Plan for the license portals"], [f"**{safe(summary(page))}**"], *[[line] for line in _imports(page)]]
    head += [list(_alert(refusal)) for refusal in page.refusals]
    tail = [list(part) for part in (_notes(page), _legend(page)) if part]
    portals = [list(_portal(portal)) for portal in page.portals if portal.is_shown]
    room = MAX_CHARACTERS - len(_joined([*head, *tail]))
    shown = list(_fitting(portals, room))
    if len(shown) < len(portals):
        left = count(len(portals) - len(shown), "more portal has", "more portals have")
        shown.append([f"{left} no room here: `reconcile plan` shows them all."])
    return _joined([*head, *shown, *tail])


def _joined(sections: Sequence[Sequence[str]]) -> str:
    """Sections with one blank line between them."""
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _fitting(sections: Sequence[list[str]], room: int) -> Iterator[list[str]]:
    """The first sections that fit so many characters."""
    for section in sections:
        room -= len(_joined([section])) + 1
        if room < 0:
            return
        yield section


def _imports(page: PlanPage) -> Iterator[str]:
    """What is known of the imports."""
    yield from (safe(line) for line in import_summary(page))
    if read := reading(page):
        yield safe(read)


def _alert(refusal: ErrorInfo) -> Iterator[str]:
    """Why apply would not carry the plan out."""
    yield "> [!CAUTION]"
    yield f"> **Refused: {safe(refusal.code)}.** {_message(refusal)}"
    yield ">"
    yield f"> {safe(refusal.remedy)}"


def _message(error: ErrorInfo) -> str:
    """What happened."""
    return safe(error.message) + (f" ({safe(error.detail)})" if error.detail else "")


def _portal(portal: PortalPage) -> Iterator[str]:
    """One portal: what happens, its own settings as a list, its products as a table."""
    yield f"### {_sign(portal.effect)} {safe(portal.name)} ({safe(portal.id)})"
    if portal.headline != portal.name:
        yield from ("", f"{safe(portal.headline[:1].upper() + portal.headline[1:])}.")
    yield from _body(portal.words, portal.products)
    preview = portal.preview
    if preview and preview.error:
        yield from ("", "> [!WARNING]")
        yield f"> **The tenant could not be read: {safe(preview.error.code)}.** {_message(preview.error)}"
        yield f">\n> {safe(preview.error.remedy)}"
    elif preview and preview.changes:
        yield from ("", "**Its import would bring:**")
        yield from _body(preview.words, preview.products)


def _body(words: Sequence[str], products: Sequence[ProductPage]) -> Iterator[str]:
    """A list of sentences and a table of products, each after a blank line."""
    if words:
        yield ""
        yield from (f"- {safe(line)}" for line in words)
    if products:
        yield from ("", "| | Product | What happens |", "| --- | --- | --- |")
        yield from (_row(product) for product in products)


def _row(product: ProductPage) -> str:
    """One product."""
    name = f"{safe(product.title)}<br>{safe(product.sku_part_number)}"
    return f"| {_sign(product.effect)} | {name} | {'<br>'.join(safe(words) for words in product.words)} |"


def _sign(effect: Effect) -> str:
    """A sign as itself; bare, some would make a list."""
    return f"`{SYMBOLS[effect]}`"


def _notes(page: PlanPage) -> list[str]:
    """Credentials that end, entries of ``removals.yaml`` that do nothing, warnings about the configuration."""
    lines = [
        f"- {EXPIRING_SIGN} **{safe(item.portal)}:** {safe(item.message)} {safe(item.remedy)}"
        for item in page.credentials
    ]
    for entry in page.removals:
        if entry.outcome in (RemovalOutcome.DONE, RemovalOutcome.UNMATCHED):
            place = f"{safe(entry.position)}, {safe(entry.sku)} of {safe(entry.portal)}"
            lines.append(f"- **Removal {entry.outcome.value}** ({place}): {safe(entry.why)}")
    for item in page.warnings:
        hint = f" {safe(item.hint)}" if item.hint else ""
        lines.append(f"- {EXPIRING_SIGN} **{safe(item.code)}** ({safe(item.position)}): {safe(item.message)}{hint}")
    return ["### Also", "", *lines] if lines else []


def _legend(page: PlanPage) -> list[str]:
    """The signs of the page with their meaning."""
    used = page.effects - {Effect.STOPPED}  # what is refused or failed is told in words
    signs = [f"{_sign(effect)} {MEANINGS[effect]}" for effect in SYMBOLS if effect in used]
    return [f"Legend: {' · '.join(signs)}"] if signs else []
