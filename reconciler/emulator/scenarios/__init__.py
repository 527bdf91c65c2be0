"""The worlds that ship with the emulator, by name."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from reconciler.emulator.scenario import Scenario
from reconciler.errors import ConfigurationError

SCENARIOS = {"demo": "reconciler.emulator.scenarios.demo"}
"""The module behind each name; its function ``scenario`` builds the world."""


@cache
def load(name: str) -> Scenario:
    """The scenario of this name, always the same object within a process, so that all agree on its keys.

    Raises ConfigurationError for an unknown name.
    """
    if name not in SCENARIOS:
        near = difflib.get_close_matches(name, SCENARIOS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(sorted(SCENARIOS))
        raise ConfigurationError(
            f"There is no scenario {name!r}.{hint} Known scenarios: {known}.",
            code="scenario-unknown",
        )
    scenario = import_module(SCENARIOS[name]).scenario()
    assert isinstance(scenario, Scenario)  # noqa: S101 - the table above is ours
    return scenario
