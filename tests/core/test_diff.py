"""The diff engine: every field of a portal's state that can differ is seen, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from reconciler.diff import differences
from reconciler.model import (
    CertificateAuthentication,
    ChangeSet,
    Cloud,
    DeclaredEntitlement,
    ErrorInfo,
    ExcludedLicense,
    Exclusion,
    ExclusionScope,
    ImportOutcome,
    Inclusion,
    Portal,
    PortalLimits,
    PortalState,
    Presence,
    Price,
    Product,
    ProductEntry,
    Reason,
    Reference,
    SecretAuthentication,
    Status,
    Suspension,
)
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    LATER,
    OTHER_TENANT,
    changed_fields,
    exclusion,
    license_,
    organization,
    portal,
    portal_state,
    product,
    subscription,
    with_import,
)

STATE = portal_state(product())
ENTRY = ProductEntry(E3, "Office", Price(Decimal("34.40"), "EUR", "month"), DeclaredEntitlement(500, "EA-77", "PO-1"))


def test_a_state_does_not_differ_from_itself() -> None:
    assert differences(STATE, STATE) == ()


def test_a_new_portal_is_one_change_and_each_of_its_products_one() -> None:
    changes = differences(None, portal_state(product(), product(license_(E5, enabled=1))))
    assert [(change.subject, change.field, change.before, change.after, change.sku_id) for change in changes] == [
        ("Contoso", "portal", None, "contoso", None),
        ("Microsoft 365 E5", "product", None, "not_enough_licenses", E5),
        ("Office 365 E3", "product", None, "fully_licensed", E3),
    ]


def test_a_product_that_is_no_more_is_one_change() -> None:
    changes = differences(STATE, portal_state())
    assert [(change.subject, change.before, change.after) for change in changes if change.field == "product"] == [
        ("Office 365 E3", "fully_licensed", None)
    ]


def declared(**members: Any) -> PortalState:
    """The state with another configuration."""
    return replace(STATE, portal=portal(**members))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (replace(STATE, portal=replace(portal(), id="north")), {"file": ("contoso", "north")}),
        (declared(name="North", directory="Microsoft 365/Contoso"), {"name": ("Contoso", "North")}),
        (declared(tenant_id=OTHER_TENANT), {"tenant_id": (portal().tenant_id, OTHER_TENANT)}),
        (declared(client_id=OTHER_TENANT), {"client_id": (portal().client_id, OTHER_TENANT)}),
        (declared(directory="Office"), {"directory": ("Microsoft 365/Contoso", "Office")}),
        (declared(description="Production"), {"description": (None, "Production")}),
        (declared(cloud=Cloud.CHINA), {"cloud": ("global", "china")}),
        (declared(protect=True), {"protect": ("no", "yes")}),
        (
            declared(suspend=Suspension("Migration", date(2026, 12, 31))),
            {"suspend.reason": (None, "Migration"), "suspend.until": (None, "2026-12-31")},
        ),
        (
            declared(
                authentication=SecretAuthentication(Reference("file", "key"), "the label", expires=date(2027, 3, 31))
            ),
            {
                "authentication.secret.kind": ("env", "file"),
                "authentication.secret.name": ("CONTOSO_SECRET", "key"),
                "authentication.secret_id": (None, "the label"),
                "authentication.expires": (None, "2027-03-31"),
            },
        ),
        (
            declared(authentication=CertificateAuthentication(pfx=Reference("file", "a.pfx"))),
            {
                "authentication.secret.kind": ("env", None),
                "authentication.secret.name": ("CONTOSO_SECRET", None),
                "authentication.type": ("secret", "certificate"),
                "authentication.pfx.kind": (None, "file"),
                "authentication.pfx.name": (None, "a.pfx"),
            },
        ),
        (
            declared(exclusions=(exclusion("A.B_FREE", "Free", date(2027, 6, 30)),)),
            {"exclusions.A.B_FREE": (None, "Free, until 2027-06-30")},
        ),
        (
            declared(products=(ENTRY,)),
            {
                f"products.{E3}": (None, "directory Office; 34.40 EUR per month; 500 declared (EA-77, PO-1)"),
            },
        ),
        (
            declared(exclusions=(Exclusion("A_FREE", "Free", scope=ExclusionScope.ALERTS),)),
            {"exclusions.A_FREE": (None, "Free, alerts only")},
        ),
        (declared(include=(Inclusion("A_FREE"),)), {"include.A_FREE": (None, "included")}),
        (declared(include=(Inclusion("A_FREE", "Pilot"),)), {"include.A_FREE": (None, "Pilot")}),
        (declared(safety=PortalLimits(max_removals=5)), {"safety.max_removals": (None, 5)}),
        (declared(replaces_tenant_id=OTHER_TENANT), {"replaces_tenant_id": (None, OTHER_TENANT)}),
        (declared(products=(ProductEntry(E3),)), {f"products.{E3}": (None, "named")}),
        (with_import(STATE, excluded=(ExcludedLicense(FLOW, "FLOW_FREE"),)), {"excluded": (None, "FLOW_FREE")}),
        (replace(STATE, presence=Presence.SUSPENDED), {"presence": ("present", "suspended")}),
        (with_import(STATE, outcome=ImportOutcome.FAILED), {"import": ("complete", "failed")}),
        (
            with_import(STATE, error=ErrorInfo("AADSTS7000222", "The secret has expired.", "Make a new one.")),
            {"error": (None, "AADSTS7000222: The secret has expired.")},
        ),
        (
            with_import(STATE, error=ErrorInfo("graph-unreachable", "No connection.", "Look.", "host: refused")),
            {"error": (None, "graph-unreachable: No connection. (host: refused)")},
        ),
        (with_import(STATE, users=98), {"users": (97, 98)}),
        (with_import(STATE, emulated="demo"), {"emulated": (None, "demo")}),
        (
            with_import(STATE, organization=organization(OTHER_TENANT, "North")),
            {
                "organization.tenant_id": (portal().tenant_id, OTHER_TENANT),
                "organization.display_name": ("Contoso", "North"),
                "organization.default_domain": ("contoso.example", "north.example"),
            },
        ),
    ],
)
def test_every_field_of_a_portal_is_compared(after: PortalState, expected: dict[str, tuple[Any, Any]]) -> None:
    changes = differences(STATE, after)
    assert changed_fields(changes) == expected
    assert {change.sku_id for change in changes} == {None}
    assert {change.subject for change in changes} == {after.portal.name}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            product(reason=Reason.EXCLUDED),
            {"status": ("fully_licensed", "cannot_be_synchronised"), "reason": (None, "excluded")},
        ),
        (replace(product(), title="New title"), {"title": ("Office 365 E3", "New title")}),
        (product(directory="Office"), {"directory": ("Microsoft 365/Contoso", "Office")}),
        (product(enabled=101), {"enabled": (100, 101)}),
        (product(warning=1), {"warning": (0, 1)}),
        (product(suspended=1), {"suspended": (0, 1)}),
        (product(locked_out=1), {"locked_out": (0, 1)}),
        (product(locked_out=None), {"locked_out": (0, None)}),
        (product(consumed_units=98), {"consumed_units": (97, 98)}),
        (product(consumers=98), {"consumers": (97, 98)}),
        (replace(product(), consumers=None), {"consumers": (97, None)}),
        (product(part_number="NEW"), {"part_number": ("ENTERPRISEPACK", "NEW")}),
        (product(capability_status="Warning"), {"capability_status": ("Enabled", "Warning")}),
        (
            product(applies_to="Company"),
            {"applies_to": ("User", "Company"), "status": ("fully_licensed", "not_metered")},
        ),
        (product(findings={"disabled_account": 2}), {"findings.disabled_account": (None, 2)}),
        (
            product(
                subscriptions=(
                    subscription("Warning", id="s-1", next_lifecycle=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)),
                )
            ),
            {
                "subscriptions.s-1.status": (None, "Warning"),
                "subscriptions.s-1.total_licenses": (None, 100),
                "subscriptions.s-1.is_trial": (None, "no"),
                "subscriptions.s-1.next_lifecycle": (None, "2027-01-02T03:04:05Z"),
            },
        ),
    ],
)
def test_every_field_of_a_product_is_compared(after: Product, expected: dict[str, tuple[Any, Any]]) -> None:
    changes = differences(STATE, portal_state(after, last_import=STATE.last_import))
    assert changed_fields(changes) == expected
    assert {change.sku_id for change in changes} == {E3}
    assert {change.subject for change in changes} == {after.title}


def test_zero_and_unknown_are_not_the_same() -> None:
    before = portal_state(product(consumed_units=0, consumers=0))
    after = portal_state(product(consumed_units=None, consumers=0))
    assert changed_fields(differences(before, after))["consumed_units"] == (0, None)


def test_when_something_was_seen_is_no_difference() -> None:
    assert differences(STATE, with_import(STATE, as_of=LATER)) == ()
    assert differences(STATE, replace(STATE, serial=9, changed=ChangeSet(LATER, ()))) == ()


def test_the_portals_own_changes_stand_before_those_of_its_products() -> None:
    before = portal_state(product(), product(license_(E5)))
    after = replace(
        portal_state(product(enabled=1), product(license_(E5, enabled=1))), portal=portal(name="Contoso AG")
    )
    order = [change.sku_id for change in differences(before, after)]
    assert order == sorted(order, key=lambda sku_id: (sku_id is not None, sku_id or ""))
    assert order[0] is None
    assert {E3, E5} <= set(order)


def test_the_status_of_a_product_stands_before_its_numbers() -> None:
    fields = [change.field for change in differences(STATE, portal_state(product(enabled=1)))]
    assert fields == ["status", "enabled"]
    assert product(enabled=1).status is Status.NOT_ENOUGH_LICENSES


def test_reordered_entries_are_no_difference() -> None:
    one: Portal = portal(exclusions=(exclusion("A"), exclusion("B")))
    two: Portal = portal(exclusions=(exclusion("B"), exclusion("A")))
    assert differences(replace(STATE, portal=one), replace(STATE, portal=two)) == ()


def idle(*, sign_ins: bool, **counts: int) -> PortalState:
    """A state whose product has these inactive users, all of whom can lose the license."""
    found = replace(product(findings=counts), reclaimable=counts)
    return with_import(portal_state(found), sign_ins=sign_ins)


def told(before: PortalState, after: PortalState) -> dict[str, tuple[object, object]]:
    """Fields of products that changed, with what they were and are."""
    return {each.field: (each.before, each.after) for each in differences(before, after) if each.sku_id}


def test_without_sign_ins_nobody_says_that_the_inactive_are_gone() -> None:
    lost = told(idle(sign_ins=True, inactive=7), idle(sign_ins=False))
    assert lost == {"findings.inactive": (7, "unknown"), "reclaimable.inactive": (7, "unknown")}


def test_with_sign_ins_again_the_inactive_are_no_new_ones() -> None:
    found = told(idle(sign_ins=False), idle(sign_ins=True, inactive=7))
    assert found == {"findings.inactive": ("unknown", 7), "reclaimable.inactive": ("unknown", 7)}


def test_inactive_users_who_come_back_are_gone_where_sign_ins_are_read() -> None:
    found = told(idle(sign_ins=True, inactive=7), idle(sign_ins=True))
    assert found == {"findings.inactive": (7, None), "reclaimable.inactive": (7, None)}


def test_findings_that_need_no_sign_ins_are_never_unknown() -> None:
    found = told(idle(sign_ins=True, guest_licensed=7), idle(sign_ins=False))
    assert found == {"findings.guest_licensed": (7, None), "reclaimable.guest_licensed": (7, None)}
