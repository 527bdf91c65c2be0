"""The way to tenants: where their secrets are read, who signs in, and the Graph that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import httpx

from reconciler.graph.client import GraphClient
from reconciler.graph.clouds import ENDPOINTS
from reconciler.graph.keyvault import KeyVaults
from reconciler.graph.log_context import about
from reconciler.graph.references import Resolve
from reconciler.graph.sign_in import sign_in
from reconciler.model import Portal, Settings

if TYPE_CHECKING:
    from reconciler.importing import Connect, Reader


def resolver(http: httpx.Client, settings: Settings, local: Resolve, now: datetime) -> Resolve:
    """How references to secrets are resolved in a run, key vaults included; ``local`` needs no network."""
    if settings.keyvault is None:
        return local
    vaults = KeyVaults(http, settings.keyvault, local, now)
    return lambda reference: vaults.secret(reference) if reference.kind == "keyvault" else local(reference)


def connector(http: httpx.Client, resolve: Resolve, now: datetime, streams: int) -> Connect:
    """The way to one tenant: its token, its Graph. ``streams`` is how many requests it may be sent at once."""

    @contextmanager
    def connect(portal: Portal) -> Iterator[Reader]:
        with about(portal.id):
            tokens = sign_in(http, portal, resolve, now)
            yield GraphClient(http, ENDPOINTS[portal.cloud], portal.tenant_id, tokens, streams)

    return connect
