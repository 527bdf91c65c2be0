"""What changed between two reports: portal by portal, the exclusions of the repository, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diff import differences
from reconciler.model import Change, Exclusion, PortalState, State, Status
from reconciler.renames import renamed
from reconciler.report import Report
from reconciler.small_groups import told


@dataclass(frozen=True, slots=True)
class Sums:
    """What a report adds up to. Units are those of products that are synchronized and can be calculated with."""

    portals: int
    read: int
    statuses: Mapping[Status, int]
    entitled: int
    consumed: int
    short: int


@dataclass(frozen=True, slots=True)
class PortalComparison:
    """What changed in one portal. ``is_gone`` says that nothing of it is left in the second report.

    ``unread``: no import of it was ever complete.
    """

    id: str
    name: str
    changes: tuple[Change, ...]
    is_gone: bool = False
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, the first against the second. Portals that are as they were are left out.

    ``exclusions`` are the changes of those that reconcile.yaml declares, ``subject`` their SKU.
    """

    before: Sums
    after: Sums
    portals: tuple[PortalComparison, ...]
    exclusions: tuple[Change, ...]
    emulated: bool = False
    """Whether some of the numbers are the emulator's."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two reports, and the state that it is about. Groups of fewer than ``small_group`` users are not told."""

    state: State
    report: Report
    small_group: int = 0


def compare(before: Side, after: Side) -> Comparison:
    """Everything that differs. A portal whose file was renamed is compared with what it was."""
    return Comparison(
        _sums(before.report),
        _sums(after.report),
        tuple(_portals(before, after)),
        _exclusions(before, after),
        before.report.emulated or after.report.emulated,
    )


def _sums(report: Report) -> Sums:
    """The sums of one report."""
    known = [item for portal in report.portals for item in portal.products if item.product.reason is None]
    return Sums(
        portals=report.coverage.portals,
        read=report.coverage.read,
        statuses=report.statuses,
        entitled=sum(item.numbers.entitled or 0 for item in known),
        consumed=sum(item.numbers.consumed or 0 for item in known),
        short=sum(item.numbers.shortfall for item in known if item.product.status is Status.NOT_ENOUGH_LICENSES),
    )


def _portals(before: Side, after: Side) -> Iterator[PortalComparison]:
    """The portals that differ, by id."""
    old, new = _alive(before.state), _alive(after.state)
    below = max(before.small_group, after.small_group)
    former = renamed({portal_id: state.portal for portal_id, state in new.items()}, old)
    for portal_id in sorted(old.keys() | new.keys()):
        if portal_id in new:
            was = old.get(former.get(portal_id, portal_id))
            if changes := told(differences(was, new[portal_id]), below):
                unread = new[portal_id].last_import.as_of is None
                yield PortalComparison(portal_id, new[portal_id].portal.name, changes, unread=unread)
        elif portal_id not in former.values():
            yield PortalComparison(portal_id, old[portal_id].portal.name, (), is_gone=True)


def _alive(state: State) -> dict[str, PortalState]:
    """The portals of which something is left."""
    return {portal_id: known for portal_id, known in state.items() if not known.is_forgotten}


def _exclusions(before: Side, after: Side) -> tuple[Change, ...]:
    """What changed in the exclusions that reconcile.yaml declares."""
    old, new = (_said([item.exclusion for item in side.report.exclusions]) for side in (before, after))
    return tuple(
        Change(sku, "exclusion", old.get(sku), new.get(sku))
        for sku in sorted(old.keys() | new.keys())
        if old.get(sku) != new.get(sku)
    )


def _said(exclusions: Sequence[Exclusion]) -> dict[str, str]:
    """What exclusions say, by SKU."""
    return {
        item.sku: f"{item.reason}{f', until {item.until}' if item.until else ''} ({item.scope.value})"
        for item in exclusions
    }
