"""When a complete read of a tenant is held back like a failed one, because it does not fit what was known.

A proxy, a cache or a failing service can answer with success and too little. Such an answer ends well-formed, so only
its content can tell: nothing where something was, or a list of users that is shorter than Graph's own count says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from reconciler.model import Complete, ErrorInfo, PortalState, Product, SafetyLimits, Settings
from reconciler.removals import is_lifted
from reconciler.safety import Override, is_too_many, limits_of, told

FEW = 3
"""Up to so many licenses may go from one read to the next, whatever share that is."""


def check_observation(
    before: PortalState, seen: Complete, settings: Settings, allowed: Collection[Override], today: date
) -> ErrorInfo | None:
    """Why a complete read is held back, or None. ``before`` is the state that it would change."""
    if seen.emulated and before.last_import.as_of and not before.last_import.emulated:
        return ErrorInfo(
            "emulated-answer",
            "The emulator answered for a tenant whose real numbers are known.",
            "Unset HTTPS_PROXY and SSL_CERT_FILE, or emulate in a repository of its own.",
        )
    former = before.last_import.organization
    if Override.ANSWER in allowed or (former and former.tenant_id != seen.organization.tenant_id):
        return None  # turning to another tenant was allowed, or the plan would have been refused
    limits = limits_of(before.portal, settings)
    expected = [item for item in before.products if item.reason is None or is_lifted(item, before, settings, today)]
    return _missing_licenses(expected, seen, limits) or _missing_consumers(expected, seen, limits)


def _missing_licenses(expected: Sequence[Product], seen: Complete, limits: SafetyLimits) -> ErrorInfo | None:
    """Whether too many of the known licenses are not reported any more."""
    reported = {license_.sku_id for license_ in seen.licenses}
    if expected and not reported:
        return _held(
            "no-licenses", f"The tenant reports no licenses; {_count(len(expected), 'was', 'were')} known before."
        )
    lost = sum(product.sku_id not in reported for product in expected)
    if is_too_many(lost, len(expected), limits):
        return _held("too-many-gone", f"{lost} of {len(expected)} products are gone from the portal; {told(limits)}.")
    if lost > FEW and (len(expected) - lost) * 100 < limits.min_reported_percent * len(expected):
        return _held(
            "too-many-gone",
            f"{lost} of {len(expected)} products are gone from the portal at once; at least "
            f"{limits.min_reported_percent} % must be there (safety.min_reported_percent).",
        )
    return None


def _missing_consumers(expected: Sequence[Product], seen: Complete, limits: SafetyLimits) -> ErrorInfo | None:
    """Whether users are missing whose licenses Graph still counts: a list that was cut short looks like that.

    A difference that was there before does not count, nor one that Graph's own count follows.
    """
    reported = {license_.sku_id: license_.consumed_units or 0 for license_ in seen.licenses}
    before = missing = now = 0
    for product in expected:
        if product.sku_id not in reported or not product.consumers:
            continue
        found = seen.consumption.get(product.sku_id)
        consumers = found.consumers if found else 0
        known_gap = max(0, (product.license.consumed_units or 0) - product.consumers)
        before += product.consumers
        now += consumers
        missing += max(0, min(product.consumers - consumers, reported[product.sku_id] - consumers - known_gap))
    if not missing or (now and not is_too_many(missing, before, limits)):
        return None
    code = "consumers-missing" if now else "no-consumers"
    return _held(
        code,
        f"{missing:,} of {before:,} known consumers are missing from the list of users, "
        "although Graph still counts their licenses.",
    )


def _held(code: str, message: str) -> ErrorInfo:
    """A refusal of one portal's observation."""
    return ErrorInfo(
        code, message, f"Look at the tenant. If it is right, apply this portal by its ID with {Override.ANSWER.option}."
    )


def _count(number: int, one: str, many: str) -> str:
    """A number with the word that fits it."""
    return f"{number} {one if number == 1 else many}"
