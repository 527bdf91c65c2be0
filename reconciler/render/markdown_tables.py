"""What the tables of the Markdown report share, and those about portals as a whole.

Every text from outside is escaped where its cell is made. Each function returns the lines of a table, or none when it
would have no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.expiry import Condition
from reconciler.facets import Freshness
from reconciler.labels import (
    COUNTED_AGAIN,
    EXPIRING_SIGN,
    FRESHNESS_LABELS,
    IMPORT_SIGNS,
    STATUS_LABELS,
    STATUS_SIGNS,
)
from reconciler.model import Presence, Status
from reconciler.money import Costs
from reconciler.next_steps import NextStep
from reconciler.portal_report import PortalReport
from reconciler.render.escape import markdown as safe
from reconciler.render.escape import markdown_advice as advice
from reconciler.render.product_words import costs_note
from reconciler.render.reading_words import reading
from reconciler.render.words import MISSING, moment, money, number
from reconciler.report import Coverage, Report

EVERY_PORTAL = "every portal"
"""In the column of portals: what is declared in reconcile.yaml."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table. A head that ends in ``:`` aligns its column to the right. Cells are escaped already."""
    names = [name.removesuffix(":") for name in head]
    rule = ["---:" if name.endswith(":") else "---" for name in head]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *rows)] if rows else []


def with_note(lines: list[str], note: str) -> list[str]:
    """A table of costs with what is not in it; nothing where there is no table."""
    return [*lines, "", note] if lines and note else lines


def portal_link(portal: PortalReport) -> str:
    """A portal's name, linked to its page. An id has no character that the address of a link must escape."""
    return f"[{safe(portal.state.portal.name)}]({portal.state.id}.md)"


def coverage(seen: Coverage) -> list[str]:
    """How complete the report is."""
    one = seen.oldest == seen.newest
    as_of = moment(seen.oldest) if one else f"{moment(seen.oldest)} to {moment(seen.newest)}, by portal"
    as_of = f"{as_of}; every complete read since saw the same" if seen.oldest else MISSING
    known = f", of which {number(seen.kept)} with the last known numbers" if seen.kept else ", never read before"
    rows = [
        ("Portals read completely", _linked(f"{number(seen.read)} of {number(seen.portals)}", seen.portals, "portals")),
        ("Portals that failed", _linked(number(seen.failed), seen.failed, "portals") + (known if seen.failed else "")),
        *[
            (name, _linked(number(total), total, "portals"))
            for name, total in (
                ("Portals with stale numbers", seen.stale),
                ("Portals never read", seen.never),
                ("Portals suspended", seen.suspended),
                ("Portals deleted", seen.deleted),
            )
            if total
        ],
        ("Data as of", as_of),
        *([("Confirmed complete as of", str(seen.confirmed))] if seen.confirmed else []),
        ("Exclusions in force", _linked(number(seen.exclusions), seen.exclusions, "exclusions")),
    ]
    return table(("What", "How much"), rows)


def _linked(text: str, total: int, section: str) -> str:
    """A number that leads to the section about what it counts, where it counts anything."""
    return f"[{text}](#{section})" if total else text


def next_steps(steps: Sequence[NextStep], *, with_portal: bool) -> list[str]:
    """What to do, worst first. Rows have no number, so that a new one leaves the others as they are."""
    rows = []
    for step in steps:
        where = f"[{safe(step.portal_id)}]({step.portal_id}.md)" if step.portal_id else EVERY_PORTAL
        portal = [where] if with_portal else []
        rows.append([*portal, safe(step.subject), safe(step.why), advice(step.step)])
    return table([*(["Portal"] if with_portal else []), "What", "Why", "Next step"], rows)


def portals(report: Report) -> list[str]:
    """Every portal with its import and its number of products in each status that occurs."""
    used = [status for status, total in report.statuses.items() if total]
    head = ["Portal", "State", "Import", "Unchanged since", "Users:", "Products:"]
    head += [f"{STATUS_SIGNS[status]} {STATUS_LABELS[status]}:" for status in used]
    return table(head, [_portal_row(portal, used) for portal in report.portals])


def _portal_row(portal: PortalReport, used: Iterable[Status]) -> list[str]:
    """One portal."""
    last = portal.state.last_import
    found = [item.product.status for item in portal.products]
    own = [_state(portal), _import(portal), moment(last.as_of), number(portal.users)]
    totals = [len(found), *(found.count(status) for status in used)]
    return [portal_link(portal), *own, *(number(None if portal.is_unread else total) for total in totals)]


def _state(portal: PortalReport) -> str:
    """Whether a portal is imported, and until when not."""
    pause = portal.state.portal.suspend
    paused = portal.state.presence is Presence.SUSPENDED and pause and pause.until
    return f"{portal.state.presence.value} until {paused}" if paused else portal.state.presence.value


def _import(portal: PortalReport) -> str:
    """How the last import ended, and whether its numbers are too old."""
    stale = ", stale" if portal.freshness is Freshness.STALE else ""
    outcome = portal.state.last_import.outcome
    return f"{IMPORT_SIGNS[outcome]} {outcome.value}{stale}"


def facts(portal: PortalReport) -> list[str]:
    """Which tenant this is, and how it was read."""
    declared, last = portal.state.portal, portal.state.last_import
    tenant = last.organization
    name = f"{safe(tenant.display_name)} ({safe(tenant.default_domain or MISSING)})" if tenant else MISSING
    rows = [
        ("Portal", f"`{portal.state.id}`, {_state(portal)}{', protected' if declared.protect else ''}"),
        ("Tenant", name),
        ("Tenant ID", f"`{declared.tenant_id}`"),
        ("Cloud", declared.cloud.value),
        *([("Credential", _credential(portal.credential))] if portal.credential else []),
        ("Last import", f"{IMPORT_SIGNS[last.outcome]} {last.outcome.value}"),
        ("Unchanged since", moment(last.as_of)),
        *([("Freshness", FRESHNESS_LABELS[portal.freshness])] if portal.freshness else []),
        ("Users with a license", number(portal.users)),
        *reading(last),
        *([("Findings", f"counted with {safe(portal.counted_with)}: {COUNTED_AGAIN}")] if portal.counted_with else []),
    ]
    return table(("What", "Value"), rows)


def _credential(condition: Condition) -> str:
    """How near the end of the credential is, by sign and word while somebody has to act."""
    return f"{EXPIRING_SIGN} {advice(condition.message)}" if condition.holds else advice(condition.message)


def costs(report: Report) -> list[str]:
    """What the missing, the unused and the not needed cost per year: by portal, then in all."""
    rows = [[portal_link(portal), *amounts(total)] for portal in report.portals for total in portal.totals]
    several = len({row[0] for row in rows}) > 1
    rows += [["**All portals**", *amounts(total)] for total in report.totals if several]
    lines = table(("Portal", "True-up a year:", "Idle a year:", "Reclaimable a year:"), rows)
    return with_note(lines, costs_note([item for portal in report.portals for item in portal.products]))


def amounts(total: Costs) -> list[str]:
    """True-up, idle and reclaimable in one currency, as cells."""
    return [money(amount, safe(total.currency)) for amount in (total.true_up, total.idle, total.reclaimable)]
