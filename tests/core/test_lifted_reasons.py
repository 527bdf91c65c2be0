"""A reason that the configuration has lifted is told as one that was, also while the import fails."""

from __future__ import annotations

import pytest

from reconciler.labels import LIFTED_REMEDY
from reconciler.model import PortalState, Settings
from reconciler.portal_report import portal_report
from reconciler.transition import delete
from tests.core.core_world import LATER, TODAY, applied, complete, exclusion, failed, license_, portal

KNOWN = applied(None, portal(), complete(license_()))
EXCLUDING = portal(exclusions=(exclusion("ENTERPRISEPACK"),))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        pytest.param(delete(KNOWN), "the portal was not declared", id="deleted"),
        pytest.param(applied(KNOWN, EXCLUDING), "the license was excluded", id="excluded"),
    ],
)
def test_what_waits_for_an_import_is_told_to_wait(before: PortalState, words: str) -> None:
    state = applied(before, portal(), failed(), now=LATER)
    (item,) = portal_report(state, Settings(), TODAY).products
    assert (item.reason_label, item.remedy) == (words, LIFTED_REMEDY)


def test_what_is_excluded_is_told_so() -> None:
    (item,) = portal_report(applied(KNOWN, EXCLUDING), Settings(), TODAY).products
    assert item.reason_label == "the license is excluded"
    assert item.remedy != LIFTED_REMEDY
