"""Secrets and certificates as people really provide them: what is wrong with one is said, its content never."""

from __future__ import annotations

import pickle
from base64 import encodebytes
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from reconciler.errors import AssertionFailed, PortalError, SecretUnresolved, ThumbprintUnreadable
from reconciler.graph.credentials import Credential, Proof, credential_end, load_credential
from reconciler.graph.federation import FederatedToken
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Reference,
    SecretAuthentication,
)
from reconciler.secret import Secret

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
PASSPHRASE = b"correct horse"
MESSAGES: dict[type[PortalError], str] = {
    ThumbprintUnreadable: "Thumbprint from public key could not be read.",
    AssertionFailed: "JSON Web Token generation for authentication with GraphAPI failed.",
}


@cache
def rsa_key(name: str = "own") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    key: CertificateIssuerPrivateKeyTypes | None = None,
    start: int = 2026,
    end: int = 2028,
    name: str = "reader",
    moment: datetime | None = None,
) -> x509.Certificate:
    signer = key or rsa_key()
    last = moment or datetime(end, 3, 1, tzinfo=UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(signer.public_key())
        .serial_number(7)
        .not_valid_before(datetime(start, 3, 1, tzinfo=UTC))
        .not_valid_after(last)
        .sign(signer, SHA256())
    )


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def key_pem(key: CertificateIssuerPrivateKeyTypes | None = None, passphrase: bytes | None = None) -> bytes:
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return (key or rsa_key()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def pfx(
    with_key: bool = True,
    own: x509.Certificate | None = None,
    chain: tuple[x509.Certificate, ...] = (),
    locked: bool = True,
) -> bytes:
    encryption: KeySerializationEncryption = BestAvailableEncryption(PASSPHRASE) if locked else NoEncryption()
    return serialize_key_and_certificates(b"reader", rsa_key() if with_key else None, own, list(chain), encryption)


def load(values: dict[str, bytes], now: datetime = NOW) -> Credential:
    """Load from a certificate authentication that refers to exactly these values."""
    references: dict[str, Any] = {name: Reference("env", name) for name in values}
    authentication = CertificateAuthentication(**references)
    return load_credential(authentication, lambda reference: Secret(values[reference.name]), now)


def load_secret(value: bytes) -> Credential:
    return load_credential(SecretAuthentication(Reference("env", "SECRET")), lambda _: Secret(value), NOW)


def pair(credential: Credential) -> dict[str, str]:
    value = credential.for_msal()
    assert isinstance(value, dict)
    return value


def is_the_own_pair(credential: Credential) -> bool:
    value = pair(credential)
    key = load_pem_private_key(value["private_key"].encode(), None)
    return (
        set(value) == {"private_key", "public_certificate"}
        and isinstance(key, rsa.RSAPrivateKey)
        and key.private_numbers() == rsa_key().private_numbers()
        and value["public_certificate"].encode() == pem(certificate())
    )


def test_a_secret_is_passed_on_without_the_line_end_of_its_file() -> None:
    assert load_secret(b"s3cret~value\n").for_msal() == "s3cret~value"


@pytest.mark.parametrize(("value", "detail"), [(b"\n", "is empty"), (b"\xff\xfe", "not UTF-8")])
def test_a_secret_that_is_no_text_is_refused(value: bytes, detail: str) -> None:
    with pytest.raises(SecretUnresolved, match=detail):
        load_secret(value)


@pytest.mark.parametrize(
    "values",
    [
        lambda: {"public_certificate": pem(certificate()), "private_key": key_pem()},
        lambda: {
            "public_certificate": pem(certificate()),
            "private_key": key_pem(passphrase=PASSPHRASE),
            "passphrase": PASSPHRASE + b"\n",
        },
        lambda: {
            "public_certificate": pem(certificate(rsa_key("issuer")), certificate()),
            "private_key": key_pem(),
        },
        lambda: {"pfx": pfx(own=certificate()), "passphrase": PASSPHRASE},
        lambda: {"pfx": pfx(chain=(certificate(rsa_key("issuer")), certificate())), "passphrase": PASSPHRASE},
        lambda: {"pfx": pfx(own=certificate(), locked=False)},
        lambda: {"pfx": encodebytes(pfx(own=certificate())), "passphrase": PASSPHRASE},
    ],
    ids=["PEM", "encrypted PEM", "chain in PEM", "PFX", "PFX with chain", "PFX without passphrase", "PFX in base64"],
)
def test_a_certificate_is_unpacked_into_the_pair_that_msal_signs_with_ps256(
    values: Callable[[], dict[str, bytes]],
) -> None:
    assert is_the_own_pair(load(values()))


@pytest.mark.parametrize(
    ("error", "detail", "values"),
    [
        (
            ThumbprintUnreadable,
            "is no PEM certificate",
            lambda: {"public_certificate": b"canary", "private_key": key_pem()},
        ),
        (
            ThumbprintUnreadable,
            "is no PEM certificate",
            lambda: {"public_certificate": key_pem(), "private_key": key_pem()},
        ),
        (ThumbprintUnreadable, "names no certificate", lambda: {"private_key": key_pem()}),
        (ThumbprintUnreadable, "is no PFX file", lambda: {"pfx": pem(certificate()), "passphrase": PASSPHRASE}),
        (ThumbprintUnreadable, "is no PFX file", lambda: {"pfx": encodebytes(b"canary"), "passphrase": PASSPHRASE}),
        (ThumbprintUnreadable, "holds no certificate", lambda: {"pfx": pfx(), "passphrase": PASSPHRASE}),
        (
            AssertionFailed,
            "is no PEM private key",
            lambda: {"public_certificate": pem(certificate()), "private_key": b"canary"},
        ),
        (
            AssertionFailed,
            "does not open with this passphrase",
            lambda: {
                "public_certificate": pem(certificate()),
                "private_key": key_pem(passphrase=PASSPHRASE),
                "passphrase": b"canary",
            },
        ),
        (
            AssertionFailed,
            "needs a passphrase",
            lambda: {"public_certificate": pem(certificate()), "private_key": key_pem(passphrase=PASSPHRASE)},
        ),
        (
            AssertionFailed,
            "is not encrypted",
            lambda: {
                "public_certificate": pem(certificate()),
                "private_key": key_pem(),
                "passphrase": b"canary",
            },
        ),
        (
            AssertionFailed,
            "is not RSA",
            lambda: {"public_certificate": pem(certificate(ec_key())), "private_key": key_pem(ec_key())},
        ),
        (
            AssertionFailed,
            "does not belong to the certificate",
            lambda: {"public_certificate": pem(certificate()), "private_key": key_pem(rsa_key("other"))},
        ),
        (
            AssertionFailed,
            "expired on 2025-03-01",
            lambda: {"public_certificate": pem(certificate(start=2023, end=2025)), "private_key": key_pem()},
        ),
        (
            AssertionFailed,
            "not valid before 2027-03-01",
            lambda: {"public_certificate": pem(certificate(start=2027)), "private_key": key_pem()},
        ),
        (
            AssertionFailed,
            "does not open with this passphrase",
            lambda: {"pfx": pfx(own=certificate()), "passphrase": b"canary"},
        ),
        (
            AssertionFailed,
            "does not open with this passphrase",
            lambda: {"pfx": pfx(own=certificate())},
        ),
        (
            AssertionFailed,
            "holds no private key",
            lambda: {"pfx": pfx(with_key=False, own=certificate()), "passphrase": PASSPHRASE},
        ),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_without_showing_it(
    error: type[PortalError], detail: str, values: Callable[[], dict[str, bytes]]
) -> None:
    with pytest.raises(error) as caught:
        load(values())
    assert caught.value.message == MESSAGES[error]
    assert caught.value.detail is not None
    assert detail in caught.value.detail
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_certificate_is_judged_by_the_runs_own_clock() -> None:
    values = {"public_certificate": pem(certificate()), "private_key": key_pem()}
    assert is_the_own_pair(load(values, datetime(2028, 3, 1, tzinfo=UTC)))
    with pytest.raises(AssertionFailed):
        load(values, datetime(2028, 3, 1, 0, 0, 1, tzinfo=UTC))


def end_of(values: dict[str, bytes]) -> date | None:
    """The end of a certificate authentication that refers to these values; the ones left out lead nowhere."""
    names = {"pfx"} if "pfx" in values else {"public_certificate", "private_key"}
    references: dict[str, Any] = {name: Reference("env", name) for name in {*names, *values}}

    def resolve(reference: Reference) -> Secret:
        if reference.name not in values:
            raise SecretUnresolved
        return Secret(values[reference.name])

    return credential_end(CertificateAuthentication(**references), resolve)


@pytest.mark.parametrize(
    "values",
    [
        lambda: {"public_certificate": pem(certificate())},
        lambda: {
            "public_certificate": pem(certificate(rsa_key("issuer"), end=2040), certificate()),
            "private_key": key_pem(),
        },
        lambda: {"pfx": pfx(own=certificate()), "passphrase": PASSPHRASE},
        lambda: {"pfx": pfx(own=certificate(), locked=False)},
        lambda: {"pfx": pfx(chain=(certificate(rsa_key("issuer"), end=2040), certificate())), "passphrase": PASSPHRASE},
    ],
    ids=["PEM without its key", "chain in PEM", "PFX", "PFX without passphrase", "PFX with chain"],
)
def test_a_certificate_says_itself_when_it_ends(values: Callable[[], dict[str, bytes]]) -> None:
    assert end_of(values()) == date(2028, 3, 1)


def test_the_end_of_a_certificate_is_a_day_in_utc() -> None:
    late = certificate(moment=datetime(2028, 2, 29, 23, 59, tzinfo=UTC))
    assert end_of({"public_certificate": pem(late)}) == date(2028, 2, 29)


@pytest.mark.parametrize(
    "values",
    [
        dict,
        lambda: {"public_certificate": b"canary"},
        lambda: {"public_certificate": pem(certificate(), certificate(rsa_key("issuer")))},
        lambda: {"pfx": b"canary"},
        lambda: {"pfx": pfx(own=certificate())},
        lambda: {"pfx": pfx(own=certificate()), "passphrase": b"wrong"},
    ],
    ids=["nothing", "no PEM", "chain without its key", "no PFX", "locked PFX", "wrong passphrase"],
)
def test_a_certificate_that_cannot_be_read_has_no_known_end(values: Callable[[], dict[str, bytes]]) -> None:
    assert end_of(values()) is None


def test_a_resolver_that_fails_in_any_way_makes_no_failure() -> None:
    def resolve(_: Reference) -> Secret:
        raise OSError

    authentication = CertificateAuthentication(public_certificate=Reference("file", "x"))
    assert credential_end(authentication, resolve) is None


def unwanted(_: Reference) -> Secret:
    raise AssertionError("nothing needs to be resolved")


@pytest.mark.parametrize(
    ("authentication", "end"),
    [
        (SecretAuthentication(Reference("env", "S"), expires=date(2027, 3, 31)), date(2027, 3, 31)),
        (SecretAuthentication(Reference("env", "S")), None),
        (FederatedAuthentication(), None),
        (FederatedAuthentication(Reference("file", "token")), None),
        (ManagedIdentityAuthentication("user"), None),
    ],
)
def test_the_end_of_anything_else_is_what_the_portal_file_says(
    authentication: Authentication, end: date | None
) -> None:
    assert credential_end(authentication, unwanted) == end


@pytest.mark.parametrize(
    "value",
    [
        "canary",
        {"private_key": "canary"},
        FederatedToken(FederatedAuthentication(Reference("file", "canary")), unwanted),
    ],
)
def test_a_credential_shows_and_saves_nothing(value: Proof) -> None:
    credential = Credential(value)
    assert "canary" not in f"{credential!r} {credential} {vars(Credential)}"
    with pytest.raises(TypeError):
        pickle.dumps(credential)
