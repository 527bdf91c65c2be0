"""What a run says to do is what the catalogue says to do: `reconcile explain-error` shows the same words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.explanations import PROBLEMS
from reconciler.connection import StageResult
from reconciler.connection_rules import judge_clock, judge_end, judge_key, judge_permissions
from reconciler.error_catalogue import find
from reconciler.error_catalogue.explanation import UNKNOWN
from reconciler.expiry import Expiry, level
from reconciler.labels import CREDENTIAL_LABELS, CREDENTIAL_REMEDIES
from reconciler.model import ErrorInfo, Settings
from tests.cli.cli_world import World
from tests.cli.connection_world import BROKEN, Broken, run_test

TODAY = date(2026, 11, 23)
ROLES = ("User.Read.All", "User.ReadWrite.All", "Organization.Read.All", "Directory.Read.All", "Mail.Read", "x …")


def _pattern(text: str) -> str:
    """A text of the catalogue with its unknown parts as anything."""
    return ".+?".join(re.escape(part) for part in text.split(UNKNOWN))


def _shown(error: ErrorInfo) -> str:
    """The remedy that a reader of the page of this error takes: that of the case that it says, else the row's."""
    row = find(error.code)
    assert row is not None, f"{error.code} has no row"
    said = f"{error.message} ({error.detail})"
    return next((case.remedy for case in row.cases if re.search(_pattern(case.message), said)), row.remedy)


def assert_shown(error: ErrorInfo) -> None:
    """An error's remedy is the one on its page."""
    assert re.fullmatch(_pattern(_shown(error)), error.remedy, re.DOTALL), error


def _error(result: StageResult | None) -> Iterator[ErrorInfo]:
    if result is not None and result.error is not None:
        yield result.error


@given(st.sets(st.sampled_from(ROLES)))
def test_permissions(roles: set[str]) -> None:
    for error in _error(judge_permissions(roles)):
        assert_shown(error)


@given(st.sampled_from(sorted(CREDENTIAL_REMEDIES)), st.integers(-400, 60))
def test_the_end_of_a_credential(type_: str, days: int) -> None:
    end = TODAY + timedelta(days)
    if type_ == "certificate" and level(end, Settings(), TODAY) is Expiry.EXPIRED:
        return  # it cannot be loaded any more: assertion-failed
    for error in _error(judge_end(type_, f"{CREDENTIAL_LABELS[type_]} CN=one", end, Settings(), TODAY)):
        assert_shown(error)
        assert error.remedy == CREDENTIAL_REMEDIES[type_], "that of this type of credential"


@given(st.floats(-1e6, 1e6), st.integers(1, 4096))
def test_clocks_and_keys(ahead: float, bits: int) -> None:
    for error in (*_error(judge_clock(ahead)), *_error(judge_key("certificate CN=one", bits))):
        assert_shown(error)


def _errors(value: Any) -> Iterator[ErrorInfo]:
    """Every error of a JSON document, apart from problems in a portal's file, which have a table of their own."""
    if isinstance(value, dict) and {"code", "message", "remedy"} <= value.keys() and value["code"] not in PROBLEMS:
        yield ErrorInfo(value["code"], value["message"], value["remedy"], value.get("detail"))
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _errors(each)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_connection(broken: Broken, world: World) -> None:
    broken.set_up(world)
    for error in _errors(json.loads(run_test(world, "--format", "json").out)):
        assert_shown(error)


def test_a_remedy_of_no_page_would_be_found() -> None:
    error = ErrorInfo("permission-excessive", "More than needed: x.", "Add y, then remove x.")
    with pytest.raises(AssertionError):
        assert_shown(error)
    with pytest.raises(AssertionError):
        assert_shown(ErrorInfo("credential-expiring", "It ends today.", CREDENTIAL_REMEDIES["certificate"]))
