"""What reaches the terminal and the disk: no secret, no traceback, no hostile character, the right exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from reconciler.cli.main import COMMANDS, cli
from reconciler.emulator import scenarios
from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import Scenario, User, UserGroup
from tests.cli.cli_world import E3, World, office, portal_yaml, tenant


def test_names_from_a_tenant_are_harmless_in_terminal_and_markdown(world: World) -> None:
    hostile = "\x1b[31mred\x07 | <script>alert(1)</script> \u202eevil\n# heading [x](https://evil.example)"
    world.portals(one=portal_yaml(1))
    sku = office(overrides={"skuId": "00000000-0000-4000-8000-0000000000aa", "skuPartNumber": hostile})
    world.tenants(tenant(1, skus=(sku,), users=(UserGroup(1, (E3,)),)))
    ended = world.run("apply")
    assert ended.code == 0
    for text in (ended.out, ended.err):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
    page = (world.root / "state/reports/status.md").read_text()
    assert not {"\x1b", "\x07", "\u202e"} & set(page)
    assert "<script>" not in page
    assert "\n# heading" not in page
    assert "](https://evil" not in page


def test_names_of_people_are_in_no_committed_file(world: World) -> None:
    person = User("erika.example@tenant1.example", (E3,), display_name="Erika Example", mail="erika@mail.example")
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, users=(person,)))
    world.run("apply")
    assert world.product()["consumers"] == 1
    for text in world.written().values():
        assert b"erika" not in text.lower()
        assert person.object_id.encode() not in text


def test_plan_and_status_write_nothing(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    assert world.run("plan").code == 0
    assert world.run("status").code == 0
    assert not (world.root / "state").exists()
    world.run("apply")
    world.portals(one=portal_yaml(1, name="Renamed"))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in world.root.rglob("*") if path.is_file()}
    assert "Renamed" in world.run("plan").out
    assert world.run("status").code == 0
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in world.root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("plan",), 0),
        (("plan", "--detailed-exitcode"), 2),
        (("plan", "--detailled-exitcode"), 64),
        (("aply",), 64),
        (("--retry-limit", "many", "plan"), 64),
        (("--now", "yesterday", "plan"), 64),
        (("plan", "nowhere"), 64),
        (("plan", "--allow", "tenant-change"), 0),
        (("plan", "--allow", "everything"), 64),
        (("status", "nowhere"), 64),
        ((), 64),
    ],
)
def test_exit_codes_of_plan_and_usage_errors(world: World, arguments: tuple[str, ...], code: int) -> None:
    world.portals(one=portal_yaml(1))
    assert world.run(*arguments).code == code


def test_a_mistyped_command_gets_the_nearest_one(world: World) -> None:
    assert "Did you mean 'apply'?" in world.run("aply").err


def test_plan_with_detailed_exit_code_is_0_when_nothing_is_pending(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_plan_shows_a_refusal_and_ends_like_apply_would(world: World) -> None:
    world.portals(one=portal_yaml(1, extra="protect: true\n"), two=portal_yaml(2))
    world.tenants(tenant(1), tenant(2))
    world.run("apply")
    world.portals(two=portal_yaml(2))
    plan, applied = world.run("plan"), world.run("apply")
    assert (plan.code, applied.code) == (3, 3)
    assert "portal-protected" in plan.err
    assert "portal-protected" in applied.err


def test_every_option_is_an_environment_variable_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    monkeypatch.setenv("RECONCILE_NOW", "2026-12-24T18:00:00+01:00")
    world.run("apply")
    assert world.status()["one"]["import"]["as_of"] == "2026-12-24T17:00:00Z"
    monkeypatch.setenv("RECONCILE_STATUS_FORMAT", "json")
    assert json.loads(world.run("status").out)["portals"][0]["id"] == "one"
    monkeypatch.setenv("RECONCILE_RETRY_LIMIT", "none")
    assert world.run("plan").code == 64


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and sub-command with its path."""
    for name, (module, _) in COMMANDS.items():
        command = import_module(module).command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name}_{inner}", each) for inner, each in command.commands.items())


def test_the_variable_of_an_option_is_its_command_and_its_long_name() -> None:
    for path, command in [("", cli), *_commands()]:
        context = click.Context(command, auto_envvar_prefix="_".join(["RECONCILE", *([path.upper()] if path else [])]))
        for option in command.params:
            if not isinstance(option, click.Option):
                continue
            long = next(name for name in option.opts if name.startswith("--")).removeprefix("--")
            wanted = f"{context.auto_envvar_prefix}_{long.upper().replace('-', '_')}"
            automatic = f"{context.auto_envvar_prefix}_{str(option.name).upper()}"
            assert wanted in (option.envvar, automatic), f"{path} --{long}"


@pytest.mark.parametrize(("limit", "requests"), [(0, 1), (1, 2), (3, 4)])
def test_the_retry_limit_is_the_number_of_retries(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: int, requests: int
) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, faults=(Fault(Reply(503, headers={"Retry-After": "0"}), "/v1.0/users", times=ALWAYS),)))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("RECONCILE_RETRY_LIMIT", str(limit))
    ended = world.run("-vv", "apply")
    assert ended.code == 1
    assert sum("/v1.0/users" in line and "503" in line for line in ended.err.splitlines()) == requests


def test_status_says_when_nothing_is_known_yet(world: World) -> None:
    world.portals(one=portal_yaml(1))
    ended = world.run("status")
    assert ended.code == 0
    assert "There are no products." in ended.out


def test_an_internal_error_shows_no_traceback_unless_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Scenario:
        raise RuntimeError(name)

    monkeypatch.setattr(scenarios, "load", broken)
    world.portals(one=portal_yaml(1))
    ended = world.run("plan")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "RuntimeError" in ended.err
    assert "Traceback" in world.run("-vv", "plan").err
    monkeypatch.setenv("RECONCILE_VERBOSE", "2")
    assert "Traceback" in world.run("plan").err


def test_a_locked_state_is_refused(world: World) -> None:
    from reconciler.store.lock import exclusive

    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    with exclusive(world.root / "state"):
        ended = world.run("apply")
    assert (ended.code, "locked" in ended.err) == (3, True)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(world: World, name: str) -> None:
    ended = world.run(name, "--help", emulate=False)
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: reconcile {name}")


def test_recalculate_uses_new_settings_without_reading_a_tenant(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, skus=(office(enabled=5, warning=5),)))
    world.run("apply")
    assert world.product()["status"] == "fully_licensed"
    (world.root / "reconcile.yaml").write_text("count_warning: false\n")
    assert "status: Fully licensed → Not enough licenses assigned" in world.run("plan").out
    world.tenants()
    assert world.run("recalculate").code == 0
    assert world.product()["status"] == "not_enough_licenses"
    assert world.product()["entitled"] == 5


def test_recalculate_completely_imports_first(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    world.tenants(tenant(1, skus=(office(99),)))
    world.run("recalculate", "--completely")
    assert world.product()["entitled"] == 99


def test_import_leaves_the_reports_and_report_brings_them_up_to_date(world: World) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1))
    world.run("apply")
    world.tenants(tenant(1, skus=(office(99),)))
    world.run("import")
    assert world.product()["entitled"] == 10
    world.run("report")
    assert world.product()["entitled"] == 99
