"""What entries of removals.yaml come to: only what cannot be synchronized goes, once, and never by an old entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model import (
    Complete,
    Exclusion,
    PortalState,
    Presence,
    Reason,
    Removal,
    Removed,
    Settings,
    Status,
)
from reconciler.plan import Action
from reconciler.removals import RemovalOutcome, RemovalVerdict
from reconciler.safety import check_plan, refused_removals
from reconciler.transition import delete, remove, stamp
from tests.core.core_world import (
    E3,
    E5,
    LATER,
    TODAY,
    applied,
    complete,
    exclusion,
    known,
    license_,
    plan_of,
    portal,
    portal_state,
    product,
)

BOTH = complete(license_(E3), license_(E5))
ONLY_E5 = complete(license_(E5))


def removal(sku: str = "ENTERPRISEPACK", *, of: str = "contoso", reason: str = "not bought again") -> Removal:
    """An entry of removals.yaml."""
    return Removal(of, sku, reason, "LIC-7", "portals.d/removals.yaml:2:5")


def known_gone() -> PortalState:
    """A portal of which one of two products is gone."""
    return applied(applied(None, portal(), BOTH), portal(), ONLY_E5, now=LATER)


def verdicts(state: PortalState, *entries: Removal, declared: bool = True) -> list[RemovalVerdict]:
    """What becomes of the entries for one portal, or of those for portals that nobody knows."""
    plan = plan_of(*([state.portal] if declared else []), known=known(state), removals=entries)
    return [verdict for item in plan.portals for verdict in item.removals] + list(plan.stray_removals)


def outcome(state: PortalState, entry: Removal, *, declared: bool = True) -> tuple[RemovalOutcome, str]:
    """What becomes of one entry, and why."""
    (verdict,) = verdicts(state, entry, declared=declared)
    return verdict.outcome, verdict.why


@pytest.mark.parametrize("sku", ["ENTERPRISEPACK", "enterprisepack", E3])
def test_a_product_that_is_gone_is_removed_and_stays_on_record(sku: str) -> None:
    plan = plan_of(portal(), known=known(known_gone()), removals=[removal(sku)]).portals[0]
    assert [item.sku_id for item in plan.after.products] == [E5]
    assert plan.after.removed == (
        Removed(
            E3,
            "ENTERPRISEPACK",
            "Office 365 E3",
            Reason.GONE_FROM_PORTAL,
            sku,
            "not bought again",
            "LIC-7",
            TODAY,
        ),
    )
    assert (plan.action, plan.removed, plan.lost) == (Action.UPDATE, 1, 0)
    assert [(change.field, change.after, change.why) for change in plan.changes] == [
        ("product", None, "LIC-7: not bought again")
    ]


def test_a_product_that_can_be_synchronized_is_refused_by_position() -> None:
    plan = plan_of(portal(), known=known(applied(None, portal(), BOTH)), removals=[removal()])
    (refusal,) = refused_removals(plan)
    assert check_plan(plan, Settings(), ()) == []
    assert refusal.code == "removal-refused"
    assert refusal.message == (
        "portals.d/removals.yaml:2:5: Contoso - Office 365 E3 can be synchronized (Fully licensed)."
    )
    assert plan.portals[0].removed == 0
    assert len(plan.portals[0].after.products) == 2


def test_one_pull_request_may_exclude_a_license_and_remove_its_product() -> None:
    excluding = portal(exclusions=(exclusion("ENTERPRISEPACK"),))
    plan = plan_of(excluding, known=known(applied(None, portal(), BOTH)), removals=[removal()])
    assert check_plan(plan, Settings(), ()) == []
    assert [item.sku_id for item in plan.portals[0].after.products] == [E5]
    assert (plan.portals[0].lost, plan.portals[0].removed) == (1, 1)


def test_an_exclusion_from_alerts_makes_nothing_removable() -> None:
    alerts = portal(exclusions=(Exclusion("ENTERPRISEPACK", "known", scope="alerts"),))  # type: ignore[arg-type]
    state = applied(None, alerts, BOTH)
    assert outcome(state, removal())[0] is RemovalOutcome.REFUSED


def test_everything_of_a_deleted_portal_goes_and_the_portal_with_it() -> None:
    plan = plan_of(known=known(applied(None, portal(), BOTH)), removals=[removal("*")]).portals[0]
    assert plan.after.is_forgotten
    assert [item.was for item in plan.after.removed] == [Reason.PORTAL_DELETED] * 2
    assert (plan.action, plan.removed) == (Action.DELETE, 2)
    again = plan_of(known=known(plan.after), removals=[removal("*")])
    assert again.portals == ()
    assert [verdict.outcome for verdict in again.stray_removals] == [RemovalOutcome.DONE]


def test_everything_of_a_portal_that_is_declared_is_refused() -> None:
    found = outcome(known_gone(), removal("*"))
    assert found == (RemovalOutcome.REFUSED, "the portal contoso is still declared; name the products one by one")


def test_a_done_entry_is_inert_when_the_product_comes_back() -> None:
    plan = plan_of(portal(), known=known(known_gone()), removals=[removal()]).portals[0]
    back = applied(plan.after, portal(), BOTH)
    assert outcome(back, removal()) == (RemovalOutcome.DONE, f"done on {TODAY}")
    gone_again = applied(back, portal(), ONLY_E5, now=LATER)
    assert outcome(gone_again, removal()) == (RemovalOutcome.DONE, f"done on {TODAY}")
    assert outcome(gone_again, removal(reason="gone for good"))[0] is RemovalOutcome.REMOVES


def test_a_product_that_the_next_import_may_recover_is_refused() -> None:
    lifted = applied(applied(None, portal(), BOTH), portal(exclusions=(exclusion("ENTERPRISEPACK"),)))
    entry = removal()
    plan = plan_of(portal(), known=known(lifted), removals=[entry]).portals[0]
    assert [(item.outcome, item.why) for item in plan.removals] == [
        (RemovalOutcome.REFUSED, "Contoso - Office 365 E3 can be synchronized again by the next import")
    ]
    again = plan_of(portal(), known=known(delete(lifted)), removals=[entry]).portals[0]
    assert [item.outcome for item in again.removals] == [RemovalOutcome.REFUSED]


def test_an_entry_without_a_product_or_portal_is_inert() -> None:
    assert outcome(known_gone(), removal("VISIOCLIENT")) == (
        RemovalOutcome.UNMATCHED,
        "contoso has no such product",
    )
    assert outcome(known_gone(), removal(of="fabrikam")) == (
        RemovalOutcome.UNMATCHED,
        "no portal fabrikam is known",
    )


def test_a_portal_that_was_not_asked_for_loses_nothing() -> None:
    states = known(known_gone(), portal_state(product(), declared=portal("other", client_id=E3)))
    plan = plan_of(portal(), portal("other", client_id=E3), known=states, only=("other",), removals=[removal()])
    assert [(item.id, item.removed) for item in plan.portals] == [("other", 0)]
    assert plan.stray_removals == ()


def test_removing_what_can_be_synchronized_is_impossible() -> None:
    with pytest.raises(ValueError, match="can be synchronized"):
        remove(portal_state(product()), {E3: removal()}, TODAY)


def test_a_forgotten_portal_begins_anew_and_keeps_its_record() -> None:
    gone = plan_of(known=known(applied(None, portal(), BOTH)), removals=[removal("*")]).portals[0].after
    plan = plan_of(portal(), known=known(gone)).portals[0]
    assert (plan.action, plan.before, plan.after.presence) == (Action.CREATE, None, Presence.PRESENT)
    assert plan.after.removed == gone.removed
    assert plan.after.serial == gone.serial
    assert plan.after.last_import.as_of is None
    seen: Complete = BOTH
    assert [item.status for item in applied(plan.after, portal(), seen).products] == [Status.FULLY_LICENSED] * 2


def test_a_forgotten_portal_is_no_former_name_of_a_new_file() -> None:
    gone = plan_of(known=known(applied(None, portal(), BOTH)), removals=[removal("*")]).portals[0].after
    plan = plan_of(replace(portal(), id="elsewhere"), known=known(gone))
    assert [(item.id, item.action) for item in plan.portals] == [("elsewhere", Action.CREATE)]


def test_the_serial_of_a_forgotten_portal_goes_on() -> None:
    gone = plan_of(known=known(applied(None, portal(), BOTH)), removals=[removal("*")]).portals[0]
    forgotten = stamp(gone.before, gone.after, LATER)
    again = plan_of(portal(), known=known(forgotten)).portals[0]
    assert stamp(again.before, again.after, LATER).serial == forgotten.serial + 1


def test_an_entry_under_the_former_id_counts_in_the_plan_that_renames_the_file() -> None:
    renamed = replace(portal(), id="renamed")
    plan = plan_of(renamed, known=known(known_gone()), removals=[removal()]).portals[0]
    assert (plan.id, plan.removed) == ("renamed", 1)
    later = plan_of(renamed, known=known(plan.after), removals=[removal()])
    assert later.portals[0].removals == ()
    assert [(item.outcome, item.why) for item in later.stray_removals] == [
        (RemovalOutcome.DONE, f"done on {TODAY}; the portal is now renamed")
    ]


def test_a_refusal_says_that_the_product_came_back() -> None:
    plan = plan_of(portal(), known=known(known_gone()), removals=[removal()]).portals[0]
    back = applied(plan.after, portal(), BOTH)
    outcome_, why = outcome(back, removal(reason="gone for good"))
    assert outcome_ is RemovalOutcome.REFUSED
    assert why.endswith(f"; it came back after its removal on {TODAY}")
