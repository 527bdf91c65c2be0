"""Declarations that match no known license; only a complete read can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model import (
    DeclaredEntitlement,
    ExcludedLicense,
    Import,
    Inclusion,
    License,
    Overlap,
    PortalState,
    ProductEntry,
    Reason,
    Settings,
)
from reconciler.transition import delete
from reconciler.unmatched import (
    Ambiguous,
    Unmatched,
    UnmatchedSettings,
    ambiguous_entitlements,
    comparable,
    known_licenses,
    unmatched_in,
    unmatched_in_settings,
)
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
    assert unmatched_in_settings(portals, settings, known(contoso, fabrikam)).exclusions == (0, 2)
    assert unmatched_in_settings(portals, settings, known(contoso, kept_out)).exclusions == (2,)


def test_the_settings_are_not_judged_before_every_portal_was_read() -> None:
    settings = Settings(exclusions=(exclusion("NO_SUCH_SKU"),))
    portals = {"contoso": portal(), "fabrikam": portal("fabrikam")}
    contoso, fabrikam = portal_state(product()), portal_state(declared=portal("fabrikam"), last_import=Import())
    assert unmatched_in_settings(portals, settings, known(contoso)).exclusions == ()
    assert unmatched_in_settings(portals, settings, known(contoso, fabrikam)).exclusions == ()
    assert unmatched_in_settings({"contoso": portal()}, settings, known(contoso, fabrikam)).exclusions == (0,)


def test_a_portal_that_is_declared_no_more_does_not_count() -> None:
    settings = Settings(exclusions=(exclusion("ENTERPRISEPACK"),))
    deleted = portal_state(product(), declared=portal("fabrikam"))
    contoso = portal_state()
    assert unmatched_in_settings({"contoso": portal()}, settings, known(contoso, deleted)).exclusions == (0,)


def test_an_entry_of_unmetered_and_either_side_of_an_overlap_match_in_any_portal() -> None:
    overlaps = (Overlap("SPE_E5", "ENTERPRISEPACK"), Overlap("SPE_E7", "ENTERPRISEPACK"), Overlap(E3, "NO_SUCH"))
    settings = Settings(unmetered=("FLOW_FREE", "NO_*", E3), overlaps=(*overlaps, Overlap("NO_SUCH", "SPE_E7")))
    portals = {"contoso": portal(), "fabrikam": portal("fabrikam")}
    contoso = portal_state(product())
    fabrikam = with_import(
        portal_state(product(license_(E5)), declared=portal("fabrikam")), excluded=(ExcludedLicense(FLOW, "FLOW_FREE"),)
    )
    both = known(contoso, fabrikam)
    assert unmatched_in_settings(portals, settings, both) == UnmatchedSettings(
        unmetered=(1,), overlaps=((1, "sku"), (3, "sku"), (2, "includes"), (3, "includes"))
    )
    assert unmatched_in_settings(portals, settings, known(contoso)) == UnmatchedSettings()


# --- one entitlement for several licenses ----------------------------------------------------------------------------

TWIN = license_(E5, part_number="ENTERPRISEPACK")
"""Another license with the part number of the first."""


def declared(sku: str, quantity: int | None = 20) -> ProductEntry:
    return ProductEntry(sku, entitlement=None if quantity is None else DeclaredEntitlement(quantity))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((declared("enterprisepack"),), (E5, E3)),
        ((declared("ENTERPRISEPACK", None),), None),
        ((declared(E3),), None),
        ((declared("ENTERPRISEPACK"), declared(E3, 5)), None),
        ((declared("ENTERPRISEPACK"), declared(E3, None)), (E5, E3)),
        ((declared("FLOW_FREE"),), None),
    ],
    ids=["part number", "without entitlement", "SKU ID", "a closer one for each", "a closer one without", "one"],
)
def test_an_entitlement_that_counts_for_several_licenses_is_ambiguous(
    entries: tuple[ProductEntry, ...], expected: tuple[str, ...] | None
) -> None:
    found = ambiguous_entitlements(portal(products=entries), (license_(E3), TWIN, license_(FLOW)))
    assert found == ((Ambiguous(0, entries[0], expected),) if expected else ())


@pytest.mark.parametrize(
    ("reason", "counts"), [(None, True), (Reason.GONE_FROM_PORTAL, True), (Reason.EXCLUDED, False)]
)
def test_a_license_that_is_excluded_makes_no_entitlement_ambiguous(reason: Reason | None, *, counts: bool) -> None:
    state = portal_state(product(), product(TWIN, reason=reason))
    assert bool(ambiguous_entitlements(portal(products=(declared("ENTERPRISEPACK"),)), comparable(state))) is counts


def test_a_portal_that_is_forgotten_knows_no_license() -> None:
    forgotten = delete(portal_state())
    assert forgotten.is_forgotten
    assert known_licenses(portal(), forgotten) is None
