"""The token endpoint gives tokens to those who prove themselves, and each other one the code that Entra gives."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.emulator.app import SCENARIO_HEADER
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import CLIENT_ID, SECRET, Application, ClientSecret, Tenant
from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import Cloud
from tests.emulator.builders import (
    NOW,
    TENANT_ID,
    World,
    application,
    assertion,
    key_pair,
    proved_by,
    tenant,
    thumbprint,
    world,
)

LOGIN = "https://login.microsoftonline.com"


@cache
def expired_key() -> KeyPair:
    return KeyPair("expired", not_after=datetime(2021, 1, 23, tzinfo=UTC))


@cache
def curve_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def one_app(app: Application | None = None) -> World:
    return world(tenant(applications=(app or application(),)))


def claims_of(answer: Any) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return claims


def test_a_right_secret_gets_a_token_with_the_roles_that_were_consented_to() -> None:
    answer = one_app(Application(roles=("User.Read.All",), token_lifetime=1200)).sign_in()
    claims = claims_of(answer)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == answer.json()["ext_expires_in"] == 1200
    assert answer.json()["token_type"] == "Bearer"
    assert claims["roles"] == ["User.Read.All"]
    assert (claims["tid"], claims["appid"], claims["idtyp"]) == (TENANT_ID, CLIENT_ID, "app")
    assert (claims["aud"], claims["appidacr"]) == ("https://graph.microsoft.com", "1")
    assert claims["exp"] == NOW + 1200


def test_an_application_without_consent_gets_a_token_without_roles() -> None:
    answer = one_app(Application(roles=())).sign_in()
    assert answer.status_code == 200
    assert "roles" not in claims_of(answer)


def test_id_and_secret_may_come_as_basic_authentication() -> None:
    form = {"grant_type": "client_credentials", "scope": ENDPOINTS[Cloud.GLOBAL].scope}
    url = f"{LOGIN}/{TENANT_ID}/oauth2/v2.0/token"
    assert one_app().http.post(url, data=form, auth=(CLIENT_ID, SECRET)).status_code == 200
    assert one_app().http.post(url, data=form, auth=(CLIENT_ID, "wrong")).json()["error_codes"] == [7000215]


def test_a_tenant_may_be_named_by_its_domain() -> None:
    assert one_app().sign_in("contoso.example").status_code == 200


@pytest.mark.parametrize("cloud", list(Cloud))
def test_each_cloud_has_its_own_hosts_and_audience(cloud: Cloud) -> None:
    answer = world(tenant(cloud=cloud)).sign_in(cloud=cloud)
    assert claims_of(answer)["aud"] == f"https://{ENDPOINTS[cloud].graph_host}"


@pytest.mark.parametrize("padding", ["=", ""])
@pytest.mark.parametrize(
    ("algorithm", "name", "digest"),
    [
        ("PS256", "x5t#S256", hashlib.sha256),
        ("RS256", "x5t", hashlib.sha1),
        ("RS512", "x5t", hashlib.sha1),
        ("RS256", "kid", hashlib.sha1),
    ],
)
def test_an_assertion_signed_with_the_registered_key_gets_a_token(
    algorithm: str, name: str, digest: Any, padding: str
) -> None:
    header = {name: thumbprint(key_pair(), digest).rstrip("=") + padding}
    answer = one_app().sign_in(**proved_by(assertion(algorithm=algorithm, header=header)))
    assert answer.status_code == 200, answer.text
    assert claims_of(answer)["appidacr"] == "2"


def test_the_same_assertion_may_come_twice() -> None:
    emulated, proof = one_app(), proved_by(assertion())
    assert [emulated.sign_in(**proof).status_code for _ in range(2)] == [200, 200]


def test_a_certificate_may_be_registered_as_pem() -> None:
    emulated = one_app(Application(certificates=(key_pair().certificate_pem,)))
    assert emulated.sign_in(**proved_by(assertion())).status_code == 200


REFUSALS: list[tuple[str, Application, dict[str, Any], int, str, int, str]] = [
    # name, application, form, HTTP status, error, AADSTS code, words of the description
    (
        "unknown tenant",
        application(),
        {"tenant_id": "11111111-2222-3333-4444-555555555555"},
        400,
        "invalid_request",
        90002,
        "not found",
    ),
    (
        "malformed tenant",
        application(),
        {"tenant_id": "not_a_tenant"},
        400,
        "invalid_request",
        900023,
        "neither a valid DNS name",
    ),
    (
        "app not in this tenant",
        application(),
        {"client_id": TENANT_ID},
        400,
        "unauthorized_client",
        700016,
        "'Contoso'",
    ),
    (
        "no service principal",
        application(has_service_principal=False),
        {},
        401,
        "invalid_client",
        7000229,
        "missing service principal",
    ),
    ("app disabled", application(disabled=True), {}, 400, "unauthorized_client", 7000112, "is disabled"),
    (
        "wrong secret",
        application(),
        {"client_secret": "wrong"},
        401,
        "invalid_client",
        7000215,
        "Invalid client secret",
    ),
    (
        "secret ID pasted",
        application(),
        {"client_secret": ClientSecret().key_id},
        401,
        "invalid_client",
        7000215,
        "not the client secret ID",
    ),
    (
        "expired secret",
        application(secrets=(ClientSecret(end=datetime(2026, 11, 23, 5, 59, tzinfo=UTC)),)),
        {},
        401,
        "invalid_client",
        7000222,
        "expired",
    ),
    (
        "no proof",
        application(),
        {"client_secret": None},
        401,
        "invalid_client",
        7000216,
        "'client_assertion', 'client_secret'",
    ),
    ("no client_id", application(), {"client_id": None}, 400, "invalid_request", 900144, "'client_id'"),
    ("no scope", application(), {"scope": None}, 400, "invalid_request", 900144, "'scope'"),
    ("no grant_type", application(), {"grant_type": None}, 400, "invalid_request", 900144, "'grant_type'"),
    ("other grant_type", application(), {"grant_type": "password"}, 400, "unsupported_grant_type", 70003, "'password'"),
    (
        "scope without .default",
        application(),
        {"scope": "https://graph.microsoft.com/User.Read.All"},
        400,
        "invalid_scope",
        1002012,
        "/.default",
    ),
    (
        "two scopes",
        application(),
        {"scope": "https://a.example/.default https://b.example/.default"},
        400,
        "invalid_scope",
        70011,
        "not valid",
    ),
    (
        "another cloud's scope",
        application(),
        {"scope": "https://graph.microsoft.us/.default"},
        400,
        "invalid_resource",
        500011,
        "https://graph.microsoft.us",
    ),
    (
        "no assertion type",
        application(),
        {**proved_by("x"), "client_assertion_type": None},
        400,
        "invalid_request",
        900144,
        "'client_assertion_type'",
    ),
]


@pytest.mark.parametrize(
    ("app", "form", "status", "error", "code", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_entra_refuses(app: Application, form: dict[str, Any], status: int, error: str, code: int, words: str) -> None:
    answer = one_app(app).sign_in(**form)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert words in body["error_description"]


def tampered() -> str:
    """An assertion in which a claim was changed after it was signed."""
    head, _, signature = assertion().split(".")
    return ".".join([head, assertion(jti="another").split(".")[1], signature])


def known_header(**others: str) -> dict[str, str]:
    return {"x5t#S256": thumbprint(key_pair()), **others}


BAD_ASSERTIONS: dict[str, tuple[Callable[[], str], int, str, int, str]] = {
    # what is wrong: assertion, HTTP status, error, AADSTS code, words of the description
    "not a JWT": (lambda: "garbage", 400, "invalid_request", 50027, "malformed"),
    "other typ": (lambda: assertion(header=known_header(typ="at+jwt")), 400, "invalid_request", 5002727, "'JWT'"),
    "no thumbprint": (lambda: assertion(header={}), 401, "invalid_client", 5002723, "No certificate SHA-1"),
    "EC key": (lambda: assertion(key=curve_key(), algorithm="ES256"), 401, "invalid_client", 5002738, "'ES256'"),
    "shared key": (lambda: assertion(key="0" * 32, algorithm="HS256"), 401, "invalid_client", 5002738, "'HS256'"),
    "not registered": (lambda: assertion(key_pair("stranger")), 401, "invalid_client", 700027, "key was not found"),
    "expired key": (lambda: assertion(expired_key()), 401, "invalid_client", 700027, "End=01/23/2021 00:00:00"),
    "wrong key": (
        lambda: assertion(key_pair("stranger"), header=known_header()),
        401,
        "invalid_client",
        700027,
        "did not match the expected signature value",
    ),
    "tampered": (tampered, 401, "invalid_client", 700027, "did not match the expected signature value"),
    "too old": (lambda: assertion(exp=NOW - 301), 401, "invalid_client", 700024, "valid from 1970-01-01T00:00:00"),
    "too early": (
        lambda: assertion(nbf=NOW + 301),
        401,
        "invalid_client",
        700024,
        "Current time: 2026-11-23T06:00:00.0000000Z",
    ),
    "other iss": (lambda: assertion(iss=TENANT_ID), 401, "invalid_client", 700021, "'client_id'"),
    "other sub": (lambda: assertion(sub=TENANT_ID), 401, "invalid_client", 700021, "'client_id'"),
    "other aud": (lambda: assertion(aud="https://graph.microsoft.com"), 401, "invalid_client", 700023, "audience"),
    "no aud": (lambda: assertion(aud=None), 400, "invalid_request", 90014, "'aud'"),
    "no iss": (lambda: assertion(iss=None), 400, "invalid_request", 90014, "'iss'"),
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_entra_refuses_an_assertion(name: str) -> None:
    make, status, error, code, words = BAD_ASSERTIONS[name]
    answer = one_app(application(certificates=(key_pair(), expired_key()))).sign_in(**proved_by(make()))
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert words in body["error_description"]


def test_the_refusal_of_a_certificate_shows_its_thumbprint_in_hexadecimal() -> None:
    answer = one_app().sign_in(**proved_by(assertion(key_pair("stranger"))))
    fingerprint = base64.urlsafe_b64decode(thumbprint(key_pair("stranger"))).hex().upper()
    assert f"Thumbprint of key used by client: '{fingerprint}'" in answer.json()["error_description"]


@pytest.mark.parametrize("claims", [{"exp": NOW - 299}, {"nbf": NOW + 299}])
def test_clocks_may_differ_by_five_minutes(claims: dict[str, Any]) -> None:
    assert one_app().sign_in(**proved_by(assertion(**claims))).status_code == 200


def test_an_error_names_the_request_the_way_entra_does() -> None:
    answer = one_app().http.post(
        f"{LOGIN}/{TENANT_ID}/oauth2/v2.0/token", headers={"client-request-id": "8a6c2f0d-77c5-4f4a-9a0a-0f3f2b1d9c10"}
    )
    body = answer.json()
    assert body["correlation_id"] == "8a6c2f0d-77c5-4f4a-9a0a-0f3f2b1d9c10"
    assert body["trace_id"] == answer.headers["x-ms-request-id"]
    assert body["timestamp"] == "2026-11-23 06:00:00Z"
    assert body["error_description"].endswith(
        f"Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']} Timestamp: {body['timestamp']}"
    )
    assert answer.headers[SCENARIO_HEADER] == "test"


def configuration(emulated: World, name: str, host: str = LOGIN) -> Any:
    return emulated.http.get(f"{host}/{name}/v2.0/.well-known/openid-configuration")


def test_the_openid_configuration_leads_to_the_token_endpoint() -> None:
    answer = configuration(one_app(), "contoso.example").json()
    assert answer["token_endpoint"] == f"{LOGIN}/{TENANT_ID}/oauth2/v2.0/token"
    assert answer["issuer"] == f"{LOGIN}/{TENANT_ID}/v2.0"
    assert {"authorization_endpoint", "jwks_uri"} <= answer.keys()


@pytest.mark.parametrize(
    ("name", "code"),
    [("11111111-2222-3333-4444-555555555555", 90002), ("nowhere.example", 90002), ("no_tenant", 900023)],
)
def test_an_unknown_tenant_has_no_openid_configuration(name: str, code: int) -> None:
    answer = configuration(one_app(), name)
    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_tenant", [code])


@pytest.mark.parametrize("other", [Cloud.USGOV, Cloud.CHINA])
def test_a_tenant_is_unknown_to_the_login_hosts_of_other_clouds(other: Cloud) -> None:
    answer = configuration(one_app(), TENANT_ID, f"https://{ENDPOINTS[other].login_host}")
    assert answer.json()["error_codes"] == [90002]


def test_instance_discovery_knows_the_login_hosts_and_no_other() -> None:
    def discover(host: str) -> Any:
        url = f"{LOGIN}/common/discovery/instance"
        parameters = {
            "api-version": "1.0",
            "authorization_endpoint": f"https://{host}/{TENANT_ID}/oauth2/v2.0/authorize",
        }
        return one_app().http.get(url, params=parameters)

    known, unknown = discover("login.microsoftonline.us"), discover("login.example")
    assert known.json()["tenant_discovery_endpoint"].startswith(f"https://login.microsoftonline.us/{TENANT_ID}/v2.0/")
    assert unknown.status_code == 400
    assert unknown.json()["error"] == "invalid_instance"


def test_the_token_endpoint_takes_posts_only() -> None:
    assert one_app().http.get(f"{LOGIN}/{TENANT_ID}/oauth2/v2.0/token").json()["error_codes"] == [900561]


def test_a_token_of_one_emulator_is_worth_nothing_to_another() -> None:
    token = one_app().token()
    answer = one_app().get("organization", bearer=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_an_application_of_one_tenant_is_unknown_in_another() -> None:
    other = Tenant("c41b8f37-5d62-4e0a-93f8-6b7d2a1c0e59", applications=(), domain="other.example")
    answer = world(tenant(), other).sign_in(other.tenant_id)
    assert answer.json()["error_codes"] == [700016]
