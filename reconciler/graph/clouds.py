"""The hosts of each Microsoft cloud: the one table from which every endpoint comes.

Source: Microsoft Graph documentation, "Microsoft Graph and app-only auth endpoints of national clouds". GCC uses the
global cloud; ``usgov`` is GCC High (L4), ``usgov-dod`` is DoD (L5), ``china`` is operated by 21Vianet. For Key Vault:
Azure documentation, "Authentication, requests and responses" (one domain for both clouds of the US government).
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model import Cloud


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Host names of a cloud, without scheme. A key vault is a host under ``vault_domain``.

    ``admin_center`` is where people register apps and upload certificates: only ever printed, never spoken to.
    """

    login_host: str
    graph_host: str
    vault_domain: str
    admin_center: str

    @property
    def scope(self) -> str:
        """The one scope that a client-credentials request for Graph may ask for."""
        return f"https://{self.graph_host}/.default"

    @property
    def vault_scope(self) -> str:
        """The same for key vaults: a token is for all that the app may read."""
        return f"https://{self.vault_domain}/.default"

    @property
    def graph_root(self) -> str:
        """Base URL of Graph v1.0, without a slash at the end."""
        return f"https://{self.graph_host}/v1.0"

    def authority(self, tenant_id: str) -> str:
        """Where a tenant's tokens are issued."""
        return f"https://{self.login_host}/{tenant_id}"


ENDPOINTS: dict[Cloud, Endpoints] = {
    Cloud.GLOBAL: Endpoints(
        "login.microsoftonline.com", "graph.microsoft.com", "vault.azure.net", "entra.microsoft.com"
    ),
    Cloud.USGOV: Endpoints(
        "login.microsoftonline.us", "graph.microsoft.us", "vault.usgovcloudapi.net", "portal.azure.us"
    ),
    Cloud.USGOV_DOD: Endpoints(
        "login.microsoftonline.us", "dod-graph.microsoft.us", "vault.usgovcloudapi.net", "portal.azure.us"
    ),
    Cloud.CHINA: Endpoints(
        "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "vault.azure.cn", "portal.azure.cn"
    ),
}
