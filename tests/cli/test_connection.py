"""``reconcile test-connection``: a verdict on every stage, the broken one with what to do, and nothing changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.connection import LABELS, Stage, unreadable
from reconciler.emulator.faults import ALWAYS, Cut, Fault
from reconciler.emulator.scenario import SECRET, Application
from reconciler.model import ErrorInfo
from reconciler.render.connection_text import render as render_text
from reconciler.resources import folder
from tests.cli.cli_world import PACKAGE, World, client_id, files_under, portal_yaml, reconcile, tenant, tenant_id
from tests.cli.connection_world import BROKEN, BY_SECRET, NOW, Broken, app, plug_in, run_test, verdicts
from tests.core.core_snapshots import JsonFile, TextFile
from tests.graph.network_world import CA_NAME, Interception, through

ORDER = [stage.value for stage in Stage]


def valid(text: str) -> dict[str, Any]:
    """A document that keeps to its schema."""
    document: dict[str, Any] = json.loads(text)
    schema = json.loads((folder("schemas") / "connection.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(document)
    return document


# --- connections that work -------------------------------------------------------------------------------------------


def test_the_page_of_the_demo(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ended = reconcile("--emulate", "demo", "test-connection", cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert ended.out == snapshot(extension_class=TextFile)


def test_the_json_of_the_demo(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ended = reconcile("--emulate", "demo", "test-connection", "--format", "json", cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert valid(ended.out)
    assert ended.out == snapshot(extension_class=JsonFile)


def test_every_stage_of_a_connection_that_works_is_ok_and_in_order(world: World) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(1))
    ended = run_test(world)
    assert ended.code == 0, ended.err
    assert verdicts(world) == dict.fromkeys(ORDER, "ok")
    assert "\none: Tenant 1 (tenant1.example)\n  ✓ Configuration " in ended.out
    assert "✗" not in ended.out


def test_only_the_portals_that_are_named_are_tested(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3))
    plug_in(world, tenant(1), tenant(2))
    document = valid(run_test(world, "--format", "json", "two", "one").out)
    assert [portal["id"] for portal in document["portals"]] == ["one", "two"]


def test_a_portal_that_does_not_exist_is_a_usage_error(world: World) -> None:
    world.portals(one=portal_yaml(1))
    ended = run_test(world, "other")
    assert ended.code == 64
    assert "unknown-portal" in ended.err


def test_several_portals_end_with_one_line_that_names_the_failing_ones(world: World) -> None:
    soon = BY_SECRET.replace("secret,", "secret, expires: 2026-12-01,")
    world.portals(
        one=portal_yaml(1), two=portal_yaml(2), three=portal_yaml(3).replace(BY_SECRET, soon), four=portal_yaml(4)
    )
    plug_in(world, tenant(1), tenant(3))
    ended = run_test(world)
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "2 of 4 portals can be read; failed: four, two; to look at: three."


def test_a_repository_without_portals_says_so(world: World) -> None:
    ended = run_test(world)
    assert (ended.code, ended.out) == (0, "There is no portal to test.\n")


def test_a_suspended_portal_is_tested_all_the_same(world: World) -> None:
    world.portals(one=portal_yaml(1, extra="suspend: {reason: Migration}\n"))
    plug_in(world, tenant(1))
    ended = run_test(world)
    assert ended.code == 0
    assert "suspended" in ended.out


# --- connections that do not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_connection_names_the_stage_and_the_remedy(
    broken: Broken, world: World, snapshot: SnapshotAssertion
) -> None:
    broken.set_up(world)
    ended = run_test(world)
    assert ended.code == 1
    assert re.sub("[0-9A-F]{64}", "<thumbprint>", ended.out) == snapshot(extension_class=TextFile)
    valid(run_test(world, "--format", "json").out)
    failed = [stage for stage in ORDER if verdicts(world)[stage] == "failed"]
    assert failed[0] == broken.stage
    lines = ended.out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  ✗"))
    assert lines[place + 1].lstrip().startswith("→ ")
    assert broken.remedy in lines[place + 1]
    for output in (ended.out, ended.err):
        assert SECRET not in output
        assert "canary" not in output
        assert "Traceback" not in output


def test_an_expired_secret_is_said_first_and_the_network_is_tested_all_the_same(world: World) -> None:
    BROKEN["secret expired in the file only"].set_up(world)
    found = verdicts(world)
    assert found["credential"] == "failed"
    assert [stage for stage in ORDER if found[stage] != "ok"] == ["credential"], (
        "Entra still takes it, and that is said"
    )


def test_without_a_usable_credential_hosts_tenant_and_clock_are_tested_and_nothing_else(world: World) -> None:
    BROKEN["certificate expired"].set_up(world)
    found = verdicts(world)
    tested = {"configuration", "secret", "login_host", "tenant", "graph_host", "clock"}
    assert {stage for stage, verdict in found.items() if verdict == "ok"} == tested
    assert {stage for stage, verdict in found.items() if verdict == "skipped"} == {*ORDER} - tested - {"credential"}


def test_when_graph_is_not_reached_the_sign_in_is_tested(world: World) -> None:
    BROKEN["Graph unreachable"].set_up(world)
    found = verdicts(world)
    assert (found["token"], found["permissions"], found["users"]) == ("ok", "ok", "skipped")


def test_the_credential_is_judged_without_a_network(world: World) -> None:
    BROKEN["name not resolved"].set_up(world)
    found = verdicts(world)
    assert (found["secret"], found["credential"], found["tenant"], found["token"]) == ("ok", "ok", "skipped", "skipped")
    assert found["clock"] == "ok", "Graph's answer says the time too"


def test_a_missing_permission_skips_only_the_endpoints_that_need_it(world: World) -> None:
    BROKEN["the narrower permission is not enough"].set_up(world)
    found = verdicts(world)
    assert found["organization"] == found["subscriptions"] == "skipped"
    assert found["subscribed_skus"] == found["users"] == "ok"


@pytest.mark.parametrize(
    ("roles", "beyond", "advice"),
    [
        (("Directory.Read.All",), "Directory.Read.All", "add Organization.Read.All and User.Read.All, then remove"),
        (("User.Read.All", "Organization.Read.All", "Mail.Read"), "Mail.Read", "API permissions, remove Mail.Read"),
        (("User.ReadWrite.All", "Organization.Read.All"), "User.ReadWrite.All", "add User.Read.All, then remove"),
    ],
)
def test_more_than_needed_is_a_warning_and_no_failure(
    roles: tuple[str, ...], beyond: str, advice: str, world: World
) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(applications=app(roles=roles)))
    ended = run_test(world)
    assert ended.code == 0
    assert f"! Permissions              permission-excessive: More than needed: {beyond}." in ended.out
    assert advice in ended.out
    assert {verdict for stage, verdict in verdicts(world).items() if stage != "permissions"} == {"ok"}


def test_a_permission_that_is_put_to_use_is_not_too_much(world: World) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(applications=app(roles=("User.Read.All", "Organization.Read.All", "AuditLog.Read.All"))))
    assert "✓ Permissions              AuditLog.Read.All, Organization.Read.All, User.Read.All\n" in run_test(world).out


@pytest.mark.parametrize(
    ("ahead", "verdict", "said"),
    [
        (30.5, "ok", "within a minute"),
        (-30.5, "ok", "within a minute"),
        (93.5, "warning", "about 90 seconds behind"),
        (-94.5, "warning", "about 90 seconds ahead of"),
        (3 * 3600.0, "failed", "about 3 hours behind"),
        (-86_400.0 * 9, "failed", "about 9 days ahead of"),
    ],
)
def test_two_clocks_may_be_a_minute_apart_and_must_not_be_five(
    ahead: float, verdict: str, said: str, world: World
) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(1), ahead=ahead)
    assert verdicts(world)["clock"] == verdict
    assert said in run_test(world).out


@pytest.mark.parametrize(
    ("expires", "verdict", "said"),
    [
        ("2026-11-22", "failed", "It expired on 2026-11-22."),
        ("2026-11-23", "warning", "It ends today"),
        ("2026-11-24", "warning", "It ends tomorrow"),
        ("2026-12-23", "warning", "It ends in 30 days, on 2026-12-23."),
        ("2026-12-24", "ok", "ends 2026-12-24"),
    ],
)
def test_the_end_of_a_secret_is_told_ahead_of_time(expires: str, verdict: str, said: str, world: World) -> None:
    signs_in = BY_SECRET.replace("secret,", f"secret, expires: {expires},")
    world.portals(one=portal_yaml(1).replace(BY_SECRET, signs_in))
    plug_in(world, tenant(1))
    assert verdicts(world)["credential"] == verdict
    assert said in run_test(world).out


def test_half_an_answer_fails_the_endpoint_that_gave_it(world: World) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(faults=(Fault(Cut(), "/v1.0/organization", first=1, times=ALWAYS),)))
    found = verdicts(world)
    assert [stage for stage in ORDER if found[stage] == "failed"] == ["organization"]


def test_on_a_terminal_long_lines_are_folded_under_their_column_and_signs_are_colored() -> None:
    report = unreadable("one", [ErrorInfo("a-code", "word " * 40, "first do this " * 20)])
    lines = render_text([report], width=80, color=True).splitlines()
    shown = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert max(map(len, shown)) <= 80
    folded = shown[2 : next(number for number, line in enumerate(shown) if line.startswith("  –"))]
    assert len(folded) > 5
    assert {line[:29].strip() for line in folded} == {""}
    assert re.search(r"\x1b\[1;31m *✗", lines[1])


def test_the_page_reads_without_color() -> None:
    assert "\x1b" not in render_text([unreadable("one", [ErrorInfo("a-code", "message", "remedy")])])


# --- two credentials -------------------------------------------------------------------------------------------------


def test_each_of_two_credentials_is_tested_under_its_own_heading(world: World, snapshot: SnapshotAssertion) -> None:
    first = "{type: secret, secret_id: first, secret: {env: OLD_SECRET}, expires: 2026-11-01}"
    world.portals(one=portal_yaml(1).replace(BY_SECRET, f"[{first}, {BY_SECRET}]"))
    world.monkeypatch.setenv("OLD_SECRET", "canary-of-a-secret")
    plug_in(world, tenant(1))
    ended = run_test(world)
    assert ended.code == 0, "the second one signs in, as it does in apply"
    assert ended.out == snapshot(extension_class=TextFile)
    (portal,) = valid(run_test(world, "--format", "json").out)["portals"]
    tokens = [stage["verdict"] for check in portal["credentials"] for stage in check["stages"][2:3]]
    assert tokens == ["failed", "ok"]
    assert portal["tenant"]["display_name"] == "Tenant 1", "the second one could ask"


# --- what it must not do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_is_changed_and_no_state_appears(form: str, world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    plug_in(world, tenant(1))
    before = (files_under(world.root), sorted(world.root.rglob("*")))
    assert run_test(world, "--format", form).code == 1
    assert (files_under(world.root), sorted(world.root.rglob("*"))) == before
    assert not (world.root / "state").exists()


def test_a_state_that_is_there_stays_as_it_is(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    assert world.run("apply").code == 0
    before = files_under(world.root)
    assert run_test(world).code == 0
    assert files_under(world.root) == before


def test_what_a_tenant_says_of_itself_cannot_act_on_the_terminal(world: World) -> None:
    evil = Application(client_id(1), roles=("User.Read.All", "Organization.Read.All", "\x1b[2JMail.Read\u202e"))
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(1, applications=(evil,)))
    for form in ("text", "json"):
        out = run_test(world, "--format", form).out
        assert "Mail.Read" in out
        assert "\x1b" not in out
        assert "\u202e" not in out


# --- what nobody foresaw ---------------------------------------------------------------------------------------------


class Surprise(httpx.BaseTransport):
    """A network that fails as no network does, for the requests of one tenant that are chosen."""

    def __init__(self, inner: httpx.BaseTransport, chosen: Callable[[httpx.Request], bool]) -> None:
        self._inner = inner
        self._chosen = chosen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._chosen(request):
            raise RuntimeError("Nobody foresaw this.")
        return self._inner.handle_request(request)


def reading(path: str, *, token: bool = True) -> Callable[[httpx.Request], bool]:
    """Requests to Graph for one path, with or without a token."""
    return lambda sent: sent.url.path == f"/v1.0/{path}" and ("authorization" in sent.headers) is token


@pytest.mark.parametrize(
    ("stage", "chosen"),
    [
        ("login_host", lambda sent: sent.url.path.startswith(f"/{tenant_id(1)}/v2.0")),
        ("graph_host", reading("organization", token=False)),
        ("token", lambda sent: sent.url.path == f"/{tenant_id(1)}/oauth2/v2.0/token"),
        ("organization", reading("organization")),
        ("subscribed_skus", reading("subscribedSkus")),
        ("subscriptions", reading("directory/subscriptions")),
        ("users", reading("users")),
    ],
)
def test_a_surprise_fails_its_stage(stage: str, chosen: Callable[[httpx.Request], bool], world: World) -> None:
    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(1), network=lambda inner: Surprise(inner, chosen))
    found = verdicts(world)
    assert [name for name in ORDER if found[name] == "failed"] == [stage]
    ended = run_test(world)
    assert ended.code == 1
    assert "internal: Internal error: RuntimeError." in ended.out
    assert "→ Run again with -vv" in ended.out
    assert "Nobody foresaw this" not in ended.out
    assert "RuntimeError: Nobody foresaw this." in ended.err, "the traceback at -vv"


@pytest.mark.parametrize(
    ("stage", "function"),
    [
        ("secret", "reconciler.config.references.resolve"),
        ("credential", "reconciler.graph.credential_check.load_credential"),
        ("permissions", "reconciler.graph.probe.judge_permissions"),
    ],
)
def test_a_surprise_in_our_own_code_fails_its_stage(stage: str, function: str, world: World) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    world.portals(one=portal_yaml(1))
    plug_in(world, tenant(1))
    world.monkeypatch.setattr(function, fail)
    found = verdicts(world)
    assert [name for name in ORDER if found[name] == "failed"] == [stage]
    assert f"✗ {LABELS[Stage(stage)]}" in run_test(world).out


def test_a_surprise_costs_no_other_portal_its_test_and_shows_no_traceback(world: World) -> None:
    world.portals(one=portal_yaml(1), two=portal_yaml(2))
    plug_in(
        world,
        tenant(1),
        tenant(2),
        network=lambda inner: Surprise(inner, lambda sent: sent.url.path == f"/{tenant_id(1)}/oauth2/v2.0/token"),
    )
    ended = world.run("--now", NOW, "-v", "test-connection")
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "1 of 2 portals can be read; failed: one."
    assert "Traceback" not in ended.out + ended.err
    assert "Nobody foresaw" not in ended.out + ended.err


# --- files that are not valid ----------------------------------------------------------------------------------------

INVALID = portal_yaml(2).replace("name:", "nmae:") + "suspend: {}\n"


def test_a_file_that_is_not_valid_fails_with_every_problem_and_the_others_are_tested(
    world: World, snapshot: SnapshotAssertion
) -> None:
    world.portals(one=portal_yaml(1), two=INVALID, three=portal_yaml(3))
    plug_in(world, tenant(1), tenant(3))
    ended = run_test(world)
    assert ended.code == 1
    assert ended.out == snapshot(extension_class=TextFile)
    assert ended.out.count("✗ Configuration") == 3, "an unknown key and two that are missing"
    portals = valid(run_test(world, "--format", "json").out)["portals"]
    assert [(portal["id"], portal["verdict"]) for portal in portals] == [
        ("one", "ok"),
        ("three", "ok"),
        ("two", "failed"),
    ]


def test_a_portal_is_tested_alone_beside_a_file_that_is_not_valid(world: World) -> None:
    world.portals(one=portal_yaml(1), two=INVALID)
    plug_in(world, tenant(1))
    ended = run_test(world, "one")
    assert ended.code == 0
    assert "two" not in ended.out
    assert "portals.d/two.yaml:1:1: unknown-key" in ended.err, "apply will refuse the whole repository"
    ended = run_test(world, "two")
    assert ended.code == 1
    assert ended.out.startswith("two: its file is not valid\n")
    assert "two.yaml" not in ended.err, "it is on the page"


def test_a_typo_is_a_usage_error_beside_a_file_that_is_not_valid(world: World) -> None:
    world.portals(one=portal_yaml(1), two=INVALID)
    ended = run_test(world, "one", "tow")
    assert (ended.code, ended.out) == (64, "")
    assert "Known portals: one, two." in ended.err


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("removals.yaml", "removals:\n  - {portal: one, sku: A, reason: Old, color: red}\n", "unknown-key"),
        ("Removals.yaml", "", "reserved-id"),
        ("notes.txt", "", "stray-file"),
        ("two.yml", portal_yaml(2), "stray-file"),
    ],
)
def test_a_file_that_is_no_portal_is_said_and_fails_no_connection(
    name: str, content: str, code: str, world: World
) -> None:
    world.portals(one=portal_yaml(1))
    (world.root / "portals.d" / name).write_text(content)
    plug_in(world, tenant(1))
    ended = run_test(world)
    assert ended.code == 0
    assert ended.out == run_test(world, "one").out, "it is no portal of the test"
    said = next(line for line in ended.err.splitlines() if line.startswith(f"portals.d/{name}:"))
    assert code in said
    assert ended.err.count("warning: until these files are valid, `reconcile apply` refuses to run.") == 1
    stem = name.partition(".")[0]
    ended = run_test(world, stem)
    assert (ended.code, ended.out) == (64, "")
    assert "Known portals: one." in ended.err
    assert f"portals.d/{name}:" in ended.err, "why it is not known"


def test_a_portal_whose_file_has_a_wrong_name_fails_as_a_portal(world: World) -> None:
    world.portals(one=portal_yaml(1), UPPER=portal_yaml(2))
    plug_in(world, tenant(1), tenant(2))
    ended = run_test(world)
    assert ended.code == 1
    assert "UPPER: its file is not valid\n  ✗ Configuration            bad-id:" in ended.out
    assert "warning:" not in ended.err


def test_settings_that_are_not_valid_belong_to_every_portal(world: World) -> None:
    world.portals(one=portal_yaml(1))
    (world.root / "reconcile.yaml").write_text("no_such_setting: true\n")
    ended = run_test(world)
    assert (ended.code, ended.out) == (1, "")
    assert "reconcile.yaml:1:1: unknown-key" in ended.err


# --- real sockets ----------------------------------------------------------------------------------------------------


def over(proxy: Interception, world: World, *arguments: str) -> Any:
    """Run against a served world instead of the emulator in this process."""
    through(world.monkeypatch, HTTPS_PROXY=proxy.address)
    return world.run("--retry-limit", "0", *arguments, emulate=False)


@pytest.mark.parametrize("command", ["test-connection", "apply"])
def test_a_proxy_carries_sign_in_and_graph_when_its_ca_is_trusted(command: str, world: World, tmp_path: Path) -> None:
    world.portals(one=portal_yaml(1))
    with Interception(tenant(1)).running() as proxy:
        through(world.monkeypatch, SSL_CERT_FILE=proxy.certificate_file(tmp_path))
        ended = over(proxy, world, command)
    assert ended.code == 0, ended.out + ended.err
    assert sorted(set(proxy.connected)) == ["graph.microsoft.com", "login.microsoftonline.com"]
    paths = {path for _, path in proxy.requests}
    assert any(path.endswith("/oauth2/v2.0/token") for path in paths)
    assert paths >= {"/v1.0/organization", "/v1.0/subscribedSkus", "/v1.0/directory/subscriptions", "/v1.0/users"}
    if command == "test-connection":
        assert (
            f"✓ Login host               login.microsoftonline.com, TLSv1.3, certificate issued by OU=Network,{CA_NAME}"
            in ended.out
        )


def test_without_its_ca_the_page_names_it_and_says_what_to_do(world: World) -> None:
    world.portals(one=portal_yaml(1))
    with Interception(tenant(1)).running() as proxy:
        ended = over(proxy, world, "test-connection")
    assert ended.code == 1
    lines = ended.out.splitlines()
    place = next(number for number, line in enumerate(lines) if "✗ Login host" in line)
    assert f"it was issued by 'OU=Network,{CA_NAME}', which this machine does not trust" in lines[place]
    assert "SSL_CERT_FILE" in lines[place + 1]
    assert proxy.requests == [], "nothing was sent over a connection that is not trusted"


def test_the_served_demo_can_be_tested_with_two_variables(tmp_path: Path) -> None:
    from reconciler.emulator import scenarios
    from reconciler.emulator.serve import Server

    (tmp_path / "portals.d").mkdir()
    for path in (PACKAGE / "portals.d").glob("*.yaml"):
        (tmp_path / "portals.d" / path.name).write_bytes(path.read_bytes())
    with Server(scenarios.load("demo"), tmp_path) as server:
        ended = reconcile("--now", "2026-11-23", "test-connection", cwd=tmp_path, environment=server.environment)
    assert ended.code == 1, ended.out + ended.err
    assert ended.out.count("✗") == 1
    assert "✗ Permissions              permission-missing: The token lacks User.Read.All." in ended.out
    assert "3 of 4 portals can be read; failed: contoso-lab; to look at: northwind." in ended.out
