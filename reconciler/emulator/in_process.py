"""The emulator plugged in where the network is, in this process."""

from __future__ import annotations

import httpx

from reconciler.emulator.app import Emulator
from reconciler.emulator.scenario import Scenario


class InProcess(httpx.WSGITransport):
    """A transport on which Entra and Graph answer about one scenario, without a socket."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(app=Emulator(scenario))
