"""The hosts of the clouds, said again: the emulator takes them from the same table and would follow a mistake in it."""

from __future__ import annotations

import pytest

from reconciler.graph.clouds import ENDPOINTS
from reconciler.model import Cloud


@pytest.mark.parametrize(
    ("cloud", "login", "graph", "vaults", "center"),
    [
        ("global", "login.microsoftonline.com", "graph.microsoft.com", "vault.azure.net", "entra.microsoft.com"),
        ("usgov", "login.microsoftonline.us", "graph.microsoft.us", "vault.usgovcloudapi.net", "portal.azure.us"),
        (
            "usgov-dod",
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
            "vault.usgovcloudapi.net",
            "portal.azure.us",
        ),
        (
            "china",
            "login.partner.microsoftonline.cn",
            "microsoftgraph.chinacloudapi.cn",
            "vault.azure.cn",
            "portal.azure.cn",
        ),
    ],
)
def test_each_cloud_has_the_hosts_that_microsoft_documents(
    cloud: str, login: str, graph: str, vaults: str, center: str
) -> None:
    endpoints = ENDPOINTS[Cloud(cloud)]
    assert (endpoints.login_host, endpoints.graph_host) == (login, graph)
    assert endpoints.scope == f"https://{graph}/.default"
    assert endpoints.vault_domain == vaults
    assert endpoints.vault_scope == f"https://{vaults}/.default"
    assert endpoints.admin_center == center
    assert endpoints.graph_root == f"https://{graph}/v1.0"


def test_every_cloud_has_its_hosts() -> None:
    assert ENDPOINTS.keys() == set(Cloud)
