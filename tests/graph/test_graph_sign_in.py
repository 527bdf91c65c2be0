"""Two credentials: the second is tried when Entra refuses the first, and at no other time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.emulator.app import Emulator
from reconciler.emulator.faults import ALWAYS, Drop, Fault, Reply
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, ClientSecret, Scenario, Tenant
from reconciler.errors import PortalError, SecretUnresolved
from reconciler.graph.auth import TokenSource
from reconciler.graph.http import open_http
from reconciler.graph.retry import RetryPolicy
from reconciler.graph.sign_in import sign_in
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Portal,
    Reference,
    SecretAuthentication,
)
from tests.graph.federated_world import ENVIRONMENT, TOKEN_FILE, cluster_token, federated_app, resolving
from tests.graph.graph_world import NOW, TENANT_ID, Wire, key_pair, tenant

RIGHT = SecretAuthentication(Reference("env", "RIGHT"))
WRONG = SecretAuthentication(Reference("env", "WRONG"))
ABSENT = SecretAuthentication(Reference("env", "ABSENT"))
CERTIFICATE = CertificateAuthentication(
    public_certificate=Reference("env", "CERTIFICATE"), private_key=Reference("env", "KEY")
)
FEDERATED = FederatedAuthentication(TOKEN_FILE)
MACHINE = ManagedIdentityAuthentication()


def portal(first: Authentication, second: Authentication | None = None, client_id: str = CLIENT_ID) -> Portal:
    return Portal("contoso", "Contoso", TENANT_ID, client_id, first, "Microsoft 365/Contoso", second)


def world(*faults: Fault, **members: Any) -> Tenant:
    """A tenant whose app has a secret, a certificate and federated credentials."""
    members.setdefault("secrets", (ClientSecret(),))
    members.setdefault("certificates", (key_pair(),))
    return tenant(*faults, applications=(federated_app(**members),))


class Network:
    """An emulated tenant, or any other transport, and the ways to sign in to it."""

    def __init__(self, network: Tenant | httpx.BaseTransport) -> None:
        if isinstance(network, Tenant):
            network = httpx.WSGITransport(app=Emulator(Scenario((network,))))
        self.wire = Wire(network)
        self._http = open_http(transport=self.wire, retry=RetryPolicy(limit=0))

    def sign_in(self, given: Portal, **values: str) -> TokenSource:
        known = {
            "RIGHT": SECRET,
            "WRONG": "wrong",
            "CERTIFICATE": key_pair().certificate_pem.decode(),
            "KEY": key_pair().private_key_pem.decode(),
            TOKEN_FILE.name: cluster_token(),
            **ENVIRONMENT,
        }
        return sign_in(self._http, given, resolving({**known, **values}), NOW)

    def refusal(self, given: Portal, **values: str) -> PortalError:
        with pytest.raises(PortalError) as caught:
            self.sign_in(given, **values).token()
        return caught.value

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(request.content.decode()) for request in self.wire.to("/token") if request.method == "POST"]


def test_with_one_credential_nothing_is_sent_before_the_first_token_is_needed() -> None:
    network = Network(world())
    source = network.sign_in(portal(RIGHT))
    assert network.wire.requests == []
    assert source.token()


def test_the_second_is_not_touched_while_the_first_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reconciler")
    network = Network(world())
    assert network.sign_in(portal(RIGHT, ABSENT)).token()
    assert len(network.forms) == 1
    assert caplog.messages == ["contoso: signed in with the first credential (secret)"]


@pytest.mark.parametrize("second", [RIGHT, CERTIFICATE, FEDERATED, FederatedAuthentication()], ids=lambda one: one.type)
def test_the_second_signs_in_when_entra_refuses_the_first(
    second: Authentication, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reconciler")
    network = Network(world())
    source = network.sign_in(portal(WRONG, second))
    sent = len(network.wire.requests)
    assert source.token()
    assert len(network.wire.requests) == sent, "the token of the trial is used"
    assert "AADSTS" not in caplog.messages[-1]
    assert caplog.messages[0].startswith(
        "contoso: the first credential (secret) is refused: Invalid client secret provided."
    )
    assert caplog.messages[-1] == f"contoso: signed in with the second credential ({second.type})"
    assert {record.levelno for record in caplog.records if record.name.startswith("reconciler.graph.sign_in")} == {
        logging.INFO
    }


@pytest.mark.parametrize(
    ("first", "members", "values"),
    [
        (RIGHT, {"secrets": (ClientSecret(end=NOW),), "certificates": ()}, {}),
        (CERTIFICATE, {"certificates": (key_pair("another"),)}, {}),
        (FEDERATED, {}, {TOKEN_FILE.name: cluster_token(sub="somebody")}),
        (FEDERATED, {}, {TOKEN_FILE.name: cluster_token(iss="https://other.example")}),
        (FEDERATED, {}, {TOKEN_FILE.name: cluster_token(aud="other")}),
        (FEDERATED, {}, {TOKEN_FILE.name: cluster_token(nbf=1.0, exp=2.0)}),
        (FEDERATED, {}, {TOKEN_FILE.name: "no token"}),
        (FEDERATED, {}, {TOKEN_FILE.name: ""}),
        (FederatedAuthentication(), {}, {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}),
        (ABSENT, {}, {}),
        (CERTIFICATE, {}, {"CERTIFICATE": "no certificate"}),
        (CERTIFICATE, {}, {"KEY": key_pair("another").private_key_pem.decode()}),
        (MACHINE, {}, {}),
    ],
)
def test_every_way_in_which_a_credential_can_be_bad_leads_to_the_second(
    first: Authentication, members: dict[str, Any], values: dict[str, str]
) -> None:
    new = ClientSecret("new-secret")
    members = {**members, "secrets": (*members.get("secrets", ()), new)}
    network = Network(world(**members))
    second = SecretAuthentication(Reference("env", "NEW"))
    assert network.sign_in(portal(first, second), NEW=new.value, **values).token()
    assert network.forms[-1]["client_secret"] == [new.value]


def expired_pair() -> dict[str, str]:
    from datetime import UTC, datetime

    from reconciler.emulator.keys import KeyPair

    pair = KeyPair("expired", not_after=datetime(2026, 11, 22, tzinfo=UTC))
    return {"CERTIFICATE": pair.certificate_pem.decode(), "KEY": pair.private_key_pem.decode()}


def test_a_certificate_that_has_expired_is_not_even_sent() -> None:
    network = Network(world())
    assert network.sign_in(portal(CERTIFICATE, RIGHT), **expired_pair()).token()
    assert len(network.forms) == 1
    assert "client_secret" in network.forms[0]


def reply(code: int, error: str = "invalid_client") -> Reply:
    return Reply(401, {"error": error, "error_description": f"AADSTS{code}: Words."})


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("graph-unreachable", lambda: Network(world(Fault(Drop(), service="login", times=ALWAYS)))),
        (
            "success-not-deserialized",
            lambda: Network(world(Fault(Reply(200, "<html>"), service="login", times=ALWAYS))),
        ),
        (
            "failure-not-deserialized",
            lambda: Network(world(Fault(Reply(502, "<html>"), service="login", times=ALWAYS))),
        ),
        ("AADSTS90033", lambda: Network(world(Fault(Reply(503), "*/token", service="login", times=ALWAYS)))),
        ("AADSTS53003", lambda: Network(world(Fault(reply(53003), "*/token", service="login", times=ALWAYS)))),
        ("AADSTS700016", lambda: Network(tenant(applications=()))),
        ("AADSTS7000229", lambda: Network(world(has_service_principal=False))),
        ("AADSTS7000112", lambda: Network(world(disabled=True))),
        ("AADSTS90002", lambda: Network(Tenant("6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"))),
    ],
)
def test_what_another_credential_cannot_mend_leaves_the_second_alone(
    code: str, make: Callable[[], Network], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reconciler.graph.sign_in")
    network = make()
    assert network.refusal(portal(RIGHT, CERTIFICATE)).code == code
    assert caplog.messages == []
    assert not any("client_assertion" in form for form in network.forms)


def test_when_both_are_refused_the_first_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reconciler.graph.sign_in")
    network = Network(world(certificates=()))
    error = network.refusal(portal(WRONG, CERTIFICATE))
    assert error.code == "AADSTS7000215"
    assert len(network.forms) == 2
    assert "so is the second (certificate)" in caplog.messages[-1]


def test_when_the_second_cannot_be_loaded_the_first_is_reported() -> None:
    assert Network(world()).refusal(portal(WRONG, ABSENT)).code == "AADSTS7000215"
    error = Network(world()).refusal(portal(ABSENT, WRONG))
    assert isinstance(error, SecretUnresolved)
    assert "ABSENT" in str(error)


def test_a_token_that_is_renewed_comes_from_the_credential_that_was_taken() -> None:
    network = Network(world())
    source = network.sign_in(portal(WRONG, CERTIFICATE))
    source.renew()
    source.token()
    assert ["client_secret" in form for form in network.forms] == [True, False, False]


@pytest.mark.parametrize(
    ("expires", "warned"), [(date(2026, 11, 22), True), (date(2026, 11, 23), False), (None, False)]
)
def test_a_secret_past_its_end_is_said_before_the_network_is_tried(
    expires: date | None, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    network = Network(world())
    source = network.sign_in(portal(SecretAuthentication(Reference("env", "RIGHT"), expires=expires)))
    said = ["contoso: the secret {env: RIGHT} expired on 2026-11-22"] if warned else []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == said
    assert network.wire.requests == []
    assert source.token(), "the date was typed by hand; only Entra knows"


def test_no_secret_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Network(world()).refusal(portal(WRONG, ABSENT), WRONG="canary-secret")
    Network(world()).sign_in(portal(WRONG, RIGHT), WRONG="canary-secret").token()
    assert "canary" not in caplog.text
    assert SECRET not in caplog.text
    assert Application().client_id in caplog.text  # Entra names the app in its refusal
