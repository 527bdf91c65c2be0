"""The bare loop: the least that any program in this language does to get the same rows from the same pages.

Fetch over one TLS connection, gunzip (httpx does it), decode into the structs that the product uses, insert into a
table without an index, one transaction. No sign-in, no retry, no check, nothing counted.

``python -m tests.benchmarks.bare FILE COUNT [FIRST]`` reads that many tenants, from the one with the number FIRST on.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator

import httpx
import msgspec

from reconciler.graph.wire import Page, User
from tests.benchmarks.world import CONSUMERS, INSERT, SELECTED, BenchTenant, token

LIST = f"https://graph.microsoft.com/v1.0/users?$select={SELECTED}&$top=999"


def main() -> None:
    """Read the tenants into the file."""
    file, count, *first = sys.argv[1:]
    start = int(first[0]) if first else 1
    decoder = msgspec.json.Decoder(Page[User])
    db = sqlite3.connect(file, isolation_level=None)
    db.execute(CONSUMERS)
    db.execute("BEGIN")
    with httpx.Client(timeout=60.0) as http:
        for number in range(start, start + int(count)):
            tenant = BenchTenant(number, 0).tenant_id
            headers = {"authorization": f"Bearer {token(tenant)}"}
            url: str | None = LIST
            while url is not None:
                page = decoder.decode(http.get(url, headers=headers).raise_for_status().content)
                db.executemany(INSERT, _rows(tenant, page.value))
                url = page.next_link
    db.execute("COMMIT")
    db.close()


def _rows(tenant: str, users: list[User]) -> Iterator[tuple[object, ...]]:
    """One row for each license of each user."""
    return (
        (
            tenant,
            user.id,
            license_.sku_id,
            user.user_principal_name,
            user.display_name,
            user.mail,
            user.account_enabled,
            user.user_type,
            user.usage_location,
        )
        for user in users
        for license_ in user.assigned_licenses
    )


if __name__ == "__main__":
    main()
