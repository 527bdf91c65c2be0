"""What is written does not depend on who answers first, nor on how many portals are read at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from threading import Lock

import httpx
import pytest

from reconciler.cli import session
from reconciler.cli.invocation import Invocation
from reconciler.emulator.faults import ALWAYS, Fault, Reply
from reconciler.emulator.scenario import Tenant, UserGroup
from reconciler.graph import client
from tests.cli.cli_world import E3, POWER_BI, World, office, portal_yaml, power_bi, tenant

PORTALS = 12


class Delayed(httpx.BaseTransport):
    """A network in which each answer takes its own time."""

    def __init__(self, inner: httpx.BaseTransport, seed: int) -> None:
        self._inner = inner
        self._random = Random(seed)
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            wait = self._random.random() * 0.02
        time.sleep(wait)
        return self._inner.handle_request(request)


def tenants() -> list[Tenant]:
    """Tenants of different sizes, one of which cannot be read and one of which is large."""
    found = []
    for number in range(1, PORTALS + 1):
        faults = (Fault(Reply(403), "/v1.0/users", times=ALWAYS),) if number == 5 else ()
        users = (UserGroup(number, (E3,)), UserGroup(1500 if number == 7 else 2, (POWER_BI,), user_type="Guest"))
        found.append(tenant(number, skus=(office(number), power_bi()), users=users, faults=faults))
    return found


@pytest.fixture
def delayed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets each answer wait, in an order that a number decides."""
    emulated = session.emulated_transport

    def delay(seed: int) -> None:
        def transport(invocation: Invocation) -> httpx.BaseTransport:
            inner = emulated(invocation)
            assert inner is not None
            return Delayed(inner, seed)

        monkeypatch.setattr(session, "emulated_transport", transport)

    return delay


def test_neither_bytes_nor_output_depend_on_timing(
    world: World, delayed: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LARGE_TENANT", 1000)
    monkeypatch.setattr(client, "LONG", 0.0)
    world.portals(**{f"p{number:02d}": portal_yaml(number) for number in range(1, PORTALS + 1)})
    world.tenants(*tenants())
    outcomes = []
    for jobs, streams in ((1, 1), (4, 8), (16, 3)):
        delayed(jobs)
        ended = world.run("--now", "2026-11-23T06:00:00Z", "--jobs", str(jobs), "--streams", str(streams), "apply")
        assert ended.code == 4
        outcomes.append((ended.out, world.written()))
        for name in outcomes[-1][1]:
            (world.root / "state" / name).unlink()
        (world.root / "state/reconciler.db").unlink()
    assert outcomes[0] == outcomes[1] == outcomes[2]
