"""Declarations that match no known license; only a complete read can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model import (
    ExcludedLicense,
    Import,
    Inclusion,
    License,
    PortalState,
    ProductEntry,
    Reason,
    Settings,
)
from reconciler.unmatched import Unmatched, known_licenses, unmatched_exclusions, unmatched_in
from tests.core.core_world import (
    E3,
    E5,
    FLOW,
    OTHER_TENANT,
    OUTAGE,
    exclusion,
    known,
    license_,
    portal,
    portal_state,
    product,
    with_import,
)

OWNED = (license_(E3), license_(FLOW))


def names(licenses: tuple[License, ...] | None) -> list[str] | None:
    return None if licenses is None else [item.part_number for item in licenses]


def found(settings: Settings | None = None, licenses: tuple[License, ...] = OWNED, **declared: Any) -> Unmatched:
    return unmatched_in(portal(**declared), settings or Settings(), licenses)


@pytest.mark.parametrize("sku", ["FLOW_FREE", "flow_free", FLOW, "*_FREE", "FLOW?FREE", "[EF]LOW*"])
def test_what_matches_one_license_is_not_reported(sku: str) -> None:
    everywhere = Settings(exclusions=(exclusion("*_FREE"),))
    assert found(everywhere, exclusions=(exclusion(sku),)) == Unmatched()
    assert found(everywhere, include=(Inclusion(sku),)) == Unmatched()
    assert found(everywhere, products=(ProductEntry(sku),)) == Unmatched()


@pytest.mark.parametrize("sku", ["FLOW_FRE", "SPE_E5", E5, "*_VIRAL", "FLOW_FREE?"])
def test_what_matches_nothing_is_reported_by_its_index(sku: str) -> None:
    everywhere = Settings(exclusions=(exclusion("*"),))
    assert found(everywhere, exclusions=(exclusion("*"), exclusion(sku), exclusion(sku))).exclusions == (1, 2)
    assert found(everywhere, include=(Inclusion(sku), Inclusion("*"))).include == (0,)
    assert found(everywhere, products=(ProductEntry("ENTERPRISEPACK"), ProductEntry(sku))).products == (1,)


def test_without_licenses_nothing_matches() -> None:
    declared = {"exclusions": (exclusion("*"),), "include": (Inclusion("*"),), "products": (ProductEntry("A"),)}
    assert found(Settings(exclusions=(exclusion("*"),)), (), **declared) == Unmatched((0,), (0,), (0,))


def test_an_inclusion_that_lifts_nothing_is_reported() -> None:
    inclusions = (Inclusion("ENTERPRISEPACK"), Inclusion("FLOW_FREE"))
    assert found(Settings(exclusions=(exclusion("*_FREE"),)), include=inclusions).include == (0,)
    assert found(Settings(), include=inclusions).include == (0, 1)
    own = (exclusion("FLOW_FREE"),)
    assert found(Settings(), exclusions=own, include=inclusions).include == (0, 1)


def test_the_licenses_of_a_portal_are_its_products_and_what_was_kept_out() -> None:
    gone = product(license_(E5), reason=Reason.GONE_FROM_PORTAL)
    state = with_import(portal_state(product(), gone), excluded=(ExcludedLicense(FLOW, "FLOW_FREE"),))
    assert names(known_licenses(portal(), state)) == ["SPE_E5", "ENTERPRISEPACK", "FLOW_FREE"]
    licenses = known_licenses(portal(), state)
    assert licenses is not None
    by_both_names = (exclusion("FLOW_FREE"), exclusion(FLOW), exclusion("SPE_E5"))
    assert found(None, licenses, exclusions=by_both_names) == Unmatched()


@pytest.mark.parametrize(
    ("state", "tells"),
    [
        (None, False),
        (portal_state(product(), last_import=Import()), False),
        (replace(portal_state(product()), portal=portal(tenant_id=OTHER_TENANT)), False),
        (with_import(portal_state(product()), error=OUTAGE), True),
        (portal_state(), True),
    ],
    ids=["unknown", "never read completely", "another tenant", "fails since", "a tenant without licenses"],
)
def test_only_a_complete_read_of_the_same_tenant_tells(state: PortalState | None, tells: bool) -> None:
    assert (known_licenses(portal(), state) is not None) is tells


def test_an_exclusion_of_the_settings_matches_in_any_portal() -> None:
    settings = Settings(exclusions=(exclusion("*_FREE"), exclusion("SPE_E5"), exclusion("*_VIRAL")))
    portals = {"contoso": portal(), "fabrikam": portal("fabrikam")}
    contoso = portal_state(product())
    fabrikam = portal_state(product(license_(E5)), declared=portal("fabrikam"))
    kept_out = with_import(fabrikam, excluded=(ExcludedLicense(FLOW, "FLOW_FREE"),))
    assert unmatched_exclusions(portals, settings, known(contoso, fabrikam)) == (0, 2)
    assert unmatched_exclusions(portals, settings, known(contoso, kept_out)) == (2,)


def test_the_settings_are_not_judged_before_every_portal_was_read() -> None:
    settings = Settings(exclusions=(exclusion("NO_SUCH_SKU"),))
    portals = {"contoso": portal(), "fabrikam": portal("fabrikam")}
    contoso, fabrikam = portal_state(product()), portal_state(declared=portal("fabrikam"), last_import=Import())
    assert unmatched_exclusions(portals, settings, known(contoso)) == ()
    assert unmatched_exclusions(portals, settings, known(contoso, fabrikam)) == ()
    assert unmatched_exclusions({"contoso": portal()}, settings, known(contoso, fabrikam)) == (0,)


def test_a_portal_that_is_declared_no_more_does_not_count() -> None:
    settings = Settings(exclusions=(exclusion("ENTERPRISEPACK"),))
    deleted = portal_state(product(), declared=portal("fabrikam"))
    contoso = portal_state()
    assert unmatched_exclusions({"contoso": portal()}, settings, known(contoso, deleted)) == (0,)
