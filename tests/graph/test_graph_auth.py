"""Signing in: with secret and certificate through real MSAL, and what each refusal is called."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.emulator.faults import ALWAYS, Cut, Drop, Effect, Fault, Reply, throttled
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application, ClientSecret
from reconciler.errors import (
    FailureNotDeserialized,
    PortalError,
    ReportedError,
    SuccessNotDeserialized,
    Unreachable,
    UntrustedAnswer,
)
from reconciler.graph.retry import RetryPolicy
from reconciler.model import Cloud
from tests.graph.graph_world import TENANT_ID, Connection, HandMade, as_json, connect, key_pair, pem_pair, tenant

OTHER = "6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"
CERTIFIED = Application(secrets=(), certificates=(key_pair(),))

NO_CONNECTION = "Could not connect to GraphAPI server."
BAD_SUCCESS = "GraphAPI webcall returned success but information could not be deserialized."
BAD_FAILURE = "GraphAPI webcall returned failure but error information could not be deserialized."


def login(effect: Effect, path: str = "*/token", times: int = ALWAYS) -> Fault:
    return Fault(effect, path, service="login", times=times)


def refusal(connection: Connection) -> PortalError:
    with pytest.raises(PortalError) as caught:
        connection.tokens.token()
    return caught.value


def test_a_secret_gets_a_token_that_is_kept() -> None:
    connection = connect(tenant())
    assert connection.tokens.token() == connection.tokens.token()
    assert len(connection.wire.to("/token")) == 1


def test_a_renewed_token_is_asked_for_again() -> None:
    connection = connect(tenant())
    connection.tokens.token()
    connection.tokens.renew()
    connection.tokens.token()
    assert len(connection.wire.to("/token")) == 2


def test_threads_that_need_a_token_at_once_ask_once() -> None:
    connection = connect(tenant())
    threads = [threading.Thread(target=connection.tokens.token) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(connection.wire.to("/token")) == 1


def test_a_certificate_signs_with_ps256_and_its_sha_256_thumbprint() -> None:
    connection = connect(tenant(applications=(CERTIFIED,)), credential=pem_pair())
    assert connection.tokens.token()
    (request,) = connection.wire.to("/token")
    form = parse_qs(request.content.decode())
    assertion = form["client_assertion"][0]
    assert not assertion.startswith("b'")
    header = jwt.get_unverified_header(assertion)
    assert header["alg"] == "PS256"
    assert header["typ"] == "JWT"
    assert "x5t#S256" in header
    assert "x5t" not in header
    assert "client_secret" not in form


@pytest.mark.parametrize("cloud", Cloud)
def test_each_cloud_has_its_own_scope(cloud: Cloud) -> None:
    connection = connect(tenant(cloud=cloud), cloud=cloud)
    claims = jwt.decode(connection.tokens.token(), options={"verify_signature": False})
    assert claims["aud"] == parse_qs(connection.wire.to("/token")[0].content.decode())["scope"][0].removesuffix(
        "/.default"
    )


def test_msal_force_region_in_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("REGION_NAME", "westeurope")
    connection = connect(tenant())
    connection.tokens.token()
    assert {request.url.host for request in connection.wire.requests} == {"login.microsoftonline.com"}


FUTURE = 2_400_000_000.0
EXPIRED = ClientSecret(end=datetime(2020, 1, 1, tzinfo=UTC))
PAST = KeyPair("past", not_after=datetime(2021, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("code", "remedy", "connection"),
    [
        ("AADSTS90002", "tenant_id", lambda: connect(tenant(), tenant_id=OTHER)),
        ("AADSTS900023", "tenant_id", lambda: connect(tenant(), tenant_id="not-a-tenant")),
        ("AADSTS700016", "client_id", lambda: connect(tenant(), client_id=OTHER)),
        (
            "AADSTS7000229",
            "Grant admin consent",
            lambda: connect(tenant(applications=(Application(has_service_principal=False),))),
        ),
        ("AADSTS7000112", "Enable the app", lambda: connect(tenant(applications=(Application(disabled=True),)))),
        ("AADSTS7000215", "not its Secret ID", lambda: connect(tenant(), credential="wrong")),
        ("AADSTS7000222", "new secret", lambda: connect(tenant(applications=(Application(secrets=(EXPIRED,)),)))),
        ("AADSTS700027", "upload", lambda: connect(tenant(), credential=pem_pair())),
        (
            "AADSTS700027",
            "expired",
            lambda: connect(tenant(applications=(Application(certificates=(PAST,)),)), credential=pem_pair(PAST)),
        ),
        (
            "AADSTS700024",
            "clock",
            lambda: connect(tenant(applications=(CERTIFIED,)), credential=pem_pair(), clock=lambda: FUTURE),
        ),
        ("AADSTS90055", "busy", lambda: connect(tenant(login(throttled(1))))),
    ],
)
def test_a_refusal_keeps_entras_code_and_says_what_to_do(code: str, remedy: str, connection: Any) -> None:
    error = refusal(connection())
    assert isinstance(error, ReportedError)
    assert error.code == code
    assert remedy in error.remedy
    assert not error.message.startswith("AADSTS")
    assert "Trace ID" not in error.message


def test_a_refusal_reads_the_same_every_time() -> None:
    certified = tenant(applications=(CERTIFIED,))
    first = refusal(connect(certified, credential=pem_pair(), clock=lambda: FUTURE))
    second = refusal(connect(certified, credential=pem_pair(), clock=lambda: FUTURE + 77_777.7))
    assert first.info() == second.info()
    assert "Trace ID" not in first.message
    assert "Current time: <time>" in first.message
    assert refusal(connect(tenant(), credential="wrong")).message == (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77'."
    )


def test_a_refusal_is_not_remembered() -> None:
    fault = login(Reply(400, {"error": "invalid_grant", "error_description": "AADSTS53003: Blocked."}), times=1)
    connection = connect(tenant(fault))
    assert refusal(connection).code == "AADSTS53003"
    assert connection.tokens.token()


@pytest.mark.parametrize("path", ["*/openid-configuration", "*/token"])
@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (Drop(), NO_CONNECTION),
        (Drop(after=10), NO_CONNECTION),
        (Reply(200, "<html><title>Sign in to the network</title>"), BAD_SUCCESS),
        (Reply(200, {}), BAD_SUCCESS),
        (Reply(200, []), BAD_SUCCESS),
        (Reply(200, b""), BAD_SUCCESS),
        (Reply(200, b"\xff\xfe{}"), BAD_SUCCESS),
        (Cut(), BAD_SUCCESS),
        (Reply(407, "<html>"), BAD_FAILURE),
        (Reply(502, "<html>"), BAD_FAILURE),
        (Reply(503, {"message": "no capacity"}), BAD_FAILURE),
        (Reply(400, b""), BAD_FAILURE),
        (Reply(302, b"", {"Location": "https://portal.example/login"}), BAD_FAILURE),
    ],
    ids=repr,
)
def test_what_is_no_answer_of_entra_is_called_by_the_originals_words(path: str, effect: Effect, message: str) -> None:
    connection = connect(tenant(login(effect, path)))
    error = refusal(connection)
    assert error.message == message
    assert error.detail is not None
    assert error.detail.startswith("login.microsoftonline.com")
    assert {request.url.host for request in connection.wire.requests} == {"login.microsoftonline.com"}


@pytest.mark.parametrize("effect", [throttled(3), Reply(503), Reply(502, "<html>"), Drop()], ids=repr)
def test_a_passing_failure_of_entra_is_retried_below_msal(effect: Effect) -> None:
    connection = connect(tenant(login(effect, times=2)))
    assert connection.tokens.token()
    assert len(connection.wire.to("/token")) == 3
    assert len(connection.slept) == 2


def test_the_retry_limit_holds_for_the_sign_in() -> None:
    connection = connect(tenant(login(Reply(503))), retry=RetryPolicy(limit=0))
    assert isinstance(refusal(connection), ReportedError)
    assert len(connection.wire.to("/token")) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://login.evil.example/token",
        "http://login.microsoftonline.com/t/oauth2/v2.0/token",
        "https://login.microsoftonline.com:444/t/oauth2/v2.0/token",
        "https://login.microsoftonline.com@evil.example/t/oauth2/v2.0/token",
        "https://login.microsoftonline.us/t/oauth2/v2.0/token",
    ],
)
def test_the_secret_goes_to_the_clouds_login_host_only(endpoint: str) -> None:
    authorization = f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/authorize"
    configuration = {"token_endpoint": endpoint, "authorization_endpoint": authorization}
    connection = connect(HandMade(lambda _: as_json({}), configuration))
    error = refusal(connection)
    assert isinstance(error, UntrustedAnswer)
    assert error.code == "foreign-link"
    assert [request.method for request in connection.wire.requests] == ["GET"]


@pytest.mark.parametrize(
    "token",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": "x", "expires_in": "soon"},
        {"token_type": "Bearer"},
    ],
)
def test_a_token_answer_that_msal_trips_over_is_no_token(token: dict[str, Any]) -> None:
    fault = login(Reply(200, token))
    assert isinstance(refusal(connect(tenant(fault))), SuccessNotDeserialized)


@pytest.mark.parametrize(
    "configuration", [{"token_endpoint": "https://login.microsoftonline.com", "authorization_endpoint": "nowhere"}]
)
def test_a_configuration_that_msal_trips_over_is_no_configuration(configuration: dict[str, Any]) -> None:
    fault = login(Reply(200, configuration), "*/openid-configuration")
    assert isinstance(refusal(connect(tenant(fault))), SuccessNotDeserialized)


def test_a_key_that_cannot_sign_fails_the_assertion() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    error = refusal(connect(tenant(), credential={**pem_pair(), "private_key": pem}))
    assert error.message == "JSON Web Token generation for authentication with GraphAPI failed."


def test_a_certificate_that_is_not_trusted_is_said_at_once() -> None:
    import ssl

    def refuse(_: httpx.Request) -> httpx.Response:
        error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
        error.__cause__ = ssl.SSLCertVerificationError(1, "verify failed")
        raise error

    connection = connect(httpx.MockTransport(refuse))
    error = refusal(connection)
    assert isinstance(error, Unreachable)
    assert error.detail == "login.microsoftonline.com: the certificate is not trusted (unknown reason)"
    assert connection.slept == []


def test_a_refused_sign_in_is_what_the_reader_of_the_tenant_sees() -> None:
    with pytest.raises(ReportedError) as caught:
        connect(tenant(), credential="wrong").graph.organization()
    assert caught.value.code == "AADSTS7000215"


@pytest.mark.parametrize("read", ["organization", "licenses"])
@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (Drop(), NO_CONNECTION),
        (Reply(200, "<html>"), BAD_SUCCESS),
        (Cut(), BAD_SUCCESS),
        (Reply(502, "<html>"), BAD_FAILURE),
        (Reply(500, {"error": {}}), BAD_FAILURE),
        (Reply(403, {"error": "access_denied"}), BAD_FAILURE),
    ],
    ids=repr,
)
def test_what_is_no_answer_of_graph_is_called_by_the_originals_words(read: str, effect: Effect, message: str) -> None:
    connection = connect(tenant(Fault(effect, "/v1.0/*", times=ALWAYS)))
    with pytest.raises(PortalError) as caught:
        getattr(connection.graph, read)()
    assert caught.value.message == message
    assert caught.value.detail is not None
    assert caught.value.detail.startswith("graph.microsoft.com")


def test_the_kinds_of_failure_are_told_apart() -> None:
    kinds = {
        type(refusal(connect(tenant(login(effect)))))
        for effect in (Drop(), Reply(200, "<html>"), Reply(502, "<html>"), Reply(400))
    }
    assert kinds == {Unreachable, SuccessNotDeserialized, FailureNotDeserialized, ReportedError}
