"""The plan as people see it: as text, as Markdown, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator
from syrupy.assertion import SnapshotAssertion

from reconciler.diff import differences
from reconciler.model import (
    CertificateAuthentication,
    ErrorInfo,
    ImportOutcome,
    Portal,
    PortalState,
    Presence,
    ProductEntry,
    Reason,
    Reference,
    Suspension,
)
from reconciler.plan import Action, Plan, PortalPlan
from reconciler.plan_page import MEANINGS, SYMBOLS, Effect, PlanPage, PortalPage, WarningPage
from reconciler.render import plan_json, plan_markdown
from reconciler.render.plan_changes import import_words, portal_words
from reconciler.render.plan_summary import NAMED, import_summary, reading, summary
from reconciler.render.plan_text import render
from reconciler.resources import folder
from reconciler.transition import delete, remove
from tests.core.core_snapshots import JsonFile, MarkdownFile, TextFile
from tests.core.core_world import (
    E3,
    TODAY,
    applied,
    certificate,
    complete,
    exclusion,
    known,
    license_,
    numbered,
    plan_of,
    portal,
    portal_state,
    product,
    secret,
    with_import,
)
from tests.core.plan_story import (
    HOSTILE,
    REMOVALS,
    page_of,
    refreshed_page,
    saved,
    story_page,
    story_plan,
    text_of,
)

CONTOSO = applied(None, portal(), complete(license_()))
EXCLUDING = portal(exclusions=(exclusion("ENTERPRISEPACK", "Moved"),))
SCHEMA = json.loads((folder("schemas") / "plan.schema.json").read_text(encoding="utf-8"))


# --- the pages, whole ------------------------------------------------------------------------------------------------


def test_the_text_of_a_plan(snapshot: SnapshotAssertion) -> None:
    assert {item.action for item in story_plan().portals} == set(Action)
    assert render(story_page()) == snapshot(extension_class=TextFile)


def test_the_text_of_a_plan_in_80_columns(snapshot: SnapshotAssertion) -> None:
    text = render(story_page(), width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text == snapshot(extension_class=TextFile)


def test_the_text_of_a_refreshed_plan(snapshot: SnapshotAssertion) -> None:
    assert render(refreshed_page()) == snapshot(extension_class=TextFile)


def test_the_markdown_of_a_plan(snapshot: SnapshotAssertion) -> None:
    assert plan_markdown.render(story_page()) == snapshot(extension_class=MarkdownFile)


def test_the_markdown_of_a_refreshed_plan(snapshot: SnapshotAssertion) -> None:
    assert plan_markdown.render(refreshed_page()) == snapshot(extension_class=MarkdownFile)


def test_the_json_of_a_plan(snapshot: SnapshotAssertion) -> None:
    text = plan_json.render(saved(refreshed_page()))
    assert text.isprintable() or set(text) - {"\n"} == {c for c in text if c.isprintable()}
    assert text == snapshot(extension_class=JsonFile)


@pytest.mark.parametrize("page", [story_page(), refreshed_page(), page_of(plan_of())], ids=["story", "read", "empty"])
def test_the_json_keeps_to_its_schema_and_reads_back(page: PlanPage) -> None:
    Draft7Validator.check_schema(SCHEMA)
    document = json.loads(plan_json.render(saved(page)))
    Draft7Validator(SCHEMA).validate(document)
    assert msgspec.convert(document, PlanPage) == page


def test_the_stories_have_every_effect_and_every_key_of_the_schema() -> None:
    assert story_page().effects | refreshed_page().effects | {Effect.UNCHANGED} == set(Effect)
    documents = [json.loads(plan_json.render(saved(page))) for page in (story_page(), refreshed_page(), _warned())]
    lists = {path for document in documents for path, value in _lists(document) if value}
    assert {path for document in documents for path, _ in _lists(document)} - lists == {"basis.only"}


def _warned() -> PlanPage:
    """A page with a warning."""
    warning = WarningPage("portals.d/contoso.yaml:9:5", "unmatched-exclusion", "It matches nothing.", None)
    return replace(story_page(), warnings=(warning,))


def _lists(value: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every list of a document."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _lists(part, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        yield path, value
        for part in value:
            yield from _lists(part, path)


# --- the parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of(), "No changes. 0 portals are as declared.\n"),
        (plan_of(portal(), known=known(CONTOSO)), "No changes. 1 portal is as declared.\n"),
        (plan_of(known=known(delete(CONTOSO))), "No changes. 0 portals are as declared.\n"),
    ],
)
def test_a_plan_without_changes_says_so(plan: Plan, expected: str) -> None:
    assert text_of(plan) == expected


NOTHING = "0 lost, 0 recover, 0 move, 0 removed"


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of(portal()), f"Plan: 1 portal new, 0 changed, 0 deleted; products: {NOTHING}."),
        (
            plan_of(known=known(CONTOSO)),
            "Plan: 0 portals new, 0 changed, 1 deleted; products: 1 lost, 0 recover, 0 move, 0 removed.",
        ),
        (
            plan_of(EXCLUDING, portal("north", client_id=portal().tenant_id), known=known(CONTOSO)),
            "Plan: 1 portal new, 1 changed, 0 deleted; products: 1 lost, 0 recover, 0 move, 0 removed.",
        ),
        (
            plan_of(portal(), known=known(applied(CONTOSO, EXCLUDING))),
            "Plan: 0 portals new, 1 changed, 0 deleted; products: 0 lost, 1 recovers, 0 move, 0 removed.",
        ),
    ],
)
def test_the_summary_is_one_line_with_what_happens_to_products(plan: Plan, expected: str) -> None:
    assert summary(page_of(plan)) == expected
    assert text_of(plan).endswith(f"\n{expected}\n")
    assert f"**{expected}**" in plan_markdown.render(page_of(plan))


def test_the_counts_are_those_of_the_plan() -> None:
    plan, page = story_plan(), story_page()
    assert page.counts.lost == sum(item.lost for item in plan.portals) > 0
    assert page.counts.removed == sum(item.removed for item in plan.portals) > 0
    assert page.counts.recover == sum(len(item.recoveries) for item in plan.portals) > 0
    moved = [
        change for item in plan.portals for change in item.changes if change.field == "directory" and change.sku_id
    ]
    assert page.counts.move == len(moved) > 0


def test_the_legend_shows_only_signs_that_are_used() -> None:
    assert "\nLegend: + new\n" in text_of(plan_of(portal()))
    assert "\nLegend: - lost: cannot be synchronized any more\n" in text_of(plan_of(known=known(CONTOSO)))
    legend = render(story_page()).partition("Legend: ")[2].partition("\n")[0]
    assert legend.split("   ") == [f"{symbol} {MEANINGS[effect]}" for effect, symbol in SYMBOLS.items()]


def test_a_lost_product_stands_with_its_reason_and_the_words_of_the_exclusion() -> None:
    assert (
        "    - Office 365 E3 (ENTERPRISEPACK)\n"
        "        status: Fully licensed → Product cannot be synchronised\n"
        "        because the license is excluded (ENTERPRISEPACK: Moved)\n"
    ) in text_of(plan_of(EXCLUDING, known=known(CONTOSO)))


def test_another_reason_for_the_same_status_is_told_with_the_words_of_the_exclusion() -> None:
    gone = portal_state(product(reason=Reason.GONE_FROM_PORTAL))
    assert (
        "        still cannot be synchronized: the license is gone from the portal → the license is excluded "
        "(ENTERPRISEPACK: Moved)\n"
    ) in text_of(plan_of(EXCLUDING, known=known(gone)))


def test_a_product_that_is_lost_and_moves_has_the_sign_of_the_loss_and_counts_as_both() -> None:
    declared = replace(EXCLUDING, products=(*_moving().products,))
    page = page_of(plan_of(declared, known=known(CONTOSO)))
    (found,) = page.portals[0].products
    assert (found.effect, found.moves) == (Effect.LOST, True)
    assert (page.counts.lost, page.counts.move, page.counts.otherwise) == (1, 1, 0)


def _moving() -> Portal:
    return portal(products=(ProductEntry("ENTERPRISEPACK", directory="Office"),))


def test_a_renamed_file_that_is_suspended_at_once_says_both() -> None:
    text = text_of(plan_of(portal("north", name="Contoso", suspend=Suspension("Migration")), known=known(CONTOSO)))
    assert "~ north: Contoso\n    file renamed from contoso.yaml to north.yaml\n" in text
    assert "\n    imports are suspended: Migration\n" in text


DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            portal(name="A"),
            portal(name="B"),
            ["name: A → B", "new products go to Microsoft 365/B, not to Microsoft 365/A"],
        ),
        (portal(), portal(protect=True), ["protected from deletion"]),
        (portal(protect=True), portal(), ["not protected from deletion any more"]),
        (portal(suspend=Suspension("Pause")), portal(), ["imports go on"]),
        (
            portal(suspend=Suspension("Pause")),
            portal(suspend=Suspension("Pause", DAY)),
            [f"imports go on; the suspension ended on {DAY}"],
        ),
        (portal(suspend=Suspension("A")), portal(suspend=Suspension("B")), ["imports are suspended: B"]),
        (
            portal(suspend=Suspension("A", DAY)),
            portal(suspend=Suspension("B", DAY)),
            ["the entry `suspend`, which is over, changes"],
        ),
        (portal(suspend=Suspension("A", DAY)), portal(), ["the entry `suspend`, which is over, goes"]),
        (
            portal(authentication=secret(DAY)),
            portal(authentication=certificate()),
            [
                "signs in by certificate {file: contoso.crt} {file: contoso.key}; "
                "was by client secret {env: CONTOSO_SECRET}, valid until 2026-11-22"
            ],
        ),
        (
            portal(authentication=CertificateAuthentication(pfx=Reference("keyvault", "vault/app"))),
            portal(authentication=CertificateAuthentication(pfx=Reference("keyvault", "vault/new"))),
            [
                "signs in by certificate {keyvault: {vault: vault, secret: new}}; "
                "was by certificate {keyvault: {vault: vault, secret: app}}"
            ],
        ),
        (
            portal(exclusions=(exclusion(reason="Free"),)),
            portal(exclusions=(exclusion(reason="Free", until=date(2027, 6, 30)),)),
            ["exclusion FLOW_FREE changed: Free → Free, until 2027-06-30"],
        ),
        (portal(description="One"), portal(), ["description: One → none"]),
    ],
)
def test_a_change_of_a_portal_is_told_in_words(before: Portal, after: Portal, expected: list[str]) -> None:
    plan = plan_of(after, known=known(applied(None, before)))
    words = page_of(plan).portals[0].words
    assert [line for line in words if not line.startswith("last day of the credential")] == expected


def test_no_word_of_a_portal_is_a_path_of_its_file() -> None:
    for item in story_page().portals:
        for line in item.words:
            assert not line.startswith(
                ("authentication", "exclusions.", "products.", "include.", "safety.", "suspend.")
            )


def test_every_change_of_the_plan_is_told() -> None:
    for item, page in zip(story_plan().portals, story_page().portals, strict=True):
        assert _told(item, page), item.id


def _told(item: PortalPlan, page: PortalPage) -> bool:
    """Whether what changes has words."""
    skus = {change.sku_id for change in item.changes + item.recoveries if change.sku_id}
    own = [change for change in item.changes if change.sku_id is None and change.field not in ("portal",)]
    own = [] if item.action is Action.DELETE else own
    return {one.sku_id for one in page.products if one.words} == skus and bool(own) <= bool(page.words)


def test_what_an_import_changes_of_a_portal_is_told() -> None:
    never = PortalState(portal())
    failing = with_import(
        CONTOSO, outcome=ImportOutcome.FAILED, error=ErrorInfo("graph-unreachable", "Could not connect.", "Check.")
    )
    assert list(import_words(never, CONTOSO, differences(never, CONTOSO))) == [
        "first import",
        "97 users with a license",
        "the tenant calls itself Contoso (contoso.example)",
    ]
    assert list(import_words(failing, CONTOSO, differences(failing, CONTOSO))) == [
        "can be read again; the last import failed: graph-unreachable"
    ]
    assert list(portal_words(CONTOSO, CONTOSO, differences(CONTOSO, CONTOSO))) == []


def test_which_tenants_are_read_is_told_by_name_or_number() -> None:
    few = [portal(f"p{number}", client_id=numbered(number)) for number in range(NAMED)]
    paused = portal("paused", client_id=numbered(99), suspend=Suspension("Pause"))
    assert reading(page_of(plan_of(*few[:2], paused))) == "Apply will read 2 tenants: p0 and p1."
    assert reading(page_of(plan_of(paused))) == "Apply will read no tenant."
    more = [*few, portal("z", client_id=numbered(98))]
    assert reading(page_of(plan_of(*more))) == f"Apply will read {NAMED + 1} tenants."
    assert reading(page_of(plan_of())) == ""


def test_a_refreshed_plan_says_how_many_tenants_were_read_and_what_it_brings() -> None:
    page = refreshed_page()
    assert list(import_summary(page)) == [
        "Import: 4 tenants read, 1 could not be read; products: 3 new, 1 lost, 1 recovers, 2 otherwise changed."
    ]
    (same,) = [item for item in page.portals if item.id == "same"]
    assert same.preview is not None
    assert not same.preview.changes
    assert not same.is_shown
    alone = replace(page, portals=(same,))
    assert list(import_summary(alone)) == ["Import: 1 tenant read; nothing would change."]
    assert not alone.brings
    assert list(import_summary(story_page())) == []


def test_a_plan_that_only_an_import_changes_brings_something() -> None:
    page = refreshed_page()
    (rotated,) = [item for item in page.portals if item.id == "rotated"]
    only = replace(page, portals=(replace(rotated, action=Action.NONE, words=()),))
    assert only.brings
    assert not only.pending
    assert "Its import would bring:" in render(only)
    assert "Its import would bring:" in plan_markdown.render(only)


def test_a_removal_stands_with_its_ticket_its_reason_and_what_the_product_was() -> None:
    text = render(story_page())
    assert "~ forgotten: nothing is left of Forgotten: it disappears from reports and plans\n" in text
    assert (
        "        removed: CHG-7: Sold\n        it could not be synchronized: the portal is no longer declared\n" in text
    )
    assert ". portals.d/removals.yaml:6:5: removal of FLOW_FREE from moved-on: done on 2026-11-20\n" in text
    assert "⚠ portals.d/removals.yaml:15:5: removal of * from nobody: no portal nobody is known\n" in text


def test_a_removal_that_is_done_is_told_also_when_nothing_changes() -> None:
    gone = portal_state(product(reason=Reason.GONE_FROM_PORTAL))
    entry = replace(REMOVALS[0], portal="contoso", sku="ENTERPRISEPACK")
    plan = plan_of(portal(), known=known(remove(gone, {E3: entry}, TODAY)), removals=(entry,))
    assert text_of(plan) == (
        ". portals.d/removals.yaml:2:5: removal of ENTERPRISEPACK from contoso: done on 2026-11-23\n"
        "\nLegend: . nothing to do\n"
        "\nNo changes. 1 portal is as declared.\n"
    )


def test_a_refusal_is_in_every_form() -> None:
    refusal = ErrorInfo("portal-protected", "The portal | is protected.", "Restore the *file*.", "why")
    page = page_of(plan_of(known=known(CONTOSO)), [refusal])
    assert "! Refused: portal-protected: The portal | is protected. (why)\n    Restore the *file*.\n" in render(page)
    shown = plan_markdown.render(page)
    assert "> [!CAUTION]\n> **Refused: portal-protected.** The portal &#124; is protected. (why)\n" in shown
    assert "> Restore the \\*file\\*." in shown


def test_a_warning_is_in_the_markdown_with_its_position() -> None:
    shown = plan_markdown.render(_warned())
    assert "- ⚠ **unmatched-exclusion** (portals.d/contoso.yaml:9:5): It matches nothing.\n" in shown


# --- harmless --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [None, 80])
def test_nothing_in_a_plan_acts_on_a_terminal(width: int | None) -> None:
    text = render(story_page(), width=width)
    assert all(character == "\n" or character.isprintable() for character in text)
    assert sum(line.startswith("Plan: ") for line in text.splitlines()) == 1


def test_a_plan_file_that_somebody_made_up_cannot_act_on_a_terminal_or_a_page() -> None:
    evil = PortalPage(
        f"x{HOSTILE}`<b>", f"{HOSTILE}<b>", Action.UPDATE, Presence.PRESENT, imports=True, headline=f"{HOSTILE}<b>"
    )
    page = PlanPage((evil,))
    assert all(character == "\n" or character.isprintable() for character in render(page))
    assert "<b>" not in plan_markdown.render(page)
    assert "\x1b" not in plan_markdown.render(page)


def test_only_a_terminal_gets_colors_and_only_on_signs() -> None:
    text = render(story_page(), width=80, color=True)
    assert "\x1b[32m+\x1b[0m brand-new: new portal" in text
    plain = text
    for code in ("[32m", "[33m", "[36m", "[31m", "[1;31m", "[0m"):
        plain = plain.replace(f"\x1b{code}", "")
    assert plain == render(story_page(), width=80)


@pytest.mark.parametrize("what", ["notes", "refusals", "entries that are left out", "all"])
def test_a_page_with_many_words_fits_a_comment_and_says_what_is_left_out(what: str) -> None:
    many = plan_of(*[portal(f"p{number:04}", client_id=numbered(number)) for number in range(1000)])
    words = "A word about it. " * 8
    warning = WarningPage("unmatched-exclusion", "portals.d/contoso.yaml:9:5", words, words)
    page = page_of(many)
    if what in ("notes", "all"):
        page = replace(page, warnings=(warning,) * 800)
    if what in ("refusals", "all"):
        page = replace(page, refusals=(ErrorInfo("too-many-lost", words, words),) * 800)
    if what in ("entries that are left out", "all"):
        page = replace(page, refusals=(*page.refusals, *(ErrorInfo("removal-refused", words, words),) * 800))
    shown = plan_markdown.render(page)
    assert 50_000 < len(shown) <= plan_markdown.MAX_CHARACTERS + 100
    assert "more portals have no room here" in shown
    assert ("- 7" in shown and "more notes have no room here" in shown) == (what in ("notes", "all"))
    assert ("more refusals have no room here" in shown) == (what != "notes")
    assert shown.count("\n### ") > 20, "portals have room all the same"
    assert shown.splitlines()[-1].startswith("Legend: ")


def test_a_page_of_a_thousand_portals_fits_a_comment_and_says_what_is_left_out() -> None:
    many = plan_of(*[portal(f"p{number:04}", client_id=numbered(number)) for number in range(1000)])
    shown = plan_markdown.render(page_of(many))
    assert len(shown) <= plan_markdown.MAX_CHARACTERS + 100
    listed = shown.count("\n### ")
    assert listed < 1000
    assert f"{1000 - listed} more portals have no room here" in shown
    assert shown.startswith("## Plan for the license portals\n\n**Plan: 1,000 portals new,")
