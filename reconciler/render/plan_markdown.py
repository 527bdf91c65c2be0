"""The plan as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.labels import EXPIRING_SIGN
from reconciler.model import ErrorInfo
from reconciler.plan_page import MEANINGS, SYMBOLS, Effect, PlanPage, PortalPage, ProductPage
from reconciler.removals import RemovalOutcome
from reconciler.render.escape import markdown as safe
from reconciler.render.escape import markdown_advice as advice
from reconciler.render.plan_summary import import_summary, reading, summary
from reconciler.render.words import count

MAX_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65,536 characters, and whoever posts it may add some."""

_LINE = 100
"""More characters than the line has that counts what is left out."""


def render(page: PlanPage) -> str:
    """The whole page. What a reader needs first stands first; what does not fit a comment is counted.

    Of the room, what is refused may take a half, notes a half of the rest, and portals what is left.
    """
    head = [["## Plan for the license portals"], [f"**{safe(summary(page))}**"], *[[line] for line in _imports(page)]]
    tail = [list(part) for part in (_legend(page),) if part]
    alerts = [list(_alert("CAUTION", "Refused", refusal)) for refusal in page.stops]
    alerts += [list(_alert("WARNING", "Left out", refusal)) for refusal in page.left_out]
    portals = [list(_portal(portal)) for portal in page.portals if portal.is_shown]
    room = MAX_CHARACTERS - len(_joined([*head, *tail]))
    head += _fitting(alerts, room // 2, ("refusal has", "refusals have"))
    room = MAX_CHARACTERS - len(_joined([*head, *tail]))
    notes = _fitting([[line] for line in _notes(page)], room // 2, ("note has", "notes have"), mark="- ")
    if notes:
        tail.insert(0, ["### Also", "", *(line for note in notes for line in note)])
    room = MAX_CHARACTERS - len(_joined([*head, *tail]))
    return _joined([*head, *_fitting(portals, room, ("portal has", "portals have")), *tail])


def _joined(sections: Sequence[Sequence[str]]) -> str:
    """Sections with one blank line between them."""
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _fitting(sections: Sequence[list[str]], room: int, words: tuple[str, str], mark: str = "") -> list[list[str]]:
    """The first sections that fit so many characters, and a line that counts the others."""
    shown: list[list[str]] = []
    room -= _LINE
    for section in sections:
        room -= len(_joined([section])) + 1
        if room < 0:
            left = count(len(sections) - len(shown), f"more {words[0]}", f"more {words[1]}")
            return [*shown, [f"{mark}{left} no room here: `reconcile plan` shows them all."]]
        shown.append(section)
    return shown


def _imports(page: PlanPage) -> Iterator[str]:
    """What is known of the imports."""
    yield from (safe(line) for line in import_summary(page))
    if read := reading(page):
        yield safe(read)


def _alert(kind: str, word: str, refusal: ErrorInfo) -> Iterator[str]:
    """What apply would not carry out: the whole plan, or an entry of ``removals.yaml``."""
    yield f"> [!{kind}]"
    yield f"> **{word}: {safe(refusal.code)}.** {_message(refusal)}"
    yield ">"
    yield f"> {advice(refusal.remedy)}"


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
        yield f">\n> {advice(preview.error.remedy)}"
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
        f"- {EXPIRING_SIGN} **{safe(item.portal)}:** {advice(item.message)} {advice(item.remedy)}"
        for item in page.credentials
    ]
    for entry in page.removals:
        if entry.outcome in (RemovalOutcome.DONE, RemovalOutcome.UNMATCHED):
            place = f"{safe(entry.position)}, {safe(entry.sku)} of {safe(entry.portal)}"
            lines.append(f"- **Removal {entry.outcome.value}** ({place}): {safe(entry.why)}")
    for item in page.warnings:
        hint = f" {advice(item.hint)}" if item.hint else ""
        lines.append(f"- {EXPIRING_SIGN} **{safe(item.code)}** ({safe(item.position)}): {safe(item.message)}{hint}")
    return lines


def _legend(page: PlanPage) -> list[str]:
    """The signs of the page with their meaning."""
    used = page.effects - {Effect.STOPPED}  # what is refused or failed is told in words
    signs = [f"{_sign(effect)} {MEANINGS[effect]}" for effect in SYMBOLS if effect in used]
    return [f"Legend: {' · '.join(signs)}"] if signs else []
