"""What a portal's state becomes: from its configuration, its deletion, a removal, an observation of its tenant.

These are the only functions that make a new ``PortalState``. ``plan`` compares what they return with what is known,
``apply`` stores it. Rule zero lives in ``observe``: only ``Complete`` changes products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

from reconciler import compliance
from reconciler.counting import counted_with
from reconciler.diff import differences
from reconciler.expiry import known_end
from reconciler.matching import entry_of, exclusion_of
from reconciler.model import (
    ChangeSet,
    Complete,
    Consumption,
    ExcludedLicense,
    Failed,
    Import,
    ImportOutcome,
    License,
    Observation,
    Portal,
    PortalState,
    Presence,
    Product,
    Reason,
    Removal,
    Removed,
    Settings,
    Status,
)

Title = Callable[[str, str], str]
"""The title of a SKU from its ID and part number."""


def configure(
    before: PortalState | None,
    portal: Portal,
    settings: Settings,
    title: Title,
    today: date,
    credential_end: date | None = None,
) -> PortalState:
    """The state after ``portal`` is applied, without reading its tenant.

    ``credential_end`` is the last day of the portal's certificate, None when that could not be read.

    An exclusion takes effect at once. A product that loses its reason here recovers at the next complete import,
    because until then nobody knows whether it still exists. A portal that was forgotten begins anew; what was removed
    from it stays on record.
    """
    state = before or PortalState(portal)
    if state.is_forgotten:
        state = replace(state, last_import=Import())
    products = tuple(_configured(product, portal, settings, title, today) for product in state.products)
    presence = Presence.SUSPENDED if is_suspended(portal, today) else Presence.PRESENT
    return replace(
        state,
        portal=portal,
        presence=presence,
        credential_expires=known_end(before, portal, credential_end),
        products=products,
    )


def is_suspended(portal: Portal, today: date) -> bool:
    """Whether imports of the portal pause today."""
    pause = portal.suspend
    return pause is not None and (pause.until is None or today <= pause.until)


def _configured(product: Product, portal: Portal, settings: Settings, title: Title, today: date) -> Product:
    """One known product under a configuration."""
    entry = entry_of(portal, product.license)
    excluded = exclusion_of(portal, settings, product.license, today) is not None
    reason = Reason.EXCLUDED if excluded else product.reason
    facts = (
        title(product.sku_id, product.license.part_number),
        entry.directory if entry and entry.directory else product.directory,
        reason,
        compliance.status(product.license, product.consumers, reason, settings),
    )
    if facts == (product.title, product.directory, product.reason, product.status):
        return product  # a plan over a thousand portals rests on it
    return replace(product, title=facts[0], directory=facts[1], reason=facts[2], status=facts[3])


def delete(before: PortalState) -> PortalState:
    """The state after the portal's file is gone: its products stay, and cannot be synchronized."""
    products = tuple(
        replace(product, reason=Reason.PORTAL_DELETED, status=Status.CANNOT_BE_SYNCHRONISED)
        for product in before.products
    )
    return replace(before, presence=Presence.DELETED, products=products)


def remove(state: PortalState, removals: Mapping[str, Removal], today: date) -> PortalState:
    """The state without the products that ``removals`` names, by SKU ID. Each must have a reason."""
    gone = [product for product in state.products if product.sku_id in removals]
    record = tuple(_removed(product, removals[product.sku_id], today) for product in gone)
    kept = tuple(product for product in state.products if product.sku_id not in removals)
    return replace(state, products=kept, removed=(*state.removed, *record))


def _removed(product: Product, removal: Removal, today: date) -> Removed:
    """The record of one removed product."""
    if product.reason is None:
        raise ValueError(f"{product.sku_id} can be synchronized")  # removals.py lets none through
    return Removed(
        sku_id=product.sku_id,
        part_number=product.license.part_number,
        title=product.title,
        was=product.reason,
        sku=removal.sku,
        reason=removal.reason,
        ticket=removal.ticket,
        on=today,
    )


def observe(
    state: PortalState, observation: Observation, settings: Settings, title: Title, now: datetime
) -> PortalState:
    """The state after an attempt to read the tenant."""
    if isinstance(observation, Failed):
        since = state.last_import.failed_since or now
        failed = replace(state.last_import, outcome=ImportOutcome.FAILED, error=observation.error, failed_since=since)
        return replace(state, last_import=failed)
    return _imported(state, observation, settings, title, now)


def _imported(state: PortalState, seen: Complete, settings: Settings, title: Title, now: datetime) -> PortalState:
    """The state after a complete read."""
    today = now.date()
    portal = state.portal
    known = {product.sku_id: product for product in state.products}
    reported = {license_.sku_id: license_ for license_ in seen.licenses}
    excluded = tuple(
        ExcludedLicense(license_.sku_id, license_.part_number)
        for license_ in seen.licenses
        if exclusion_of(portal, settings, license_, today)
    )
    kept_out = {license_.sku_id for license_ in excluded}
    products = {
        sku_id: _seen(known.get(sku_id), license_, seen, portal, settings, title)
        for sku_id, license_ in reported.items()
        if sku_id not in kept_out
    }
    for sku_id, product in known.items():
        if sku_id not in products:
            left_out = _left_out(product, reported.get(sku_id))
            products[sku_id] = _configured(left_out, portal, settings, title, today)
    done = Import(
        outcome=ImportOutcome.COMPLETE,
        as_of=now,
        users=seen.users,
        organization=seen.organization,
        emulated=seen.emulated,
        excluded=excluded,
        sign_ins=seen.sign_ins,
        paths_as_of=seen.paths_as_of,
        counted_with=counted_with(settings),
    )
    after = replace(
        state,
        credential_expires=seen.credential_end or state.credential_expires,
        last_import=done,
        products=tuple(product for _, product in sorted(products.items(), key=lambda p: p[0])),
    )
    if state.last_import.as_of is not None and _content(after) == _content(state):
        # Changes that come to nothing say nothing new about ways and errors either; a full read confirms them.
        confirmed = seen.paths_as_of is None
        paths_as_of = None if confirmed else state.last_import.paths_as_of
        done = replace(done, as_of=state.last_import.as_of, paths_as_of=paths_as_of)
    return replace(after, last_import=done)


def _left_out(product: Product, reported: License | None) -> Product:
    """A known product that is gone; or one that is excluded, with the part number that Microsoft gives it now."""
    if reported is None:
        return replace(product, reason=Reason.GONE_FROM_PORTAL)
    return replace(product, license=replace(product.license, part_number=reported.part_number))


def _seen(
    known: Product | None, license_: License, seen: Complete, portal: Portal, settings: Settings, title: Title
) -> Product:
    """One product that the tenant reports."""
    entry = entry_of(portal, license_)
    declared = entry.directory if entry else None
    consumption = seen.consumption.get(license_.sku_id, Consumption(0))
    product = Product(
        license=license_,
        title=title(license_.sku_id, license_.part_number),
        directory=declared or (known.directory if known else portal.directory),
        consumers=consumption.consumers,
        findings=consumption.findings,
        status=Status.CALCULATION_ERROR,
        errors=consumption.errors,
        reclaimable=consumption.reclaimable,
    )
    return compliance.recalculate(product, settings)


def _content(state: PortalState) -> tuple[object, ...]:
    """What a tenant said, as far as it was imported: while it stays the same, ``as_of`` stays."""
    last = state.last_import
    products = [
        (product.license, product.consumers, product.findings, product.errors, product.reclaimable)
        for product in state.products
        if product.reason is None
    ]
    return (last.users, last.organization, last.emulated, last.sign_ins, products)


def stamp(before: PortalState | None, after: PortalState, now: datetime) -> PortalState:
    """``after`` with the next serial and its list of changes; ``before`` itself when nothing changed.

    Without ``before``, ``after`` goes on from its own serial: 0, or that of the forgotten portal that it was. Where
    only a time differs, the list of changes stays the earlier one.
    """
    if before is not None and replace(after, serial=before.serial, changed=before.changed) == before:
        return before
    serial = (before or after).serial + 1
    changes = differences(before, after)
    changed = before.changed if before and not changes else ChangeSet(now, changes)
    return replace(after, serial=serial, changed=changed)
