"""The reports as a reader sees them: Markdown pages, status.json, the terminal's table, the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.exclusion_report import Origin
from reconciler.facets import Evidence, Freshness, Position
from reconciler.findings import (
    COUNTED_BY_GRAPH_ONLY,
    ERRORS,
    FINDINGS,
    HELD_BUT_NOT_COUNTED,
    SAVINGS,
    SUBSCRIPTIONS_DIFFER,
)
from reconciler.lifecycle import Due, Lifecycle
from reconciler.model import (
    Change,
    ChangeSet,
    DeclaredEntitlement,
    ExclusionScope,
    PortalState,
    Presence,
    Price,
    Product,
    ProductEntry,
    Reason,
    Settings,
    Status,
)
from reconciler.render import markdown, status_json, status_table
from reconciler.render.markdown_changes import CHANGES_SHOWN
from reconciler.render.reports import reports
from reconciler.report import Report, make_report
from reconciler.resources import folder
from tests.core.core_snapshots import JsonFile, MarkdownFile, TextFile
from tests.core.core_world import (
    E3,
    E5,
    LATER,
    NOW,
    OTHER_TENANT,
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
from tests.core.report_story import HOSTILE, SETTINGS, story, story_report

SCHEMA = json.loads((folder("schemas") / "report.schema.json").read_text(encoding="utf-8"))


SOON = datetime(2026, 12, 1, tzinfo=UTC)
PAST = datetime(2026, 11, 1, tzinfo=UTC)


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


def test_every_portal_has_a_page_and_the_report_its_files() -> None:
    files = reports(story_report())
    whole = {"status.md", "status.json", "products.csv", "index.html"}
    assert set(files) == {*whole, *(f"{portal_id}.md" for portal_id in story())}
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in files.values())


def test_a_report_is_the_same_for_the_same_state() -> None:
    assert reports(story_report()) == reports(make_report(dict(reversed(story().items())), SETTINGS, LATER.date()))


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
        "## Renewals within 30 days, and grace",
        "## Costs",
        "## Products",
        "## Directories",
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
    def rows(enabled: int) -> list[str]:
        items = (product(license_(enabled=enabled)), product(license_(numbered(1), part_number="OTHER")))
        text = markdown.overview(report_of(portal_state(*items)))
        return [line for line in text.splitlines() if line.startswith("|")]

    changed = [(old, new) for old, new in zip(rows(200), rows(1_000), strict=True) if old != new]
    assert changed == [
        (
            "| Contoso - Office 365 E3 | ENTERPRISEPACK | ✓ Fully licensed | surplus | active "
            "| 200 | 0 | 0 | 97 | 97 | 103 | 48.50 % |",
            "| Contoso - Office 365 E3 | ENTERPRISEPACK | ✓ Fully licensed | surplus | active "
            "| 1,000 | 0 | 0 | 97 | 97 | 903 | 9.70 % |",
        )
    ]


def test_a_new_next_step_leaves_the_others_as_they_are() -> None:
    items = [
        product(license_(numbered(number), part_number=f"P{number}"), consumers=consumers)
        for number, consumers in enumerate((105, 102, 109))
    ]
    fewer, more = (section(page_of(portal_state(*some)), "Next steps") for some in (items[:2], items))
    assert len(fewer) == 2
    assert more == [["Contoso - P2", *more[0][1:]], *fewer]


def test_many_changes_are_counted_after_the_first_twenty() -> None:
    changes = tuple(Change(f"P{number}", "enabled", 1, 2, numbered(number)) for number in range(CHANGES_SHOWN + 3))
    text = page_of(portal_state(product(), changed=ChangeSet(NOW, changes)))
    assert "- P19: enabled units 1 → 2\n- and 3 more changes\n" in text
    assert "P20" not in text


def test_changes_are_told_in_words_and_escaped() -> None:
    changes = (
        Change("Contoso", "description", None, "<b>"),
        Change("E3 | x", "status", "fully_licensed", "clear", "1"),
        Change("E3 | x", "enabled", 1, 0, "1"),
    )
    text = page_of(portal_state(product(), changed=ChangeSet(NOW, changes)))
    assert text.split("## Last change\n")[1].split("\n[")[0].splitlines() == [
        "",
        "On 2026-11-23 06:00 UTC:",
        "",
        "- description added: &lt;b&gt;",
        "- E3 &#124; x: status Fully licensed → Clear; enabled units 1 → 0",
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


def section(page: str, title: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    found = cells(page.partition(f"## {title}\n")[2].partition("\n#")[0])
    return [[cell.strip() for cell in row] for row in found[2:]]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (product(), "active"),
        (product(capability_status="Suspended"), "suspended"),
        (product(reason=Reason.EXCLUDED), "–"),
        (product(subscriptions=(subscription(next_lifecycle=SOON),)), "expiring on 2026-12-01"),
        (product(subscriptions=(subscription(next_lifecycle=SOON, is_trial=True),)), "trial until 2026-12-01"),
        (product(subscriptions=(subscription("Warning", next_lifecycle=SOON),)), "in grace until 2026-12-01"),
        (product(subscriptions=(subscription("Warning", next_lifecycle=PAST),)), "in grace, ended on 2026-11-01"),
        (
            product(subscriptions=(subscription(), subscription("Warning", total_licenses=40, next_lifecycle=SOON))),
            "active; 40 in grace until 2026-12-01",
        ),
        (
            product(
                subscriptions=(
                    subscription(next_lifecycle=SOON),
                    subscription(is_trial=True, total_licenses=1_000, next_lifecycle=SOON),
                    subscription("Suspended"),
                )
            ),
            "100 expiring on 2026-12-01; 1,000 trial until 2026-12-01",
        ),
    ],
)
def test_the_lifecycle_is_told_with_every_part_that_ends(item: Product, words: str) -> None:
    assert section(page_of(portal_state(item)), "Products")[0][4] == words


def test_what_ends_is_told_by_day_and_with_what_is_missing_then() -> None:
    far = subscription(id="far", total_licenses=60, next_lifecycle=datetime(2027, 9, 1, tzinfo=UTC))
    near = subscription(id="near", total_licenses=40, next_lifecycle=SOON)
    spare = product(license_(numbered(1), enabled=103, subscriptions=(replace(near, total_licenses=3), subscription())))
    state = portal_state(product(subscriptions=(far, near)), spare)
    assert section(page_of(state), "Renewals") == [
        ["2026-12-01", "Contoso - Office 365 E3", "expiring", "40", "37 too few"],
        ["2026-12-01", "Contoso - SKU_0001", "expiring", "3", "still enough"],
        ["2027-09-01", "Contoso - Office 365 E3", "active", "60", "97 too few"],
    ]
    later = portal_state(product(subscriptions=(replace(far, total_licenses=100),)))
    assert section(page_of(later), "Renewals") == [
        ["2027-09-01", "Contoso - Office 365 E3", "active", "100", "97 too few"]
    ]
    assert "## Renewals within 30 days, and grace\n" in markdown.overview(report_of(state))
    assert "## Renewals" not in markdown.overview(report_of(later))


def test_assignment_errors_are_told_by_kind_below_their_sum() -> None:
    errors = {"CountViolation": 3, "<b>": 1}
    item = replace(product(findings={"assignment_error": 4, "overlap": 2}), errors=errors)
    assert [row[1:] for row in section(page_of(portal_state(item)), "Findings")] == [
        [FINDINGS["assignment_error"], "4"],
        [f"… CountViolation: {ERRORS['CountViolation']}", "3"],
        ["… &lt;b&gt;: –", "1"],
        [FINDINGS["overlap"], "2"],
    ]


@pytest.mark.parametrize("finding", FINDINGS)
def test_every_finding_is_shown_with_its_meaning_and_its_number(finding: str) -> None:
    text = page_of(portal_state(product(findings={finding: 7})))
    assert section(text, "Findings") == [["Contoso - Office 365 E3", FINDINGS[finding], "7"]]


def test_directories_are_a_tree_with_the_products_of_each() -> None:
    items = [
        replace(product(license_(numbered(n), part_number=f"P{n}")), directory=directory)
        for n, directory in enumerate(("b/c", "B", "a|x/d", "b/c"), 1)
    ]
    state = portal_state(*items)
    tree = page_of(state).partition("## Directories\n\n")[2].partition("\n\n")[0]
    assert tree.splitlines() == [
        "- **a&#124;x**",
        "  - **d**",
        "    - Contoso - P3",
        "- **B**",
        "  - Contoso - P2",
        "- **b**",
        "  - **c**",
        "    - Contoso - P1",
        "    - Contoso - P4",
    ]
    tree = markdown.overview(report_of(state)).partition("## Directories\n\n")[2].partition("\n\n")[0]
    assert tree.splitlines()[-1] == "  - **c**: 2 products"


def test_costs_are_summed_by_portal_and_over_all_and_by_currency() -> None:
    overview = markdown.overview(story_report())
    sums = [row for row in section(overview, "Costs") if row[0] == "**All portals**"]
    assert [row[1].rpartition(" ")[2] for row in sums] == ["EUR", "USD"]
    one = portal_state(
        product(consumers=101),
        declared=portal(products=(ProductEntry("ENTERPRISEPACK", price=Price(Decimal(5), "EUR", "month")),)),
    )
    assert section(markdown.overview(report_of(one)), "Costs") == [
        ["[Contoso](contoso.md)", "60.00 EUR", "0.00 EUR", "0.00 EUR"]
    ]


def test_what_no_price_is_known_of_is_said_below_the_true_up() -> None:
    short = product(consumers=101), product(license_(numbered(1)), consumers=103)
    entry = ProductEntry("ENTERPRISEPACK", price=Price(Decimal(5), "EUR", "month"))
    for items, note in (
        (short[:1], ""),
        (short, "Not in the true-up: 1 short product has no price."),
        (
            (*short, product(license_(numbered(2)), consumers=103)),
            "Not in the true-up: 2 short products have no price.",
        ),
    ):
        state = portal_state(*items, declared=portal(products=(entry,)))
        for text in (markdown.overview(report_of(state)), page_of(state)):
            assert ("no price" in text) == bool(note)
            assert note in text
    assert "no price" not in markdown.overview(report_of(portal_state(*short)))


def test_what_no_price_is_known_of_is_said_below_idle_and_reclaimable() -> None:
    used = product(consumers=100)
    entry = ProductEntry("ENTERPRISEPACK", price=Price(Decimal(5), "EUR", "month"))
    full = product(license_(numbered(1)), consumers=100)
    saving = replace(full, reclaimable={"disabled": 1})
    idle = product(license_(numbered(2)), consumers=99)
    for items, note in (
        ((used, full), ""),
        ((replace(used, reclaimable={"disabled": 1}),), ""),
        ((used, saving), "Not in idle and reclaimable: 1 product without a price."),
        ((used, saving, idle), "Not in idle and reclaimable: 2 products without a price."),
        ((used, replace(idle, reason=Reason.EXCLUDED)), ""),
    ):
        state = portal_state(*items, declared=portal(products=(entry,)))
        for text in (markdown.overview(report_of(state)), page_of(state)):
            assert ("without a price" in text) == bool(note)
            assert note in text


def test_nothing_is_said_to_be_zero_of_a_portal_that_was_never_read() -> None:
    unread = applied(None, portal("b"), failed())
    overview = markdown.overview(report_of(portal_state(product()), unread))
    (row,) = [row for row in section(overview, "Portals") if "(b.md)" in row[0]]
    assert row[3:] == ["–"] * 4
    own = page_of(unread)
    assert "| Users with a license | – |" in own
    assert "No products." not in own
    empty = page_of(portal_state())
    assert "| Users with a license | – |" not in empty
    assert "No products." in empty


def test_a_product_that_is_not_metered_has_no_balance_once_its_portal_is_deleted() -> None:
    gone = product(reason=Reason.PORTAL_DELETED)
    state = portal_state(gone, presence=Presence.DELETED)
    for settings, balance in ((Settings(unmetered=("ENTERPRISEPACK",)), "–"), (Settings(), "3")):
        report = make_report(known(state), settings, TODAY)
        (row,) = section(markdown.portal_page(report.portals[0], report), "Products")
        assert row[-2] == balance
        assert (row[-1] == "–") == (balance == "–")


def test_a_summary_leads_to_the_table_that_it_counts() -> None:
    text = markdown.overview(story_report())
    rows = dict(row[:2] for row in section(text, "Coverage"))
    assert rows["Portals read completely"] == "[1 of 6](#portals)"
    assert rows["Portals that failed"] == "[3](#portals), of which 2 with the last known numbers"
    assert rows["Exclusions in force"] == "[6](#exclusions)"
    assert "](#" not in markdown.overview(report_of())
    unread = markdown.overview(report_of(applied(None, portal(), failed())))
    assert "| Portals that failed | [1](#portals), never read before |" in unread


def test_the_first_line_names_what_is_short_and_what_failed_while_that_is_little() -> None:
    def first(*states: PortalState) -> str:
        return next(line for line in markdown.overview(report_of(*states)).splitlines() if line.startswith("**"))

    worse, bad = product(license_(numbered(1)), consumers=109), product(consumers=101)
    down = applied(None, portal("lab", name="Lab | x", tenant_id=OTHER_TENANT), failed())
    assert first(portal_state(bad, worse), down) == (
        "**Of 2 products: 2 short, by 10 licenses in all: Contoso - SKU_0001 by 9, Contoso - Office 365 E3 by 1. "
        "1 of 2 portals read, 1 failed (Lab &#124; x).**"
    )
    assert "1 short, by 1 license in all: Contoso - Office 365 E3. " in first(portal_state(bad))
    many = [product(license_(numbered(number)), consumers=101) for number in range(4)]
    assert "4 short, by 4 licenses in all. 1 of 1 portal read" in first(portal_state(*many))
    lost = [applied(None, portal(f"p{number}", name=f"Lab {number}"), failed()) for number in range(4)]
    assert first(*lost) == "**No product is known. 0 of 4 portals read, 4 failed.**"


def test_an_import_is_told_by_sign_and_word() -> None:
    rows = {row[0]: row[2] for row in section(markdown.overview(story_report()), "Portals")}
    assert rows["[Contoso](contoso.md)"] == "✓ complete"
    assert rows["[Unread](unread.md)"] == "✗ failed"
    assert rows["[Waiting](waiting.md)"] == "– never"


def test_a_new_portal_that_was_not_read_has_no_number_of_products() -> None:
    lab = applied(None, portal(), failed())
    assert "- **Contoso**: new, not read yet\n" in markdown.overview(report_of(lab))
    assert "\n- new, not read yet\n" in page_of(lab)
    empty = applied(None, portal(), complete())
    assert "- **Contoso**: new, with 0 products\n" in markdown.overview(report_of(empty))


def test_an_exclusion_shows_where_it_is_declared_and_what_it_matches() -> None:
    rows = section(markdown.overview(story_report()), "Exclusions")
    assert [(row[0], row[1], row[2], row[6]) for row in rows][:5] == [
        ("every portal", "\\*\\_EXPLORATORY", "not imported", "nothing, lifted by contoso"),
        ("every portal", "STREAM", "not imported", "nothing"),
        ("every portal", "DYN365\\_\\*", "not imported", "DYN365_TEAM in 1 portal"),
        ("[Contoso](contoso.md)", "FLOW_FREE", "not imported", "FLOW_FREE"),
        ("[Contoso](contoso.md)", "\\*\\_VIRAL", "not imported", "nothing"),
    ]


# --- status.json -----------------------------------------------------------------------------------------------------


def test_the_story_validates_against_the_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(status_json.render(story_report())))


def closed(schema: object) -> object:
    """The schema with no member allowed that it does not describe."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: value if key in ("if", "then", "else") else closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        parts["additionalProperties"] = False
    return parts


def test_the_schema_describes_every_member_of_the_story() -> None:
    validator = jsonschema.Draft7Validator(closed(SCHEMA))  # type: ignore[arg-type]
    validator.validate(json.loads(status_json.render(story_report())))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (("status", "enum"), Status),
        (("why", "enum"), Reason),
        (("lifecycle", "enum"), Lifecycle),
        (("due", "enum"), Due),
        (("freshness", "enum"), [*Freshness, None]),
        (("scope", "enum"), ExclusionScope),
        (("product", "properties", "position", "enum"), [*Position, None]),
        (("product", "properties", "lifecycle", "enum"), [*Lifecycle, None]),
        (("product", "properties", "evidence", "enum"), [*Evidence, None]),
        (
            ("product", "properties", "findings", "propertyNames", "enum"),
            [*FINDINGS, "count_mismatch", "subscription_mismatch"],
        ),
        (("product", "properties", "assignment_errors", "propertyNames", "enum"), ERRORS),
        (("product", "properties", "reclaimable", "propertyNames", "enum"), SAVINGS),
        (("exclusion", "properties", "declared_for", "enum"), Origin),
    ],
)
def test_the_schema_knows_every_value_and_no_other(path: tuple[str, ...], values: Iterable[str | None]) -> None:
    found = SCHEMA["definitions"]
    for key in path:
        found = found[key]
    assert sorted(map(str, found)) == sorted(map(str, values))


def test_facets_and_counts_reach_json() -> None:
    contoso = next(
        item for item in json.loads(status_json.render(story_report()))["portals"] if item["id"] == "contoso"
    )
    items = {item["sku_part_number"]: item for item in contoso["products"]}
    suite, pilot = items["ENTERPRISEPACK"], items["PILOT"]
    facets = ("position", "lifecycle", "evidence", "muted", "utilization", "drift")
    assert [suite[name] for name in facets] == ["surplus", "active", "partial", False, 9_000, 8]
    assert (suite["available"], suite["shortfall"], suite["declared_difference"]) == (150, 0, -1_000)
    assert suite["falls_short"] == {"date": "2026-12-05", "short": 50, "due": "urgent"}
    assert suite["findings"]["count_mismatch"] == 8
    assert suite["reclaimable"] == {"disabled_account": 18, "guest_licensed": 1, "overlap": 7}
    assert suite["costs_a_year"]["reclaimable"] == "10732.80"
    assert pilot["assignment_errors"] == {"CountViolation": 3, "ProhibitedInUsageLocationViolation": 1}
    assert pilot["phases"] == [
        {"lifecycle": "trial", "licenses": 25, "date": "2026-12-22", "due": "soon", "balance": -25}
    ]
    assert items["POWER_BI_PRO"]["muted"]
    assert items["RETIRED"]["evidence"] == "contradicted"
    assert [item["sku"] for item in contoso["unreported"]] == ["VISIOCLIENT"]
    assert [total["currency"] for total in contoso["totals"]] == ["EUR"]
    assert (contoso["freshness"], contoso["sign_ins"]) == ("fresh", True)
    assert [item["sku_part_number"] for item in contoso["excluded"]] == ["FLOW_FREE", "DYN365_TEAM"]
    assert contoso["removed"][0]["ticket"] == "T-17"


def test_a_failed_import_changes_nothing_of_a_product_in_json() -> None:
    fine = portal_state(product())
    before, after = (
        json.loads(status_json.render(report_of(state)))["portals"][0]
        for state in (fine, applied(fine, portal(), failed()))
    )
    assert before["products"] == after["products"]
    assert (before["freshness"], after["freshness"]) == ("fresh", "import_failed")


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
        "paths_as_of": None,
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


def test_only_a_product_that_is_fully_licensed_is_covered_by_grace_in_json() -> None:
    owned = license_(enabled=60, warning=40)
    state = portal_state(product(owned), product(replace(owned, sku_id=E5, applies_to="Company")))
    items = json.loads(status_json.render(report_of(state)))["portals"][0]["products"]
    assert {item["sku_id"]: item["only_by_grace"] for item in items} == {E3: True, E5: False}


def test_subscriptions_that_do_not_account_for_the_units_are_told_everywhere() -> None:
    state = portal_state(product(subscriptions=(subscription(total_licenses=70, next_lifecycle=SOON),)))
    document = json.loads(status_json.render(report_of(state)))["portals"][0]["products"][0]
    assert document["findings"] == {"subscription_mismatch": 30}
    assert (document["falls_short"], document["phases"][0]["balance"]) == (None, None)
    page = page_of(state)
    assert section(page, "Renewals") == [["2026-12-01", "Contoso - Office 365 E3", "expiring", "70", "–"]]
    assert section(page, "Findings") == [["Contoso - Office 365 E3", SUBSCRIPTIONS_DIFFER, "30"]]


def test_an_entitlement_is_told_with_what_cannot_be_compared() -> None:
    twins = (product(), product(license_(E5, part_number="ENTERPRISEPACK")))
    entry = ProductEntry("ENTERPRISEPACK", entitlement=DeclaredEntitlement(120, "EA-77"))
    one, both = (portal_state(*items, declared=portal(products=(entry,))) for items in (twins[:1], twins))
    assert section(page_of(one), "Declared entitlements") == [
        ["Contoso - Office 365 E3", "120", "100", "20", "proven, and more is declared", "EA-77"]
    ]
    assert section(page_of(both), "Declared entitlements") == [
        ["ENTERPRISEPACK", "120", "–", "–", "means 2 licenses: name the SKU ID", "EA-77"]
    ]
    (found,) = json.loads(status_json.render(report_of(both)))["portals"]
    assert [(item["sku"], item["sku_ids"]) for item in found["ambiguous"]] == [("ENTERPRISEPACK", [E5, E3])]
    assert [item["declared_entitlement"] for item in found["products"]] == [None, None]


def _objects(node: object) -> Iterator[dict[str, Any]]:
    """Every object of the schema whose members it names."""
    if isinstance(node, dict):
        if "object" in (node.get("type") or ()) and "properties" in node:
            yield node
        node = list(node.values())
    for member in node if isinstance(node, list) else ():
        yield from _objects(member)


def test_the_schema_lets_no_member_through_that_it_does_not_describe() -> None:
    objects = list(_objects(SCHEMA))
    assert len(objects) > 10
    assert [item for item in objects if item.get("additionalProperties") is not False] == []
    document = json.loads(status_json.render(story_report()))
    document["portals"][0]["products"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(document, SCHEMA)
