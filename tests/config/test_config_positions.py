"""Where the things that people declare stand, as ``file:line:column``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.config.behind import behind
from reconciler.config.loader import Desired, load
from reconciler.config.positions import Positions
from reconciler.matching import entry_of, rule_of
from reconciler.model import Exclusion
from tests.config.config_world import portal_yaml, repository
from tests.core.core_world import E3, FLOW, license_

PORTAL = portal_yaml(
    """
exclusions:
  - sku: TEAMS_FREE
    reason: Free
    until: 2027-06-30
  - {reason: Free, sku: FLOW_FREE}
include:
  - sku: VISIO_FREE
products:
  - sku: SPE_E5
  -
    directory: Office
    sku: ENTERPRISEPACK
suspend:
  reason: Migration
  until: 2026-12-31
"""
)
SETTINGS = 'unmetered: [A]\nexclusions:\n  - {sku: "*_TRIAL", reason: a}\n  - {sku: "*PACK", reason: b}\n'


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    repository(tmp_path, {"contoso.yaml": PORTAL, "reconcile.yaml": SETTINGS})
    return load(tmp_path, tmp_path / "portals.d")


def test_every_declared_thing_has_its_place(desired: Desired) -> None:
    at = Positions(desired)
    assert [
        str(place)
        for place in (
            at.portal("contoso"),
            at.exclusion("contoso", 0),
            at.exclusion("contoso", 0, "until"),
            at.exclusion("contoso", 1),
            at.exclusion("contoso", 1, "sku"),
            at.inclusion("contoso", 0),
            at.product("contoso", 0),
            at.product("contoso", 1, "directory"),
            at.suspension("contoso"),
            at.suspension("contoso", "until"),
            at.repository_exclusion(1),
            at.repository_exclusion(1, "sku"),
        )
    ] == [
        "portals.d/contoso.yaml:1:1",
        "portals.d/contoso.yaml:7:5",
        "portals.d/contoso.yaml:9:12",
        "portals.d/contoso.yaml:10:5",
        "portals.d/contoso.yaml:10:25",
        "portals.d/contoso.yaml:12:5",
        "portals.d/contoso.yaml:14:5",
        "portals.d/contoso.yaml:16:16",
        "portals.d/contoso.yaml:19:3",
        "portals.d/contoso.yaml:20:10",
        "reconcile.yaml:4:5",
        "reconcile.yaml:4:11",
    ]


def test_what_counts_for_a_license_is_found_where_it_stands(desired: Desired) -> None:
    at, portal, today = Positions(desired), desired.portals["contoso"], date(2026, 11, 23)
    own = rule_of(portal, desired.settings, license_(FLOW), today)
    assert own
    assert str(at.rule("contoso", own)) == "portals.d/contoso.yaml:10:5"
    everywhere = rule_of(portal, desired.settings, license_(E3), today)
    assert everywhere
    assert str(at.rule("contoso", everywhere)) == "reconcile.yaml:4:5"
    entry = entry_of(portal, license_(E3))
    assert entry
    assert str(at.entry("contoso", entry)) == "portals.d/contoso.yaml:16:5"


def test_every_entry_of_a_license_is_behind_it(tmp_path: Path) -> None:
    text = f"products:\n  - {{sku: ENTERPRISEPACK, directory: A}}\n  - sku: {E3}\n    directory: B\n"
    repository(tmp_path, {"contoso.yaml": portal_yaml(text)})
    found = behind(load(tmp_path, tmp_path / "portals.d"), "contoso", license_(E3), date(2026, 11, 23))
    assert [(what, str(place)) for what, place in found] == [
        ("the portal", "portals.d/contoso.yaml:1:1"),
        (f"its entry under products, {E3}", "portals.d/contoso.yaml:7:5"),
        ("its entry under products, ENTERPRISEPACK", "portals.d/contoso.yaml:6:5"),
    ]


def test_a_portal_wins_where_both_files_say_the_same(tmp_path: Path) -> None:
    rule = "exclusions: [{sku: A, reason: b}]\n"
    repository(tmp_path, {"contoso.yaml": portal_yaml(rule), "reconcile.yaml": rule})
    at = Positions(load(tmp_path, tmp_path / "portals.d"))
    assert at.rule("contoso", Exclusion("A", "b")).file == "portals.d/contoso.yaml"


def test_what_nobody_declared_has_no_place(desired: Desired, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Positions(desired).portal("fabrikam")
    with pytest.raises(ValueError, match="not in tuple"):
        Positions(desired).rule("contoso", Exclusion("A", "b"))
    (tmp_path / "reconcile.yaml").unlink()
    with pytest.raises(KeyError):
        Positions(load(tmp_path, tmp_path / "portals.d")).repository_exclusion(0)
