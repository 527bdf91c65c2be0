"""Five worlds that every report is shown for. They need no test library, so that any Python can play them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.emulator import scenarios
from reconciler.emulator.faults import ALWAYS, Cut, Drop, Effect, Fault, ForeignLink, Reply, throttled
from reconciler.emulator.scenario import (
    SECRET,
    Application,
    ClientSecret,
    LicenseAssignment,
    Scenario,
    Sku,
    Subscription,
    Tenant,
    User,
    UserGroup,
)
from tests.cli.cli_world import E3, client_id, flow, office, portal_yaml, power_bi, tenant

FIRST, LATER = datetime(2026, 11, 23, 6, tzinfo=UTC), datetime(2026, 11, 27, 6, tzinfo=UTC)
GROUP = "2f6a6f0e-0a0e-4a3b-8e57-3f9f4d2b7c11"
USERS = "/v1.0/users*"


@dataclass(frozen=True)
class Day:
    """A run: when, who answers, and the exit code that is due."""

    tenants: tuple[Tenant, ...]
    now: datetime = FIRST
    code: int = 0

    def scenario(self) -> Scenario:
        """The emulated world of that day."""
        return Scenario(self.tenants, now=self.now, credentials={"TEST_SECRET": SECRET.encode()})


@dataclass(frozen=True)
class World:
    """A repository and what happens to it. ``files`` by path; ``emulate`` is the scenario's name."""

    days: tuple[Day, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    emulate: str = "test"


# --- one tenant ------------------------------------------------------------------------------------------------------

CONTOSO = """\
description: Production tenant
exclusions:
  - {sku: FLOW_FREE, reason: Nothing is owned}
  - {sku: OLD_TRIAL, reason: Was tried, until: 2026-10-31}
products:
  - sku: ENTERPRISEPACK
    directory: Office/Suites
    price: {amount: "34.40", currency: EUR, per: month}
    entitlement: {quantity: 500, contract: EA-77, purchase_order: PO-1234}
"""


def one() -> World:
    """Contoso on two days: enough of everything, then one license short and an entitlement that is too low."""
    renewed = Subscription("Enabled", 480, next_lifecycle=datetime(2027, 7, 1, tzinfo=UTC))
    grace = Subscription("Warning", 20, next_lifecycle=datetime(2026, 12, 8, tzinfo=UTC))
    users = (
        UserGroup(420, (E3,)),
        UserGroup(40, (LicenseAssignment(E3, group_id=GROUP), E3), usage_location=None),
        UserGroup(12, (E3, "f8a1db68-be16-40ed-86d5-cb42ce701560"), account_enabled=False),
        UserGroup(5, (E3,), user_type="Guest"),
        UserGroup(3),
    )
    owned = office(480, warning=20, subscriptions=(renewed, grace))
    before = tenant(skus=(owned, power_bi(20), flow()), users=users)
    after = replace(before, skus=(owned, power_bi(10), flow()))
    files = {"portals.d/contoso.yaml": portal_yaml(name="Contoso", extra=CONTOSO)}
    return World((Day((before,)), Day((after,), LATER)), files)


# --- broken imports --------------------------------------------------------------------------------------------------

BREAKS: dict[str, Effect] = {
    "cut": Cut(),
    "dropped": Drop(),
    "foreign-link": ForeignLink(),
    "no-json": Reply(200, "<html>A proxy's page</html>"),
    "no-permission": Reply(403),
    "throttled": throttled(),
    "unavailable": Reply(503),
}
"""What happens to the list of users of a portal of that name, on the second day and from then on."""


def broken() -> World:
    """Portals whose import fails, each in its own way, after a day on which it did not; and two never read."""
    healthy = [tenant(number) for number in range(1, len(BREAKS) + 3)]
    kept, empty, *others = healthy
    failing = [
        replace(each, faults=(Fault(effect, USERS, times=ALWAYS),))
        for each, effect in zip(others, BREAKS.values(), strict=True)
    ]
    wrong = tenant(91, applications=(Application(client_id(91), secrets=(ClientSecret("another"),)),))
    names = ["kept", "no-skus", *BREAKS]
    files = {f"portals.d/{name}.yaml": portal_yaml(number) for number, name in enumerate(names, 1)}
    files |= {"portals.d/wrong-secret.yaml": portal_yaml(91), "portals.d/no-tenant.yaml": portal_yaml(92)}
    today = (kept, replace(empty, skus=()), *failing, wrong)
    return World((Day((*healthy, wrong), code=4), Day(today, LATER, code=4)), files)


# --- hostile names ---------------------------------------------------------------------------------------------------

PORTALS = 60

NAMES = (
    '=HYPERLINK("https://evil.example")',
    "+1+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "<!-- ",
    "--> </table> ]]>",
    "&amp; &lt;b&gt;",
    "[here](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "| a | b |",
    "# Heading",
    "- [ ] item",
    "`code` ```mermaid",
    "**bold** _it_ ~~out~~ $x$",
    "https://evil.example www.evil.example",
    "@everyone #1 GH-1",
    "CON.txt",
    "\u200b\u2060nothing",
    "İstanbul ıI",
    "Straße STRASSE",
    "e\u0301 é",
    "\U0001f469\u200d\U0001f4bb \U0001f1e9\U0001f1ea",
    "مرحبا שלום",
    "{{ 7 * 7 }} {% raw %}",
    "${{ secrets.TOKEN }} $(id) %PATH%",
    "::set-output name=x::y",
    "../../etc/passwd\\..\\x",
    "' OR 1=1; --",
    "null",
)
"""Names that try to be something else. A portal may have them: they are lines of text."""


def hostile() -> World:
    """Portals with hostile names, and tenants that send worse: with line breaks and commands to terminals."""
    numbered = [(number, f"{NAMES[number % len(NAMES)]} {number}") for number in range(1, PORTALS + 1)]
    files = {f"portals.d/portal-{number:02}.yaml": _hostile_yaml(number, name) for number, name in numbered}
    files["reconcile.yaml"] = f"exclusions: [{{sku: '<i>|*', reason: {_quoted(NAMES[4])}}}]\n"
    return World((Day(tuple(_hostile_tenant(number, name) for number, name in numbered)),), files)


def _quoted(text: str) -> str:
    """A text as YAML has it between single quotes, where nothing but they is special."""
    return "'" + text.replace("'", "''") + "'"


def _hostile_yaml(number: int, name: str) -> str:
    text, directory = _quoted(name), _quoted(name.replace("/", " ").replace("\\", " "))
    return portal_yaml(
        number,
        text,
        f"description: {text}\ndirectory: Microsoft 365/{number}\n"
        f"exclusions: [{{sku: {text}, reason: {text}}}]\n"
        f"products: [{{sku: ENTERPRISEPACK, directory: {directory}}}]\n",
    )


def _hostile_tenant(number: int, name: str) -> Tenant:
    sent = f"{name}\n\x1b[31m\u202e\ufeff\u2028\t{name}"
    own = f"00000000-0000-4000-8000-{number:012d}"
    said: dict[str, Any] = {"capabilityStatus": sent}
    strange = Sku(own, sent, enabled=5, subscriptions=(Subscription(sent, 5),), overrides=said)
    somebody = User(f"={number}@evil.example", (E3,), display_name=sent, mail=name)
    users = (UserGroup(6, (E3,)), UserGroup(number % 9, (own,)), somebody)
    return replace(tenant(number, skus=(office(), strange), users=users), display_name=sent)


# --- all -------------------------------------------------------------------------------------------------------------


def empty() -> World:
    """No portal at all."""
    return World((Day(()),))


def demo() -> World:
    """What the product brings along."""
    scenario = scenarios.load("demo")
    return World((Day(scenario.tenants, scenario.now),), emulate="demo")


WORLDS: dict[str, Callable[[], World]] = {
    "empty": empty,
    "one": one,
    "demo": demo,
    "broken": broken,
    "hostile": hostile,
}
