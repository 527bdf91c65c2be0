"""What a plan was made from, as digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.model import Portal, PortalState, Removal, Settings
from reconciler.plan_page import Basis, KnownAs
from reconciler.render.plan_json import render
from reconciler.run import Run
from reconciler.safety import Override
from reconciler.store import ledger
from reconciler.store.plan_file import basis, is_plan, read
from tests.core.core_world import NOW, applied, complete, exclusion, known, license_, numbered, plan_of, portal, title
from tests.core.plan_story import refreshed_page, saved

CONTOSO, NORTH = portal(), portal("north", client_id=numbered(1))
STATE = applied(None, CONTOSO, complete(license_()))
ENDS = {"contoso": date(2027, 1, 1), "north": date(2028, 1, 1)}


def made(
    *declared: Portal,
    state: Mapping[str, PortalState] | None = None,
    settings: Settings | None = None,
    removals: Sequence[Removal] = (),
    only: tuple[str, ...] = (),
    allowed: tuple[Override, ...] = (),
    emulated: bool = False,
    credential_ends: Mapping[str, date] = ENDS,
) -> Basis:
    """What a plan for these portals was made from."""
    rules, states = settings or Settings(), known(STATE) if state is None else state
    run = Run(
        {item.id: item for item in declared},
        rules,
        title,
        NOW,
        "test",
        removals,
        only,
        allowed=allowed,
        emulate=emulated,
        credential_ends=credential_ends,
    )
    return basis(run, plan_of(*declared, known=states, only=only, settings=rules))


def test_the_state_is_known_by_the_serial_and_the_digest_of_its_ledger_file() -> None:
    found = made(CONTOSO, NORTH)
    assert found.tool == __version__
    assert found.state == {"contoso": KnownAs(STATE.serial, ledger.digest(ledger.render(STATE)))}
    assert found.portals.keys() == {"contoso", "north"}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (made(replace(CONTOSO, exclusions=(exclusion(),)), NORTH), "portals"),
        (made(CONTOSO, NORTH, settings=Settings(count_warning=False)), "settings"),
        (made(CONTOSO, NORTH, removals=[Removal("contoso", "A", "Gone")]), "removals"),
        (made(CONTOSO, NORTH, state={}), "state"),
        (made(CONTOSO, NORTH, emulated=True), "emulated"),
        (made(CONTOSO, NORTH, allowed=(Override.LOSS,)), "allowed"),
        (made(CONTOSO, NORTH, credential_ends={}), "credential_ends"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_part_has_a_digest_of_its_own(other: Basis, field: str) -> None:
    same = made(CONTOSO, NORTH)
    assert other != same
    assert replace(other, **{field: getattr(same, field)}) == same


def test_with_a_selection_only_the_selected_portals_count() -> None:
    one = made(CONTOSO, NORTH, only=("contoso",))
    assert one.portals.keys() == one.state.keys() == one.credential_ends.keys() == {"contoso"}
    about_north = [Removal("north", "A", "Gone")]
    assert made(CONTOSO, NORTH, only=("contoso",), removals=about_north) == one
    assert made(CONTOSO, replace(NORTH, name="Other"), only=("contoso",)) == one
    assert made(CONTOSO, NORTH, removals=about_north) != made(CONTOSO, NORTH)


def test_the_order_of_a_selection_does_not_count() -> None:
    assert made(CONTOSO, NORTH, only=("north", "contoso")) == made(CONTOSO, NORTH, only=("contoso", "north"))


def test_a_plan_file_reads_back_as_it_was(tmp_path: Path) -> None:
    plan = saved(refreshed_page())
    path = tmp_path / "plan.json"
    path.write_text(render(plan), encoding="utf-8")
    assert read(path) == plan
    assert is_plan(path)


@pytest.mark.parametrize(
    ("content", "may"),
    [("", False), ('{"format_version": 9, "basis": 1, "portals": 1}', True), ("{}", False), ("3", False)],
)
def test_only_a_plan_of_any_version_may_be_replaced(content: str, may: bool, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    assert is_plan(path) is may
    assert not is_plan(tmp_path)
