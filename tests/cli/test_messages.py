"""The six messages of the original, word for word, each provoked through the emulator and kept in the report."""

from __future__ import annotations

import pytest

from reconciler.emulator.faults import ALWAYS, Drop, Fault, Reply
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application
from tests.cli.cli_world import World, client_id, portal_yaml, tenant

HTML = "<html><body>Please sign in to the guest network</body></html>"


def _certificate_portal(world: World, certificate: bytes, key: bytes) -> None:
    """A portal that signs in with these two files."""
    (world.root / "app.crt").write_bytes(certificate)
    (world.root / "app.key").write_bytes(key)
    signs_in = "{type: certificate, public_certificate: {file: app.crt}, private_key: {file: app.key}}"
    world.portals(one=portal_yaml(1).replace("{type: secret, secret: {env: TEST_SECRET}}", signs_in))


def _message(world: World) -> tuple[str, str, str]:
    """What the report says of the failed import: message, code, detail."""
    assert world.run("--retry-limit", "0", "apply").code == 1
    error = world.status()["one"]["import"]["error"]
    return error["message"], error["code"], error["detail"] or ""


@pytest.mark.parametrize(
    ("fault", "message", "code"),
    [
        (
            Fault(Drop(), "/v1.0/organization", times=ALWAYS),
            "Could not connect to GraphAPI server.",
            "graph-unreachable",
        ),
        (
            Fault(Drop(), "*/token", "login", times=ALWAYS),
            "Could not connect to GraphAPI server.",
            "graph-unreachable",
        ),
        (
            Fault(Reply(200, HTML), "/v1.0/subscribedSkus", times=ALWAYS),
            "GraphAPI webcall returned success but information could not be deserialized.",
            "success-not-deserialized",
        ),
        (
            Fault(Reply(200, HTML), "*/token", "login", times=ALWAYS),
            "GraphAPI webcall returned success but information could not be deserialized.",
            "success-not-deserialized",
        ),
        (
            Fault(Reply(502, HTML), "/v1.0/users", times=ALWAYS),
            "GraphAPI webcall returned failure but error information could not be deserialized.",
            "failure-not-deserialized",
        ),
        (
            Fault(Reply(403), "/v1.0/users", times=ALWAYS),
            "Insufficient privileges to complete the operation.",
            "Authorization_RequestDenied",
        ),
    ],
)
def test_a_broken_connection_is_said_in_the_words_of_the_original(
    world: World, fault: Fault, message: str, code: str
) -> None:
    world.portals(one=portal_yaml(1))
    world.tenants(tenant(1, faults=(fault,)))
    found, found_code, detail = _message(world)
    assert (found, found_code) == (message, code)
    assert "guest network" not in found
    if "Reply(status=200" in str(fault):
        assert "200" in detail, "what was received is said beside the message"


def test_an_unreadable_certificate_is_said_in_the_words_of_the_original(world: World) -> None:
    pair = KeyPair("one")
    _certificate_portal(
        world, b"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n", pair.private_key_pem
    )
    world.tenants(tenant(1, applications=(Application(client_id(1), certificates=(pair,)),)))
    assert _message(world)[:2] == ("Thumbprint from public key could not be read.", "thumbprint-unreadable")


def test_a_key_that_cannot_sign_is_said_in_the_words_of_the_original(world: World) -> None:
    pair, other = KeyPair("one"), KeyPair("other")
    _certificate_portal(world, pair.certificate_pem, other.private_key_pem)
    world.tenants(tenant(1, applications=(Application(client_id(1), certificates=(pair,)),)))
    message, code, _ = _message(world)
    assert message == "JSON Web Token generation for authentication with GraphAPI failed."
    assert code == "assertion-failed"


def test_a_certificate_that_fits_signs_in(world: World) -> None:
    pair = KeyPair("one")
    _certificate_portal(world, pair.certificate_pem, pair.private_key_pem)
    world.tenants(tenant(1, applications=(Application(client_id(1), certificates=(pair,)),)))
    assert world.run("apply").code == 0
