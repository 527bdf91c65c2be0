"""Whether what a team asks for holds: the ``policies`` of the settings against what is known.

What cannot be said violates a policy too: a gate must not open because a number is missing. Judged are portals that
are declared, as they were last read. Muted products, and credentials and imports of a suspended portal, ask for nothing
here, as in the report's next steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from reconciler.expiry import known_end
from reconciler.labels import CREDENTIAL_LABELS, CREDENTIAL_REMEDIES, SHORTAGE_REMEDY, UNKNOWN_END
from reconciler.matching import entries_of, in_force, matches
from reconciler.model import (
    CertificateAuthentication,
    Exclusion,
    ImportOutcome,
    Policy,
    PolicyRule,
    Portal,
    SecretAuthentication,
    Settings,
    Status,
)
from reconciler.portal_report import PortalReport, ProductReport
from reconciler.renames import renamed
from reconciler.report import Report
from reconciler.small_groups import hide

Path = tuple[str | int, ...]
"""Keys and indices that lead to a value in a file."""

MEANINGS: dict[PolicyRule, str] = {
    PolicyRule.NO_PRODUCT_SHORT: "No product consumes more licenses than it is entitled to.",
    PolicyRule.MIN_UTILIZATION: "Of the licenses that a product is entitled to, at least `percent` % are consumed.",
    PolicyRule.MAX_RECLAIMABLE: "At most `licenses` licenses of a product are held by consumers who do not need them.",
    PolicyRule.NO_ENDED_EXCLUSION: "No file has an exclusion whose last day is over.",
    PolicyRule.CREDENTIAL_VALID_DAYS: "The credential of each portal is valid for `days` more days.",
    PolicyRule.IMPORT_COMPLETE: "The last import of each portal was complete.",
}
"""What each rule asks for."""

_IDLE_REMEDY = "Give back licenses that nobody consumes at the next renewal, or correct the policy."
_RECLAIM_REMEDY = "Take the license from these users: the report counts them by reason."
_EXCLUSION_REMEDY = "Renew the exclusion or take it out."
_NEVER_REMEDY = "Run an import of the portal: `reconcile apply`."
_END_REMEDY = {
    "secret": "Write its last day as `expires` into the portal's file.",
    "certificate": "Run an import of the portal: the end of a certificate is known once it was read.",
}
"""How the end of a credential becomes known, by its type."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a policy does not allow.

    ``portal_id`` is None for what stands in reconcile.yaml. ``path`` leads to the lines behind it, in the portal's file
    or there. ``sku_id`` is set for what is about a product or its license.
    """

    portal_id: str | None
    subject: str
    message: str
    remedy: str
    path: Path = ()
    sku_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one policy. ``judged`` is how many things were looked at; ``violations`` are in a fixed order."""

    policy: Policy
    judged: int
    violations: tuple[Violation, ...]

    @property
    def fails(self) -> bool:
        """Whether this makes a check fail."""
        return bool(self.violations) and self.policy.severity == "error"

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to look at: the policy says nothing then, and is hardly meant so."""
        return self.judged == 0


_Found = Iterator[Violation | None]
"""A violation, or None for a thing that is as it should be."""


def judge(report: Report, portals: Mapping[str, Portal], settings: Settings, today: date) -> tuple[Verdict, ...]:
    """A verdict for each policy of ``settings``, in their order. ``portals`` are the declared ones, by ID.

    ``report`` hides no small groups: what they are is judged, and not told.
    """
    known = _known(report, portals)
    verdicts = []
    for policy in settings.policies:
        chosen = {id_: portals[id_] for id_ in sorted(portals) if _is_about(policy, id_)}
        found = list(_judged(policy, chosen, known, settings, today))
        verdicts.append(Verdict(policy, len(found), tuple(item for item in found if item)))
    return tuple(verdicts)


def _known(report: Report, portals: Mapping[str, Portal]) -> dict[str, PortalReport]:
    """The portals by ID; one whose file was renamed also by its new ID, before that is applied."""
    known = {portal.state.id: portal for portal in report.portals}
    former = renamed(portals, {id_: portal.state for id_, portal in known.items()})
    return known | {new: known[old] for new, old in former.items()}


def _judged(
    policy: Policy,
    portals: Mapping[str, Portal],
    known: Mapping[str, PortalReport],
    settings: Settings,
    today: date,
) -> _Found:
    """Everything that one policy is about."""
    match policy.rule:
        case PolicyRule.NO_ENDED_EXCLUSION:
            for portal in portals.values():
                yield from _exclusions(portal.exclusions, portal.id, today)
            if policy.portal is None:
                yield from _exclusions(settings.exclusions, None, today)
        case PolicyRule.CREDENTIAL_VALID_DAYS:
            until = today + timedelta(days=min(policy.days or 0, (date.max - today).days))
            for portal in _in_use(portals, today):
                yield _credential(portal, known.get(portal.id), until)
        case PolicyRule.IMPORT_COMPLETE:
            for portal in _in_use(portals, today):
                yield _import(portal, known.get(portal.id))
        case _:
            for portal in portals.values():
                yield from _products(policy, portal, known.get(portal.id), settings.report.small_group, today)


def _is_about(policy: Policy, portal_id: str) -> bool:
    """Whether a policy is about a portal."""
    return policy.portal is None or fnmatchcase(portal_id, policy.portal)


def _is_judged(policy: Policy, item: ProductReport) -> bool:
    """Whether a policy on products is about this one."""
    if item.muted or item.product.reason or (policy.sku and not matches(policy.sku, item.product.license)):
        return False
    if policy.rule is PolicyRule.MIN_UTILIZATION:
        return item.product.status in (Status.NOT_ENOUGH_LICENSES, Status.FULLY_LICENSED)
    return item.product.status is not Status.NOT_METERED


def _in_use(portals: Mapping[str, Portal], today: date) -> Iterator[Portal]:
    """The portals that are signed in to."""
    return (portal for portal in portals.values() if not _is_paused(portal, today))


def _is_paused(portal: Portal, today: date) -> bool:
    """Whether a portal is not read: its pause has no end, or its last day is not over."""
    pause = portal.suspend
    return pause is not None and (pause.until is None or pause.until >= today)


# --- what is looked at -----------------------------------------------------------------------------------------------


def _products(policy: Policy, portal: Portal, known: PortalReport | None, small_group: int, today: date) -> _Found:
    """The products of one portal. Nobody knows those of a portal that was never read."""
    if known is None or known.state.last_import.as_of is None:
        if not _is_paused(portal, today):
            yield _never_imported(portal)
        return
    for item in known.products:
        if _is_judged(policy, item):
            yield _product(policy, portal, item, small_group)


def _product(policy: Policy, portal: Portal, item: ProductReport, small_group: int) -> Violation | None:
    """One product under one of the rules on products."""
    numbers = item.numbers
    if policy.rule is PolicyRule.NO_PRODUCT_SHORT:
        if item.product.status is Status.CALCULATION_ERROR:
            return _of_product(portal, item, "whether licenses are missing cannot be calculated", item.remedy or "")
        if item.product.status is not Status.NOT_ENOUGH_LICENSES:
            return None
        why = f"{numbers.shortfall:,} too few: {numbers.consumed:,} consumed, {numbers.entitled:,} entitled"
        return _of_product(portal, item, why, item.remedy or SHORTAGE_REMEDY)
    if policy.rule is PolicyRule.MIN_UTILIZATION:
        share, least = numbers.utilization, policy.percent or 0
        if share is None or share >= 100 * least:  # nothing is entitled: nothing lies idle
            return None
        why = (
            f"{share // 100}.{share % 100:02} % of {numbers.entitled:,} licenses consumed, at least {least} % asked for"
        )
        return _of_product(portal, item, why, _IDLE_REMEDY)
    most = policy.licenses or 0
    if item.reclaimable <= most:
        return None
    told, hidden = hide(item.product, small_group)
    held = f"more than {max(most, sum(told.reclaimable.values())):,}" if hidden.reclaimable else f"{item.reclaimable:,}"
    why = f"{held} licenses held by users who do not need them, at most {most:,} allowed"
    return _of_product(portal, item, why, _RECLAIM_REMEDY)


def _of_product(portal: Portal, item: ProductReport, why: str, remedy: str) -> Violation:
    """A violation by a product. Its entry in the portal's file is behind it where there is one."""
    entry = next(iter(entries_of(portal, item.product.license)), None)
    path: Path = ("products", portal.products.index(entry), "sku") if entry else ("name",)
    return Violation(portal.id, item.name, why, remedy, path, item.product.sku_id)


def _exclusions(exclusions: tuple[Exclusion, ...], portal_id: str | None, today: date) -> _Found:
    """The exclusions of one file."""
    for index, item in enumerate(exclusions):
        why = f"its exclusion ended on {item.until}"
        path: Path = ("exclusions", index, "until")
        yield None if in_force(item, today) else Violation(portal_id, item.sku, why, _EXCLUSION_REMEDY, path)


def _credential(portal: Portal, known: PortalReport | None, until: date) -> Violation | None:
    """The first credential of one portal."""
    own = portal.authentication
    if not isinstance(own, SecretAuthentication | CertificateAuthentication):
        return None
    path: Path = ("authentication", "expires") if isinstance(own, SecretAuthentication) else ("authentication",)
    if portal.second_authentication:
        path = ("authentication", 0, *path[1:])
    end = known_end(known.state if known else None, portal, None)
    if end is None:
        return Violation(portal.id, portal.name, UNKNOWN_END[own.type], _END_REMEDY[own.type], path)
    if end >= until:
        return None
    why = f"the {CREDENTIAL_LABELS[own.type]} ends on {end}, and must be valid until {until}"
    return Violation(portal.id, portal.name, why, CREDENTIAL_REMEDIES[own.type], path)


def _import(portal: Portal, known: PortalReport | None) -> Violation | None:
    """The last import of one portal."""
    last = known.state.last_import if known else None
    if last and last.outcome is ImportOutcome.COMPLETE:
        return None
    if last and last.error:
        why = f"the last import failed: {last.error.code}: {last.error.message}"
        return Violation(portal.id, portal.name, why, last.error.remedy, ("name",))
    return _never_imported(portal)


def _never_imported(portal: Portal) -> Violation:
    """A portal of which nothing is known."""
    return Violation(portal.id, portal.name, "it was never imported", _NEVER_REMEDY, ("name",))
