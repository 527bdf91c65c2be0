"""Checks the token of another identity provider with which an application signs in, and issues GitHub's.

Issuer, subject and audience must equal those of one federated credential of the application, with case. The order of
the checks is our own; the codes and texts are those that Entra has been seen to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from reconciler.emulator.keys import KeyPair
from reconciler.emulator.message import Request, Response, as_json
from reconciler.emulator.refusals import ALGORITHMS, EntraError, check_time
from reconciler.emulator.scenario import GITHUB_ISSUER, Application, FederatedCredential, GitHubJob

GITHUB_HOST = "pipelines.actions.githubusercontent.com"
"""Where a job asks for its token. The real host differs from job to job."""

TOKEN_PATH = "/0a1b2c3d/_apis/distributedtask/jobs/4e5f6a7b/idtoken"  # noqa: S105 - no token, the way to one

_DOCUMENTATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"


def verify(
    assertion: str, header: Mapping[str, Any], claims: Mapping[str, Any], application: Application, now: float
) -> None:
    """Hold a token against the application's federated credentials, or raise EntraError."""
    fitting = [each for each in application.federated_credentials if each.issuer == claims["iss"]]
    if not fitting:
        raise _no_match(700211, "issuer", claims["iss"])
    if header["alg"] not in ALGORITHMS or not any(_signed(assertion, each) for each in fitting):
        raise EntraError(
            "invalid_client",
            700027,
            "Client assertion failed signature validation. [Reason - The key was not found among those of the issuer.]",
        )
    for name in ("aud", "sub", "exp"):
        if name not in claims:
            raise EntraError("invalid_request", 90014, f"The required field '{name}' is missing from the credential.")
    check_time(claims, now)
    fitting = [each for each in fitting if each.audience in _audiences(claims)]
    if not fitting:
        raise _no_match(700212, "audience", claims["aud"])
    if not any(each.subject == claims["sub"] for each in fitting):
        raise _no_match(700213, "subject", claims["sub"])


class GitHub:
    """The endpoint where a job of GitHub Actions gets its token."""

    def __init__(self, job: GitHubJob, clock: Callable[[], float]) -> None:
        self._job = job
        self._clock = clock

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path != TOKEN_PATH or request.method != "GET":
            return Response(404, b"", {})
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or bearer != self._job.bearer:
            return as_json(401, {"message": "The job may not ask for a token."})
        audience = dict(request.parameters()).get("audience", "https://github.com/contoso")
        return as_json(200, {"count": 1, "value": self._token(audience)})

    def _token(self, audience: str) -> str:
        now = int(self._clock())
        claims = {
            "iss": GITHUB_ISSUER,
            "sub": self._job.subject,
            "aud": audience,
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now - 5,
            "exp": now + self._job.lifetime,
        }
        return jwt.encode(claims, self._job.key.private_key_pem, algorithm="RS256", headers={"kid": "emulated"})


def _signed(assertion: str, credential: FederatedCredential) -> bool:
    try:
        jwt.api_jws.PyJWS(list(ALGORITHMS)).decode(assertion, _public_key(credential.key), algorithms=list(ALGORITHMS))
    except (jwt.InvalidTokenError, jwt.InvalidKeyError):
        return False
    return True


def _public_key(key: bytes | KeyPair) -> rsa.RSAPublicKey:
    public: object
    if isinstance(key, KeyPair):
        public = x509.load_pem_x509_certificate(key.certificate_pem).public_key()
    else:
        public = load_pem_public_key(key)
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("an identity provider signs with RSA here")
    return public


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    """One audience or a list of them, as a list; Kubernetes sends a list."""
    audience = claims["aud"]
    return audience if isinstance(audience, list) else [audience]


def _no_match(code: int, what: str, presented: object) -> EntraError:
    return EntraError(
        "invalid_client",
        code,
        f"No matching federated identity record found for presented assertion {what} '{presented}'. Check your "
        f"federated identity credential Subject, Audience and Issuer against the presented assertion. {_DOCUMENTATION}",
    )
