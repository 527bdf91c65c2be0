"""Desired against actual: what apply will do to portals and products."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.errors import ConfigurationError
from reconciler.model import (
    DeclaredEntitlement,
    Portal,
    Presence,
    Price,
    ProductEntry,
    Reason,
    Reference,
    SecretAuthentication,
    Settings,
    Suspension,
)
from reconciler.plan import Action, Declared, Plan, make_plan
from reconciler.transition import delete
from tests.core.core_world import (
    CLIENT,
    E3,
    E5,
    OTHER_TENANT,
    TODAY,
    applied,
    changed_fields,
    complete,
    exclusion,
    known,
    license_,
    plan_of,
    portal,
    portal_state,
    product,
    title,
)

BOTH = complete(license_(E3), license_(E5))
CONTOSO = applied(None, portal(), BOTH)
EXCLUDING = portal(exclusions=(exclusion("ENTERPRISEPACK", "Moved to E5"),))


def actions(plan: Plan) -> dict[str, Action]:
    """What happens to each portal."""
    return {item.id: item.action for item in plan.portals}


def test_a_portal_that_is_not_known_is_created() -> None:
    plan = plan_of(portal())
    assert actions(plan) == {"contoso": Action.CREATE}
    assert changed_fields(plan.portals[0].changes) == {"portal": (None, "contoso")}
    assert plan.portals[0].before is None
    assert plan.portals[0].imports


def test_a_portal_that_is_not_declared_any_more_is_deleted_and_loses_its_products() -> None:
    plan = plan_of(known=known(CONTOSO))
    assert actions(plan) == {"contoso": Action.DELETE}
    assert plan.portals[0].lost == 2
    assert not plan.portals[0].imports
    assert plan.portals[0].after.presence is Presence.DELETED


def test_products_that_were_lost_before_are_not_lost_again() -> None:
    state = portal_state(product(), product(license_(E5), reason=Reason.GONE_FROM_PORTAL))
    assert plan_of(known=known(state)).portals[0].lost == 1


def test_a_deleted_portal_stays_deleted() -> None:
    plan = plan_of(known=known(delete(CONTOSO)))
    assert actions(plan) == {"contoso": Action.NONE}
    assert plan.pending == ()
    assert not plan.portals[0].imports


def test_nothing_happens_to_a_portal_that_is_as_declared() -> None:
    plan = plan_of(portal(), known=known(CONTOSO))
    assert actions(plan) == {"contoso": Action.NONE}
    assert plan.portals[0].after == CONTOSO
    assert plan.portals[0].imports


@pytest.mark.parametrize(
    ("declared", "field", "before", "after"),
    [
        (portal(name="Contoso AG", directory="Microsoft 365/Contoso"), "name", "Contoso", "Contoso AG"),
        (portal(description="Production"), "description", None, "Production"),
        (portal(directory="Elsewhere"), "directory", "Microsoft 365/Contoso", "Elsewhere"),
        (portal(protect=True), "protect", "no", "yes"),
        (portal(suspend=Suspension("Migration")), "presence", "present", "suspended"),
        (
            portal(authentication=SecretAuthentication(Reference("env", "NEW"))),
            "authentication.secret.name",
            "CONTOSO_SECRET",
            "NEW",
        ),
        (portal(exclusions=(exclusion(),)), "exclusions.FLOW_FREE", None, "Free"),
        (
            portal(products=(ProductEntry(E3, entitlement=DeclaredEntitlement(500)),)),
            f"products.{E3}",
            None,
            "500 declared",
        ),
    ],
)
def test_an_edit_of_the_file_is_an_update(declared: Portal, field: str, before: str | None, after: str | int) -> None:
    plan = plan_of(declared, known=known(CONTOSO))
    assert actions(plan) == {"contoso": Action.UPDATE}
    assert changed_fields(plan.portals[0].changes)[field] == (before, after)
    assert plan.portals[0].lost == 0


def test_the_order_of_entries_in_a_file_is_no_change() -> None:
    one, two = exclusion("A_FREE"), exclusion("B_FREE")
    first, second = ProductEntry("ENTERPRISEPACK", directory="A"), ProductEntry("SPE_E5", directory="B")
    state = applied(None, portal(exclusions=(one, two), products=(first, second)), BOTH)
    plan = plan_of(portal(exclusions=(two, one), products=(second, first)), known=known(state))
    assert actions(plan) == {"contoso": Action.NONE}
    assert plan.portals[0].after == state


def test_an_exclusion_of_a_known_product_loses_it_and_says_in_whose_words() -> None:
    plan = plan_of(EXCLUDING, known=known(CONTOSO)).portals[0]
    fields = changed_fields(tuple(change for change in plan.changes if change.sku_id == E3))
    assert fields == {"status": ("fully_licensed", "cannot_be_synchronised"), "reason": (None, "excluded")}
    assert [change.why for change in plan.changes if change.field == "reason"] == ["ENTERPRISEPACK: Moved to E5"]
    assert plan.lost == 1


def test_a_new_title_is_a_planned_change() -> None:
    plan = make_plan(Declared(known_portals(), Settings(), lambda sku_id, part: part, TODAY), known(CONTOSO))
    assert actions(plan) == {"contoso": Action.UPDATE}
    assert {(change.field, change.before, change.after) for change in plan.portals[0].changes} == {
        ("title", "Office 365 E3", "ENTERPRISEPACK"),
        ("title", "Microsoft 365 E5", "SPE_E5"),
    }


def known_portals() -> dict[str, Portal]:
    """What is declared by default."""
    return {"contoso": portal()}


def test_a_setting_that_changes_a_status_is_a_planned_change() -> None:
    plan = plan_of(portal(), known=known(CONTOSO), settings=Settings(unmetered=("SPE_E5",)))
    assert changed_fields(plan.portals[0].changes) == {"status": ("fully_licensed", "not_metered")}
    assert plan.portals[0].lost == 0


def test_a_setting_that_changes_no_status_is_no_change() -> None:
    plan = plan_of(portal(), known=known(CONTOSO), settings=Settings(expiring_days=90, count_warning=False))
    assert plan.pending == ()


# --- recoveries ------------------------------------------------------------------------------------------------------


def test_a_lifted_exclusion_is_an_update_that_names_the_recovery() -> None:
    excluded = applied(CONTOSO, EXCLUDING, BOTH)
    plan = plan_of(portal(), known=known(excluded)).portals[0]
    assert plan.action is Action.UPDATE
    assert [(change.sku_id, change.before) for change in plan.recoveries] == [(E3, "excluded")]


def test_a_recovery_stays_pending_until_a_complete_import() -> None:
    waiting = applied(applied(CONTOSO, EXCLUDING, BOTH), portal())
    plan = plan_of(portal(), known=known(waiting)).portals[0]
    assert (plan.action, plan.changes) == (Action.UPDATE, ())
    assert [change.sku_id for change in plan.recoveries] == [E3]
    assert plan_of(portal(), known=known(applied(waiting, portal(), BOTH))).pending == ()


def test_an_exclusion_that_ended_yesterday_is_a_recovery_today() -> None:
    declared = portal(exclusions=(exclusion("ENTERPRISEPACK", until=TODAY),))
    excluded = applied(CONTOSO, declared, BOTH)
    desired, actual = {"contoso": declared}, known(excluded)
    assert make_plan(Declared(desired, Settings(), title, TODAY), actual).pending == ()
    tomorrow = make_plan(Declared(desired, Settings(), title, TODAY + timedelta(days=1)), actual)
    assert [change.sku_id for change in tomorrow.portals[0].recoveries] == [E3]


def test_a_portal_that_is_declared_again_recovers_all_its_products() -> None:
    plan = plan_of(portal(), known=known(delete(CONTOSO))).portals[0]
    assert plan.action is Action.UPDATE
    assert changed_fields(plan.changes) == {"presence": ("deleted", "present")}
    assert {change.before for change in plan.recoveries} == {"portal_deleted"}
    assert len(plan.recoveries) == 2


def test_nothing_recovers_while_a_portal_is_suspended() -> None:
    paused = portal(suspend=Suspension("Migration"))
    waiting = applied(applied(CONTOSO, EXCLUDING, BOTH), paused)
    plan = plan_of(paused, known=known(waiting))
    assert plan.pending == ()
    assert not plan.portals[0].imports


def test_a_license_that_is_gone_is_no_recovery() -> None:
    gone = portal_state(product(reason=Reason.GONE_FROM_PORTAL))
    assert plan_of(portal(), known=known(gone)).pending == ()


# --- renamed files ---------------------------------------------------------------------------------------------------


def test_a_renamed_file_with_the_same_tenant_and_client_is_no_deletion() -> None:
    plan = plan_of(portal("contoso-prod", name="Contoso"), known=known(CONTOSO))
    assert actions(plan) == {"contoso-prod": Action.UPDATE}
    renamed = plan.portals[0]
    assert renamed.before == CONTOSO
    assert renamed.after.products == CONTOSO.products
    assert changed_fields(renamed.changes) == {"file": ("contoso", "contoso-prod")}
    assert renamed.lost == 0


@pytest.mark.parametrize("other", [{"tenant_id": OTHER_TENANT}, {"client_id": OTHER_TENANT}])
def test_another_tenant_or_client_is_another_portal(other: dict[str, str]) -> None:
    plan = plan_of(portal("fabrikam", **other), known=known(CONTOSO))
    assert actions(plan) == {"contoso": Action.DELETE, "fabrikam": Action.CREATE}


def test_with_two_candidates_nothing_counts_as_renamed() -> None:
    twice = plan_of(portal("north"), portal("south"), known=known(CONTOSO))
    assert actions(twice) == {"contoso": Action.DELETE, "north": Action.CREATE, "south": Action.CREATE}
    second = replace(CONTOSO, portal=portal("fabrikam"))
    merged = plan_of(portal("north"), known=known(CONTOSO, second))
    assert actions(merged) == {"contoso": Action.DELETE, "fabrikam": Action.DELETE, "north": Action.CREATE}


def test_a_portal_deleted_long_ago_does_not_stand_in_the_way_of_a_rename() -> None:
    old = delete(replace(CONTOSO, portal=portal("old")))
    plan = plan_of(portal("north", name="Contoso"), known=known(CONTOSO, old))
    assert actions(plan) == {"north": Action.UPDATE, "old": Action.NONE}
    assert plan.portals[0].before == CONTOSO


def test_a_deleted_portal_may_come_back_under_another_file_name() -> None:
    plan = plan_of(portal("north"), known=known(delete(CONTOSO)))
    assert actions(plan) == {"north": Action.UPDATE}
    assert len(plan.portals[0].recoveries) == 2


def test_two_portals_of_one_tenant_that_stay_are_not_renamed() -> None:
    second = replace(CONTOSO, portal=portal("fabrikam"))
    plan = plan_of(portal(), portal("fabrikam"), known=known(CONTOSO, second))
    assert set(actions(plan).values()) == {Action.NONE}


# --- a selection -----------------------------------------------------------------------------------------------------


def test_only_what_is_selected_is_planned() -> None:
    fabrikam = portal("fabrikam", tenant_id=OTHER_TENANT)
    plan = plan_of(portal(name="Contoso AG"), fabrikam, known=known(CONTOSO), only=("fabrikam",))
    assert actions(plan) == {"fabrikam": Action.CREATE}
    assert plan.declared == 2


def test_a_known_portal_whose_file_is_gone_can_be_selected() -> None:
    fabrikam = replace(CONTOSO, portal=portal("fabrikam", client_id=OTHER_TENANT))
    plan = plan_of(known=known(CONTOSO, fabrikam), only=("fabrikam",))
    assert actions(plan) == {"fabrikam": Action.DELETE}


@pytest.mark.parametrize("selected", ["contoso", "contoso-prod"])
def test_a_renamed_portal_can_be_selected_by_either_name(selected: str) -> None:
    plan = plan_of(portal("contoso-prod"), known=known(CONTOSO), only=(selected,))
    assert actions(plan) == {"contoso-prod": Action.UPDATE}


def test_an_id_that_is_neither_declared_nor_known_is_an_error_that_names_the_others() -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan_of(portal(), known=known(CONTOSO), only=("contoso", "typo", "another"))
    assert (caught.value.code, caught.value.message) == ("unknown-portal", "There is no portal another, typo.")
    assert caught.value.remedy == "Known portals: contoso."


def test_portals_stand_in_the_order_of_their_ids() -> None:
    plan = plan_of(portal("b"), portal("c", tenant_id=OTHER_TENANT), portal("a", client_id=OTHER_TENANT))
    assert [item.id for item in plan.portals] == ["a", "b", "c"]


def test_a_price_is_a_change_of_the_file_and_of_no_status() -> None:
    priced = portal(products=(ProductEntry("SPE_E5", price=Price(Decimal("34.40"), "EUR", "month")),))
    plan = plan_of(priced, known=known(CONTOSO)).portals[0]
    assert changed_fields(plan.changes) == {
        "products.SPE_E5": (None, "34.40 EUR per month"),
    }
    assert plan.after.portal.client_id == CLIENT
