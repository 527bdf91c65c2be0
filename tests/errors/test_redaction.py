"""Marked secrets of every kind in a full run at ``-vv`` that fails at each stage: none is found anywhere afterwards."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import httpx
import jwt
import pytest
from cryptography import x509
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
    Cut,
    Drop,
    Effect,
    Fault,
    ForeignLink,
    Json,
    RepeatedLink,
    Reply,
    throttled,
)
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application, ClientSecret, Scenario, UserGroup, Vault, VaultSecret
from reconciler.emulator.serve import Server
from reconciler.graph.client import GraphClient
from reconciler.graph.retry import RetryTransport
from tests.cli.cli_world import E3, World, client_id, files_under, keyvault_yaml, portal_yaml, reconcile, tenant

CLIENT_SECRET = "Canary8Q~client+secret/9f2c7e51b84d.value"
KEY_PASSPHRASE = "Canary key passphrase & 51b84d9f2c7e"
PFX_PASSPHRASE = "Canary pfx passphrase % 84d51b9f2c7e"
VAULT_SECRET = "Canary8Q~vault+secret/7e51b84d9f2c.value"
VAULT_READER = "Canary8Q~vault+reader/b84d9f2c7e51.value"
GITHUB_TOKEN = "canary-github-request-token-2c7e9f84d51b"
BY_SECRET = "{type: secret, secret: {env: TEST_SECRET}}"
PEOPLE = (UserGroup(1001, (E3,)),)
FEW = (UserGroup(3, (E3,)),)
CHUNK = 40
"""Length of the pieces of long secrets that are looked for, so that no folding of lines hides them."""


@cache
def pair() -> KeyPair:
    """The key pair of all portals that sign in by certificate."""
    return KeyPair("canary")


@cache
def federated_token() -> str:
    """A token as another identity provider would have made it."""
    return jwt.encode({"iss": "https://idp.example", "sub": "canary", "aud": "x"}, "canary-signing-key-" * 3, "HS256")


def _written(encryption: BestAvailableEncryption | None = None) -> bytes:
    key = load_pem_private_key(pair().private_key_pem, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@cache
def _files() -> dict[str, bytes]:
    """The credentials that portals point to, all outside of the repository."""
    key: Any = load_pem_private_key(pair().private_key_pem, None)
    certificate = x509.load_pem_x509_certificate(pair().certificate_pem)
    sealed = BestAvailableEncryption(PFX_PASSPHRASE.encode())
    return {
        "app.crt": pair().certificate_pem,
        "app.key": _written(),
        "sealed.key": _written(BestAvailableEncryption(KEY_PASSPHRASE.encode())),
        "app.pfx": pkcs12.serialize_key_and_certificates(b"app", key, certificate, None, sealed),
        "token": federated_token().encode(),
    }


def _ways(keys: Path) -> dict[str, str]:
    """A portal for each kind of credential, by its name."""
    pem = f"type: certificate, public_certificate: {{file: {keys}/app.crt}}"
    return {
        "secret": BY_SECRET,
        "pem": f"{{{pem}, private_key: {{file: {keys}/app.key}}}}",
        "sealed": f"{{{pem}, private_key: {{file: {keys}/sealed.key}}, passphrase: {{env: TEST_KEY_PASSPHRASE}}}}",
        "pfx": f"{{type: certificate, pfx: {{file: {keys}/app.pfx}}, passphrase: {{env: TEST_PFX_PASSPHRASE}}}}",
        "federated": f"{{type: federated, token: {{file: {keys}/token}}}}",
        "github": "{type: federated, token: {github: true}}",
        "vault": "{type: secret, secret: {keyvault: {vault: canary-vault, secret: client}}}",
    }


@dataclass
class Seen:
    """What went over the wire and must be seen nowhere else: tokens and assertions, as they were made."""

    values: set[str] = field(default_factory=set)

    def note(self, request: httpx.Request, response: httpx.Response) -> None:
        """Remember the secrets of an exchange."""
        self.values.add(request.headers.get("authorization", "").partition(" ")[2])
        form = dict(parse_qsl(request.content.decode())) if request.method == "POST" else {}
        self.values.add(form.get("client_assertion", ""))
        if (
            response.headers.get("content-type", "").startswith("application/json")
            and b"access_token" in response.content
        ):
            self.values.add(response.json()["access_token"])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Look at every exchange of the run."""
    made = Seen()
    real = RetryTransport.handle_request

    def noted(transport: RetryTransport, request: httpx.Request) -> httpx.Response:
        response = real(transport, request)
        if response.is_success:
            response.read()
            made.note(request, response)
        return response

    monkeypatch.setattr(RetryTransport, "handle_request", noted)
    return made


@cache
def _fixed() -> tuple[bytes, ...]:
    """The secrets that are the same in all tests, in every form in which they could be written."""
    key: Any = load_pem_private_key(pair().private_key_pem, None)
    ders = [
        key.private_bytes(Encoding.DER, form, NoEncryption())
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    ]
    forms = [piece for secret in (*ders, federated_token().encode()) for piece in _pieces(secret)]
    for text in (CLIENT_SECRET, KEY_PASSPHRASE, PFX_PASSPHRASE, VAULT_SECRET, VAULT_READER, GITHUB_TOKEN):
        forms += [text.encode(), quote(text).encode(), quote(text, safe="").encode(), quote_plus(text).encode()]
        forms += _encoded(text.encode())
    return tuple(forms)


def _pieces(secret: bytes) -> Iterator[bytes]:
    """Pieces of a long secret, as it is and encoded; without its beginning, which is the same in all of its kind."""
    for form in (secret, *_encoded(secret)):
        yield from (form[at : at + CHUNK] for at in range(CHUNK, len(form) - CHUNK, CHUNK))


def _encoded(secret: bytes) -> Iterator[bytes]:
    """In base64, wherever it begins in what was encoded."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + secret)[4 if before else 0 : -4]


def leaks(seen: Seen, *everything: bytes) -> list[bytes]:
    """The secrets that are found."""
    hay = b"\0".join(everything)
    moving = (piece for value in seen.values if value for piece in _pieces(value.encode()))
    return [canary for canary in (*_fixed(), *moving) if canary in hay]


def login(effect: Effect) -> Fault:
    return Fault(effect, "*/token", "login", times=ALWAYS)


def at(path: str, effect: Effect, page: int | None = None) -> Fault:
    return Fault(effect, f"/v1.0/{path}", page=page, times=ALWAYS)


ECHO = f"<html><title>Not allowed</title><body>Form: client_secret={quote_plus(CLIENT_SECRET)} {CLIENT_SECRET}</body>"
GRAPH: dict[str, Effect] = {
    "refused": Reply(403),
    "token refused": Reply(401),
    "failing": Reply(500),
    "as a page": Reply(200, "<html>"),
    "cut": Cut(),
    "dropped": Drop(),
    "redirected": Reply(302, headers={"Location": "https://elsewhere.example/"}),
}
ECHOED: dict[str, Json] = {
    "error": "invalid_client",
    "error_description": f"AADSTS7000215: Invalid client secret '{CLIENT_SECRET}' provided.",
}
FAULTS: dict[str, tuple[Fault, ...]] = {
    "nothing": (),
    "discovery": (Fault(Drop(), "*/openid-configuration", "login", times=ALWAYS),),
    "token refused": (login(Reply(401)),),
    "token as a page": (login(Reply(200, "<html>")),),
    "token echoed": (login(Reply(200, ECHO)),),
    "token echoed as a failure": (login(Reply(407, ECHO)),),
    "token echoed in an error": (login(Reply(401, ECHOED)),),
    "token echoed as the code": (login(Reply(401, {"error": CLIENT_SECRET})),),
    "token echoed in base64": (
        login(
            Reply(401, {"error": "x", "error_description": base64.b64encode(f"app:{CLIENT_SECRET}".encode()).decode()})
        ),
    ),
    "token echoed in part for a URL": (login(Reply(401, {"error": "x", "error_description": quote(CLIENT_SECRET)})),),
    "token echoed as the content type": (login(Reply(502, "no", {"Content-Type": f"text/{CLIENT_SECRET}"})),),
    "token cut": (login(Reply(200, b'{"access_token": "' + b"canary" * 20)),),
    "token dropped": (login(Drop()),),
    "token redirected": (login(Reply(302, headers={"Location": "https://elsewhere.example/"})),),
    **{
        f"{path} {name}": (at(path, effect),)
        for path in ("organization", "subscribedSkus", "directory/subscriptions", "users")
        for name, effect in GRAPH.items()
        if path in ("organization", "users") or name in ("refused", "dropped")
    },
    "page 2 dropped": (at("users", Drop(after=50), page=2),),
    "page 2 elsewhere": (at("users", ForeignLink(), page=1),),
    "page 2 again": (at("users", RepeatedLink(), page=2),),
    "page 2 throttled": (at("users", throttled(1), page=2),),
}


@dataclass
class Stage:
    """A repository with a portal for each kind of credential, whose secrets are in place."""

    world: World
    keys: Path

    def portals(self) -> list[str]:
        """Write the portals and their credentials; the names of the portals."""
        for name, content in _files().items():
            (self.keys / name).write_bytes(content)
        ways = _ways(self.keys)
        self.world.portals(
            **{name: portal_yaml(number).replace(BY_SECRET, way) for number, (name, way) in enumerate(ways.items(), 1)}
        )
        (self.world.root / "reconcile.yaml").write_text(keyvault_yaml(len(ways), "TEST_VAULT_READER"))
        for name, value in {
            "TEST_SECRET": CLIENT_SECRET,
            "TEST_VAULT_READER": VAULT_READER,
            "TEST_KEY_PASSPHRASE": KEY_PASSPHRASE,
            "TEST_PFX_PASSPHRASE": PFX_PASSPHRASE,
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://login.microsoftonline.com/oidc",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": GITHUB_TOKEN,
        }.items():
            self.world.monkeypatch.setenv(name, value)
        return list(ways)

    def tenants(self, *faults: Fault, first_only: bool = False) -> Scenario:
        """A tenant for each portal, and a key vault of the last one's.

        ``first_only``: only the one that is read with the secret misbehaves.
        """
        made = tuple(
            tenant(
                number,
                faults=faults if number == 1 or not first_only else (),
                users=PEOPLE if any(fault.page for fault in faults) else FEW,
                applications=(
                    Application(
                        client_id(number),
                        secrets=tuple(map(ClientSecret, (CLIENT_SECRET, VAULT_SECRET, VAULT_READER))),
                        certificates=(pair(),),
                    ),
                ),
            )
            for number in range(1, len(_ways(self.keys)) + 1)
        )
        vaults = (Vault("canary-vault", made[-1], {"client": VaultSecret(VAULT_SECRET)}),)
        self.world.tenants(*made, vaults=vaults)
        return Scenario(made, vaults=vaults)

    def everything(self, *options: str) -> tuple[int | None, bytes]:
        """Run apply at -vv; its exit code, and all that it printed or raised. None for an exception that came out."""
        try:
            ended = self.world.run("-vv", "--retry-limit", "0", *options, "apply")
        except Exception:  # what Python itself would print
            captured = self.world.capsys.readouterr()
            return None, (captured.out + captured.err + traceback.format_exc()).encode()
        return ended.code, (ended.out + ended.err).encode()


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    """Everything in place, with credentials outside of the repository."""
    keys = tmp_path / "outside"
    keys.mkdir()
    return Stage(world, keys)


@pytest.fixture
def everybodys_log(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What libraries log too, which a user's own logging configuration could show."""
    caplog.set_level(logging.DEBUG)
    return caplog.records


def _logged(records: list[logging.LogRecord]) -> bytes:
    texts = [logging.Formatter().format(record) for record in records]
    return "\n".join(texts).encode()


@pytest.mark.parametrize(
    ("name", "log_format"),
    [
        *((name, "text") for name in FAULTS),
        *((name, "json") for name in ("nothing", "token refused", "token echoed", "users cut", "page 2 dropped")),
    ],
)
def test_no_secret_is_found_after_a_failure_of_the_network(
    stage: Stage, seen: Seen, everybodys_log: list[logging.LogRecord], name: str, log_format: str
) -> None:
    stage.portals()
    echoed = "echoed" in name
    stage.tenants(*FAULTS[name], first_only=echoed)
    code, said = stage.everything("--log-format", log_format)
    assert code == (4 if name == "nothing" or echoed else 1)
    assert b"client-request-id" in said, "the log is on"
    assert b"Bearer ey" not in said
    assert leaks(seen, said, _logged(everybodys_log), *files_under(stage.world.root).values()) == []


def test_the_run_really_uses_every_secret(stage: Stage, seen: Seen) -> None:
    stage.portals()
    stage.tenants()
    stage.everything()
    status = {name: portal["import"]["outcome"] for name, portal in stage.world.status().items()}
    assert {name for name, outcome in status.items() if outcome == "complete"} == {
        *("secret", "pem", "sealed", "pfx", "vault")
    }
    values = [value for value in seen.values if value]
    assert federated_token() not in values, "it is no client assertion of ours"
    assert sum(value.startswith("eyJ") for value in values) >= 9, "six tokens and three assertions"


@pytest.mark.parametrize("form", ["raw", "quoted", "base64"])
@pytest.mark.parametrize("kind", ["secret", "key", "token"])
def test_a_leak_would_be_found(stage: Stage, seen: Seen, kind: str, form: str) -> None:
    stage.portals()
    stage.tenants()
    stage.everything()
    token = next(value for value in seen.values if value)
    value = {"secret": CLIENT_SECRET, "key": pair().private_key_pem.decode(), "token": token}[kind]
    written = {
        "raw": value.encode(),
        "quoted": quote(value).encode(),
        "base64": base64.b64encode(b"user:" + value.encode()),
    }[form]
    if (kind, form) == ("key", "raw"):
        written = value.replace("\n", "").encode()
    elif kind == "key" and form == "base64":
        der = load_pem_private_key(value.encode(), None).private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        )
        written = base64.b64encode(b"user:" + der)
    elif (kind, form) == ("key", "quoted"):
        written = quote_plus(base64.b64encode(value.encode())).encode()[:0] + value.replace("\n", "%0A").encode()
    assert leaks(seen, b"x" + written + b"x")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_found_after_credentials_that_cannot_be_used(
    stage: Stage, seen: Seen, everybodys_log: list[logging.LogRecord], log_format: str
) -> None:
    """Each secret stands where another should: the passphrase of the other file, the key as certificate, and so on."""
    stage.portals()
    stage.tenants()
    for name, value in {
        "TEST_SECRET": f"{CLIENT_SECRET} wrong",
        "TEST_KEY_PASSPHRASE": PFX_PASSPHRASE,
        "TEST_PFX_PASSPHRASE": KEY_PASSPHRASE,
        "TEST_VAULT_READER": GITHUB_TOKEN,
        "ACTIONS_ID_TOKEN_REQUEST_URL": GITHUB_TOKEN,
    }.items():
        stage.world.monkeypatch.setenv(name, value)
    (stage.keys / "app.crt").write_bytes(_written())
    (stage.keys / "token").write_bytes(CLIENT_SECRET.encode() + b"\xff")
    code, said = stage.everything("--log-format", log_format)
    assert code == 1
    assert leaks(seen, said, _logged(everybodys_log), *files_under(stage.world.root).values()) == []


@pytest.mark.parametrize("where", ["ledger", "reports", "reconciler.db"])
def test_no_secret_is_found_after_a_state_that_cannot_be_written(
    stage: Stage, seen: Seen, everybodys_log: list[logging.LogRecord], where: str
) -> None:
    stage.portals()
    stage.tenants()
    blocked = stage.world.root / "state" / where
    blocked.parent.mkdir(parents=True, exist_ok=True)
    if where == "reconciler.db":
        blocked.write_bytes(b"no database")
    else:
        blocked.write_bytes(b"no folder")
    code, said = stage.everything()
    assert code in (None, 1)
    assert leaks(seen, said, _logged(everybodys_log), *files_under(stage.world.root).values()) == []


def test_no_secret_is_in_the_traceback_of_a_defect(
    stage: Stage, seen: Seen, everybodys_log: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(client: GraphClient) -> None:
        token = client._tokens.token()
        raise RuntimeError(f"with a token of {len(token)} characters at hand")

    monkeypatch.setattr(GraphClient, "licenses", broken)
    stage.portals()
    stage.tenants()
    code, said = stage.everything()
    assert code == 1
    assert b"Traceback" in said
    assert leaks(seen, said, _logged(everybodys_log), *files_under(stage.world.root).values()) == []


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_process_of_its_own_says_no_secret_either(stage: Stage, seen: Seen, tmp_path: Path, log_format: str) -> None:
    """Over real sockets, with the libraries' own loggers as nobody has configured them."""
    stage.portals()
    made = stage.tenants(at("users", Reply(403), page=2))
    with Server(made, tmp_path) as server:
        ended = reconcile(
            *("-vv", "--retry-limit", "0", "--log-format", log_format, "apply"),
            cwd=stage.world.root,
            environment=server.environment,
        )
    assert ended.code == 1
    assert "Authorization_RequestDenied" in ended.err
    assert leaks(seen, ended.out.encode(), ended.err.encode(), *files_under(stage.world.root).values()) == []
    assert "eyJ" not in ended.out + ended.err
