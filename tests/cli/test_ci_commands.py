"""No text from a tenant or a file becomes a command to the agent of a CI, wherever it is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from reconciler.emulator.scenario import Application, ServicePlan, Sku
from tests.cli.cli_world import E3, World, client_id, flow, office, portal_yaml, power_bi, tenant

OBEYED = re.compile(r"(?i)##(?:vso)?\[|^\s*::[a-z]", re.MULTILINE)
"""What Azure's agent and GitHub's runner obey: the first two anywhere in a line, the last at its start."""

VSO, BRACKET, COLONS = "##vso[task.setvariable variable=a]b", "##[error]b", "::error::b"
LONG = f"{'x' * 60} {COLONS} {VSO} {BRACKET} {'y ' * 40}"
HOSTILE = (VSO, BRACKET, COLONS, "###VSO[task.complete]", LONG)

COMMANDS = (
    "validate",
    "validate --format json",
    "plan",
    "plan --format markdown",
    "plan --format json",
    "-vv apply",
    "apply --format json",
    "--log-format json -vv apply",
    "status",
    "status --format json",
    "explain one ENTERPRISEPACK",
    "explain one ENTERPRISEPACK --format json",
    "explain one nothing",
    f"explain one {VSO}",
    f"explain {BRACKET} nothing",
    "history one",
    "history one --format json",
    "check",
    "check --format json",
    "check --format sarif",
    "check --format junit",
    "contacts",
    "contacts --format json",
    "prune",
    "test-connection",
    "test-connection --format json",
    "what-if one --buy ENTERPRISEPACK=20",
    "report --format csv",
    "report --format json",
    "report --format focus",
    "report --format cyclonedx",
    "metrics",
    "shards --count 4",
    f"plan {VSO}",
    f"apply {COLONS}",
    f"{BRACKET}",
    f"status --format {VSO}",
    f"explain-error {VSO}",
)


def lines(text: str) -> Iterator[str]:
    """The lines that would be obeyed."""
    return (line for line in text.splitlines() if OBEYED.search(line))


def quoted(text: str) -> str:
    """A text in YAML."""
    return json.dumps(text)


@pytest.fixture(params=HOSTILE, ids=["vso", "bracket", "colons", "capitals", "long"])
def hostile(request: pytest.FixtureRequest, world: World) -> World:
    """A repository and tenants with such text wherever text may stand; one tenant cannot be read."""
    text: str = request.param
    extra = (
        f"description: {quoted(text)}\ndirectory: {quoted(text.strip())}\n"
        f"exclusions: [{{sku: FLOW_FREE, reason: {quoted(text)}}}, {{sku: {quoted(text)}, reason: {quoted(text)}}}]\n"
        f"products: [{{sku: ENTERPRISEPACK, entitlement: {{quantity: 5, contract: {quoted(text)}}}}}]\n"
    )
    world.portals(
        one=portal_yaml(1, quoted(text), extra),
        two=portal_yaml(2, quoted(f"2 {text}"), f"suspend: {{reason: {quoted(text)}}}\n"),
        three=portal_yaml(3, quoted(f"3 {text}")),
    )
    (world.root / "reconcile.yaml").write_text(f"policies: [{{rule: no_product_short, reason: {quoted(text)}}}]\n")
    plans = (ServicePlan("9aaf7827-d63c-4b61-89c3-182f06f82e5c", text),)
    odd = Sku(E3.replace("6", "7"), text, enabled=3, service_plans=plans)
    world.tenants(
        tenant(1, skus=(office(5), power_bi(), flow(), odd)),
        tenant(2),
        tenant(3, applications=(Application(client_id(3), secrets=()),)),
    )
    return world


def test_nothing_printed_is_obeyed_by_an_agent(hostile: World) -> None:
    hostile.run("apply")
    found = {}
    for command in COMMANDS:
        words = [word.replace("\0", " ") for word in command.replace(VSO, VSO.replace(" ", "\0")).split()]
        ended = hostile.run(*words)
        if bad := [*lines(ended.out), *lines(ended.err)]:
            found[command] = bad[:2]
    assert not found


def test_nothing_committed_is_obeyed_by_an_agent(hostile: World) -> None:
    hostile.run("apply")
    texts = {path: content.decode() for path, content in hostile.written().items()}
    assert {path: bad[:2] for path, text in texts.items() if (bad := list(lines(text)))} == {}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_an_invalid_file_is_obeyed_by_an_agent(world: World, text: str) -> None:
    world.portals(
        one=f"{quoted(text)}: 1\nname: {quoted(text)}\nauthentication: {quoted(text)}\n", two=f"{text}\n  x: y: z"
    )
    (world.root / f"portals.d/{text.replace('/', '')[:80]}.yaml").write_text("name: x\n")
    for command in ("validate", "validate --format json", "plan", "apply", "--log-format json plan"):
        ended = world.run(*command.split())
        assert [*lines(ended.out), *lines(ended.err)] == [], command
    ended = world.run("validate", "--format", "github")
    own = re.compile(r"^::(?:error|warning) file=[^:]*,line=\d+,col=\d+,title=[^:]*::(?!:)")
    assert all(own.match(line) for line in ended.out.splitlines() if line.startswith("::"))
    assert not re.search(r"(?i)##(?:vso)?\[", ended.out)
