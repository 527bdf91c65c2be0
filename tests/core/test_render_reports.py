"""The reports as a reader sees them: Markdown pages, status.json, the terminal's table, the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.findings import COUNTED_BY_GRAPH_ONLY, HELD_BUT_NOT_COUNTED
from reconciler.model import Change, ChangeSet, PortalState, Price, Product, ProductEntry, Reason, Settings
from reconciler.render import markdown, status_json, status_table
from reconciler.render.markdown_changes import CHANGES_SHOWN
from reconciler.render.reports import reports
from reconciler.report import Report, make_report
from reconciler.resources import folder
from tests.core.core_snapshots import JsonFile, MarkdownFile, TextFile
from tests.core.core_world import (
    LATER,
    NOW,
    OUTAGE,
    TODAY,
    applied,
    complete,
    failed,
    known,
    license_,
    numbered,
    portal,
    portal_state,
    product,
    subscription,
)
from tests.core.report_story import HOSTILE, story, story_report

SCHEMA = json.loads((folder("schemas") / "report.schema.json").read_text(encoding="utf-8"))


def report_of(*states: PortalState) -> Report:
    """The report over these states."""
    return make_report(known(*states), Settings(), TODAY)


def page_of(state: PortalState) -> str:
    """The page of one portal."""
    report = report_of(state)
    return markdown.portal_page(report.portals[0], report)


def cells(text: str) -> list[list[str]]:
    """Every row of every table."""
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]


# --- snapshots -------------------------------------------------------------------------------------------------------


def test_the_overview(snapshot: SnapshotAssertion) -> None:
    assert markdown.overview(story_report()) == snapshot(extension_class=MarkdownFile)


@pytest.mark.parametrize("portal_id", sorted(story()))
def test_the_page_of_a_portal(portal_id: str, snapshot: SnapshotAssertion) -> None:
    report = story_report()
    portals = {item.state.id: item for item in report.portals}
    assert markdown.portal_page(portals[portal_id], report) == snapshot(extension_class=MarkdownFile)


def test_the_overview_of_nothing(snapshot: SnapshotAssertion) -> None:
    assert markdown.overview(report_of()) == snapshot(extension_class=MarkdownFile)


def test_status_json(snapshot: SnapshotAssertion) -> None:
    assert status_json.render(story_report()) == snapshot(extension_class=JsonFile)


def test_the_terminals_table(snapshot: SnapshotAssertion) -> None:
    assert status_table.render(story_report()) == snapshot(extension_class=TextFile)


# --- Markdown --------------------------------------------------------------------------------------------------------


def test_every_portal_has_a_page_and_the_report_two_files() -> None:
    files = reports(story_report())
    assert set(files) == {"status.md", "status.json", *(f"{portal_id}.md" for portal_id in story())}
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in files.values())


def test_a_report_is_the_same_for_the_same_state() -> None:
    assert reports(story_report()) == reports(make_report(dict(reversed(story().items())), Settings(), LATER.date()))


def test_no_time_moves_when_nothing_changed() -> None:
    first = applied(None, portal(), complete(license_()))
    again = applied(first, portal(), complete(license_()), now=LATER)
    before = reports(make_report(known(first), Settings(), NOW.date()))
    assert reports(make_report(known(again), Settings(), LATER.date())) == before


@pytest.mark.parametrize("render", [markdown.overview, lambda report: page_of(story()["evil"])])
def test_rows_have_as_many_cells_as_their_head_whatever_the_names(render: Callable[[Report], str]) -> None:
    width = 0
    for line in render(story_report()).splitlines():
        row = line.split("|") if line.startswith("|") else []
        width = width if row and width else len(row)
        assert len(row) == width


def test_hostile_text_never_becomes_markup() -> None:
    for name, text in reports(story_report()).items():
        if name.endswith(".md"):
            assert "<" not in text
            assert "](https:" not in text
            assert not any(ord(character) < 32 and character != "\n" for character in text)
            assert "\u202e" not in text
            assert "@everyone" not in text


def test_what_a_reader_needs_first_stands_first() -> None:
    text = markdown.overview(story_report())
    headings = [line for line in text.splitlines() if line.startswith("#") and not line.startswith("###")]
    assert headings == [
        "# Microsoft 365 license status",
        "## Coverage",
        "## Products by status",
        "## Changes since the previous report",
        "## Next steps",
        "## Portals",
        "## Products",
        "## Exclusions",
        "## Glossary",
    ]
    verdict = next(line for line in text.splitlines() if line.startswith("**"))
    assert text.index(verdict) < text.index("## Coverage")


def test_emulated_numbers_say_so_on_the_overview_and_on_their_own_page_only() -> None:
    report = story_report()
    pages = {item.state.id: markdown.portal_page(item, report) for item in report.portals}
    assert "Emulated data" in markdown.overview(report)
    assert [portal_id for portal_id, page in pages.items() if "Emulated data" in page] == ["evil"]


def test_a_changed_number_changes_its_own_rows_only() -> None:
    def lines(enabled: int) -> list[str]:
        items = (product(license_(enabled=enabled)), product(license_(numbered(1), part_number="OTHER")))
        return markdown.overview(report_of(portal_state(*items))).splitlines()

    changed = [(old, new) for old, new in zip(lines(100), lines(1_000), strict=True) if old != new]
    assert changed == [
        (
            "| Contoso - Office 365 E3 | ENTERPRISEPACK | ✓ Fully licensed | 100 | 0 | 0 | 97 | 97 | 3 |",
            "| Contoso - Office 365 E3 | ENTERPRISEPACK | ✓ Fully licensed | 1,000 | 0 | 0 | 97 | 97 | 903 |",
        )
    ]


def test_many_changes_are_counted_after_the_first_twenty() -> None:
    changes = tuple(Change(f"P{number}", "enabled", 1, 2, numbered(number)) for number in range(CHANGES_SHOWN + 3))
    text = page_of(portal_state(product(), changed=ChangeSet(NOW, changes)))
    assert "- P19: enabled units 1 → 2\n- and 3 more changes\n" in text
    assert "P20" not in text


def test_a_change_is_told_in_words() -> None:
    changes = (
        Change("Contoso", "import", "complete", "failed"),
        Change("E3", "status", "fully_licensed", "cannot_be_synchronised", "1"),
        Change("E3", "reason", None, "gone_from_portal", "1"),
        Change("E4", "reason", "gone_from_portal", "excluded", "5"),
        Change("E4", "status", "fully_licensed", "clear", "6"),
        Change("E5", "product", None, "clear", "2"),
        Change("F1", "product", "clear", None, "3"),
        Change("F3", "consumed_units", None, -1_000, "4"),
        Change("F3", "findings.guest_licensed", None, 1, "4"),
    )
    text = page_of(portal_state(product(), changed=ChangeSet(NOW, changes)))
    assert text.split("## Last change\n")[1].split("\n[")[0].splitlines() == [
        "",
        "On 2026-11-23 06:00 UTC:",
        "",
        "- import complete → failed",
        "- E3: status Fully licensed → Product cannot be synchronised: the license is gone from the portal",
        "- E4: reason the license is gone from the portal → the license is excluded",
        "- E4: status Fully licensed → Clear",
        "- E5: new, Clear",
        "- F1: removed",
        "- F3: Graph's count none → −1,000",
        '- F3: finding "the user is a guest" none → 1',
    ]


@pytest.mark.parametrize(
    ("item", "rows"),
    [
        (product(), []),
        (
            product(findings={"guest_licensed": 2, "disabled_account": 1}),
            [("the account is disabled", "1"), ("the user is a guest", "2")],
        ),
        (product(consumers=95), [(COUNTED_BY_GRAPH_ONLY, "2")]),
        (product(consumers=99), [(HELD_BUT_NOT_COUNTED, "2")]),
        (product(reason=Reason.EXCLUDED, findings={"guest_licensed": 2}), []),
    ],
)
def test_findings_are_counted_by_product(item: Product, rows: list[tuple[str, str]]) -> None:
    text = page_of(portal_state(item)).partition("## Findings")[2].partition("##")[0]
    assert [(row[1].strip(), row[2].strip()) for row in cells(text)[2:]] == rows


def test_a_subscription_tells_its_kind_and_its_next_change() -> None:
    item = product(
        subscriptions=(subscription("Enabled", is_trial=True, next_lifecycle=LATER), subscription("Warning"))
    )
    text = page_of(portal_state(item))
    assert "| Contoso - Office 365 E3 | Enabled, trial | 100 | 2026-11-24 |" in text
    assert "| Contoso - Office 365 E3 | Warning | 100 | – |" in text


# --- status.json -----------------------------------------------------------------------------------------------------


def test_the_story_validates_against_the_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(status_json.render(story_report())))


def test_names_reach_json_as_they_are_and_nothing_in_it_acts_on_a_terminal() -> None:
    text = status_json.render(story_report())
    evil = next(item for item in json.loads(text)["portals"] if item["id"] == "evil")
    assert evil["import"]["tenant"]["display_name"] == HOSTILE
    assert evil["import"]["error"]["message"] == HOSTILE
    assert all(character == "\n" or character.isprintable() for character in text)
    assert '"entitled": null' in text


def test_a_portal_that_was_never_read_has_no_products() -> None:
    unread = report_of(applied(None, portal(), failed()))
    document = json.loads(status_json.render(unread))["portals"][0]
    assert document["products"] == []
    assert document["import"] == {
        "outcome": "failed",
        "as_of": None,
        "users": 0,
        "tenant": None,
        "emulated": None,
        "failed_since": "2026-11-23T06:00:00Z",
        "error": {"code": OUTAGE.code, "message": OUTAGE.message, "remedy": OUTAGE.remedy, "detail": None},
    }


def test_amounts_are_decimal_text_without_an_exponent() -> None:
    entry = ProductEntry("ENTERPRISEPACK", price=Price(Decimal("1E+3"), "EUR", "year"))
    item = product(enabled=10**9, consumed_units=0, consumers=0)
    document = json.loads(status_json.render(report_of(portal_state(item, declared=portal(products=(entry,))))))
    found = document["portals"][0]["products"][0]
    assert (found["price"]["amount"], found["true_up"], found["idle"]) == ("1000", "0", "1000000000000")


# --- the terminal ----------------------------------------------------------------------------------------------------


def test_without_a_width_every_product_is_one_line() -> None:
    long = replace(product(), title="A very long title " * 30)
    text = status_table.render(report_of(portal_state(long)))
    assert len(text.splitlines()) == 4
    assert ("A very long title " * 30).strip() in text


def test_with_a_width_no_line_of_the_table_is_wider() -> None:
    long = replace(product(), title="A very long title " * 30)
    table = status_table.render(report_of(portal_state(long)), width=80).splitlines()[:-1]
    assert len(table) > 4
    assert all(len(line) <= 80 for line in table)


def test_a_status_is_told_by_word_and_sign_with_color_and_without() -> None:
    report = story_report()
    plain, colored = status_table.render(report), status_table.render(report, color=True)
    assert "\x1b[" not in plain
    assert "\x1b[" in colored
    for text in (plain, colored):
        assert "✗ Not enough licenses assigned" in text


def test_hostile_text_never_reaches_a_terminal() -> None:
    text = status_table.render(story_report())
    assert all(character == "\n" or character.isprintable() for character in text)
    assert "[link](https://evil.example)" in text


def test_names_are_neither_markup_nor_emoji_for_the_terminal() -> None:
    item = replace(product(), title="[bold]E3[/bold] :smile:")
    assert "[bold]E3[/bold] :smile:" in status_table.render(report_of(portal_state(item)))
    error = replace(OUTAGE, message="[red]:warning:")
    assert "[red]:warning:" in status_table.render(report_of(applied(None, portal(), failed(error))))
