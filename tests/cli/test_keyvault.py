"""Portals whose credentials are in a key vault, from the command line."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key, pkcs12

from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import SECRET, Application, ClientSecret, Tenant, Vault, VaultSecret
from tests.cli.cli_world import World, client_id, keyvault_yaml, portal_yaml, tenant

BY_SECRET = "{type: secret, secret: {env: TEST_SECRET}}"
PAIR = KeyPair("vaulted", not_after=datetime(2026, 12, 10, tzinfo=UTC))


def pfx() -> str:
    """The pair the way a vault gives it out."""
    key: Any = load_pem_private_key(PAIR.private_key_pem, None)
    certificate = x509.load_pem_x509_certificate(PAIR.certificate_pem)
    return base64.b64encode(pkcs12.serialize_key_and_certificates(b"", key, certificate, None, NoEncryption())).decode()


def vaulted(world: World, *names: str, **members: Any) -> tuple[Tenant, ...]:
    """Portals whose credential is the PFX of this name in the vault of the first tenant."""
    tenants = tuple(
        tenant(number, applications=(Application(client_id(number), certificates=(PAIR,), **members),))
        for number in range(1, len(names) + 1)
    )
    vault = Vault("contoso", tenants[0], {"app": VaultSecret(pfx(), "application/x-pkcs12")})
    world.tenants(*tenants, vaults=(vault,))
    (world.root / "reconcile.yaml").write_text(keyvault_yaml())
    world.portals(
        **{
            f"p{number}": portal_yaml(number).replace(
                BY_SECRET, f"{{type: certificate, pfx: {{keyvault: {{vault: contoso, secret: {name}}}}}}}"
            )
            for number, name in enumerate(names, 1)
        }
    )
    return tenants


def test_portals_are_imported_and_the_vault_is_asked_once(world: World) -> None:
    vaulted(world, "app", "app", "app")
    ended = world.run("-vv", "apply")
    assert ended.code == 0, ended.err
    assert {portal["import"]["outcome"] for portal in world.status().values()} == {"complete"}
    assert ended.err.count("contoso.vault.azure.net/secrets/app/ -> 200") == 1
    assert world.run("apply").err.endswith("Nothing changed: the report, state/reports/status.md, is up to date.\n")


def test_a_portal_whose_vault_fails_does_not_stop_the_others(world: World) -> None:
    vaulted(world, "app", "nothing")
    ended = world.run("apply")
    assert ended.code == 4
    error = world.status()["p2"]["import"]["error"]
    assert error["code"] == "keyvault-secret-missing"
    assert "{keyvault: {vault: contoso, secret: nothing}}" in error["detail"]


def test_the_second_credential_is_tried_when_the_vault_fails(world: World) -> None:
    tenants = vaulted(world, "nothing")
    world.portals(
        one=portal_yaml().replace(
            BY_SECRET,
            f"[{{type: secret, secret: {{keyvault: {{vault: contoso, secret: nothing}}}}}}, {BY_SECRET}]",
        )
    )
    assert world.run("apply").code == 0
    closed = replace(tenants[0], applications=(Application(client_id(1), secrets=(ClientSecret("other"),)),))
    world.tenants(closed, vaults=(Vault("contoso", closed),))
    ended = world.run("apply")
    assert ended.code == 1
    assert world.status()["one"]["import"]["error"]["code"] == "keyvault-sign-in-failed"


def test_a_connection_is_tested_with_what_the_vault_keeps(world: World) -> None:
    vaulted(world, "app")
    ended = world.run("test-connection", "p1")
    assert ended.code == 0, ended.out
    assert "{keyvault: {vault: contoso, secret: app}}" in ended.out
    assert "2026-12-10" in ended.out, "the end of a certificate is known once the vault is asked"
    assert SECRET not in ended.out


def test_a_broken_vault_is_a_failed_stage_of_the_test(world: World) -> None:
    vaulted(world, "nothing")
    ended = world.run("test-connection", "p1")
    assert ended.code == 1
    assert "keyvault-secret-missing" in ended.out


def test_the_end_of_a_certificate_in_a_vault_is_known_after_the_import_without_the_vault(world: World) -> None:
    vaulted(world, "app")
    assert world.run("apply").code == 0
    (condition,) = world.status()["p1"]["conditions"]
    assert (condition["reason"], condition["message"]) == ("Expiring", "The certificate expires on 2026-12-10.")
    before = world.written()
    assert world.run("apply").code == 0
    assert world.written() == before
    world.tenants()
    plan = world.run("plan")
    assert "⚠ p1: CredentialExpiring: The certificate expires on 2026-12-10." in plan.out
    assert plan.out.endswith("No changes. 1 portal is as declared.\n")


def test_the_end_of_a_certificate_in_a_vault_is_known_when_it_has_passed_and_the_second_credential_signs_in(
    world: World,
) -> None:
    vaulted(world, "app")
    by_vault = "{type: certificate, pfx: {keyvault: {vault: contoso, secret: app}}}"
    world.portals(p1=portal_yaml(1).replace(BY_SECRET, f"[{by_vault}, {BY_SECRET}]"))
    ended = world.run("--now", "2026-12-11T00:00:00Z", "apply")
    assert ended.code == 0, ended.err
    (condition,) = world.status()["p1"]["conditions"]
    assert (condition["reason"], condition["message"]) == ("Expired", "The certificate expired on 2026-12-10.")
