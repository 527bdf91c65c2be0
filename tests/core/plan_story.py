"""One plan with every kind of change, for the snapshots of its text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from reconciler.diff import differences
from reconciler.model import (
    Cloud,
    Complete,
    DeclaredEntitlement,
    ErrorInfo,
    ExclusionScope,
    FederatedAuthentication,
    Inclusion,
    Observation,
    Portal,
    PortalLimits,
    PortalState,
    Price,
    ProductEntry,
    Removal,
    Settings,
    Suspension,
)
from reconciler.plan import Declared, Plan, PortalPlan, Preview, make_plan
from reconciler.plan_page import Basis, KnownAs, PlanPage, SavedPlan
from reconciler.render.plan_text import render
from reconciler.render.plan_words import make_page
from reconciler.safety import Override, check_plan, refused_removals
from reconciler.transition import delete, observe, remove
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    NOW,
    OTHER_TENANT,
    OUTAGE,
    TODAY,
    applied,
    certificate,
    complete,
    exclusion,
    failed,
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


EDITED, MOVED_ON = _declared(11, "edited"), _declared(12, "moved-on")
PAUSED = replace(_declared(13, "paused"), suspend=Suspension("Migration", date(2026, 11, 22)))
SETTINGS = Settings(unmetered=("MEETING_*",))

REMOVALS = (
    Removal("forgotten", "*", "Sold", "CHG-7", "portals.d/removals.yaml:2:5"),
    Removal("moved-on", "FLOW_FREE", "Trial has ended", None, "portals.d/removals.yaml:6:5"),
    Removal("moved-on", "SPE_E5", "Replaced by E3", None, "portals.d/removals.yaml:9:5"),
    Removal("contoso", "VISIOCLIENT", "Too early", None, "portals.d/removals.yaml:12:5"),
    Removal("nobody", "*", "A typo", None, "portals.d/removals.yaml:15:5"),
)


def _states() -> dict[str, PortalState]:
    """What is known before."""
    excluding = replace(NORTH, exclusions=(exclusion("FLOW_FREE"),))
    leaving = applied(_state(MOVED_ON), MOVED_ON, complete(license_(E3)))
    return known(
        applied(None, CONTOSO, replace(SEEN, licenses=(*SEEN.licenses, VISIO, ROOMS))),
        applied(_state(NORTH), excluding, SEEN),
        *[_state(declared) for declared in (EVIL, OLD, RETIRED, SAME, EDITED)],
        applied(_state(PAUSED), PAUSED),
        remove(leaving, {FLOW: REMOVALS[1]}, date(2026, 11, 20)),
        delete(_state(RETURNED)),
        delete(_state(FORGOTTEN)),
        applied(None, ROTATED, SEEN, credential_end=date(2026, 11, 29)),
    )


def _contoso_edited() -> Portal:
    """Renamed, protected, with an exclusion and a product that moves."""
    return replace(
        CONTOSO,
        name="Contoso AG",
        exclusions=(exclusion("*_FREE", "Free SKUs, not managed", date(2027, 6, 30)),),
        products=(ProductEntry("ENTERPRISEPACK", directory="Office/Suites"),),
        protect=True,
    )


def _edited() -> Portal:
    """Every other setting of a portal, edited."""
    return replace(
        EDITED,
        description="Production",
        cloud=Cloud.USGOV,
        tenant_id=OTHER_TENANT,
        replaces_tenant_id=EDITED.tenant_id,
        authentication=FederatedAuthentication(),
        second_authentication=secret(date(2027, 3, 31)),
        directory="Archive",
        safety=PortalLimits(max_lost_percent=50),
        exclusions=(replace(exclusion("SPE_*", "Bought centrally"), scope=ExclusionScope.ALERTS),),
        include=(Inclusion("FLOW_FREE", "Managed here"),),
        products=(
            ProductEntry(
                "SPE_E5",
                price=Price(Decimal("54.75"), "EUR", "month"),
                entitlement=DeclaredEntitlement(120, "EA-77"),
            ),
        ),
    )


def story_plan() -> Plan:
    """A plan that creates, edits, renames, suspends, excludes, recovers, removes, deletes, and leaves alone."""
    desired = (
        _contoso_edited(),
        NORTH,
        replace(EVIL, name=HOSTILE, suspend=Suspension(HOSTILE)),
        replace(OLD, id="new-name", suspend=Suspension("Migration", date(2026, 12, 31))),
        RETURNED,
        SAME,
        ROTATED,
        _edited(),
        MOVED_ON,
        PAUSED,
        _declared(8, "brand-new"),
        replace(_declared(9, "later"), tenant_id=OTHER_TENANT, suspend=Suspension("Not before the contract")),
    )
    ends = {ROTATED.id: date(2026, 12, 1)}
    portals = {item.id: item for item in desired}
    return make_plan(Declared(portals, SETTINGS, _new_title, TODAY, REMOVALS, ends), _states())


def story_page() -> PlanPage:
    """The page of the story, with why it is refused."""
    plan = story_plan()
    return make_page(plan, [*check_plan(plan, SETTINGS, ()), *refused_removals(plan)], SETTINGS)


def _answers() -> dict[str, Observation]:
    """What tenants say when the plan is refreshed; ``same`` says what it said before."""
    more = license_(E5, enabled=110, consumed_units=120, warning=5)
    less = complete(license_(E3, enabled=90, consumed_units=80), more, consumers={E3: 80, E5: 118})
    return {
        "brand-new": SEEN,
        "contoso": failed(),
        "northwind": SEEN,
        "rotated": replace(less, users=118),
        "same": SEEN,
    }


def _with_preview(portal: PortalPlan, answer: Observation | None) -> PortalPlan:
    """A portal's plan with what the answer of its tenant would bring, as ``reconcile.refreshed`` puts it together."""
    if not isinstance(answer, Complete):
        return replace(portal, preview=Preview(portal.kept, error=OUTAGE)) if answer else portal
    after = observe(portal.after, answer, SETTINGS, _new_title, NOW)
    return replace(portal, preview=Preview(after, differences(portal.after, after)))


def refreshed_page() -> PlanPage:
    """The page of a plan for which tenants were read."""
    answers, plan = _answers(), story_plan()
    portals = tuple(_with_preview(item, answers[item.id]) for item in plan.portals if item.id in answers)
    return make_page(replace(plan, portals=portals, stray_removals=()), (), SETTINGS)


def saved(page: PlanPage) -> SavedPlan:
    """A page with what it might have been made from."""
    digest = "0123456789abcdef" * 4
    ends = {"rotated": date(2026, 12, 1)}
    basis = Basis(
        tool="1.0",
        emulated=False,
        only=(),
        allowed=(Override.LOSS,),
        state={"contoso": KnownAs(3, digest)},
        portals={"contoso": digest},
        settings=digest,
        removals=digest,
        credential_ends=ends,
    )
    return SavedPlan(basis, page)


def page_of(plan: Plan, refusals: Sequence[ErrorInfo] = ()) -> PlanPage:
    """The page of a plan."""
    return make_page(plan, refusals, Settings())


def text_of(plan: Plan) -> str:
    """The text of a plan."""
    return render(page_of(plan))
