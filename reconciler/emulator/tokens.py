"""Access tokens of the emulated Entra, which only the emulated Graph of the same process accepts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import jwt

from reconciler.emulator.scenario import Application, Tenant
from reconciler.graph.clouds import ENDPOINTS


def resources(tenant: Tenant) -> tuple[str, ...]:
    """What an app of a tenant can get tokens for: Graph and key vaults, of the tenant's own cloud."""
    endpoints = ENDPOINTS[tenant.cloud]
    return f"https://{endpoints.graph_host}", f"https://{endpoints.vault_domain}"


class TokenRefused(Exception):
    """A bearer token that is not accepted; the message is the server's."""


class Tokens:
    """Issues and checks tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, tenant: Tenant, application: Application, audience: str, proof: str, now: float) -> str:
        """A token for ``audience`` (Graph or key vaults). ``proof``: 1 for a secret, 2 for a certificate.

        Without consent there is no ``roles`` claim, and a token all the same: the refusal comes from Graph.
        """
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + application.token_lifetime,
            "appid": application.client_id,
            "appidacr": proof,
            "idtyp": "app",
            "tid": tenant.tenant_id,
            "ver": "1.0",
        }
        if application.roles:
            claims["roles"] = list(application.roles)
        return jwt.encode(claims, self._key, algorithm="HS256")

    def check(self, authorization: str | None, audience: str, now: float) -> Mapping[str, Any]:
        """The claims of a valid bearer token, or TokenRefused."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenRefused("Access token is empty.")
        try:
            # Times are compared with the emulator's clock below, which is not always the machine's.
            claims: dict[str, Any] = jwt.decode(
                token.strip(),
                self._key,
                algorithms=["HS256"],
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidSignatureError:
            raise TokenRefused("Access token validation failure. Invalid signature.") from None
        except jwt.InvalidTokenError:
            raise TokenRefused("IDX14100: JWT is not well formed, there are no dots (.).") from None
        if claims["aud"] != audience:
            raise TokenRefused("Access token validation failure. Invalid audience.")
        if now >= claims["exp"]:
            raise TokenRefused("Lifetime validation failed, the token is expired.")
        return claims

    @staticmethod
    def tenant_of(authorization: str | None) -> str | None:
        """Which tenant a token says it is for, without believing it."""
        try:
            claims = jwt.decode((authorization or "").partition(" ")[2], options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return None
        tid = claims.get("tid")
        return tid if isinstance(tid, str) else None
