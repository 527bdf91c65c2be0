"""What reports say of a product, as plain text: status, position, lifecycle, renewals, findings.

Nothing here is escaped: who shows it escapes it for the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from reconciler.facets import Evidence, Proof
from reconciler.findings import COUNTED_BY_GRAPH_ONLY, ERRORS, FINDINGS, HELD_BUT_NOT_COUNTED, SUBSCRIPTIONS_DIFFER
from reconciler.labels import EVIDENCE_LABELS, LIFECYCLE_LABELS, POSITION_LABELS
from reconciler.lifecycle import Due, Lifecycle, Phase
from reconciler.model import DeclaredEntitlement, Reason, Status, Thresholds
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.render.words import MISSING, count, listed, number
from reconciler.unmatched import Ambiguous

ENDING = (Lifecycle.EXPIRING, Lifecycle.TRIAL, Lifecycle.GRACE)
"""Parts of a license that a reader must see although a better part names the whole."""


def position(item: ProductReport) -> str:
    """How consumption lies to what is entitled."""
    if item.position is None:
        return MISSING
    return POSITION_LABELS[item.position] + (", only by grace" if item.only_by_grace else "")


def lifecycle(phases: Sequence[Phase]) -> str:
    """Where the best part of a license stands, and every other part that ends, with dates."""
    if not phases:
        return MISSING
    rest = [_phase(part, counted=True) for part in phases[1:] if part.lifecycle in ENDING and part.licenses != 0]
    return "; ".join([_phase(phases[0], counted=bool(rest) and phases[0].lifecycle in ENDING), *rest])


def _phase(part: Phase, *, counted: bool) -> str:
    """One part in words; of what does not end, the date is not told."""
    word = LIFECYCLE_LABELS[part.lifecycle]
    if part.on and part.lifecycle in ENDING:
        until = "on" if part.lifecycle is Lifecycle.EXPIRING else "until"
        word += f", ended on {part.on}" if part.due is Due.OVER else f" {until} {part.on}"
    return f"{number(part.licenses)} {word}" if counted and part.licenses is not None else word


def renewals(portals: Iterable[PortalReport], *, near: bool) -> list[tuple[date, PortalReport, ProductReport, Phase]]:
    """Every part of a license that ends, by day; only the ``near`` ones, or all.

    Those of an overview are near: they end within ``thresholds.renewal_days``, or are in grace.
    """
    found = [
        (part.on, portal, item, part)
        for portal in portals
        for item in portal.products
        for part in item.phases
        if part.on and part.licenses != 0 and (_is_near(part) or not near)
    ]
    return sorted(found, key=lambda row: row[0])


def renewals_title(thresholds: Thresholds) -> str:
    """What an overview calls the near ones."""
    return f"Renewals within {count(thresholds.renewal_days, 'day')}, and grace"


def _is_near(part: Phase) -> bool:
    """Whether a part of a license ends so soon that an overview names it, or is in grace."""
    return part.lifecycle in ENDING and (part.lifecycle is Lifecycle.GRACE or part.due is not Due.LATER)


def afterwards(part: Phase) -> str:
    """Whether enough licenses are left once this part and all before it have ended, as far as that can be said."""
    if part.balance is None:
        return MISSING
    return f"{number(-part.balance)} too few" if part.balance < 0 else "still enough"


def findings(item: ProductReport) -> Iterator[tuple[str, str]]:
    """The findings of one product with their numbers, assignment errors by their kind below their sum."""
    found = _numbers(item.product.findings, {name: item.hidden.finding(name) for name in item.hidden.findings})
    errors = _numbers(item.product.errors, dict.fromkeys(item.hidden.errors, item.hidden.number))
    for name, meaning in FINDINGS.items():
        if name in found:
            yield meaning, found[name]
        if name == "assignment_error":
            for kind in (*ERRORS, *sorted(errors.keys() - ERRORS.keys())):
                if kind in errors:
                    yield f"… {kind}: {ERRORS.get(kind, MISSING)}", errors[kind]
    if item.subscription_mismatch:
        yield SUBSCRIPTIONS_DIFFER, number(abs(item.subscription_mismatch))
    if item.mismatch:
        yield COUNTED_BY_GRAPH_ONLY if item.mismatch > 0 else HELD_BUT_NOT_COUNTED, number(abs(item.mismatch))


def reclaimable(item: ProductReport, reason: str) -> str:
    """How many consumers of one product do not need it for one reason."""
    hidden = dict.fromkeys(item.hidden.reclaimable, item.hidden.number)
    return _numbers(item.product.reclaimable, hidden).get(reason, number(0))


def _numbers(counts: Mapping[str, int], hidden: Mapping[str, str]) -> dict[str, str]:
    """Counts as people read them, and what stands in the place of each that is hidden."""
    return {name: number(total) for name, total in counts.items()} | dict(hidden)


def evidence(proof: Proof | None) -> str:
    """How what is declared lies to what the portal gives."""
    if proof is None:
        return MISSING
    more = proof.evidence is Evidence.PROVEN and (proof.difference or 0) > 0
    return EVIDENCE_LABELS[proof.evidence] + (", and more is declared" if more else "")


def ambiguous(item: Ambiguous) -> tuple[str, str, str, str]:
    """Declared, entitled, difference and evidence of an entitlement that means several licenses."""
    declared = item.entry.entitlement.quantity if item.entry.entitlement else None
    means = f"means {count(len(item.sku_ids), 'license')}: name the SKU ID"
    return number(declared), MISSING, MISSING, means


def unpriced(items: Iterable[ProductReport]) -> str:
    """How many products are short and have no price: no true-up has them in it. Empty when there are none."""
    short = sum(item.product.status is Status.NOT_ENOUGH_LICENSES and item.costs is None for item in items)
    return f"{count(short, 'short product')} {'has' if short == 1 else 'have'} no price" if short else ""


def unpriced_unused(items: Iterable[ProductReport]) -> str:
    """How many products have licenses that are idle or reclaimable, and no price. Empty when there are none."""
    lacking = sum(_is_unused(item) and item.costs is None for item in items)
    return f"{count(lacking, 'product')} without a price" if lacking else ""


def _is_unused(item: ProductReport) -> bool:
    """Whether a product that is metered and synchronized has licenses that a price would make idle or reclaimable."""
    if item.product.status not in (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED, Status.CLEAR):
        return False
    return item.numbers.available > 0 or item.reclaimable > item.numbers.shortfall


def costs_note(items: Sequence[ProductReport]) -> str:
    """What a table of costs leaves out because no price is known. Empty when that is nothing."""
    short, unused = unpriced(items), unpriced_unused(items)
    notes = (
        f"Not in the true-up: {short}." if short else "",
        f"Not in idle and reclaimable: {unused}." if unused else "",
    )
    return " ".join(note for note in notes if note)


def given(item: ProductReport) -> int | None:
    """What the portal gives: nothing when the license is gone, although the last known number is kept."""
    return 0 if item.product.reason is Reason.GONE_FROM_PORTAL else item.numbers.entitled


def papers(owned: DeclaredEntitlement) -> str:
    """Contract and purchase order."""
    return listed(paper for paper in (owned.contract, owned.purchase_order) if paper) or MISSING
