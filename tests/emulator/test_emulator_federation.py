"""The emulated Entra takes the tokens of other identity providers as strictly as the real one; GitHub gives some."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.emulator.federation import GITHUB_HOST, TOKEN_PATH
from reconciler.emulator.scenario import (
    AUDIENCE,
    GITHUB_ISSUER,
    Application,
    FederatedCredential,
    GitHubJob,
)
from tests.emulator.builders import NOW, World, assertion, key_pair, proved_by, scenario, tenant

ISSUER = "https://idp.example/cluster"
SUBJECT = "system:serviceaccount:licenses:reconciler"
TAKEN = FederatedCredential(ISSUER, SUBJECT, key_pair("idp"))


def one_app(*taken: FederatedCredential, **members: Any) -> World:
    app = Application(secrets=(), certificates=(key_pair(),), federated_credentials=taken or (TAKEN,), **members)
    return World(scenario(tenant(applications=(app,))))


def token(signer: str = "idp", algorithm: str = "RS256", **claims: Any) -> str:
    content = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": NOW + 600, **claims}
    return assertion(key_pair(signer), algorithm=algorithm, header={"kid": "1"}, jti=None, iat=None, **content)


def codes(answer: httpx.Response) -> list[int]:
    return answer.json().get("error_codes", []) if answer.status_code != 200 else []


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_a_token_that_matches_a_credential_signs_in_and_reads(audience: Any) -> None:
    emulated = one_app()
    answer = emulated.sign_in(**proved_by(token(aud=audience)))
    assert answer.status_code == 200
    bearer = answer.json()["access_token"]
    assert emulated.get("organization", bearer=bearer).status_code == 200
    assert jwt.decode(bearer, options={"verify_signature": False})["roles"]


def test_a_public_key_is_as_good_as_the_pair() -> None:
    certificate = x509.load_pem_x509_certificate(key_pair("idp").certificate_pem)
    public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    emulated = one_app(FederatedCredential(ISSUER, SUBJECT, public))
    assert emulated.sign_in(**proved_by(token())).status_code == 200
    assert codes(emulated.sign_in(**proved_by(token("forger")))) == [700027]


def test_one_of_several_credentials_of_an_issuer_is_enough() -> None:
    others = (FederatedCredential(ISSUER, "somebody", key_pair("idp")), TAKEN)
    assert one_app(*others).sign_in(**proved_by(token())).status_code == 200


def unsigned(**claims: Any) -> str:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    content = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": NOW + 600, **claims}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(content)}."


@pytest.mark.parametrize(
    ("code", "made"),
    [
        (700211, lambda: token(iss="https://idp.example/Cluster")),
        (700211, lambda: token(iss="https://idp.example/cluster/")),
        (700211, lambda: token("forger", iss="https://other.example")),
        (700212, lambda: token(aud="api://azureadtokenexchange")),
        (700212, lambda: token(aud=["other"])),
        (700212, lambda: token(aud=[])),
        (700213, lambda: token(sub="system:serviceaccount:Licenses:reconciler")),
        (700213, lambda: token(sub=f"{SUBJECT} ")),
        (700213, lambda: token(sub=["system"])),
        (700027, lambda: token("forger")),
        (700027, lambda: unsigned()),
        (700024, lambda: token(exp=NOW - 301)),
        (700024, lambda: token(nbf=NOW + 301)),
        (90014, lambda: token(exp=None)),
        (90014, lambda: token(sub=None)),
        (90014, lambda: token(aud=None)),
        (50027, lambda: "no-token"),
    ],
)
def test_a_token_that_does_not_match_is_refused_with_its_code(code: int, made: Any) -> None:
    answer = one_app().sign_in(**proved_by(made()))
    assert codes(answer) == [code]
    assert answer.status_code == (400 if code in (90014, 50027) else 401)


def test_a_mismatch_shows_what_was_presented() -> None:
    answer = one_app().sign_in(**proved_by(token(sub="somebody")))
    assert "presented assertion subject 'somebody'" in answer.json()["error_description"]


def test_an_app_without_federated_credentials_takes_no_foreign_token() -> None:
    emulated = World(scenario(tenant(applications=(Application(certificates=(key_pair(),)),))))
    assert codes(emulated.sign_in(**proved_by(token()))) == [700211]


def test_the_same_app_still_signs_in_with_its_certificate() -> None:
    assert one_app().sign_in(**proved_by(assertion())).status_code == 200


# --- GitHub ----------------------------------------------------------------------------------------------------------

ADDRESS = f"https://{GITHUB_HOST}{TOKEN_PATH}?api-version=2.0"
JOB = GitHubJob(subject="repo:contoso@1/licenses@2:environment:production", lifetime=300)


def job_world() -> World:
    app = Application(secrets=(), federated_credentials=(JOB.credential(),))
    return World(scenario(tenant(applications=(app,)), job=JOB))


def asked(emulated: World, address: str = f"{ADDRESS}&audience={AUDIENCE}", bearer: str = JOB.bearer) -> httpx.Response:
    return emulated.http.get(address, headers={"Authorization": f"bearer {bearer}"})


def test_a_job_gets_a_token_with_its_subject_that_entra_takes() -> None:
    emulated = job_world()
    answer = asked(emulated)
    given = answer.json()["value"]
    claims = jwt.decode(given, options={"verify_signature": False})
    assert (claims["iss"], claims["sub"], claims["aud"]) == (GITHUB_ISSUER, JOB.subject, AUDIENCE)
    assert claims["exp"] - claims["iat"] == 300
    assert emulated.sign_in(**proved_by(given)).status_code == 200
    emulated.clock.now += 601
    assert codes(emulated.sign_in(**proved_by(given))) == [700024]


def test_without_an_audience_the_token_is_not_for_entra() -> None:
    emulated = job_world()
    assert codes(emulated.sign_in(**proved_by(asked(emulated, ADDRESS).json()["value"]))) == [700212]


@pytest.mark.parametrize("bearer", ["", "wrong", JOB.bearer.upper()])
def test_a_job_without_its_bearer_gets_nothing(bearer: str) -> None:
    answer = asked(job_world(), bearer=bearer)
    assert answer.status_code == 401
    assert "value" not in answer.json()


def test_another_path_of_github_is_not_there() -> None:
    assert asked(job_world(), f"https://{GITHUB_HOST}/").status_code == 404
