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
    Exclusion,
    ExclusionScope,
    FederatedAuthentication,
    Inclusion,
    License,
    Portal,
    PortalState,
    Price,
    ProductEntry,
    Reason,
    Removed,
    Settings,
    Suspension,
    Thresholds,
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
    TODAY,
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
    with_import,
)

HOSTILE = "Evil | <img src=x> **bold** [link](https://evil.example) \u202e\x1b[31m\n# @everyone `code`"
"""A name that tries to be markup, a link, a mention, a terminal command and a second line."""


SETTINGS = Settings(
    exclusions=(
        exclusion("*_EXPLORATORY", "Self-service trials"),
        exclusion("STREAM", "Comes with everything", date(2026, 10, 1)),
        exclusion("DYN365_*", "Another team's"),
    ),
    thresholds=Thresholds(at_capacity_percent=96),
)
"""The settings of the story's repository."""


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
            Exclusion("POWER_BI_PRO", "Bought for the spring", scope=ExclusionScope.ALERTS),
        ),
        include=(Inclusion("TEAMS_EXPLORATORY", "Counted until the rollout ends"),),
        products=(
            ProductEntry(
                "ENTERPRISEPACK",
                directory="Office/Suites",
                price=Price(Decimal("34.40"), "EUR", "month"),
                entitlement=DeclaredEntitlement(500, "EA-77", "PO-1234"),
            ),
            ProductEntry(E5, price=Price(Decimal("1200.5"), "EUR", "year"), entitlement=DeclaredEntitlement(80)),
            ProductEntry("EMS", entitlement=DeclaredEntitlement(60)),
            ProductEntry("RETIRED", entitlement=DeclaredEntitlement(5, "EA-77")),
            ProductEntry("VISIOCLIENT", entitlement=DeclaredEntitlement(20, "EA-78")),
        ),
    )


def contoso_licenses() -> tuple[License, ...]:
    """A license for every status that comes from numbers."""
    return (
        license_(
            E3,
            enabled=1_500,
            consumed_units=1_342,
            subscriptions=(
                subscription(id="main", total_licenses=1_300, next_lifecycle=datetime(2027, 7, 1, tzinfo=UTC)),
                subscription(id="more", total_licenses=200, next_lifecycle=datetime(2026, 12, 5, tzinfo=UTC)),
            ),
        ),
        license_(E5, enabled=80, suspended=10, consumed_units=92),
        license_(FLOW, enabled=1_000_000, consumed_units=3),
        _grace(),
        license_(numbered(2), part_number="TEAMS_EXPLORATORY", enabled=0, consumed_units=0),
        license_(numbered(3), part_number="SHAREPOINTSTORAGE", applies_to="Company", enabled=20, consumed_units=0),
        license_(numbered(4), part_number="BROKEN", enabled=None, consumed_units=7),
        license_(
            numbered(6),
            part_number="PILOT",
            enabled=25,
            consumed_units=25,
            subscriptions=(
                subscription(is_trial=True, total_licenses=25, next_lifecycle=datetime(2026, 12, 22, tzinfo=UTC)),
            ),
        ),
        license_(numbered(8), part_number="POWER_BI_PRO", enabled=10, consumed_units=12),
        license_(numbered(9), part_number="DYN365_TEAM", enabled=10, consumed_units=1),
        license_(numbered(5), part_number="RETIRED", enabled=5, consumed_units=5),
    )


def contoso_state() -> PortalState:
    """Contoso after three runs: all licenses, then an exclusion, then a license that is gone and more users."""
    findings = {"disabled_account": 18, "guest_licensed": 1, "direct_and_group": 3}
    first = complete(*contoso_licenses(), users=1_390)
    before = applied(None, replace(contoso(), exclusions=()), first)
    grown = [replace(item, consumed_units=1_350) if item.sku_id == E3 else item for item in contoso_licenses()[:-1]]
    seen = complete(*grown, users=1_392)
    counted = {
        **seen.consumption,
        E3: Consumption(1_342, findings, reclaimable={"disabled_account": 18, "guest_licensed": 1, "overlap": 7}),
        E5: Consumption(95, {"inactive": 2, "overlap": 1}, reclaimable={"overlap": 1, "inactive": 2}),
        numbered(6): Consumption(
            25,
            {"assignment_error": 4, "never_signed_in": 3},
            {"CountViolation": 3, "ProhibitedInUsageLocationViolation": 1},
        ),
    }
    gone = Removed(
        numbered(10), "AAD_BASIC", "Entra Basic", Reason.GONE_FROM_PORTAL, "AAD_BASIC", "Sold", "T-17", TODAY
    )
    last_day = date(2026, 12, 20)
    seen = replace(seen, consumption=counted)
    after = applied(
        replace(before, removed=(gone,)), contoso(), seen, now=LATER, settings=SETTINGS, credential_end=last_day
    )
    return with_import(after, sign_ins=True)


def fabrikam_state() -> PortalState:
    """A portal that was read once and cannot be read now."""
    signs_in = {"authentication": secret(date(2026, 11, 20)), "second_authentication": secret(date(2026, 12, 10))}
    prices = (ProductEntry(E3, price=Price(Decimal("23"), "USD", "month")),)
    declared = portal("fabrikam", tenant_id=OTHER_TENANT, cloud=Cloud.USGOV, products=prices, **signs_in)
    owned = license_(
        enabled=60,
        warning=40,
        subscriptions=(
            subscription("Enabled", total_licenses=60, next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC)),
            subscription("Warning", total_licenses=40, next_lifecycle=datetime(2026, 11, 23, tzinfo=UTC)),
        ),
    )
    once = applied(None, declared, complete(owned, organization=organization(OTHER_TENANT, "Fabrikam")))
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
        include=(Inclusion("<b>|*", "<i>"),),
        directory="a|b/<b>x</b>/[x](y)",
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
    mean = Consumption(1, errors={"Other": 1})
    seen = complete(hostile, license_(), organization=tenant, emulated="demo")
    removed = Removed(numbered(11), HOSTILE, HOSTILE, Reason.GONE_FROM_PORTAL, HOSTILE, HOSTILE, HOSTILE, TODAY)
    read = applied(None, declared, replace(seen, consumption={numbered(7): mean}))
    read = replace(read, removed=(removed,))
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
    return make_report(story(), SETTINGS, LATER.date())
