"""One state with everything a report can say: every status, failures, pauses, hostile names, prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from reconciler.model import (
    Cloud,
    Consumption,
    DeclaredEntitlement,
    ErrorInfo,
    FederatedAuthentication,
    License,
    Portal,
    PortalState,
    Price,
    ProductEntry,
    Settings,
    Suspension,
)
from reconciler.report import Report, make_report
from reconciler.transition import delete, stamp
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    LATER,
    NOW,
    OTHER_TENANT,
    applied,
    certificate,
    complete,
    exclusion,
    failed,
    known,
    license_,
    numbered,
    organization,
    portal,
    secret,
    subscription,
)

HOSTILE = "Evil | <img src=x> **bold** [link](https://evil.example) \u202e\x1b[31m\n# @everyone `code`"
"""A name that tries to be markup, a link, a mention, a terminal command and a second line."""


def _grace() -> License:
    """A license that only units in grace cover."""
    return license_(
        numbered(1),
        part_number="EMS",
        enabled=60,
        warning=40,
        consumed_units=88,
        capability_status="Warning",
        subscriptions=(
            subscription("Enabled", total_licenses=60, next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC)),
            subscription("Warning", total_licenses=40, next_lifecycle=datetime(2026, 12, 8, tzinfo=UTC), is_trial=True),
        ),
    )


def contoso() -> Portal:
    """A portal that declares all there is to declare."""
    return portal(
        description="Production tenant, since 2019",
        authentication=certificate(),
        exclusions=(
            exclusion("FLOW_FREE", "Free SKU, not managed"),
            exclusion("*_VIRAL", "Looked at again later", date(2027, 6, 30)),
            exclusion("OLD_FREE", "Not needed any more", date(2026, 10, 31)),
        ),
        products=(
            ProductEntry(
                "ENTERPRISEPACK",
                directory="Office/Suites",
                price=Price(Decimal("34.40"), "EUR", "month"),
                entitlement=DeclaredEntitlement(500, "EA-77", "PO-1234"),
            ),
            ProductEntry(E5, price=Price(Decimal("1200.5"), "USD", "year")),
            ProductEntry("EMS", entitlement=DeclaredEntitlement(100)),
        ),
    )


def contoso_licenses() -> tuple[License, ...]:
    """A license for every status that comes from numbers."""
    return (
        license_(E3, enabled=1_500, consumed_units=1_342),
        license_(E5, enabled=80, suspended=10, consumed_units=92),
        license_(FLOW, enabled=1_000_000, consumed_units=3),
        _grace(),
        license_(numbered(2), part_number="TEAMS_EXPLORATORY", enabled=0, consumed_units=0),
        license_(numbered(3), part_number="SHAREPOINTSTORAGE", applies_to="Company", enabled=20, consumed_units=0),
        license_(numbered(4), part_number="BROKEN", enabled=None, consumed_units=7),
        license_(numbered(5), part_number="RETIRED", enabled=5, consumed_units=5),
    )


def contoso_state() -> PortalState:
    """Contoso after three runs: all licenses, then an exclusion, then a license that is gone and more users."""
    findings = {"disabled_account": 18, "guest_licensed": 1, "direct_and_group": 3}
    first = complete(*contoso_licenses(), users=1_390)
    before = applied(None, replace(contoso(), exclusions=()), first)
    grown = [replace(item, consumed_units=1_350) if item.sku_id == E3 else item for item in contoso_licenses()[:-1]]
    seen = complete(*grown, users=1_392)
    counted = {**seen.consumption, E3: Consumption(1_342, findings), E5: Consumption(95)}
    last_day = date(2026, 12, 20)
    return applied(before, contoso(), replace(seen, consumption=counted), now=LATER, credential_end=last_day)


def fabrikam_state() -> PortalState:
    """A portal that was read once and cannot be read now."""
    signs_in = {"authentication": secret(date(2026, 11, 20)), "second_authentication": secret(date(2026, 12, 10))}
    declared = portal("fabrikam", tenant_id=OTHER_TENANT, cloud=Cloud.USGOV, **signs_in)
    once = applied(None, declared, complete(license_(), organization=organization(OTHER_TENANT, "Fabrikam")))
    error = ErrorInfo(
        "AADSTS7000222",
        "The provided client secret keys for app are expired.",
        "Create a new secret, store its Value where the portal file points, and correct `expires`.",
        "login.microsoftonline.us answered 401",
    )
    return applied(once, declared, failed(error), now=LATER)


def evil_state() -> PortalState:
    """A tenant whose every text is hostile."""
    declared = portal(
        "evil",
        name="Evil | <b>[x](y)</b>",
        description="- [ ] https://evil.example @everyone",
        exclusions=(exclusion("X|*", "<script>alert(1)</script> | `x`"),),
        products=(
            ProductEntry(E3, entitlement=DeclaredEntitlement(1, "C|1 <b>", "https://evil.example/PO")),
            ProductEntry(numbered(7), price=Price(Decimal("0.000001"), "EUR", "year")),
        ),
    )
    hostile = license_(
        numbered(7),
        part_number=HOSTILE,
        capability_status=HOSTILE,
        enabled=1,
        consumed_units=2,
        subscriptions=(subscription(HOSTILE, id=HOSTILE, total_licenses=None),),
    )
    tenant = replace(organization(), display_name=HOSTILE, default_domain="evil.example|x")
    read = applied(None, declared, complete(hostile, license_(), organization=tenant, emulated="demo"))
    error = ErrorInfo(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    return applied(read, declared, failed(error), now=LATER)


def story() -> dict[str, PortalState]:
    """Every known portal."""
    north = portal(
        "northwind",
        client_id=OTHER_TENANT,
        suspend=Suspension("Migration to Contoso", date(2026, 12, 31)),
        authentication=secret(date(2026, 11, 25)),
    )
    paused = applied(
        applied(None, replace(north, suspend=None), complete(license_(consumed_units=100))), north, now=LATER
    )
    old = applied(None, portal("adatum-old", name="Old"), complete(license_(E5, enabled=10, consumed_units=10)))
    return known(
        contoso_state(),
        fabrikam_state(),
        evil_state(),
        paused,
        stamp(old, delete(old), LATER),
        applied(None, portal("unread", name="Unread", authentication=secret(date(2027, 5, 1))), failed(), now=LATER),
        applied(
            None,
            portal(
                "waiting",
                name="Waiting",
                authentication=FederatedAuthentication(),
                suspend=Suspension("Not before the contract"),
            ),
            now=NOW,
        ),
    )


def story_report() -> Report:
    """The report of the story, on the day after its last run."""
    return make_report(story(), Settings(), LATER.date())
