"""From a portal file to the model's values: how to sign in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.config.loader import load
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Portal,
    Reference,
    SecretAuthentication,
)
from tests.config.config_world import portal_yaml, repository


def declared(root: Path, authentication: str) -> Portal:
    repository(root, {"contoso.yaml": portal_yaml(authentication=authentication)})
    return load(root, root / "portals.d").portals["contoso"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "{type: secret, secret: {env: S}, secret_id: old, expires: 2027-03-31}",
            SecretAuthentication(Reference("env", "S"), "old", date(2027, 3, 31)),
        ),
        (
            "{type: certificate, public_certificate: {file: c}, private_key: {env: K}, passphrase: {env: P}}",
            CertificateAuthentication(
                public_certificate=Reference("file", "c"),
                private_key=Reference("env", "K"),
                passphrase=Reference("env", "P"),
            ),
        ),
        (
            "{type: certificate, pfx: {file: c.pfx}, passphrase: {env: P}}",
            CertificateAuthentication(pfx=Reference("file", "c.pfx"), passphrase=Reference("env", "P")),
        ),
        ("{type: certificate, pfx: {file: c.pfx}}", CertificateAuthentication(pfx=Reference("file", "c.pfx"))),
        ("{type: federated, token: {file: /run/token}}", FederatedAuthentication(Reference("file", "/run/token"))),
        ("{type: federated, token: {github: true}}", FederatedAuthentication()),
        ("{type: managed_identity}", ManagedIdentityAuthentication("system")),
        ("{type: managed_identity, assigned: system}", ManagedIdentityAuthentication("system")),
        ("{type: managed_identity, assigned: user}", ManagedIdentityAuthentication("user")),
    ],
)
def test_each_way_to_sign_in_alone_and_in_a_list(written: str, meant: Authentication, tmp_path: Path) -> None:
    alone = declared(tmp_path / "alone", written)
    assert (alone.authentication, alone.second_authentication) == (meant, None)
    assert declared(tmp_path / "list", f"[{written}]") == alone


def test_the_second_of_two_is_the_one_that_is_tried_later(tmp_path: Path) -> None:
    portal = declared(tmp_path, "[{type: managed_identity}, {type: federated, token: {github: true}}]")
    assert portal.authentication == ManagedIdentityAuthentication()
    assert portal.second_authentication == FederatedAuthentication()
