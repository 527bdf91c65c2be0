"""Signing in as the machine itself: what is asked, and what is said where there is no such machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import httpx
import jwt
import pytest

from reconciler.emulator.imds import IMDS_HOST
from reconciler.emulator.scenario import CLIENT_ID, Application, Scenario, Tenant
from reconciler.errors import (
    FailureNotDeserialized,
    PortalError,
    ReportedError,
    SecretUnresolved,
    SuccessNotDeserialized,
)
from reconciler.graph.retry import RetryPolicy
from reconciler.model import Cloud, ManagedIdentityAuthentication
from tests.graph.graph_world import Connection, as_json, connect, tenant

OTHER = "6b0a0f0e-3c6e-4d57-8a43-2f1f7f5c0d11"
MISSING = "There is no managed identity here to sign in with."


@pytest.fixture(autouse=True)
def _no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL looks for the machine in these variables."""
    for name in (
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_ENDPOINT",
        "MSI_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)


def machine(*assigned: Literal["system", "user"], **members: Any) -> Tenant:
    """A tenant with the identities of one machine; the first has the usual client ID, the others have other ones."""
    ids = [CLIENT_ID, OTHER, "7d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"]
    applications = tuple(
        Application(client_id, secrets=(), managed=kind, **members)
        for client_id, kind in zip(ids, assigned, strict=False)
    )
    return tenant(applications=applications)


def as_machine(
    network: Tenant | httpx.BaseTransport, assigned: Literal["system", "user"] = "system", **options: Any
) -> Connection:
    return connect(network, credential=ManagedIdentityAuthentication(assigned), **options)


def refusal(connection: Connection) -> PortalError:
    with pytest.raises(PortalError) as caught:
        connection.tokens.token()
    return caught.value


def test_the_machines_own_identity_reads_the_tenant() -> None:
    connection = as_machine(machine("system"))
    assert connection.graph.organization().display_name == "Contoso"
    (asked,) = [request for request in connection.wire.requests if request.url.host == IMDS_HOST]
    assert asked.url.scheme == "http"
    assert asked.headers["metadata"] == "true"
    assert dict(asked.url.params) == {"api-version": "2018-02-01", "resource": "https://graph.microsoft.com"}
    assert {request.url.host for request in connection.wire.requests} == {IMDS_HOST, "graph.microsoft.com"}


def test_an_assigned_identity_is_named_by_the_client_id_of_the_portal() -> None:
    connection = as_machine(machine("system", "user"), "user", client_id=OTHER)
    claims = jwt.decode(connection.tokens.token(), options={"verify_signature": False})
    assert claims["appid"] == OTHER
    assert connection.wire.requests[0].url.params["client_id"] == OTHER


def test_the_machines_own_identity_is_not_named() -> None:
    connection = as_machine(machine("system", "user"))
    connection.tokens.token()
    assert "client_id" not in connection.wire.requests[0].url.params


@pytest.mark.parametrize("cloud", Cloud)
def test_each_cloud_has_its_own_resource(cloud: Cloud) -> None:
    world = tenant(cloud=cloud, applications=(Application(managed="system", secrets=()),))
    assert as_machine(world, cloud=cloud).graph.organization().display_name == "Contoso"


def test_the_token_is_kept_until_it_is_renewed() -> None:
    connection = as_machine(machine("system"))
    connection.tokens.token()
    connection.tokens.token()
    assert len(connection.wire.requests) == 1
    connection.tokens.renew()
    connection.tokens.token()
    assert len(connection.wire.requests) == 2


def test_an_identity_without_roles_is_refused_by_graph() -> None:
    with pytest.raises(ReportedError) as caught:
        as_machine(machine("system", roles=())).graph.organization()
    assert caught.value.code == "Authorization_RequestDenied"


@pytest.mark.parametrize(
    ("detail", "connection"),
    [
        ("169.254.169.254: Identity not found", lambda: as_machine(machine())),
        ("169.254.169.254: Identity not found", lambda: as_machine(machine("user"), "user", client_id=OTHER)),
        ("169.254.169.254: Multiple user assigned identities exist", lambda: as_machine(machine("user", "user"))),
    ],
)
def test_an_identity_that_the_machine_does_not_have_is_said(detail: str, connection: Callable[[], Connection]) -> None:
    error = refusal(connection())
    assert isinstance(error, SecretUnresolved)
    assert (error.code, error.message) == ("managed-identity-missing", MISSING)
    assert str(error.detail).startswith(detail)
    assert "client_id" in error.remedy


def test_another_clouds_resource_is_reported_in_entras_words() -> None:
    error = refusal(as_machine(machine("system"), cloud=Cloud.CHINA))
    assert isinstance(error, ReportedError)
    assert error.code == "AADSTS500011"


def failing(error: httpx.RequestError) -> Callable[[httpx.Request], httpx.Response]:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (httpx.ConnectTimeout("slow"), "connecting took too long"),
        (httpx.ConnectError("no route"), "no connection"),
        (httpx.ReadTimeout("silent"), "no answer in time"),
    ],
)
def test_a_laptop_is_told_at_once_that_it_is_no_machine_in_azure(error: httpx.RequestError, detail: str) -> None:
    connection = as_machine(httpx.MockTransport(failing(error)), retry=RetryPolicy(limit=50))
    met = refusal(connection)
    assert (met.code, met.message, met.detail) == (
        "managed-identity-missing",
        MISSING,
        f"169.254.169.254: {detail}",
    )
    assert len(connection.wire.requests) == 3
    assert sum(connection.slept) < 4
    assert all(request.extensions["timeout"]["connect"] <= 1 for request in connection.wire.requests)


def test_fewer_retries_than_a_machine_gets_stay_fewer() -> None:
    connection = as_machine(httpx.MockTransport(failing(httpx.ConnectError("no"))), retry=RetryPolicy(limit=0))
    refusal(connection)
    assert len(connection.wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, "<html>", SecretUnresolved, "managed-identity-missing"),
        (401, '{"error": "denied"}', SecretUnresolved, "managed-identity-missing"),
        (403, "", SecretUnresolved, "managed-identity-missing"),
        (302, "", SecretUnresolved, "managed-identity-missing"),
        (503, "<html>", FailureNotDeserialized, "failure-not-deserialized"),
        (500, '{"error": "unknown", "error_description": "Failed to retrieve token"}', ReportedError, "unknown"),
        (429, '{"error": "too_many", "error_description": "Slow down"}', ReportedError, "too_many"),
        (200, "<html>", SuccessNotDeserialized, "success-not-deserialized"),
        (200, '{"access_token": ""}', SuccessNotDeserialized, "success-not-deserialized"),
        (200, '{"access_token": "x", "expires_in": "soon"}', SuccessNotDeserialized, "success-not-deserialized"),
    ],
)
def test_what_another_service_answers_at_that_address_is_no_token(
    status: int, body: str, kind: type[PortalError], code: str
) -> None:
    headers = {"location": "http://elsewhere.example/"} if status == 302 else {}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, text=body))
    connection = as_machine(transport)
    error = refusal(connection)
    assert isinstance(error, kind)
    assert error.code == code
    assert {request.url.host for request in connection.wire.requests} == {IMDS_HOST}


def test_a_passing_failure_is_retried() -> None:
    answers = [httpx.Response(503), as_json({"access_token": "t", "expires_in": "3600"})]
    connection = as_machine(httpx.MockTransport(lambda _: answers.pop(0)))
    assert connection.tokens.token() == "t"
    assert len(connection.slept) == 1


def test_app_service_is_asked_where_its_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41234/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "canary")
    transport = httpx.MockTransport(lambda _: as_json({"access_token": "t", "expires_on": "4102444800"}))
    connection = as_machine(transport)
    assert connection.tokens.token() == "t"
    (asked,) = connection.wire.requests
    assert asked.url.host == "127.0.0.1"
    assert asked.headers["x-identity-header"] == "canary"


def test_a_kind_of_machine_that_is_not_supported_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "https://127.0.0.1:41234/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "canary")
    monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "a" * 40)
    error = refusal(as_machine(httpx.MockTransport(lambda _: as_json({}))))
    assert error.code == "managed-identity-missing"
    assert "Service Fabric" in str(error.detail)


def test_the_identity_of_the_machine_cannot_be_had_from_entra() -> None:
    """An emulated identity is no app with a secret: only the machine gives its tokens."""
    connection = connect(Scenario((machine("system"),)), credential="open-sesame")
    assert refusal(connection).code == "AADSTS7000215"
