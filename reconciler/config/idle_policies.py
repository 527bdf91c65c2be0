"""Policies that are about nothing: a gate on what is not there is open, and a misspelled name makes it so."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from reconciler.config.loader import Desired
from reconciler.config.problems import Problem
from reconciler.config.source import Source
from reconciler.config.spelling import spelling
from reconciler.matching import matches
from reconciler.model import License, State
from reconciler.unmatched import known_licenses


def idle_policies(desired: Desired, state: State) -> tuple[Problem, ...]:
    """The policies whose ``portal`` names no portal that is declared, or whose ``sku`` no license that theirs have.

    Of licenses this is known once all portals that a policy is about were read.
    """
    source = desired.settings_source
    return tuple(_found(desired, state, source)) if source else ()


def _found(desired: Desired, state: State, source: Source) -> Iterator[Problem]:
    for index, policy in enumerate(desired.settings.policies):
        portals = [id_ for id_ in desired.portals if policy.portal is None or fnmatchcase(id_, policy.portal)]
        licenses = _licenses(desired, state, portals)
        if policy.portal is not None and not portals:
            yield _warning(source, index, "portal", "This names no portal.", "Check the spelling, or delete it.")
        elif policy.sku and licenses and not any(matches(policy.sku, item) for item in licenses):
            nothing = "This matches no license of the portals that the policy is about."
            yield _warning(source, index, "sku", nothing, spelling(policy.sku, licenses))


def _licenses(desired: Desired, state: State, portals: list[str]) -> list[License]:
    """What these portals have; nothing while one of them was not read."""
    known = [known_licenses(desired.portals[id_], state.get(id_)) for id_ in portals]
    return [item for licenses in known for item in licenses or ()] if None not in known else []


def _warning(source: Source, index: int, member: str, message: str, hint: str) -> Problem:
    return Problem(*source.place("policies", index, member), "unmatched-policy", message, hint, "warning")
