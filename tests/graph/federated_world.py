"""Builders: tokens of another identity provider, and the credentials of an app that takes them."""

from __future__ import annotations

import time
from typing import Any

import jwt

from reconciler.emulator.federation import GITHUB_HOST, TOKEN_PATH
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Application, FederatedCredential, GitHubJob, Scenario
from reconciler.errors import SecretUnresolved
from reconciler.graph.federation import FederatedToken
from reconciler.graph.references import Resolve
from reconciler.model import FederatedAuthentication, Reference
from reconciler.secret import Secret
from tests.graph.graph_world import key_pair, tenant

ISSUER = "https://oidc.prod-aks.example/3f0c/"
SUBJECT = "system:serviceaccount:licenses:reconciler"
AUDIENCE = "api://AzureADTokenExchange"
TOKEN_FILE = Reference("file", "/var/run/secrets/azure/tokens/azure-identity-token")
JOB = GitHubJob()
GITHUB_URL = f"https://{GITHUB_HOST}{TOKEN_PATH}?api-version=2.0"
ENVIRONMENT = {"ACTIONS_ID_TOKEN_REQUEST_URL": GITHUB_URL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": JOB.bearer}


def cluster_token(signer: KeyPair | None = None, **claims: Any) -> str:
    """What Kubernetes projects into a pod; ``claims`` replace what is in it, None leaves it out."""
    now = time.time()
    content = {"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "iat": now, "nbf": now, "exp": now + 3600, **claims}
    return jwt.encode(
        {name: value for name, value in content.items() if value is not None},
        (signer or key_pair("cluster")).private_key_pem,
        algorithm="RS256",
    )


def federated_app(**members: Any) -> Application:
    """An app without secrets that takes the tokens of the cluster and of GitHub's job."""
    taken = (FederatedCredential(ISSUER, SUBJECT, key_pair("cluster")), JOB.credential())
    return Application(**{"secrets": (), "federated_credentials": taken, **members})


def federated_world(**members: Any) -> Scenario:
    """A world of one tenant whose app signs in by federation only."""
    return Scenario((tenant(applications=(federated_app(**members),)),))


def resolving(values: dict[str, str]) -> Resolve:
    """A way to these values, by the names of variables and files."""

    def resolve(reference: Reference) -> Secret:
        if reference.name not in values:
            raise SecretUnresolved(f"The secret {reference} could not be resolved: it is not there.")
        return Secret(values[reference.name].encode())

    return resolve


def from_file(token: str) -> FederatedToken:
    """The sign-in by a token in a file."""
    return FederatedToken(FederatedAuthentication(TOKEN_FILE), resolving({TOKEN_FILE.name: token}))


def from_github(**environment: str | None) -> FederatedToken:
    """The sign-in by a token of GitHub's; the environment is a job's, but for what is given here."""
    values = {name: value for name, value in {**ENVIRONMENT, **environment}.items() if value is not None}
    return FederatedToken(FederatedAuthentication(), resolving(values))
