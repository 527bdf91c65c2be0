"""Findings about few users: a report says that there are some, and nowhere how many."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.findings import ERRORS
from reconciler.model import Change, ChangeSet, Product, ReportSettings, Settings
from reconciler.next_steps import Rank
from reconciler.render.product_words import findings, reclaimable
from reconciler.render.reports import reports
from reconciler.report import Report, make_report
from reconciler.small_groups import hide, told
from tests.core.core_world import E3, NOW, TODAY, known, portal_state, product

FIVE = Settings(report=ReportSettings(small_group=5))


def counted(**counts: Any) -> Product:
    """A product with these counts of users, and no license left."""
    return replace(product(enabled=97), **counts)


def report_of(found: Product, settings: Settings = FIVE, *changes: Change) -> Report:
    return make_report(known(portal_state(found, changed=ChangeSet(NOW, changes))), settings, TODAY)


def item_of(found: Product, settings: Settings = FIVE) -> dict[str, object]:
    text = reports(report_of(found, settings))["status.json"]
    item: dict[str, object] = json.loads(text)["portals"][0]["products"][0]
    return item


def test_a_number_below_the_limit_is_not_in_any_report() -> None:
    found = counted(findings={"disabled_account": 4_321, "guest_licensed": 4_987})
    settings = Settings(report=ReportSettings(small_group=4_500))
    files = reports(report_of(found, settings))
    whole = "".join(files.values())
    assert "4,321" not in whole
    assert "4321" not in whole
    assert "4,987" in whole
    assert "&lt; 4,500" in files["contoso.md"]
    assert "&lt; 4,500" in files["index.html"]


def test_the_limit_itself_is_told() -> None:
    assert item_of(counted(findings={"disabled_account": 5}))["findings"] == {"disabled_account": 5}


def test_status_json_names_what_is_left_out() -> None:
    found = counted(
        findings={"disabled_account": 4, "guest_licensed": 5, "assignment_error": 3},
        errors={"CountViolation": 3},
        reclaimable={"disabled_account": 4, "guest_licensed": 5},
    )
    item = item_of(found)
    assert (item["findings"], item["assignment_errors"]) == ({"guest_licensed": 5}, {})
    assert item["reclaimable"] == {"guest_licensed": 5}
    assert item["hidden"] == [
        "assignment_errors.CountViolation",
        "findings.assignment_error",
        "findings.disabled_account",
        "reclaimable.disabled_account",
    ]


def test_without_a_limit_everything_is_told() -> None:
    item = item_of(counted(findings={"disabled_account": 1}), Settings())
    assert (item["findings"], item["hidden"]) == ({"disabled_account": 1}, [])


def test_the_words_of_a_small_group_say_its_limit() -> None:
    found = counted(findings={"disabled_account": 2, "assignment_error": 2}, errors={"CountViolation": 2})
    (item,) = report_of(found).portals[0].products
    assert [number for _, number in findings(item)] == ["< 5", "< 5", "< 5"]
    assert reclaimable(item, "overlap") == "0"


def test_a_sum_of_errors_gives_no_kind_of_error_away() -> None:
    found = counted(findings={"assignment_error": 7}, errors={"CountViolation": 5, "Other": 2})
    item = item_of(found)
    assert (item["findings"], item["assignment_errors"]) == ({}, {"CountViolation": 5})
    assert item["hidden"] == ["assignment_errors.Other", "findings.assignment_error"]
    (shown,) = report_of(found).portals[0].products
    assert [number for _, number in findings(shown)] == ["> 5", "5", "< 5"]
    whole = item_of(counted(findings={"assignment_error": 11}, errors={"CountViolation": 5, "Other": 6}))
    assert whole["findings"] == {"assignment_error": 11}


@given(
    errors=st.dictionaries(st.sampled_from(sorted(ERRORS)), st.integers(1, 12), max_size=4),
    below=st.integers(2, 9),
)
def test_no_sum_that_is_told_has_a_part_that_is_not(errors: dict[str, int], below: int) -> None:
    found = counted(findings={"assignment_error": sum(errors.values())}, errors=errors)
    told_, hidden = hide(found, below)
    if hidden.errors:
        assert "assignment_error" not in told_.findings
        assert "assignment_error" in hidden.findings
    else:
        assert told_.findings == found.findings


def test_a_change_of_the_sum_of_errors_is_told_by_its_kinds_only() -> None:
    total = Change("Office 365 E3", "findings.assignment_error", 5, 7, E3)
    kind = Change("Office 365 E3", "errors.CountViolation", 5, 6, E3)
    assert told([total, kind], 5) == (kind,)
    assert told([total, kind], 0) == (total, kind)


def test_users_who_wait_for_a_license_are_still_a_next_step() -> None:
    steps = report_of(counted(errors={"CountViolation": 2})).next_steps
    assert [step.why for step in steps if step.rank is Rank.NOT_ASSIGNED] == [
        "fewer than 5 users did not get the license, because none is left"
    ]


def test_a_sum_is_that_of_what_is_told() -> None:
    (item,) = report_of(counted(reclaimable={"disabled_account": 4, "overlap": 7})).portals[0].products
    assert item.reclaimable == 7
    assert reclaimable(item, "disabled_account") == "< 5"


def test_a_change_gives_no_small_number_away() -> None:
    def change(field: str, before: int | None, after: int | None) -> Change:
        return Change("Office 365 E3", field, before, after, E3)

    kept = [change("findings.overlap", 5, 9), change("consumers", 1, 2), change("findings.inactive", None, None)]
    lost = [
        change("findings.overlap", 4, 9),
        change("errors.Other", None, 1),
        change("reclaimable.overlap", 7, 2),
    ]
    assert told([*kept, *lost], 5) == tuple(kept)
    assert told(lost, 0) == tuple(lost)
    report = report_of(counted(findings={"overlap": 9}), FIVE, *kept, *lost)
    assert report.changes[0].changes == tuple(kept)
    changed = report.portals[0].state.changed
    assert changed
    assert changed.changes == tuple(kept)
