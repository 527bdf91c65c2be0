"""``index.html``: the whole report as one file, from templates that escape every value.

The page asks for nothing: its own policy (a ``Content-Security-Policy``) forbids every request, and runs the one style
sheet and the one script that it holds by their digests. Control and format characters become visible escapes before
they are printed, whatever the template.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from reconciler.labels import EMULATED_NOTICE, STATUS_LABELS, STATUS_SIGNS
from reconciler.render.escape import plain
from reconciler.render.glossary import groups
from reconciler.render.html import exclusions
from reconciler.render.html.portals import LinkedStep, change_lines, costs, directories, portal_view, renewals
from reconciler.render.html.products import WORST_FIRST
from reconciler.render.html.strip import shares, shares_label
from reconciler.render.html.tables import portal_anchor, product_cell
from reconciler.render.html.tiles import tiles
from reconciler.render.verdict import verdict
from reconciler.render.words import moment
from reconciler.report import Report

BOXED_ABOVE = 30
"""How many rows a table shows before it scrolls in a box of its own, below a head that stays."""

_DAY = re.compile(r"(\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b)")

MOST_LINES = 1_000
"""How many history lines the page draws at most: with more, it takes a browser longer than people wait."""

COLUMNS = 14
"""How many columns a table has at most."""


def render(report: Report) -> str:
    """The page's text."""
    used = [status for status in WORST_FIRST if report.statuses[status]]
    steps = _linked(report)
    of_portal: dict[str, list[LinkedStep]] = {}
    for step, href in steps:
        if step.portal_id:
            of_portal.setdefault(step.portal_id, []).append((step, href))
    lines = sum(len(portal.trends) for portal in report.portals)
    drawn = lines <= MOST_LINES
    return _template().render(
        verdict=verdict(report, named=True),
        notice=EMULATED_NOTICE if report.emulated else "",
        tiles=tiles(report),
        statuses=[(item.value, STATUS_SIGNS[item], STATUS_LABELS[item], report.statuses[item]) for item in used],
        shares=shares(report.statuses),
        shares_label=shares_label(report.statuses),
        products=report.products,
        steps=steps,
        portals=[portal_view(item, of_portal.get(item.state.id, ()), used, drawn=drawn) for item in report.portals],
        undrawn=""
        if drawn
        else f"{lines:,} products have a history: too many to draw here. The portals' own pages have it.",
        sections=[("renewals", renewals(report)), ("costs", costs(report)), ("exclusions", exclusions.of_all(report))],
        inclusions=exclusions.inclusions(report.portals),
        directories=directories(report),
        changed_at=moment(report.changed_at),
        changes=[(item.portal_id, item.name, change_lines(item)) for item in report.changes],
        known={item.state.id for item in report.portals},
        glossary=groups(report.thresholds),
    )


def _linked(report: Report) -> list[LinkedStep]:
    """The next steps, each with the address of the product that it is about, or of nothing."""
    addresses: dict[tuple[str | None, str], str] = {}
    for portal in report.portals:
        for item in portal.products:
            addresses[portal.state.id, item.name] = product_cell(portal, item).href
    return [(step, addresses.get((step.portal_id, step.subject), "")) for step in report.next_steps]


@cache
def _template() -> Template:
    """The page's template with all that is the same in every report."""
    loader = PackageLoader("reconciler.render.html")
    environment = Environment(
        loader=loader,
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = (f"\n{loader.get_source(environment, name)[0]}" for name in ("report.css", "report.js"))
    style += _numbered()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    shared = {"policy": policy, "style": Markup(style), "script": Markup(script), "box": BOXED_ABOVE}  # noqa: S704
    helpers = {"anchor_of": portal_anchor, "split": _words, "dated": _dated}
    return environment.get_template("page.html.jinja", globals={**shared, **helpers})


def _numbered() -> str:
    """Rules that a style sheet cannot count out for itself: columns of numbers, and the lengths of bars in percent.

    A length as an attribute ``style`` would need a policy that lets every style in.
    """
    columns = "".join(
        f".n{place} :is(th,td):nth-child({place}){{text-align:right}}\n"
        f".n{place} td:nth-child({place}){{white-space:nowrap}}\n"
        for place in range(1, COLUMNS + 1)
    )
    return columns + "".join(f".u{length}{{--part:{length / 100}}}\n" for length in range(101))


def _digest(text: str) -> str:
    """The digest by which a policy names a style sheet or a script."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _visible(value: object) -> object:
    """A value that is about to be printed, without characters that nobody could see."""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value
    return plain(value)


def _dated(text: str) -> str | Markup:
    """Text in which no line breaks within a date."""
    parts = _DAY.split(text)
    if len(parts) == 1:
        return text
    day = Markup('<span class="w">{}</span>')
    return Markup("").join(day.format(part) if place % 2 else plain(part) for place, part in enumerate(parts))


def _words(text: str) -> list[tuple[bool, str]]:
    """Text of ours in which `code` stands between backticks: whether each part is code, and the part."""
    return [(bool(place % 2), part) for place, part in enumerate(text.split("`")) if part]
