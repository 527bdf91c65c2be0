"""How every error about one portal comes about: one situation for each row of the catalogue and each of its cases.

What an emulated tenant can do by its own rules, it does. The rest is an answer in Microsoft's form in place of the real
one, and below HTTP a real socket.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from reconciler.emulator.faults import (
    ALWAYS,
    EXPIRED_PAGE_TOKEN,
    LOST_PAGE_TOKEN,
    Effect,
    Fault,
    ForeignLink,
    Json,
    RepeatedLink,
    Reply,
    throttled,
)
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import SECRET, Application, ClientSecret, UserGroup, Vault, VaultSecret
from reconciler.graph.client import GraphClient
from tests.cli.cli_world import E3, World, client_id, keyvault_yaml, portal_yaml, tenant
from tests.errors.errors_wire import Wire

BY_SECRET = "{type: secret, secret: {env: TEST_SECRET}}"
BY_PAIR = "{type: certificate, public_certificate: {file: app.crt}, private_key: {file: app.key}}"
BY_PFX = "{type: certificate, pfx: {file: app.pfx}, passphrase: {env: TEST_PASSPHRASE}}"
BY_GITHUB = "{type: federated, token: {github: true}}"
BY_IDENTITY = "{type: managed_identity}"
HTML = "<html><head><title>Guest network</title></head><body>Please sign in</body></html>"
PASSPHRASE = "open-sesame-too"
PAST = datetime(2021, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """What a situation is arranged in."""

    world: World
    wire: Wire
    folder: Path


@dataclass(frozen=True)
class Situation:
    """How to bring an error about. ``emulated`` is whether the emulator answers; ``options`` go before ``apply``."""

    arrange: Callable[[Scene], None]
    emulated: bool = True
    options: tuple[str, ...] = ()


@cache
def pair(name: str = "own") -> KeyPair:
    """A key with its certificate; the same for the same name."""
    return KeyPair(name, not_after=PAST) if name == "past" else KeyPair(name)


def signs_in(scene: Scene, how: str, *faults: Fault, **members: Any) -> None:
    """One portal that signs in like this, to a tenant that may misbehave."""
    scene.world.portals(one=portal_yaml(1).replace(BY_SECRET, how))
    scene.world.tenants(tenant(1, faults=faults, **members))


def with_files(scene: Scene, how: str, **files: bytes) -> None:
    """One portal that signs in with files of the repository: ``app_crt`` is the file app.crt."""
    for name, content in files.items():
        (scene.world.root / name.replace("_", ".")).write_bytes(content)
    signs_in(scene, how, applications=(Application(client_id(1), certificates=(pair(),)),))


def by_pair(certificate: bytes, key: bytes, how: str = BY_PAIR) -> Situation:
    """Sign-in with these two files."""
    return Situation(lambda scene: with_files(scene, how, app_crt=certificate, app_key=key))


def misbehaving(path: str, effect: Effect, *, login: bool = False, page: int | None = None) -> Situation:
    """A tenant that always does this on a path."""
    fault = Fault(effect, path, "login" if login else "graph", page=page, times=ALWAYS)
    many = (UserGroup(1500, (E3,)),)
    return Situation(lambda scene: signs_in(scene, BY_SECRET, fault, **({"users": many} if page else {})))


def entra(number: int, text: str, error: str = "invalid_client", path: str = "*/token") -> Situation:
    """Entra's refusal in Entra's form, with IDs and a time, which no report may keep."""
    moving = "Trace ID: 3f0c1d2e Correlation ID: 8a6c4b5d Timestamp: 2026-11-23 05:20:11Z"
    body: dict[str, Json] = {
        "error": error,
        "error_description": f"AADSTS{number}: {text} {moving}",
        "error_codes": [number],
    }
    return misbehaving(path, Reply(401 if error == "invalid_client" else 400, body), login=True)


def graph(status: int, code: str, message: str, path: str = "/v1.0/users") -> Situation:
    """Graph's refusal in Graph's form."""
    return misbehaving(path, Reply(status, {"error": {"code": code, "message": message}}))


def application(**members: Any) -> Situation:
    """A tenant whose app is like this."""
    members.setdefault("client_id", client_id(1))
    return Situation(lambda scene: signs_in(scene, BY_SECRET, applications=(Application(**members),)))


def on_wire(arrange: Callable[[Scene], None]) -> Situation:
    """A portal that is read over real sockets."""

    def arranged(scene: Scene) -> None:
        signs_in(scene, BY_SECRET)
        arrange(scene)

    return Situation(arranged, emulated=False)


def refusing_proxy(status: str) -> Situation:
    """A proxy that answers every CONNECT with a page."""
    answer = _spoken(status, HTML.encode(), "Content-Type: text/html; charset=utf-8")
    return on_wire(lambda s: s.wire.proxy(f"http://127.0.0.1:{s.wire.server(lambda c: _answer(c, answer))}"))


def without(variable: str, how: str, **variables: str) -> Situation:
    """A portal whose way to sign in finds no value."""

    def arranged(scene: Scene) -> None:
        signs_in(scene, how)
        scene.world.monkeypatch.delenv(variable, raising=False)
        for name, value in variables.items():
            scene.world.monkeypatch.setenv(name, value)

    return Situation(arranged)


def _key(encryption: bytes | None = None) -> bytes:
    key = load_pem_private_key(pair().private_key_pem, None)
    chosen = BestAvailableEncryption(encryption) if encryption else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, chosen)


def _pfx(*, with_key: bool) -> bytes:
    """A PFX of the pair; without its key it still holds the certificate."""
    key = load_pem_private_key(pair().private_key_pem, None) if with_key else None
    certificate = x509.load_pem_x509_certificate(pair().certificate_pem)
    return pkcs12.serialize_key_and_certificates(
        b"app",
        key,  # type: ignore[arg-type]
        certificate if with_key else None,
        None if with_key else [certificate],
        BestAvailableEncryption(PASSPHRASE.encode()),
    )


def by_pfx(content: Callable[[], bytes]) -> Situation:
    """Sign-in with this PFX file."""

    def arranged(scene: Scene) -> None:
        scene.world.monkeypatch.setenv("TEST_PASSPHRASE", PASSPHRASE)
        with_files(scene, BY_PFX, app_pfx=content())

    return Situation(arranged)


def _own_name(scene: Scene) -> None:
    label = "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50"
    signs_in(scene, f"{{type: secret, secret: {{env: TEST_SECRET}}, secret_id: {label}}}")
    scene.world.monkeypatch.setenv("TEST_SECRET", label.upper())


def _elliptic() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _passphrase_wanted(scene: Scene) -> None:
    scene.world.monkeypatch.setenv("TEST_PASSPHRASE", "another")
    how = BY_PAIR.replace("}}", "}, passphrase: {env: TEST_PASSPHRASE}}")
    with_files(scene, how, app_crt=pair().certificate_pem, app_key=_key(PASSPHRASE.encode()))


def _passphrase_too_many(scene: Scene) -> None:
    scene.world.monkeypatch.setenv("TEST_PASSPHRASE", PASSPHRASE)
    how = BY_PAIR.replace("}}", "}, passphrase: {env: TEST_PASSPHRASE}}")
    with_files(scene, how, app_crt=pair().certificate_pem, app_key=_key())


def _expired_at_entra(scene: Scene) -> None:
    """Valid at the time that the run is told, and past its end by the clock that Entra has."""
    for name, content in (("app.crt", pair("past").certificate_pem), ("app.key", pair("past").private_key_pem)):
        (scene.world.root / name).write_bytes(content)
    signs_in(scene, BY_PAIR, applications=(Application(client_id(1), certificates=(pair("past"),)),))


def vaulted(
    secret: str = "app", vault: str = "contoso", *, reader: str = SECRET, of: int = 1, **members: Any
) -> Situation:
    """A portal whose secret is in a key vault; ``of`` is the number of the tenant that the vault belongs to."""

    def arranged(scene: Scene) -> None:
        world = scene.world
        tenants = (tenant(1), tenant(2))
        values = {
            "app": VaultSecret(SECRET),
            "blank": VaultSecret(" "),
            "disabled": VaultSecret(SECRET, enabled=False),
            "expired": VaultSecret(SECRET, expires=PAST),
        }
        (world.root / "reconcile.yaml").write_text(keyvault_yaml(1, "TEST_READER"))
        how = f"{{type: secret, secret: {{keyvault: {{vault: {vault}, secret: {secret}}}}}}}"
        world.portals(one=portal_yaml(1).replace(BY_SECRET, how))
        world.tenants(*tenants, vaults=(Vault("contoso", tenants[of - 1], values, **members),))
        world.monkeypatch.setenv("TEST_READER", reader)

    return Situation(arranged)


def _without_extra(scene: Scene) -> None:
    vaulted().arrange(scene)
    scene.world.monkeypatch.setitem(sys.modules, "azure.keyvault.secrets", None)


def _small_answers(scene: Scene) -> None:
    scene.world.monkeypatch.setattr("reconciler.graph.retry.BODY_LIMIT", 100)
    signs_in(scene, BY_SECRET)


def _surprise(scene: Scene) -> None:
    def broken(_: GraphClient) -> None:
        raise RuntimeError("a surprise")

    scene.world.monkeypatch.setattr(GraphClient, "licenses", broken)
    signs_in(scene, BY_SECRET)


def _no_service(scene: Scene) -> None:
    signs_in(scene, BY_IDENTITY)
    scene.world.monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{scene.wire.nowhere()}")


def _spoken(status: str, content: bytes, *headers: str) -> bytes:
    """An answer as it goes over a socket."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def _damaged(scene: Scene) -> None:
    """An answer that says it is compressed, and is not."""
    answer = _spoken("200 OK", b"not compressed", "Content-Encoding: gzip")
    scene.wire.names_lead_to(scene.wire.server(scene.wire.encrypted(lambda c: _answer(c, answer), scene.folder)))


def _answer(connection: socket.socket, answer: bytes) -> None:
    connection.recv(65536)
    connection.sendall(answer)


def _github_lost(scene: Scene) -> None:
    """Entra says where to sign in; what should be GitHub's service answers with a page."""
    login = "https://login.microsoftonline.com"
    known = {"token_endpoint": f"{login}/token", "authorization_endpoint": f"{login}/authorize"}
    entra = _spoken("200 OK", json.dumps(known).encode(), "Content-Type: application/json")
    page = _spoken("200 OK", HTML.encode(), "Content-Type: text/html")

    def behave(connection: socket.socket) -> None:
        asked = connection.recv(65536)
        connection.sendall(entra if b"openid-configuration" in asked else page)

    signs_in(scene, BY_GITHUB)
    scene.wire.names_lead_to(scene.wire.server(scene.wire.encrypted(behave, scene.folder)))
    scene.world.monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{login}/oidc?api-version=2.0")
    scene.world.monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary")


def _lost_proxy(scene: Scene) -> None:
    scene.wire.proxy("http://proxy.invalid:3128")
    scene.wire.no_name_resolves()


def _silence(scene: Scene) -> None:
    scene.wire.impatient()
    scene.wire.names_lead_to(scene.wire.server(scene.wire.silent))


def _silence_inside(scene: Scene) -> None:
    scene.wire.impatient()
    scene.wire.names_lead_to(scene.wire.server(scene.wire.encrypted(scene.wire.silent, scene.folder)))


_ELSEWHERE = {
    "token_endpoint": "https://login.microsoftonline.example/oauth2/v2.0/token",
    "authorization_endpoint": "https://login.microsoftonline.example/oauth2/v2.0/authorize",
}
_OTHER_TENANT = {"value": [{"id": "99999999-0000-4000-8000-000000000001", "displayName": "Fabrikam"}]}
_THUMB = "Thumbprint of key used by client: '9C0E1F3A2B4C5D6E7F8091A2B3C4D5E6F7081920'"
_REVIEW = "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
_NO_MATCH = "No matching federated identity record found for presented assertion"
_CHECK = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."

CONNECTION: dict[tuple[str, str], Situation] = {
    ("graph-unreachable", ""): on_wire(lambda s: s.wire.no_address()),
    ("graph-unreachable", "the proxy: name could not be resolved"): on_wire(_lost_proxy),
    ("graph-unreachable", "the proxy: connection refused"): on_wire(
        lambda s: s.wire.proxy(f"http://127.0.0.1:{s.wire.nowhere()}")
    ),
    ("graph-unreachable", "name could not be resolved"): on_wire(lambda s: s.wire.no_name_resolves()),
    ("graph-unreachable", "connection refused"): on_wire(lambda s: s.wire.names_lead_to(s.wire.nowhere())),
    ("graph-unreachable", "the certificate is not trusted"): on_wire(
        lambda s: s.wire.names_lead_to(s.wire.server(s.wire.encrypted(s.wire.hanging_up)))
    ),
    ("graph-unreachable", "the TLS handshake failed"): on_wire(
        lambda s: s.wire.names_lead_to(s.wire.server(s.wire.babbling))
    ),
    ("graph-unreachable", "connecting took too long"): on_wire(_silence),
    ("graph-unreachable", "no answer in time"): on_wire(_silence_inside),
    ("graph-unreachable", "connection dropped"): on_wire(
        lambda s: s.wire.names_lead_to(s.wire.server(s.wire.encrypted(s.wire.hanging_up, s.folder)))
    ),
    ("graph-unreachable", "the answer arrived damaged"): on_wire(_damaged),
    ("success-not-deserialized", ""): misbehaving("*/token", Reply(200, HTML), login=True),
    ("failure-not-deserialized", ""): misbehaving("/v1.0/users", Reply(502, HTML)),
    ("failure-not-deserialized", "answered 407"): refusing_proxy("407 Proxy Authentication Required"),
    ("failure-not-deserialized", "the proxy answered"): refusing_proxy("403 Forbidden"),
    ("failure-not-deserialized", "a redirect to …"): misbehaving(
        "/v1.0/users", Reply(302, HTML, {"Location": "https://portal.guest.example/sign-in"})
    ),
}

OWN: dict[tuple[str, str], Situation] = {
    ("secret-unresolved", ""): without("TEST_SECRET", BY_SECRET),
    ("secret-id-pasted", ""): Situation(_own_name),
    ("github-token-missing", ""): without("ACTIONS_ID_TOKEN_REQUEST_URL", BY_GITHUB),
    ("github-token-missing", "without a token"): Situation(_github_lost, emulated=False),
    ("github-token-missing", "is no https address"): without(
        "NOTHING",
        BY_GITHUB,
        ACTIONS_ID_TOKEN_REQUEST_URL="http://127.0.0.1/",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="canary",
    ),
    ("managed-identity-missing", ""): Situation(_no_service, emulated=False),
    ("keyvault-not-installed", ""): Situation(_without_extra),
    ("keyvault-sign-in-failed", ""): vaulted(reader="wrong"),
    ("keyvault-refused", ""): vaulted(readers=()),
    ("keyvault-refused", "ForbiddenByFirewall"): vaulted(readers=(), refusal="ForbiddenByFirewall"),
    ("keyvault-refused", "AKV10032"): vaulted(of=2),
    ("keyvault-secret-missing", ""): vaulted("nothing"),
    ("keyvault-secret-unusable", ""): vaulted("blank"),
    ("keyvault-secret-unusable", "it is disabled"): vaulted("disabled"),
    ("keyvault-secret-unusable", "it expired on …"): vaulted("expired"),
    ("keyvault-unreachable", ""): vaulted(vault="nowhere"),
    ("thumbprint-unreadable", ""): by_pair(b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", _key()),
    ("thumbprint-unreadable", "is no PFX file"): by_pfx(lambda: b"PK\x03\x04"),
    ("assertion-failed", ""): by_pfx(lambda: _pfx(with_key=False)),
    ("assertion-failed", "needs a passphrase"): by_pair(pair().certificate_pem, _key(PASSPHRASE.encode())),
    ("assertion-failed", "is not encrypted, yet a passphrase is given"): Situation(_passphrase_too_many),
    ("assertion-failed", "does not open with this passphrase, or is damaged"): Situation(_passphrase_wanted),
    ("assertion-failed", "is no PEM private key"): by_pair(pair().certificate_pem, b"-----BEGIN NOTHING-----"),
    ("assertion-failed", "is not RSA"): by_pair(pair().certificate_pem, _elliptic()),
    ("assertion-failed", "does not belong to the certificate"): by_pair(
        pair().certificate_pem, pair("other").private_key_pem
    ),
    ("assertion-failed", "is not valid before …"): Situation(
        by_pair(pair().certificate_pem, _key()).arrange, options=("--now", "2019-12-31T00:00:00Z")
    ),
    ("assertion-failed", "the certificate expired on …"): by_pair(
        pair("past").certificate_pem, pair("past").private_key_pem
    ),
    ("foreign-link", ""): misbehaving("/v1.0/users", ForeignLink()),
    ("foreign-link", "The tenant's configuration names a token endpoint on another host."): misbehaving(
        "*/openid-configuration", Reply(200, _ELSEWHERE), login=True
    ),
    ("page-loop", ""): misbehaving("/v1.0/users", RepeatedLink()),
    ("answer-too-large", ""): Situation(_small_answers),
    ("tenant-mismatch", ""): misbehaving("/v1.0/organization", Reply(200, _OTHER_TENANT)),
    ("internal", ""): Situation(_surprise),
}

ENTRA: dict[tuple[str, str], Situation] = {
    ("AADSTS90002", ""): Situation(lambda s: s.world.portals(one=portal_yaml(1))),
    ("AADSTS900023", ""): entra(
        900023,
        "Specified tenant identifier 'contoso' is neither a valid DNS name, nor a valid external domain.",
        "invalid_tenant",
        "*/openid-configuration",
    ),
    ("AADSTS700016", ""): application(client_id=client_id(2)),
    ("AADSTS7000229", ""): application(has_service_principal=False),
    ("AADSTS7000112", ""): application(disabled=True),
    ("AADSTS7000215", ""): application(secrets=(ClientSecret("another"),)),
    ("AADSTS7000222", ""): application(secrets=(ClientSecret(SECRET, end=PAST),)),
    ("AADSTS7000216", ""): entra(
        7000216, "'client_assertion', 'client_secret' or 'request' is required for the grant."
    ),
    ("AADSTS7000218", ""): entra(
        7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    ),
    ("AADSTS700027", ""): entra(700027, f"Client assertion failed signature validation. [Reason - Other., {_THUMB}]"),
    ("AADSTS700027", "Reason - The key was not found."): entra(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., {_THUMB}, Please visit the Azure Portal]",
    ),
    ("AADSTS700027", "Reason - The key used is expired."): Situation(
        _expired_at_entra, options=("--now", "2020-06-01T00:00:00Z")
    ),
    (
        "AADSTS700027",
        "Reason - The provided signature value did not match the expected signature value.",
    ): entra(
        700027,
        "Client assertion failed signature validation. [Reason - The provided signature value did not match the "
        f"expected signature value., {_THUMB}, Found key 'Start=01/22/2025 09:13:33, End=01/23/2027 09:13:33']",
    ),
    ("AADSTS7000213", ""): entra(7000213, "Invalid certificate chain."),
    ("AADSTS5002723", ""): entra(
        5002723,
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in "
        "token header.",
    ),
    ("AADSTS5002727", ""): entra(
        5002727, "Invalid JWT header type specified, must be 'JWT' or 'http://openid.net/specs/jwt/1.0'."
    ),
    ("AADSTS5002738", ""): entra(
        5002738, "Invalid JWT token. 'ES256' is not a supported signature algorithm. Supported: 'RS256, PS256'"
    ),
    ("AADSTS50027", ""): entra(50027, "JWT token is invalid or malformed.", "invalid_request"),
    ("AADSTS700021", ""): entra(
        700021, f"Client assertion application identifier doesn't match 'client_id' parameter. {_REVIEW}"
    ),
    ("AADSTS700023", ""): entra(700023, f"Client assertion audience claim does not match Realm issuer. {_REVIEW}"),
    ("AADSTS700024", ""): entra(
        700024,
        "Client assertion is not within its valid time range. Current time: 2026-11-23T05:20:11.6755165Z, assertion "
        "valid from 2026-11-23T04:00:00.0000000Z, expiry time of assertion 2026-11-23T04:10:00.0000000Z. "
        f"{_REVIEW}",
    ),
    ("AADSTS90014", ""): entra(90014, "The required field 'aud' is missing from the credential.", "invalid_request"),
    ("AADSTS900144", ""): entra(
        900144, "The request body must contain the following parameter: 'scope'.", "invalid_request"
    ),
    ("AADSTS70021", ""): entra(70021, f"{_NO_MATCH}. {_CHECK}", "invalid_request"),
    ("AADSTS700211", ""): entra(700211, f"{_NO_MATCH} issuer 'https://idp.contoso.example/'. {_CHECK}"),
    ("AADSTS700212", ""): entra(700212, f"{_NO_MATCH} audience 'api://contoso'. {_CHECK}"),
    ("AADSTS700213", ""): entra(
        700213, f"{_NO_MATCH} subject 'repo:contoso@12/licenses@345:ref:refs/heads/main'. {_CHECK}"
    ),
    ("AADSTS53003", ""): entra(
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "invalid_grant",
    ),
    ("AADSTS500011", ""): entra(
        500011,
        "The resource principal named https://graph.microsoft.us was not found in the tenant named Contoso.",
        "invalid_resource",
    ),
    ("AADSTS70011", ""): entra(
        70011, "The provided value for the input parameter 'scope' is not valid.", "invalid_scope"
    ),
    ("AADSTS1002012", ""): entra(
        1002012, "The provided value for scope https://graph.microsoft.com is not valid.", "invalid_scope"
    ),
    ("AADSTS900382", ""): entra(
        900382, "Confidential Client is not supported in Cross Cloud request.", "invalid_request"
    ),
    ("AADSTS90038", ""): entra(
        90038, "The tenant 'contoso' belongs to the National Cloud 'MicrosoftOnline.US'.", "invalid_request"
    ),
    ("AADSTS90006", ""): entra(90006, "External server is temporarily unavailable.", "temporarily_unavailable"),
    ("AADSTS90024", ""): entra(90024, "A transient error has occurred. Please try again.", "temporarily_unavailable"),
    ("AADSTS90033", ""): misbehaving("*/token", Reply(503), login=True),
    ("AADSTS90055", ""): misbehaving("*/token", throttled(1), login=True),
}

GRAPH: dict[tuple[str, str], Situation] = {
    ("Authorization_RequestDenied", ""): application(roles=()),
    ("Authentication_MSGraphPermissionMissing", ""): graph(
        403,
        "Authentication_MSGraphPermissionMissing",
        "The principal does not have required Microsoft Graph permission(s): User.Read.All to call this API.",
    ),
    ("InvalidAuthenticationToken", ""): graph(401, "InvalidAuthenticationToken", "Access token validation failure."),
    ("InvalidAuthenticationToken", "the token is expired"): graph(
        401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."
    ),
    ("InvalidAuthenticationToken", "Invalid audience"): graph(
        401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."
    ),
    ("InvalidAuthenticationToken", "Access token is empty"): graph(
        401, "InvalidAuthenticationToken", "Access token is empty."
    ),
    ("TooManyRequests", ""): misbehaving("/v1.0/users", throttled(7)),
    ("Request_ThrottledTemporarily", ""): graph(
        429, "Request_ThrottledTemporarily", "Your request is throttled temporarily. Please try after 150 seconds."
    ),
    ("Directory_ExpiredPageToken", ""): misbehaving("/v1.0/users", EXPIRED_PAGE_TOKEN, page=2),
    ("DirectoryPageTokenNotFoundException", ""): misbehaving("/v1.0/users", LOST_PAGE_TOKEN, page=2),
    ("Request_UnsupportedQuery", ""): graph(
        400, "Request_UnsupportedQuery", "This resource does not support custom page sizes.", "/v1.0/subscribedSkus"
    ),
    ("Request_BadRequest", ""): graph(400, "Request_BadRequest", "Invalid filter clause."),
    ("BadRequest", ""): graph(
        400,
        "BadRequest",
        "Parsing OData Select and Expand failed: Could not find a property named 'x' on type 'microsoft.graph.user'.",
    ),
    ("Request_ResourceNotFound", ""): graph(
        404,
        "Request_ResourceNotFound",
        "Resource '7c2f1f7a-6d2b-4f57-9a35-7d1f6a0d9b01' does not exist or one of its queried reference-property "
        "objects are not present.",
    ),
    ("NotImplemented", ""): graph(501, "NotImplemented", "This operation target is not yet supported."),
    ("ServiceUnavailable", ""): graph(503, "ServiceUnavailable", "Try again later."),
    ("ServiceNotAvailable", ""): graph(503, "serviceNotAvailable", "Try again later."),
    ("UnknownError", ""): graph(504, "UnknownError", ""),
    ("http-…", ""): misbehaving("/v1.0/users", Reply(400, {"error": {"code": "", "message": "No."}})),
    ("http-…", "answered 5… without a message."): misbehaving("*/token", Reply(500, {"error": ""}), login=True),
}

SITUATIONS = {**CONNECTION, **OWN, **ENTRA, **GRAPH}
"""By code and by the message of the case; the message is empty for the row itself."""
