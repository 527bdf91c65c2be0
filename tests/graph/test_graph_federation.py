"""Signing in by the token of another identity provider: a file, or GitHub Actions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest

from reconciler.emulator.app import Emulator
from reconciler.emulator.federation import GITHUB_HOST
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import FederatedCredential, GitHubJob, Scenario
from reconciler.errors import PortalError, ReportedError, SecretUnresolved, Unreachable
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.credentials import load_credential
from reconciler.graph.federation import FederatedToken
from reconciler.model import Cloud, FederatedAuthentication
from reconciler.secret import Secret
from tests.graph.federated_world import (
    AUDIENCE,
    ENVIRONMENT,
    ISSUER,
    JOB,
    SUBJECT,
    TOKEN_FILE,
    cluster_token,
    federated_app,
    federated_world,
    from_file,
    from_github,
    resolving,
)
from tests.graph.graph_world import NOW, Connection, connect, tenant


def refusal(connection: Connection) -> PortalError:
    with pytest.raises(PortalError) as caught:
        connection.tokens.token()
    return caught.value


def test_a_token_file_is_shown_to_entra_as_it_is() -> None:
    token = cluster_token()
    connection = connect(federated_world(), credential=from_file(token + "\n"))
    assert connection.graph.organization().display_name == "Contoso"
    (request,) = connection.wire.to("/token")
    form = parse_qs(request.content.decode())
    assert form["client_assertion"] == [token]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert "client_secret" not in form


def test_a_token_file_is_read_anew_for_each_sign_in() -> None:
    files = {TOKEN_FILE.name: cluster_token(jti="1")}
    token = FederatedToken(FederatedAuthentication(TOKEN_FILE), resolving(files))
    connection = connect(federated_world(), credential=token)
    connection.tokens.token()
    files[TOKEN_FILE.name] = cluster_token(jti="2")
    connection.tokens.renew()
    connection.tokens.token()
    sent = [parse_qs(request.content.decode())["client_assertion"][0] for request in connection.wire.to("/token")]
    assert [jwt.decode(each, options={"verify_signature": False})["jti"] for each in sent] == ["1", "2"]


def test_github_is_asked_with_the_jobs_bearer_for_the_audience_of_entra() -> None:
    connection = connect(federated_world(), credential=from_github())
    assert connection.graph.organization().display_name == "Contoso"
    (asked,) = [request for request in connection.wire.requests if request.url.host == GITHUB_HOST]
    assert asked.headers["authorization"] == f"bearer {JOB.bearer}"
    assert dict(asked.url.params) == {"api-version": "2.0", "audience": AUDIENCE}


def test_githubs_bearer_goes_to_github_only() -> None:
    connection = connect(federated_world(), credential=from_github())
    connection.graph.organization()
    others = [request for request in connection.wire.requests if request.url.host != GITHUB_HOST]
    assert {request.url.host for request in others} == {"login.microsoftonline.com", "graph.microsoft.com"}
    assert not any(JOB.bearer in f"{request.headers} {request.content!r}" for request in others)


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        (Cloud.GLOBAL, "api://AzureADTokenExchange"),
        (Cloud.USGOV, "api://AzureADTokenExchangeUSGov"),
        (Cloud.USGOV_DOD, "api://AzureADTokenExchangeUSGov"),
        (Cloud.CHINA, "api://AzureADTokenExchangeChina"),
    ],
)
def test_each_cloud_has_its_own_audience(cloud: Cloud, audience: str) -> None:
    taken = FederatedCredential("https://token.actions.githubusercontent.com", JOB.subject, JOB.key, audience)
    world = tenant(cloud=cloud, applications=(federated_app(federated_credentials=(taken,)),))
    connection = connect(world, cloud=cloud, credential=from_github())
    assert connection.graph.organization().display_name == "Contoso"


@pytest.mark.parametrize(
    ("missing", "detail"),
    [
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": None}, "{env: ACTIONS_ID_TOKEN_REQUEST_URL}"),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": None}, "{env: ACTIONS_ID_TOKEN_REQUEST_TOKEN}"),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "\n"}, "{env: ACTIONS_ID_TOKEN_REQUEST_TOKEN} is empty"),
    ],
)
def test_a_job_that_may_not_ask_for_a_token_is_told_which_permission_it_lacks(
    missing: dict[str, str | None], detail: str
) -> None:
    connection = connect(federated_world(), credential=from_github(**missing))
    error = refusal(connection)
    assert isinstance(error, SecretUnresolved)
    assert error.code == "github-token-missing"
    assert detail in str(error.detail)
    assert "`permissions: id-token: write`" in error.remedy
    assert connection.wire.to("/token") == []
    assert connection.wire.to("/idtoken") == []


@pytest.mark.parametrize(
    "address", ["http://pipelines.actions.githubusercontent.com/x", "ftp://x", "https://", "x", "https://x:port"]
)
def test_githubs_bearer_goes_to_an_encrypted_address_or_nowhere(address: str) -> None:
    connection = connect(federated_world(), credential=from_github(ACTIONS_ID_TOKEN_REQUEST_URL=address))
    error = refusal(connection)
    assert error.code == "github-token-missing"
    assert "is no https address" in str(error.detail)
    assert {request.url.host for request in connection.wire.requests} == {"login.microsoftonline.com"}


def answering(answer: Callable[[], httpx.Response]) -> httpx.BaseTransport:
    """The emulated Entra with another GitHub."""
    entra = httpx.WSGITransport(app=Emulator(federated_world()))

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return answer() if request.url.host == GITHUB_HOST else entra.handle_request(request)

    return Transport()


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (200, "<html>canary</html>", "answered 200, text/html, without a token"),
        (200, '{"count": 1}', "without a token"),
        (200, '{"value": ""}', "without a token"),
        (200, '{"value": 7}', "without a token"),
        (200, "[]", "without a token"),
        (200, "", "without a token"),
        (401, '{"message": "canary"}', "answered 401"),
        (403, "<html>canary</html>", "answered 403"),
        (302, "", "answered 302"),
    ],
)
def test_an_answer_without_a_token_is_said_and_not_quoted(status: int, body: str, detail: str) -> None:
    headers = {"content-type": "text/html", "location": "https://elsewhere.example/"}
    connection = connect(
        answering(lambda: httpx.Response(status, headers=headers, text=body)), credential=from_github()
    )
    error = refusal(connection)
    assert isinstance(error, SecretUnresolved)
    assert error.code == "github-token-missing"
    assert str(error.detail).startswith(GITHUB_HOST)
    assert detail in str(error.detail)
    assert "canary" not in str(error)
    assert "elsewhere.example" not in {request.url.host for request in connection.wire.requests}


def test_an_answer_that_echoes_the_bearer_as_its_type_does_not_give_it_away() -> None:
    headers = {"content-type": f"text/{ENVIRONMENT['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    error = refusal(connect(answering(lambda: httpx.Response(200, headers=headers)), credential=from_github()))
    assert error.detail == f"{GITHUB_HOST} answered 200, text/…, without a token"


def test_a_github_that_cannot_be_reached_is_a_failure_of_the_network() -> None:
    def refuse() -> httpx.Response:
        raise httpx.ConnectError("no route")

    error = refusal(connect(answering(refuse), credential=from_github()))
    assert isinstance(error, Unreachable)
    assert error.detail == f"{GITHUB_HOST}: no connection"


@pytest.mark.parametrize("token", ["", "\n"])
def test_an_empty_token_file_is_named(token: str) -> None:
    error = refusal(connect(federated_world(), credential=from_file(token)))
    assert isinstance(error, SecretUnresolved)
    assert TOKEN_FILE.name in str(error)


def test_a_missing_token_file_is_named() -> None:
    token = FederatedToken(FederatedAuthentication(TOKEN_FILE), resolving({}))
    error = refusal(connect(federated_world(), credential=token))
    assert isinstance(error, SecretUnresolved)
    assert TOKEN_FILE.name in str(error)


def test_a_token_file_that_is_no_text_is_refused_without_showing_it() -> None:
    token = FederatedToken(FederatedAuthentication(TOKEN_FILE), lambda _: Secret(b"\xffcanary"))
    error = refusal(connect(federated_world(), credential=token))
    assert "is not UTF-8 text" in str(error)
    assert "canary" not in str(error)


OTHER_JOB = GitHubJob(subject="repo:contoso@1234/licenses@5678:ref:refs/heads/main")


@pytest.mark.parametrize(
    ("code", "message", "detail", "token"),
    [
        (
            "AADSTS700211",
            "issuer 'https://other.example'",
            "is https://other.example,",
            {"iss": "https://other.example"},
        ),
        ("AADSTS700211", f"issuer '{ISSUER[:-1]}'", f"is {ISSUER[:-1]},", {"iss": ISSUER[:-1]}),
        (
            "AADSTS700212",
            "audience 'https://elsewhere'",
            "its audience https://elsewhere",
            {"aud": "https://elsewhere"},
        ),
        ("AADSTS700212", "audience", "its audience api://azureadtokenexchange", {"aud": AUDIENCE.lower()}),
        ("AADSTS700213", "subject 'somebody'", f"its subject somebody, its audience {AUDIENCE}", {"sub": "somebody"}),
        ("AADSTS700213", "subject", f"its subject {SUBJECT.upper()},", {"sub": SUBJECT.upper()}),
        ("AADSTS700024", "not within its valid time range", None, {"nbf": 1.0, "exp": 1000.0}),
        ("AADSTS90014", "'sub' is missing", None, {"sub": None}),
    ],
)
def test_what_entra_does_not_take_is_told_with_both_sides(
    code: str, message: str, detail: str | None, token: dict[str, Any]
) -> None:
    error = refusal(connect(federated_world(), credential=from_file(cluster_token(**token))))
    assert isinstance(error, ReportedError)
    assert error.code == code
    assert message in error.message
    assert (error.detail is None) == (detail is None)
    assert (detail or "") in str(error.detail)
    assert error.status == (400 if code == "AADSTS90014" else 401)


def test_a_token_with_another_subject_says_what_to_enter_in_entra() -> None:
    world = Scenario((tenant(applications=(federated_app(),)),), job=OTHER_JOB)
    error = refusal(connect(world, credential=from_github()))
    assert error.code == "AADSTS700213"
    assert error.detail == (
        f"the token's issuer is https://token.actions.githubusercontent.com, its subject {OTHER_JOB.subject}, "
        f"its audience {AUDIENCE}"
    )
    assert "Federated credentials" in error.remedy


def test_a_token_that_another_key_signed_is_refused() -> None:
    forged = cluster_token(KeyPair("forger"))
    assert refusal(connect(federated_world(), credential=from_file(forged))).code == "AADSTS700027"


def test_what_is_no_token_at_all_is_refused_by_entra_and_not_shown() -> None:
    error = refusal(connect(federated_world(), credential=from_file("canary")))
    assert error.code == "AADSTS50027"
    assert "canary" not in str(error)


def test_no_token_and_no_bearer_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection = connect(federated_world(), credential=from_github())
    connection.tokens.token()
    sent = parse_qs(connection.wire.to("/token")[0].content.decode())["client_assertion"][0]
    assert "idtoken" in caplog.text
    assert sent not in caplog.text
    assert JOB.bearer not in caplog.text


def test_nothing_is_read_before_the_sign_in() -> None:
    def resolve(_: object) -> Secret:
        raise AssertionError

    credential = load_credential(FederatedAuthentication(TOKEN_FILE), resolve, NOW)
    assert "token" not in repr(credential)


def test_the_environment_of_the_process_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    token = FederatedToken(FederatedAuthentication(), resolving({}))
    assert refusal(connect(federated_world(), credential=token)).code == "github-token-missing"


def test_the_table_of_audiences_has_only_hosts_of_clouds() -> None:
    from reconciler.graph.federation import AUDIENCES

    assert AUDIENCES.keys() <= {endpoints.login_host for endpoints in ENDPOINTS.values()}
