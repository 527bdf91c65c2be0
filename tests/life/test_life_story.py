"""The original's page from its first chapter to its last, as one life of a portal: plan and report of each step."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.emulator.scenario import Application, Sku, Subscription, Tenant, UserGroup
from tests.cli.cli_world import World, client_id, office, portal_yaml, power_bi, tenant
from tests.core.core_snapshots import MarkdownFile, TextFile

VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
EVERYTHING = (office(), power_bi(5), Sku(VISIO, "VISIOCLIENT", enabled=3))


class Story:
    """One repository; every step is five hours after the one before, as the server task of the original."""

    def __init__(self, world: World, snapshot: SnapshotAssertion) -> None:
        self.world = world
        self._snapshot = snapshot
        self._hours = 0

    def step(self, name: str, *, code: int = 0, overview: bool = False) -> None:
        """Plan, apply, apply once more; the plan and the page of the portal are reviewed as snapshots."""
        self._hours += 5
        plan = self._run("plan")
        assert plan.out == self._snapshot(extension_class=TextFile, name=f"{name} - plan")
        assert self._run("apply").code == code
        page = self.world.root / "state/reports" / ("status.md" if overview else "one.md")
        assert page.read_text() == self._snapshot(extension_class=MarkdownFile, name=f"{name} - report")
        before = self.world.written()
        assert self._run("apply").code == code
        assert self.world.written() == before

    def _run(self, *arguments: str):  # type: ignore[no-untyped-def]
        days, hours = divmod(self._hours, 24)
        return self.world.run("--now", f"2026-11-{23 + days:02d}T{hours:02d}:00:00Z", *arguments)


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "repository", capsys, monkeypatch)


def portal(extra: str = "", name: str = "Portal 1") -> str:
    """The portal's file."""
    return portal_yaml(1, name=name, extra=extra)


def with_skus(*skus: Sku, applications: tuple[Application, ...] = (Application(client_id(1)),)) -> Tenant:
    """The tenant with these licenses; seven users hold Office, two of them Visio too."""
    owned = {sku.sku_id for sku in skus}
    held = [[sku_id for sku_id in (office().sku_id, *more) if sku_id in owned] for more in ((), (VISIO,))]
    users = (UserGroup(5, tuple(held[0])), UserGroup(2, tuple(held[1])))
    return tenant(1, skus=skus, users=users, applications=applications)


EXCLUDING = "exclusions:\n  - {sku: VISIOCLIENT, reason: Bought by hand}\n"
MOVED = "products:\n  - {sku: ENTERPRISEPACK, directory: Office/Suites}\n"


def test_the_life_of_a_portal_as_the_original_tells_it(world: World, snapshot: SnapshotAssertion) -> None:
    story = Story(world, snapshot)

    # Preparing Entra: without permissions the connection is refused, and says so.
    world.portals(one=portal())
    world.tenants(with_skus(*EVERYTHING, applications=(Application(client_id(1), roles=()),)))
    assert world.run("test-connection").code == 1
    story.step("01 permissions are missing", code=1)

    # With consent the portal is added: licenses become products in Microsoft 365/<name>, prefixed with its name.
    world.tenants(with_skus(*EVERYTHING))
    assert world.run("test-connection").code == 0
    story.step("02 the portal is imported")

    # Editing: a new name is a new prefix; a product is dragged into another directory and stays there.
    world.portals(one=portal(MOVED, name="Contoso"))
    story.step("03 renamed and moved")
    world.portals(one=portal(name="Contoso"))
    story.step("04 the entry is gone, the product stays")

    # Reason 1: the license no longer exists in the portal. It recovers by itself when it is back.
    world.tenants(with_skus(office(), Sku(VISIO, "VISIOCLIENT", enabled=3)))
    story.step("05 a license is gone from the portal")
    world.tenants(with_skus(*EVERYTHING))
    story.step("06 the license is back")

    # Reason 2: excluded afterwards; taken back, it recovers with the next import.
    world.portals(one=portal(EXCLUDING, name="Contoso"))
    story.step("07 a license is excluded afterwards")
    world.portals(one=portal(name="Contoso"))
    story.step("08 the exclusion is taken back")

    # Rule zero: an outage changes no status.
    world.tenants(with_skus(*EVERYTHING, applications=(Application(client_id(1), secrets=()),)))
    story.step("09 the secret is refused", code=1)
    world.tenants(with_skus(*EVERYTHING))

    # The subscription runs out: grace covers it, then too few are left.
    lapsed = Sku(office().sku_id, "ENTERPRISEPACK", warning=10, subscriptions=(Subscription("Warning", 10),))
    world.tenants(with_skus(lapsed, *EVERYTHING[1:]))
    story.step("10 a subscription is in grace")
    world.tenants(with_skus(Sku(office().sku_id, "ENTERPRISEPACK", suspended=10), *EVERYTHING[1:]))
    story.step("11 the subscription is suspended")
    world.tenants(with_skus(*EVERYTHING))

    # Reason 3: the portal is deleted. Its products stay until a person removes them.
    world.portals()
    assert world.run("plan").code == 3
    world.portals(two=portal_yaml(2))
    world.tenants(with_skus(*EVERYTHING), tenant(2))
    story.step("12 the portal is deleted")
    removal = "removals:\n  - {portal: one, sku: '*', reason: The tenant is closed, ticket: LIC-12}\n"
    world.portals(two=portal_yaml(2), removals=removal)
    story.step("13 its products are removed", overview=True)
    assert not (world.root / "state/reports/one.md").exists()
