"""OpenMetrics: what a parser reads is what is known."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import Sku, UserGroup
from reconciler.model import Settings
from reconciler.render.escape import plain
from reconciler.render.openmetrics import render
from reconciler.report import make_report
from tests.cli.cli_world import E3, FLOW, World, flow, office, portal_yaml, power_bi, tenant
from tests.core import core_world

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Values:
    """Every sample by name and labels, as a parser of OpenMetrics has it; it raises for what is not valid."""
    found: Values = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = (sample.name.removeprefix("m365_license_"), tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = float(sample.value)
    return found


def value(found: Values, name: str, **labels: str) -> float | None:
    """One sample."""
    return found.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def applied(world: World) -> Values:
    """Three portals: one that is short, one that fails from the second run on, one that is suspended."""
    short = tenant(1, skus=(office(5), power_bi()), users=(UserGroup(7, (E3,)),))
    world.tenants(short, tenant(2), tenant(3))
    secret = "authentication: {type: secret, secret: {env: TEST_SECRET}, expires: 2027-03-31}\n"
    plain = "authentication: {type: secret, secret: {env: TEST_SECRET}}\n"
    one = portal_yaml(1).replace(plain, secret)
    world.portals(one=one, two=portal_yaml(2), three=portal_yaml(3))
    assert world.run("--now", "2026-11-23T06:00:00Z", "apply").code == 0
    down = Fault(Reply(403), "/v1.0/*", times=ALWAYS)
    world.tenants(short, tenant(2, faults=(down,)), tenant(3))
    world.portals(one=one, two=portal_yaml(2), three=portal_yaml(3, extra="suspend: {reason: Pause}\n"))
    assert world.run("--now", "2026-11-24T06:00:00Z", "apply").code == 4
    ended = world.run("metrics")
    assert ended.code == 0
    assert ended.out.endswith("# EOF\n")
    return read(ended.out)


def test_a_product_has_its_numbers(applied: Values) -> None:
    labels = {"portal": "one", "sku_part_number": "ENTERPRISEPACK", "sku_id": E3}
    names = ("entitled", "consumed", "balance", "shortfall")
    assert [value(applied, f"product_{name}", **labels) for name in names] == [5, 7, -2, 2]


def test_portals_and_products_are_counted_and_nothing_that_is_zero_is_left_out(applied: Values) -> None:
    assert value(applied, "portals", state="present", outcome="complete") == 1
    assert value(applied, "portals", state="present", outcome="failed") == 1
    assert value(applied, "portals", state="suspended", outcome="complete") == 1
    assert value(applied, "portals", state="deleted", outcome="never") == 0
    assert sum(number for (name, _), number in applied.items() if name == "portals") == 3
    assert value(applied, "products", status="not_enough_licenses") == 1
    assert value(applied, "products", status="calculation_error") == 0
    assert value(applied, "portal_users", portal="one") == 7


def test_times_are_seconds_since_1970(applied: Values) -> None:
    def seconds(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    assert value(applied, "portal_failed_since_timestamp_seconds", portal="two") == seconds("2026-11-24T06:00")
    assert value(applied, "portal_failed_since_timestamp_seconds", portal="one") is None
    assert value(applied, "portal_as_of_timestamp_seconds", portal="two") == seconds("2026-11-23T06:00")
    end = value(applied, "portal_credential_end_timestamp_seconds", portal="one")
    assert end == seconds("2027-04-01T00:00"), "on its last day it still works"
    assert value(applied, "portal_credential_end_timestamp_seconds", portal="two") is None


def test_old_numbers_of_a_product_that_cannot_be_synchronised_are_not_told(world: World) -> None:
    world.tenants(tenant(skus=(office(), flow()), users=(UserGroup(7, (E3, FLOW)),)))
    world.portals(one=portal_yaml())
    world.run("apply")
    world.portals(one=portal_yaml(extra="exclusions:\n  - {sku: FLOW_FREE, reason: Free}\n"))
    world.run("apply")
    found = read(world.run("metrics").out)
    assert {dict(labels)["sku_id"] for name, labels in found if name == "product_entitled"} == {E3}
    assert value(found, "products", status="cannot_be_synchronised") == 1


def test_nothing_is_said_of_numbers_that_cannot_be_calculated_with(world: World) -> None:
    world.tenants(tenant(skus=(office(-1),)))
    world.portals(one=portal_yaml())
    world.run("apply")
    found = read(world.run("metrics").out)
    assert value(found, "products", status="calculation_error") == 1
    names = {name for name, _ in found if name.startswith("product_")}
    assert names == {"product_consumed"}


def test_without_a_state_the_text_is_valid_too(world: World) -> None:
    found = read(world.run("metrics").out)
    assert set(found.values()) == {0}


def test_labels_from_a_hostile_tenant_stay_labels(world: World) -> None:
    hostile = 'A"} 1\\\n# EOF\n\x1b[31m\u202e\u2028B'
    world.tenants(tenant(skus=(Sku(E3, hostile, enabled=10),)))
    world.portals(one=portal_yaml())
    world.run("apply")
    text = world.run("metrics").out
    assert text.count("# EOF\n") == 1
    assert text.replace("\n", "").isprintable()
    (told,) = {dict(labels)["sku_part_number"] for name, labels in read(text) if name == "product_entitled"}
    assert told == plain(hostile)


def test_the_same_state_says_the_same_whatever_its_order() -> None:
    products = (core_world.product(core_world.license_()),)
    states = [core_world.portal_state(*products, declared=core_world.portal(portal_id)) for portal_id in ("b", "a")]
    today = date(2026, 11, 23)
    one = render(make_report({state.id: state for state in states}, Settings(), today))
    two = render(make_report({state.id: state for state in reversed(states)}, Settings(), today))
    assert one == two


def test_metrics_write_nothing(world: World) -> None:
    world.run("metrics")
    assert not (world.root / "state").exists()
