"""One plan with every kind of change, for the snapshot of its text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.model import Portal, PortalState, ProductEntry, Settings, Suspension
from reconciler.plan import Plan, make_plan
from reconciler.transition import delete
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    OTHER_TENANT,
    TODAY,
    applied,
    certificate,
    complete,
    exclusion,
    known,
    license_,
    numbered,
    portal,
    secret,
    title,
)

HOSTILE = "Fabrikam\x1b[2J\nPlan: 0 to create.\u202e"
VISIO = license_(numbered(1), part_number="VISIOCLIENT")
ROOMS = license_(numbered(2), part_number="MEETING_ROOM", consumed_units=120)
SEEN = complete(license_(E3), license_(E5), license_(FLOW, enabled=10_000, consumed_units=3))


def _new_title(sku_id: str, part_number: str) -> str:
    """The catalogue after an update that named one SKU."""
    return "Visio Plan 2" if sku_id == VISIO.sku_id else title(sku_id, part_number)


def _declared(number: int, id_: str, name: str | None = None) -> Portal:
    """A portal with an application of its own, so that none looks like another one's renamed file."""
    return portal(id_, name=name or id_.capitalize(), client_id=numbered(900 + number))


def _state(declared: Portal) -> PortalState:
    """A portal after its first complete import."""
    return applied(None, declared, SEEN)


CONTOSO, NORTH, EVIL = _declared(0, "contoso"), _declared(1, "northwind"), _declared(2, "fabrikam")
OLD, RETIRED, RETURNED = _declared(3, "old-name", "Adatum"), _declared(4, "retired"), _declared(5, "returned")
SAME, FORGOTTEN = replace(_declared(6, "same"), authentication=secret(date(2026, 12, 10))), _declared(7, "forgotten")
ROTATED = replace(_declared(10, "rotated"), authentication=certificate())


def story_plan() -> Plan:
    """A plan that creates, edits, renames, suspends, excludes, recovers, deletes, and leaves alone."""
    excluding = replace(NORTH, exclusions=(exclusion("FLOW_FREE"),))
    states = known(
        applied(None, CONTOSO, replace(SEEN, licenses=(*SEEN.licenses, VISIO, ROOMS))),
        applied(_state(NORTH), excluding, SEEN),
        *[_state(declared) for declared in (EVIL, OLD, RETIRED, SAME)],
        delete(_state(RETURNED)),
        delete(_state(FORGOTTEN)),
        applied(None, ROTATED, SEEN, credential_end=date(2026, 11, 29)),
    )
    edited = replace(
        CONTOSO,
        name="Contoso AG",
        exclusions=(exclusion("*_FREE", "Free SKUs, not managed", date(2027, 6, 30)),),
        products=(ProductEntry("ENTERPRISEPACK", directory="Office/Suites"),),
        protect=True,
    )
    desired = (
        edited,
        NORTH,
        replace(EVIL, name=HOSTILE, suspend=Suspension(HOSTILE)),
        replace(OLD, id="new-name", suspend=Suspension("Migration", date(2026, 12, 31))),
        RETURNED,
        SAME,
        ROTATED,
        _declared(8, "brand-new"),
        replace(_declared(9, "later"), tenant_id=OTHER_TENANT, suspend=Suspension("Not before the contract")),
    )
    settings = Settings(unmetered=("MEETING_*",))
    ends = {ROTATED.id: date(2026, 12, 1)}
    return make_plan({item.id: item for item in desired}, states, settings, _new_title, TODAY, credential_ends=ends)
