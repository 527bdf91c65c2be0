"""The emulated Azure Key Vault, as far as it gives out secrets.

Source: Azure documentation, "Get Secret" and "Authentication, requests and responses": the challenge, the error's inner
codes, and that a disabled secret is refused while one past its end is not.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.emulator.faults import Json
from reconciler.emulator.message import Request, Response, as_json
from reconciler.emulator.scenario import Scenario, Vault, VaultSecret
from reconciler.emulator.tokens import TokenRefused, Tokens
from reconciler.graph.clouds import ENDPOINTS

VAULT_DOMAINS = frozenset(endpoints.vault_domain for endpoints in ENDPOINTS.values())
"""The domains whose hosts are key vaults."""


def is_vault(host: str) -> bool:
    """Whether a host could be a key vault."""
    return host.partition(".")[2] in VAULT_DOMAINS


class KeyVault:
    """Answers for the key vaults of all clouds."""

    def __init__(self, scenario: Scenario, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._vaults = {f"{vault.name}.{_domain(vault)}".lower(): vault for vault in scenario.vaults}
        self._tokens = tokens
        self._clock = clock

    def handle(self, request: Request) -> Response:
        """Answer a request. Raises ConnectionResetError for a vault that does not exist: its name leads nowhere."""
        vault = self._vaults.get(request.host)
        if vault is None:
            raise ConnectionResetError("There is no such key vault.")
        refusal = self._refused(vault, request.headers.get("authorization"))
        if refusal is not None:
            return refusal
        if request.method != "GET" or request.segments[:1] != ["secrets"] or len(request.segments) != 2:
            return _error(
                400, "NotEmulated", "The emulator gives out the latest version of a secret, and nothing else."
            )
        if "api-version" not in dict(request.parameters()):
            return _error(400, "BadParameter", "AKV10046: The api-version query parameter is missing.")
        name = request.segments[1]
        return _answer(request.host, name, vault.secrets.get(name))

    def _refused(self, vault: Vault, authorization: str | None) -> Response | None:
        """The answer to a token that does not open this vault."""
        try:
            if authorization is None:
                raise TokenRefused("AKV10000: Request is missing a Bearer or PoP token.")
            claims = self._tokens.check(authorization, f"https://{_domain(vault)}", self._clock())
            if claims["tid"] != vault.tenant.tenant_id:
                raise TokenRefused(
                    f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{vault.tenant.tenant_id}/"
                )
        except TokenRefused as refused:
            authority = ENDPOINTS[vault.tenant.cloud].authority(vault.tenant.tenant_id)
            challenge = f'Bearer authorization="{authority}", resource="https://{_domain(vault)}"'
            return _error(401, "Unauthorized", str(refused), challenge=challenge)
        if vault.readers is not None and claims["appid"] not in vault.readers:
            return _error(403, "Forbidden", "Caller is not authorized to perform action on resource.", vault.refusal)
        return None


def _domain(vault: Vault) -> str:
    return ENDPOINTS[vault.tenant.cloud].vault_domain


def _answer(host: str, name: str, secret: VaultSecret | None) -> Response:
    if secret is None:
        text = f"A secret with (name/id) {name} was not found in this key vault."
        return _error(404, "SecretNotFound", text)
    if not secret.enabled:
        return _error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
    created = 1_735_689_600
    attributes: dict[str, Json] = {
        "enabled": True,
        "created": created,
        "updated": created,
        "recoveryLevel": "Recoverable",
    }
    ends = {"exp": int(secret.expires.timestamp())} if secret.expires else {}
    typed = {"contentType": secret.content_type} if secret.content_type else {}
    identifier = f"https://{host}/secrets/{name}/4387e9f3d6e14c459867679a90fd0f79"
    content: dict[str, Json] = {"value": secret.value, "id": identifier, **typed, "attributes": {**attributes, **ends}}
    return as_json(200, content)


def _error(status: int, code: str, text: str, inner: str | None = None, challenge: str | None = None) -> Response:
    more = {"innererror": {"code": inner}} if inner else {}
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return as_json(status, {"error": {"code": code, "message": text, **more}}, headers)
