"""The hosts of each Microsoft cloud: the one table from which every endpoint comes.

Source: Microsoft Graph documentation, "Microsoft Graph and app-only auth endpoints of national clouds". GCC uses the
global cloud; ``usgov`` is GCC High (L4), ``usgov-dod`` is DoD (L5), ``china`` is operated by 21Vianet.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model import Cloud


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Host names of a cloud, without scheme."""

    login_host: str
    graph_host: str

    @property
    def scope(self) -> str:
        """The one scope that a client-credentials request may ask for."""
        return f"https://{self.graph_host}/.default"

    @property
    def graph_root(self) -> str:
        """Base URL of Graph v1.0, without a slash at the end."""
        return f"https://{self.graph_host}/v1.0"

    def authority(self, tenant_id: str) -> str:
        """Where a tenant's tokens are issued."""
        return f"https://{self.login_host}/{tenant_id}"


ENDPOINTS: dict[Cloud, Endpoints] = {
    Cloud.GLOBAL: Endpoints("login.microsoftonline.com", "graph.microsoft.com"),
    Cloud.USGOV: Endpoints("login.microsoftonline.us", "graph.microsoft.us"),
    Cloud.USGOV_DOD: Endpoints("login.microsoftonline.us", "dod-graph.microsoft.us"),
    Cloud.CHINA: Endpoints("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
}
