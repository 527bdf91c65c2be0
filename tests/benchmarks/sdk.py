"""The same fetch by Microsoft's own ``msgraph-sdk``, at its best setting: selected properties, 999 users a page.

Runs by an interpreter that has that package; nothing else is needed there. It is not among our dependencies.

``PYTHON -m tests.benchmarks.sdk FILE NUMBER`` reads one tenant into the table that the bare loop makes.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from importlib import import_module
from typing import Any

from tests.benchmarks.world import CONSUMERS, INSERT, SELECTED, BenchTenant, token


class _Credential:
    """What the SDK has its tokens from."""

    def __init__(self, tenant: BenchTenant) -> None:
        self._token = token(tenant.tenant_id)

    async def get_token(self, *_: object, **__: object) -> Any:
        """A token that lives for an hour."""
        return import_module("azure.core.credentials").AccessToken(self._token, int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""


async def _read(db: sqlite3.Connection, tenant: BenchTenant) -> None:
    builder = import_module("msgraph.generated.users.users_request_builder").UsersRequestBuilder
    options = import_module("kiota_abstractions.base_request_configuration").RequestConfiguration
    client = import_module("msgraph").GraphServiceClient(_Credential(tenant))
    query = builder.UsersRequestBuilderGetQueryParameters(select=SELECTED.split(","), top=999)
    page = await client.users.get(request_configuration=options(query_parameters=query))
    while True:
        db.executemany(INSERT, [row for user in page.value for row in _rows(tenant.tenant_id, user)])
        if not page.odata_next_link:
            return
        page = await client.users.with_url(page.odata_next_link).get()


def _rows(tenant_id: str, user: Any) -> list[tuple[object, ...]]:
    return [
        (
            tenant_id,
            user.id,
            str(license_.sku_id),
            user.user_principal_name,
            user.display_name,
            user.mail,
            user.account_enabled,
            user.user_type,
            user.usage_location,
        )
        for license_ in user.assigned_licenses
    ]


def main() -> None:
    """Read the tenant into the file."""
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    db.execute(CONSUMERS)
    db.execute("BEGIN")
    asyncio.run(_read(db, BenchTenant(int(sys.argv[2]), 0)))
    db.execute("COMMIT")
    db.close()


if __name__ == "__main__":
    main()
