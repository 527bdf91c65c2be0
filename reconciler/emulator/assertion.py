"""Checks the JWT with which an application proves that it holds the key of a registered certificate.

The order of the checks and their AADSTS codes follow what Entra has been seen to answer.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.emulator import federation
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.refusals import ALGORITHMS, REVIEW, EntraError, check_time
from reconciler.emulator.scenario import Application


def verify(assertion: str, application: Application, audiences: Iterable[str], now: float) -> None:
    """Check an assertion of ``application`` or raise EntraError. ``audiences`` are the accepted values of ``aud``.

    The same assertion may come again: clients reuse theirs, and Entra lets them. One that another identity provider
    issued is held against the application's federated credentials instead.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise EntraError("invalid_request", 50027, "JWT token is invalid or malformed.") from None
    if str(claims.get("iss", "")).startswith("https://"):
        federation.verify(assertion, header, claims, application, now)
        return
    _check_header(header)
    _check_signature(assertion, header, application, now)
    _check_claims(claims, application, audiences, now)


def _check_header(header: dict[str, Any]) -> None:
    if header.get("typ", "JWT") not in ("JWT", "http://openid.net/specs/jwt/1.0"):
        raise EntraError(
            "invalid_request",
            5002727,
            "Invalid JWT header type specified, must be 'JWT' or 'http://openid.net/specs/jwt/1.0'.",
        )
    if header["alg"] not in ALGORITHMS:
        raise EntraError(
            "invalid_client",
            5002738,
            f"Invalid JWT token. '{header['alg']}' is not a supported signature algorithm. "
            f"Supported signing algorithms are: '{', '.join(ALGORITHMS)}'",
        )
    if not any(header.get(name) for name in ("x5t#S256", "x5t", "kid")):
        raise EntraError(
            "invalid_client",
            5002723,
            "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified "
            "in token header.",
        )


def _check_signature(assertion: str, header: dict[str, Any], application: Application, now: float) -> None:
    # Clients differ in whether they leave the padding on.
    named = str(header.get("x5t#S256") or header.get("x5t") or header.get("kid")).rstrip("=")
    certificate = _registered(application).get(named)
    client = f"Thumbprint of key used by client: '{_hexadecimal(named)}'"
    if certificate is None:
        raise EntraError(
            "invalid_client",
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application. "
            f"[Reason - The key was not found., {client}, Please visit the Azure Portal, Graph Explorer or directly "
            f"use MS Graph to see configured keys for app Id '{application.client_id}'.]",
        )
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    found = f"Found key 'Start={start:%m/%d/%Y %H:%M:%S}, End={end:%m/%d/%Y %H:%M:%S}'"
    if now > end.timestamp():
        raise EntraError(
            "invalid_client",
            700027,
            f"Client assertion contains an invalid signature. [Reason - The key used is expired., {client}, {found}]",
        )
    key = certificate.public_key()
    try:
        if not isinstance(key, rsa.RSAPublicKey):
            raise jwt.InvalidKeyError
        jwt.api_jws.PyJWS(list(ALGORITHMS)).decode(assertion, key, algorithms=list(ALGORITHMS))
    except (jwt.InvalidTokenError, jwt.InvalidKeyError):
        raise EntraError(
            "invalid_client",
            700027,
            "Client assertion failed signature validation. [Reason - The provided signature value did not match the "
            f"expected signature value., {client}, {found}]",
        ) from None


def _check_claims(claims: dict[str, Any], application: Application, audiences: Iterable[str], now: float) -> None:
    for name in ("aud", "iss", "sub", "exp"):
        if name not in claims:
            raise EntraError(
                "invalid_request",
                90014,
                f"The required field '{name}' is missing from the credential. "
                "Ensure that you have all the necessary parameters for the login request.",
            )
    check_time(claims, now)
    if claims["iss"] != application.client_id or claims["sub"] != application.client_id:
        raise EntraError(
            "invalid_client",
            700021,
            f"Client assertion application identifier doesn't match 'client_id' parameter. {REVIEW}",
        )
    if claims["aud"] not in set(audiences):
        raise EntraError(
            "invalid_client",
            700023,
            f"Client assertion audience claim does not match Realm issuer. {REVIEW}",
        )


def _registered(application: Application) -> dict[str, x509.Certificate]:
    """The application's certificates by both thumbprints, in base64url without padding."""
    certificates: dict[str, x509.Certificate] = {}
    for registered in application.certificates:
        pem = registered.certificate_pem if isinstance(registered, KeyPair) else registered
        certificate = x509.load_pem_x509_certificate(pem)
        der = certificate.public_bytes(Encoding.DER)
        for digest in (hashlib.sha256(der), hashlib.sha1(der, usedforsecurity=False)):
            certificates[base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")] = certificate
    return certificates


def _hexadecimal(thumbprint: str) -> str:
    """A thumbprint the way Entra's messages show it; as it came when it is none."""
    try:
        return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except ValueError:
        return thumbprint
