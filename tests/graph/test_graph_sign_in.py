"""Two credentials: the second is tried when Entra refuses the first, and at no other time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.emulator.app import Emulator
from reconciler.emulator.faults import ALWAYS, Drop, Fault, Reply
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, ClientSecret, Scenario, Tenant, UserGroup
from reconciler.errors import PortalError, SecretUnresolved, Unreachable
from reconciler.graph.auth import Tokens
from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
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
from tests.graph.graph_world import E3, NOW, TENANT_ID, Wire, key_pair, tenant

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

    def __init__(self, network: Tenant | httpx.BaseTransport, clock: Callable[[], float] = time.time) -> None:
        if isinstance(network, Tenant):
            network = httpx.WSGITransport(app=Emulator(Scenario((network,)), clock))
        self.wire = Wire(network)
        self._http = open_http(transport=self.wire, retry=RetryPolicy(limit=0))

    def sign_in(self, given: Portal, **values: str) -> Tokens:
        known = {
            "RIGHT": SECRET,
            "WRONG": "wrong",
            "CERTIFICATE": key_pair().certificate_pem.decode(),
            "KEY": key_pair().private_key_pem.decode(),
            TOKEN_FILE.name: cluster_token(),
            **ENVIRONMENT,
        }
        return sign_in(self._http, given, resolving({**known, **values}), NOW)

    def client(self, given: Portal, **values: str) -> GraphClient:
        return GraphClient(self._http, ENDPOINTS[given.cloud], given.tenant_id, self.sign_in(given, **values))

    def refusal(self, given: Portal, **values: str) -> PortalError:
        with pytest.raises(PortalError) as caught:
            self.sign_in(given, **values).token()
        return caught.value

    @property
    def proofs(self) -> list[str]:
        """What each request for a token rested on: the secret, or ``assertion``."""
        return [form.get("client_secret", ["assertion"])[0] for form in self.forms]

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(request.content.decode()) for request in self.wire.to("/token") if request.method == "POST"]


@pytest.mark.parametrize("second", [None, CERTIFICATE])
def test_nothing_is_sent_before_the_first_token_is_needed(second: Authentication | None) -> None:
    network = Network(world())
    source = network.sign_in(portal(RIGHT, second))
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
    token = source.token()
    sent = len(network.wire.requests)
    assert source.token() == token
    assert len(network.wire.requests) == sent, "neither is asked again while the token lives"
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


def expired_pair(end: datetime = datetime(2026, 11, 22, tzinfo=UTC)) -> dict[str, str]:
    pair = KeyPair("expired", not_after=end)
    return {"CERTIFICATE": pair.certificate_pem.decode(), "KEY": pair.private_key_pem.decode()}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


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
    assert "nor is there a token by the second credential (certificate)" in caplog.messages[-1]


def test_when_the_second_cannot_be_loaded_the_first_is_reported() -> None:
    assert Network(world()).refusal(portal(WRONG, ABSENT)).code == "AADSTS7000215"
    error = Network(world()).refusal(portal(ABSENT, WRONG))
    assert isinstance(error, SecretUnresolved)
    assert "ABSENT" in str(error)


def test_a_token_that_is_renewed_comes_from_the_credential_that_was_taken() -> None:
    network = Network(world())
    source = network.sign_in(portal(WRONG, CERTIFICATE))
    source.token()
    source.renew()
    source.token()
    assert network.proofs == ["wrong", "assertion", "assertion"]


# --- in mid-run ------------------------------------------------------------------------------------------------------

START = NOW.timestamp()
OTHER = "other-secret"
SECOND = SecretAuthentication(Reference("env", "OTHER"))


def refused(*requests: int) -> tuple[Fault, ...]:
    """Entra refuses these requests for a token, counted from 1: the credential has been taken out of it."""
    return tuple(Fault(reply(7000215), "*/token", service="login", first=number) for number in requests)


def two_secrets(*faults: Fault, first_ends: datetime = NOW + timedelta(days=1)) -> Tenant:
    """A tenant with four pages of users, whose app has two secrets."""
    secrets = (ClientSecret(end=first_ends), ClientSecret(OTHER))
    return tenant(*faults, users=(UserGroup(3100, (E3,)),), applications=(Application(secrets=secrets),))


@pytest.mark.parametrize(
    ("faults", "first_ends"),
    [(refused(2), NOW + timedelta(days=1)), ((), NOW + timedelta(minutes=90))],
    ids=["taken out of Entra", "past its end"],
)
def test_a_first_credential_that_goes_in_mid_run_leaves_the_rest_of_the_users_to_the_second(
    faults: tuple[Fault, ...], first_ends: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reconciler.graph.sign_in")
    passed = [0.0]
    network = Network(two_secrets(*faults, first_ends=first_ends), lambda: START + passed[0])
    pages = network.client(portal(RIGHT, SECOND), OTHER=OTHER).users(pytest.fail, NOW.date())
    received = next(pages).received
    passed[0] = 7200.0  # the token lives for an hour
    received += sum(page.received for page in pages)
    assert received == 3100
    assert network.proofs == [SECRET, SECRET, OTHER]
    assert caplog.messages[0] == "contoso: signed in with the first credential (secret)"
    assert caplog.messages[1].startswith("contoso: the first credential (secret) is refused: ")
    assert caplog.messages[2:] == ["contoso: signed in with the second credential (secret)"]


def test_a_second_credential_that_goes_in_mid_run_leads_back_to_the_first() -> None:
    network = Network(two_secrets(*refused(1, 3)))
    source = network.sign_in(portal(RIGHT, SECOND), OTHER=OTHER)
    for _ in range(3):
        assert source.token()
        source.renew()
    assert network.proofs == [SECRET, OTHER, OTHER, SECRET, SECRET]


def test_when_both_go_in_mid_run_each_is_tried_once_and_the_first_is_reported() -> None:
    network = Network(two_secrets(Fault(reply(7000215), "*/token", service="login", first=2, times=ALWAYS)))
    client = network.client(portal(RIGHT, SECOND), OTHER=OTHER)
    client.organization()
    client._tokens.renew()
    for asked in ([SECRET, OTHER], [SECRET, OTHER]):
        before = len(network.proofs)
        with pytest.raises(PortalError) as caught:
            client.organization()
        assert caught.value.code == "AADSTS7000215"
        assert network.proofs[before:] == asked


def test_when_the_second_goes_in_mid_run_and_the_first_has_never_worked_the_first_is_reported() -> None:
    network = Network(two_secrets(*refused(3)))
    source = network.sign_in(portal(ABSENT, SECOND), OTHER=OTHER)
    source.token()
    source.renew()
    source.token()
    source.renew()
    with pytest.raises(SecretUnresolved, match="ABSENT"):
        source.token()
    assert network.proofs == [OTHER] * 3


def test_an_entra_that_is_not_there_in_mid_run_leaves_the_other_alone() -> None:
    network = Network(two_secrets(Fault(Drop(), "*/token", service="login", first=2)))
    source = network.sign_in(portal(RIGHT, SECOND), OTHER=OTHER)
    source.token()
    source.renew()
    with pytest.raises(Unreachable):
        source.token()
    assert source.token()
    assert network.proofs == [SECRET] * 3


def test_threads_that_meet_a_refused_credential_turn_to_the_second_once() -> None:
    network = Network(two_secrets())
    source = network.sign_in(portal(WRONG, SECOND), OTHER=OTHER)
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: source.token(), range(8)))
    assert len(tokens) == 1
    assert network.proofs == ["wrong", OTHER]


# --- what is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "warned"), [(date(2026, 11, 22), True), (date(2026, 11, 23), False), (None, False)]
)
def test_a_secret_past_its_end_is_said_before_the_network_is_tried(
    expires: date | None, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    network = Network(httpx.MockTransport(lambda _: httpx.Response(500)))
    network.refusal(portal(SecretAuthentication(Reference("env", "RIGHT"), expires=expires)))
    said = ["contoso: the secret {env: RIGHT} expired on 2026-11-22"] if warned else []
    assert warnings(caplog) == said
    assert Network(world()).sign_in(portal(SecretAuthentication(Reference("env", "RIGHT"), expires=expires))).token(), (
        "the date was typed by hand; only Entra knows"
    )


@pytest.mark.parametrize(
    ("first", "values", "named"),
    [
        (CERTIFICATE, expired_pair(), "{env: CERTIFICATE}"),
        (SecretAuthentication(Reference("env", "WRONG"), expires=date(2026, 11, 22)), {}, "{env: WRONG}"),
    ],
    ids=["certificate", "secret"],
)
def test_a_first_credential_past_its_end_is_warned_of_also_when_the_second_signs_in(
    first: Authentication, values: dict[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = Network(world()).sign_in(portal(first, RIGHT), **values)
    assert source.token()
    assert source.token()
    assert warnings(caplog) == [f"contoso: the {first.type} {named} expired on 2026-11-22"], "once"


def test_a_certificate_is_past_its_end_to_the_second(caplog: pytest.LogCaptureFixture) -> None:
    source = Network(world()).sign_in(portal(CERTIFICATE, RIGHT), **expired_pair(NOW - timedelta(seconds=1)))
    assert source.token()
    assert warnings(caplog) == ["contoso: the certificate {env: CERTIFICATE} expired on 2026-11-23"]


def test_the_end_of_a_first_certificate_is_known_although_only_the_second_signs_in() -> None:
    source = Network(world()).sign_in(portal(CERTIFICATE, RIGHT), **expired_pair())
    assert source.token()
    assert source.credential_end == date(2026, 11, 22)


def test_a_certificate_that_is_bad_otherwise_is_not_said_to_have_ended(caplog: pytest.LogCaptureFixture) -> None:
    values = {"KEY": key_pair("another").private_key_pem.decode()}
    assert Network(world()).sign_in(portal(CERTIFICATE, RIGHT), **values).token()
    assert warnings(caplog) == []


def test_no_secret_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Network(world()).refusal(portal(WRONG, ABSENT), WRONG="canary-secret")
    Network(world()).sign_in(portal(WRONG, RIGHT), WRONG="canary-secret").token()
    assert "canary" not in caplog.text
    assert SECRET not in caplog.text
    assert Application().client_id in caplog.text  # Entra names the app in its refusal
