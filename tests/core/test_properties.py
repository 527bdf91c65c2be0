"""Rules that hold for every history of a portal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from unicodedata import category

import jsonschema
from hypothesis import Phase, given, settings
from markdown_it import MarkdownIt

from reconciler.compliance import recalculate
from reconciler.diff import differences
from reconciler.model import Complete, Failed, Portal, PortalState, Settings, Status
from reconciler.plan import Action, Declared, make_plan
from reconciler.render.reports import reports
from reconciler.render.status_table import render as status_table
from reconciler.report import make_report
from reconciler.resources import folder
from reconciler.transition import configure, observe, stamp
from tests.core.core_strategies import Step, completes, failures, histories, portals, settings_, steps
from tests.core.core_world import LATER, known, portal, title
from tests.core.plan_story import text_of as plan_text

SCHEMA = jsonschema.Draft7Validator(json.loads((folder("schemas") / "report.schema.json").read_text(encoding="utf-8")))
TABLES = MarkdownIt("commonmark").enable("table")

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}

FEW = settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])
"""Whole histories are big examples: few of them find what many small ones would."""


def states(history: list[Step]) -> Iterator[tuple[Step, PortalState | None, PortalState]]:
    """Every run of a history with the state before and after it, from the first state on."""
    before: PortalState | None = None
    for step in history:
        after = step.run(before)
        if after is not None:
            yield step, before, after
        before = after


def last(history: list[Step]) -> PortalState | None:
    """What is known at the end of a history."""
    return next((after for _, _, after in reversed(list(states(history)))), None)


@FEW
@given(histories)
def test_no_history_ever_loses_a_product(history: list[Step]) -> None:
    for _, before, after in states(history):
        lost = {item.sku_id for item in before.products} - {item.sku_id for item in after.products} if before else ()
        assert not lost


@FEW
@given(histories)
def test_a_product_has_a_reason_if_and_only_if_it_cannot_be_synchronised(history: list[Step]) -> None:
    for step, _, after in states(history):
        for item in after.products:
            assert (item.reason is not None) == (item.status is Status.CANNOT_BE_SYNCHRONISED)
            assert step.declared is None or recalculate(item, step.settings) == item


@FEW
@given(histories)
def test_products_are_sorted_and_each_is_there_once(history: list[Step]) -> None:
    for _, _, after in states(history):
        ids = [item.sku_id for item in after.products]
        assert ids == sorted(set(ids))


@FEW
@given(histories, failures)
def test_a_failed_read_changes_nothing_but_the_outcome(history: list[Step], failure: Failed) -> None:
    for _, _, after in states(history):
        seen = observe(after, failure, Settings(), title, LATER)
        assert replace(seen, last_import=after.last_import) == after
        assert (seen.last_import.as_of, seen.last_import.users) == (after.last_import.as_of, after.last_import.users)
        assert seen.last_import.error == failure.error


@FEW
@given(histories, portals, completes(), settings_)
def test_the_same_read_twice_changes_nothing_the_second_time(
    history: list[Step], declared: Portal, seen: Complete, rules: Settings
) -> None:
    before = last(history)
    once = observe(configure(before, declared, rules, title, LATER.date()), seen, rules, title, LATER)
    once = stamp(before, once, LATER)
    later = LATER + timedelta(hours=5)
    again = observe(configure(once, declared, rules, title, LATER.date()), seen, rules, title, later)
    assert stamp(once, again, later) is once


@FEW
@given(histories)
def test_the_serial_rises_by_one_with_every_change_that_the_diff_shows(history: list[Step]) -> None:
    for _, before, after in states(history):
        assert differences(after, after) == ()
        if before is None:
            assert after.serial == 1
        else:
            changed = differences(before, after)
            assert after.serial == before.serial + (1 if after is not before else 0)
            assert bool(changed) == (after is not before) or _reordered(before, after)
            assert after is before or (after.changed is not None and after.changed.changes == changed)


def _reordered(before: PortalState, after: PortalState) -> bool:
    """Whether the two differ in the order of the portal's entries only."""

    def ordered(declared: Portal) -> Portal:
        return replace(
            declared,
            exclusions=tuple(sorted(declared.exclusions, key=lambda item: item.sku)),
            products=tuple(sorted(declared.products, key=lambda item: item.sku)),
        )

    same = replace(after, serial=before.serial, changed=before.changed, portal=ordered(after.portal))
    return same == replace(before, portal=ordered(before.portal))


@FEW
@given(histories, steps)
def test_a_plan_that_was_applied_is_followed_by_an_empty_one(history: list[Step], step: Step) -> None:
    before = last(history)
    desired = {} if step.declared is None else {"contoso": step.declared}
    actual = known(before) if before else {}
    first = make_plan(Declared(desired, step.settings, title, step.today), actual)
    assert plan_text(first).endswith("\n")
    stored = {item.id: stamp(item.before, item.after, step.now) for item in first.portals}
    for item in make_plan(Declared(desired, step.settings, title, step.today), stored).portals:
        assert item.changes == ()
        assert item.action is (Action.UPDATE if item.recoveries else Action.NONE)


@FEW
@given(histories, steps)
def test_a_complete_import_leaves_no_recovery_pending(history: list[Step], step: Step) -> None:
    before = last(history)
    after = step.run(before)
    if after is not None and step.declared is not None and isinstance(step.seen, Complete):
        plan = make_plan(Declared({"contoso": step.declared}, step.settings, title, step.today), known(after))
        assert plan.pending == ()


@FEW
@given(histories, settings_)
def test_every_report_is_well_formed(history: list[Step], rules: Settings) -> None:
    for step, _, after in states(history):
        second = replace(after, portal=replace(after.portal, id="second"))
        report = make_report(known(after, second), rules, step.today)
        files = reports(report)
        SCHEMA.validate(json.loads(files["status.json"]))
        for text in (text for name, text in files.items() if name.endswith(".md")):
            _check_markdown(text)
        table = status_table(report)
        assert not UNSEEN & set(map(category, table.replace("\n", "")))


def _check_markdown(text: str) -> None:
    """One heading a line, tables of equal rows, nothing raw."""
    assert "<" not in text
    assert not UNSEEN & set(map(category, text.replace("\n", "")))
    width = 0
    for line in text.split("\n"):
        row = line.count("|") if line.startswith("|") else 0
        width = width if row and width else row
        assert row == width
    kinds = {token.type for token in TABLES.parse(text)}
    assert not kinds & {"html_block", "code_block", "hr", "ordered_list_open"}


def test_the_check_of_markdown_finds_a_torn_table() -> None:
    _check_markdown("| A | B |\n| --- | --- |\n| 1 | 2 |\n")
    for torn in ("| A | B |\n| --- | --- |\n| 1 |\n", "<b>\n", "a\u202eb\n"):
        try:
            _check_markdown(torn)
        except AssertionError:
            continue
        raise AssertionError(f"{torn!r} passed for {portal().id}")
