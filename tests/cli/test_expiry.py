"""The end of a credential from file or certificate to plan, terminal and report, and before the network is tried."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.invocation import Invocation
from reconciler.cli.session import credential_ends
from reconciler.emulator.faults import ALWAYS, Drop, Fault
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application
from reconciler.model import CertificateAuthentication, Reference
from tests.cli.cli_world import World, client_id, keyvault_yaml, portal_yaml, reconcile, tenant
from tests.core.core_world import portal

SECRET = "{type: secret, secret: {env: TEST_SECRET}}"
CERTIFICATE = "{type: certificate, public_certificate: {file: app.crt}, private_key: {file: app.key}}"

OLD = KeyPair("old", not_before=datetime(2025, 12, 1, tzinfo=UTC), not_after=datetime(2026, 12, 10, 12, tzinfo=UTC))
NEW = KeyPair("new", not_before=datetime(2026, 11, 1, tzinfo=UTC), not_after=datetime(2027, 12, 10, 12, tzinfo=UTC))


def ending(world: World, day: str | None, extra: str = "") -> None:
    """Declare one portal whose secret ends on this day."""
    signs_in = SECRET.replace("}}", f"}}, expires: {day}}}") if day else SECRET
    world.portals(one=portal_yaml(1, extra=extra).replace(SECRET, signs_in))


def signing(world: World, pair: KeyPair) -> None:
    """Declare one portal that signs in with this pair, in a tenant that knows both."""
    world.portals(one=portal_yaml(1).replace(SECRET, CERTIFICATE))
    (world.root / "app.crt").write_bytes(pair.certificate_pem)
    (world.root / "app.key").write_bytes(pair.private_key_pem)
    world.tenants(tenant(1, applications=(Application(client_id(1), secrets=(), certificates=(OLD, NEW)),)))


def said(world: World) -> dict[str, Any]:
    """The one condition of the one portal in ``status.json``."""
    (found,) = world.status()["one"]["conditions"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("day", "status", "reason", "message"),
    [
        ("2026-11-22", "True", "Expired", "The client secret expired on 2026-11-22."),
        ("2026-11-30", "True", "ExpiresSoon", "The client secret expires on 2026-11-30."),
        ("2026-12-01", "True", "Expiring", "The client secret expires on 2026-12-01."),
        ("2026-12-24", "False", "Valid", "The client secret expires on 2026-12-24."),
        (None, "False", "Unknown", "The end of the client secret is not known: the portal's file has no `expires`."),
    ],
)
def test_the_end_of_a_secret_is_in_plan_terminal_and_report(
    world: World, day: str | None, status: str, reason: str, message: str
) -> None:
    ending(world, day)
    world.tenants(tenant(1))
    planned = world.run("plan").out
    ended = world.run("apply")
    shown = world.run("status").out
    assert ended.code == 0
    assert said(world) == {"type": "CredentialExpiring", "status": status, "reason": reason, "message": message}
    line = f"⚠ one: CredentialExpiring: {message}\n"
    assert [line in text for text in (planned, ended.out, shown)] == [status == "True"] * 3
    page = (world.root / "state/reports/one.md").read_text()
    steps = page.partition("## Next steps")[2].partition("##")[0]
    assert message.partition(":")[0] in page.partition("## Next steps")[0]
    assert (message in steps) is (status == "True")
    assert (message in (world.root / "state/reports/status.md").read_text()) is (status == "True")


def test_settings_say_how_long_before(world: World) -> None:
    ending(world, "2027-01-20")
    world.tenants(tenant(1))
    world.run("apply")
    assert said(world)["reason"] == "Valid"
    (world.root / "reconcile.yaml").write_text("expiring_days: 60\n")
    world.run("apply")
    assert said(world)["reason"] == "Expiring"
    (world.root / "reconcile.yaml").write_text("urgent_days: 58\n")
    world.run("apply")
    assert said(world)["reason"] == "ExpiresSoon"


def test_reports_change_on_the_days_that_cross_a_level_and_on_no_other(world: World) -> None:
    ending(world, "2026-12-31")
    world.tenants(tenant(1))
    world.run("apply")
    seen, changed = world.written(), []
    for day in ["2026-11-30", "2026-12-01", "2026-12-02", "2026-12-23", "2026-12-24", "2026-12-31", "2027-01-01"]:
        assert world.run("--now", f"{day}T06:00:00Z", "apply").code == 0
        if world.written() != seen:
            changed.append(day)
        seen = world.written()
    assert changed == ["2026-12-01", "2026-12-24", "2027-01-01"]


def test_a_level_that_is_crossed_touches_no_ledger(world: World) -> None:
    ending(world, "2026-12-31")
    world.tenants(tenant(1))
    world.run("apply")
    before = world.written()
    world.run("--now", "2026-12-30T06:00:00Z", "apply")
    after = world.written()
    assert {name for name in after if after[name] != before.get(name)} == {
        "reports/evidence.json",
        "reports/index.html",
        "reports/one.md",
        "reports/status.json",
        "reports/status.md",
    }


def test_an_expired_secret_is_said_before_the_network_is_tried_and_tried_all_the_same(world: World) -> None:
    ending(world, "2026-11-01")
    world.tenants(tenant(1, faults=(Fault(Drop(), "*", "login", times=ALWAYS),)))
    ended = world.run("--retry-limit", "0", "apply")
    assert ended.code == 1
    warning = "one: the secret {env: TEST_SECRET} expired on 2026-11-01"
    assert warning in ended.err
    assert ended.err.index(warning) < ended.err.index("one: failed")
    world.tenants(tenant(1))
    again = world.run("apply")
    assert again.code == 0, "a date that was typed wrong stops no import"
    assert warning in again.err


@pytest.mark.parametrize("day", ["2026-11-23", "2026-12-01", "2027-03-31"])
def test_a_credential_that_still_works_is_not_warned_of_in_the_log(world: World, day: str) -> None:
    ending(world, day)
    world.tenants(tenant(1))
    assert "expire" not in world.run("apply").err


# --- certificates ----------------------------------------------------------------------------------------------------


def test_a_certificate_says_its_end_itself(world: World) -> None:
    signing(world, OLD)
    assert "The certificate expires on 2026-12-10." in world.run("plan").out
    assert world.run("apply").code == 0
    assert (said(world)["reason"], said(world)["message"]) == ("Expiring", "The certificate expires on 2026-12-10.")


def test_plan_shows_a_rotation_and_apply_ends_the_warning(world: World) -> None:
    signing(world, OLD)
    world.run("apply")
    signing(world, NEW)
    plan = world.run("plan")
    assert "last day of the credential: 2026-12-10 → 2027-12-10" in plan.out
    assert "CredentialExpiring" not in plan.out
    assert world.run("apply").code == 0
    assert said(world)["reason"] == "Valid"
    assert world.run("plan").out == "No changes. 1 portal is as declared.\n"
    page = (world.root / "state/reports/one.md").read_text()
    assert "- end of the credential 2026-12-10 → 2027-12-10\n" in page


def test_where_the_certificate_cannot_be_read_the_known_end_stays(world: World) -> None:
    signing(world, OLD)
    world.run("apply")
    for name in ("app.crt", "app.key"):
        (world.root / name).unlink()
    before = world.written()
    plan = world.run("plan")
    assert plan.code == 0
    assert plan.out.endswith("No changes. 1 portal is as declared.\n")
    assert "⚠ one: CredentialExpiring: The certificate expires on 2026-12-10." in plan.out
    assert world.run("recalculate").code == 0
    assert world.written() == before


def test_an_expired_certificate_fails_before_the_network_and_is_a_condition(world: World) -> None:
    signing(world, OLD)
    ended = world.run("--now", "2027-01-01T00:00:00Z", "-vv", "apply")
    assert ended.code == 1
    assert "the certificate expired on 2026-12-10" in ended.out
    assert "client-request-id" not in ended.err, "nothing was sent"
    assert said(world)["reason"] == "Expired"


@pytest.mark.parametrize(
    ("pair", "warned"), [(OLD, ["WARNING one: the certificate {file: app.crt} expired on 2026-12-10"]), (NEW, [])]
)
def test_an_expired_first_certificate_is_warned_of_when_the_second_credential_signs_in(
    pair: KeyPair, warned: list[str], world: World
) -> None:
    signing(world, pair)
    world.portals(one=portal_yaml(1).replace(SECRET, f"[{CERTIFICATE}, {SECRET}]"))
    world.tenants(tenant(1, applications=(Application(client_id(1), certificates=(OLD, NEW)),)))
    ended = world.run("--now", "2026-12-11T00:00:00Z", "apply")
    assert ended.code == 0
    assert [line for line in ended.err.splitlines() if "WARNING" in line] == warned


def test_only_selected_portals_that_sign_in_by_certificate_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.root / "app.crt").write_bytes(OLD.certificate_pem)
    signs_in = CertificateAuthentication(Reference("file", "app.crt"), Reference("file", "app.key"))
    portals = {name: portal(name, authentication=signs_in) for name in ("a", "b")}
    invocation = Invocation(world.root)
    assert credential_ends(invocation, portals) == {"a": date(2026, 12, 10), "b": date(2026, 12, 10)}
    assert credential_ends(invocation, portals, ("b",)) == {"b": date(2026, 12, 10)}
    monkeypatch.delenv("TEST_SECRET")
    assert credential_ends(invocation, {"c": portal("c")}) == {}


def test_plan_loads_no_cryptography_for_secrets(world: World, tmp_path: Path) -> None:
    ending(world, "2026-11-30")
    script = tmp_path / "plan.py"
    script.write_text(
        "import json, sys\nfrom reconciler.cli.main import main\n"
        f"code = main(['--chdir', {str(world.root)!r}, 'plan'])\n"
        "heavy = sorted({'cryptography', 'msal', 'httpx'} & set(sys.modules))\n"
        "print(json.dumps([code, heavy]))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_the_demo_warns_of_the_secret_that_ends_soon(tmp_path: Path) -> None:
    ended = reconcile("--emulate", "demo", "apply", cwd=tmp_path)
    assert "⚠ northwind: CredentialExpiring: The client secret expires on 2026-12-15.\n" in ended.out
    assert ended.out.count("CredentialExpiring") == 1


def test_a_plan_asks_no_key_vault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the portal's file and the repository say by themselves is still said."""
    vaulted = Reference("keyvault", "contoso/app")
    (world.root / "app.crt").write_bytes(OLD.certificate_pem)
    pem = CertificateAuthentication(public_certificate=Reference("file", "app.crt"), private_key=vaulted)
    portals = {
        "pem": portal("pem", authentication=pem),
        "pfx": portal("pfx", authentication=CertificateAuthentication(pfx=vaulted)),
    }
    assert credential_ends(Invocation(world.root), portals) == {"pem": date(2026, 12, 10)}

    def network(**_: object) -> None:
        pytest.fail("a plan needs the network")

    monkeypatch.setattr("reconciler.graph.http.open_http", network)
    (world.root / "reconcile.yaml").write_text(keyvault_yaml())
    by_pfx = "{type: certificate, pfx: {keyvault: {vault: contoso, secret: app}}}"
    world.portals(one=portal_yaml().replace("{type: secret, secret: {env: TEST_SECRET}}", by_pfx))
    ended = world.run("plan")
    assert ended.code == 0
    assert "1 to add" in ended.out or "+ " in ended.out
