"""``reconcile diff``, ``status --rev`` and ``what-if``: reports beside each other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator.scenario import UserGroup
from reconciler.labels import EMULATED_NOTICE
from reconciler.model import License, PortalState, Product, Settings, Status, Subscription, Units
from reconciler.what_if import Assumptions, assume
from tests.audit.audit_world import Repository
from tests.audit.conftest import EXCLUSIONS
from tests.cli.cli_world import E3, flow, office, portal_yaml, tenant
from tests.core.core_world import portal


def diff(repository: Repository, *arguments: str) -> str:
    """What the command prints."""
    ended = repository.world.run("diff", *arguments, emulate=False)
    assert ended.code == 0, ended.err
    return ended.out


def two_reports(repository: Repository) -> tuple[str, str]:
    """Two commits between which a portal came, one went short, and an exclusion was added."""
    first = repository.publish()
    repository.world.portals(one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3))
    (repository.root / "reconcile.yaml").write_text("exclusions: [{sku: '*_FREE', reason: Free}]\n")
    repository.world.tenants(tenant(1, skus=(office(5), flow())), tenant(2), tenant(3))
    repository.commit("A third portal, and one exclusion for all")
    return first, repository.publish("2026-11-24T06:00:00Z")


def test_what_changed_between_two_commits_is_said_in_words(repository: Repository) -> None:
    first, second = two_reports(repository)
    assert diff(repository, first, second) == (
        f"{EMULATED_NOTICE}\n"
        "one: 3 changes\n"
        "  exclusion of FLOW_FREE taken out\n"
        "  exclusion of OLD taken out\n"
        "  Office 365 E3: status Fully licensed → Not enough licenses assigned; enabled units 10 → 5; "
        "a subscription: licenses 10 → 5\n"
        "three: new, Portal 3, with 1 product\n"
        "  Office 365 E3: Fully licensed\n"
        "exclusion of *_FREE for every portal added: Free (import)\n"
        "Portals: 2 → 3\n"
        "Portals read completely: 2 → 3\n"
        'Products "Not enough licenses assigned": 0 → 1\n'
        "Licenses entitled: 20 → 25\n"
        "Licenses consumed: 14 → 21\n"
        "Licenses missing: 0 → 2\n"
    )


def test_a_new_portal_that_could_not_be_read_has_no_number_of_products(repository: Repository) -> None:
    first = repository.publish()
    repository.world.portals(one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3))
    repository.commit("A third portal, whose tenant is not there")
    assert repository.world.run("apply").code == 4
    assert "three: new, Portal 3, not read yet\n" in diff(repository, first)


def test_without_a_second_commit_it_is_compared_with_what_is_known_now(repository: Repository) -> None:
    first, second = two_reports(repository)
    assert diff(repository, first) == diff(repository, first, second)
    assert diff(repository, second) == "Nothing changed.\n"
    repository.world.tenants(tenant(1, skus=(office(6), flow())), tenant(2), tenant(3))
    assert repository.world.run("--now", "2026-11-25T06:00:00Z", "import").code == 0
    assert "enabled units 5 → 6" in diff(repository, second)


def test_the_other_way_round_a_portal_is_gone(repository: Repository) -> None:
    first, second = two_reports(repository)
    assert "three: nothing is left of it\n" in diff(repository, second, first)
    assert "exclusion of *_FREE for every portal taken out\n" in diff(repository, second, first)


def test_a_portal_whose_file_was_renamed_is_no_new_one(repository: Repository) -> None:
    first = repository.publish()
    repository.world.portals(first=portal_yaml(1, extra=EXCLUSIONS), two=portal_yaml(2))
    repository.commit("A better name")
    repository.publish("2026-11-24T06:00:00Z")
    said = diff(repository, first)
    assert "  its file was one.yaml and is first.yaml now\n" in said
    assert "new, " not in said
    assert "nothing is left" not in said


def test_as_markdown_no_name_of_a_tenant_is_markup(repository: Repository) -> None:
    first = repository.publish()
    repository.world.portals(one=portal_yaml(1, name="'<b>[x](y)'"), two=portal_yaml(2))
    repository.commit("A strange name")
    repository.publish("2026-11-24T06:00:00Z")
    page = diff(repository, first, "--format", "markdown")
    assert "## &lt;b&gt;\\[x\\](y)\n" in page
    assert "<b>" not in page


def test_each_form_says_that_numbers_are_emulated_where_there_are_numbers(repository: Repository) -> None:
    first, second = two_reports(repository)
    assert f"> **{EMULATED_NOTICE}**\n" in diff(repository, first, second, "--format", "markdown")
    assert json.loads(diff(repository, first, second, "--format", "json"))["emulated"] is True
    assert diff(repository, second, "--format", "markdown") == "# What changed\n\nNothing changed.\n"


@pytest.mark.parametrize(("below", "told"), [(0, True), (5, False)])
def test_a_small_group_is_in_no_comparison(below: int, told: bool, repository: Repository) -> None:
    (repository.root / "reconcile.yaml").write_text(f"report: {{small_group: {below}}}\n" if below else "")
    repository.commit("How small a group is")
    first = repository.publish()
    users = (UserGroup(6, (E3,)), UserGroup(1, (E3,), account_enabled=False))
    repository.world.tenants(tenant(1, skus=(office(), flow()), users=users), tenant(2))
    assert repository.world.run("apply", "--full").code == 0
    assert ("disabled" in diff(repository, first)) is told


def test_as_json_every_change_has_both_sides(repository: Repository) -> None:
    first, second = two_reports(repository)
    found: dict[str, Any] = json.loads(diff(repository, first, second, "--format", "json"))
    assert (found["before"]["short"], found["after"]["short"]) == (0, 2)
    assert [(each["id"], each["new"], each["gone"]) for each in found["portals"]] == [
        ("one", False, False),
        ("three", True, False),
    ]
    assert {"subject": "Office 365 E3", "sku_id": E3, "field": "enabled", "before": 10, "after": 5} in found["portals"][
        0
    ]["changes"]
    assert found["exclusions"][0]["subject"] == "*_FREE"


def test_the_status_of_a_commit_is_what_its_report_said(repository: Repository) -> None:
    first, _ = two_reports(repository)
    then = repository.git("show", f"{first}:state/reports/status.json") + "\n"
    assert repository.world.run("status", "--format", "json", "--rev", first, emulate=False).out == then
    assert "Portal 3" not in repository.world.run("status", "--rev", first).out
    assert repository.world.run("status", "three", "--rev", first).code == 64


# --- what if ---------------------------------------------------------------------------------------------------------


def product(units: Units, consumed: int | None = 12, **more: Any) -> Product:
    """A product of Office 365 E3."""
    subscription = Subscription("s", "Suspended", 5, False, None)
    license_ = License(E3, "ENTERPRISEPACK", "User", "Enabled", units, consumed, (subscription,))
    return Product(license_, "Office 365 E3", "A", consumed, {}, Status.NOT_ENOUGH_LICENSES, **more)


def assumed(before: Product, assumptions: Assumptions) -> Product:
    """The only product of a portal under assumptions."""
    (after,) = assume(PortalState(portal(), products=(before,)), assumptions, Settings()).products
    return after


def test_bought_licenses_are_entitled() -> None:
    after = assumed(product(Units(10, 0, 5, 0)), Assumptions(buy=[("enterprisepack", 3), (E3, 1)]))
    assert after.license.units == Units(14, 0, 5, 0)
    assert after.status is Status.FULLY_LICENSED


def test_renewed_licenses_are_enabled_without_an_end() -> None:
    after = assumed(product(Units(1, 2, 5, 7)), Assumptions(renew=["ENTERPRISE*"]))
    assert after.license.units == Units(8, 0, 0, 7)
    assert [(each.status, each.next_lifecycle) for each in after.license.subscriptions] == [("Enabled", None)]


def test_reclaimed_licenses_are_no_longer_consumed() -> None:
    before = product(Units(10, 0, 0, 0), reclaimable={"disabled_account": 2, "overlap": 1})
    after = assumed(before, Assumptions(reclaim=["disabled_account"]))
    assert (after.consumers, after.license.consumed_units) == (10, 10)
    assert after.reclaimable == {"overlap": 1}
    assert after.status is Status.FULLY_LICENSED


def test_what_is_unknown_stays_unknown() -> None:
    before = product(Units(None, 0, 5, 0), consumed=None, reclaimable={"overlap": 1})
    after = assumed(before, Assumptions([("ENTERPRISEPACK", 3)], ["ENTERPRISEPACK"], ["overlap"]))
    assert after.license.units == before.license.units
    assert after.consumers is None
    assert after.status is Status.CALCULATION_ERROR


def test_before_and_after_are_shown_with_status_and_nothing_is_written(repository: Repository) -> None:
    repository.world.tenants(tenant(1, skus=(office(5),), users=(UserGroup(7, (E3,)),)), tenant(2))
    repository.world.portals(
        one=portal_yaml(
            1, extra="products: [{sku: ENTERPRISEPACK, price: {amount: '10', currency: EUR, per: month}}]\n"
        ),
        two=portal_yaml(2),
    )
    repository.commit("Prices")
    repository.publish()
    before = repository.world.written()
    ended = repository.world.run("what-if", "one", "--buy", "ENTERPRISEPACK=3", emulate=False)
    assert ended.code == 0, ended.err
    notice, _, _, *lines = ended.out.splitlines()
    assert notice == EMULATED_NOTICE
    assert lines == [
        "one      Office 365 E3      5 → 8          0          7    −2 → 1   "
        "✗ Not enough licenses assigned → ✓ Fully licensed   active",
        "Buy 3 × Office 365 E3 (one), 10.00 EUR a month each: 360.00 EUR a year.",
        "Missing licenses a year: 240.00 EUR → 0.00 EUR",
        "Licenses nobody consumes a year: 0.00 EUR → 120.00 EUR",
        "Then: None of 1 product is short of licenses. 1 of 1 portal read.",
    ]
    assert repository.world.written() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say what to assume"),
        (["--buy", "ENTERPRISEPACK=3"], "is in one, two: name the portal by ID"),
        (["one", "--buy", "NOTHING=3"], "No portal has a product 'NOTHING'"),
        (["--renew", "NOTHING"], "No portal has a product 'NOTHING'"),
        (["--renew", "NOTHING=ENTERPRISEPACK"], "No portal has a product 'NOTHING'"),
        (["--renew", "ENTERPRISEPACK=E5"], "cannot be renewed as 'E5': name another product"),
        (["--renew", "ENTERPRISEPACK=ENTERPRISEPACK"], "of which one, two has exactly one"),
        (["--renew", "ENTERPRISEPACK="], "is not a SKU, or two"),
        (["--renew", "=ENTERPRISEPACK"], "is not a SKU, or two"),
        (["--buy", "ENTERPRISEPACK"], "is not a SKU and a number"),
        (["--buy", "ENTERPRISEPACK=-3"], "is not a SKU and a number"),
        (["--buy", "ENTERPRISEPACK=٣"], "is not a SKU and a number"),
        (["nobody", "--renew", "ENTERPRISEPACK"], "There is no portal nobody"),
    ],
)
def test_an_assumption_that_means_nothing_is_a_usage_error(
    repository: Repository, arguments: list[str], said: str
) -> None:
    repository.publish()
    ended = repository.world.run("what-if", *arguments, emulate=False)
    assert ended.code == 64
    assert said in ended.err


def test_an_assumption_that_changes_nothing_says_so(repository: Repository) -> None:
    repository.publish()
    ended = repository.world.run("what-if", "--reclaim", "overlap", emulate=False)
    assert (ended.code, ended.out) == (0, "Nothing would change.\n")
