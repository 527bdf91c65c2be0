"""The end of a credential: its levels at their borders, where the date comes from, and what reports say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.expiry import Condition, Expiry, condition, known_end, level
from reconciler.model import (
    Authentication,
    FederatedAuthentication,
    ManagedIdentityAuthentication,
    Portal,
    PortalState,
    SecretAuthentication,
    Settings,
    Suspension,
)
from reconciler.next_steps import NextStep, Rank
from reconciler.plan import Action
from reconciler.render.reports import reports
from reconciler.render.status_table import render as status_table
from reconciler.report import make_report
from reconciler.transition import delete, stamp
from tests.core.core_world import (
    LATER,
    NOW,
    TODAY,
    applied,
    certificate,
    changed_fields,
    complete,
    failed,
    known,
    license_,
    plan_of,
    portal,
    portal_state,
    product,
    secret,
)
from tests.core.plan_story import text_of as plan_text

ENDS = date(2026, 12, 31)


def ending(end: date | None = ENDS, authentication: Authentication | None = None) -> PortalState:
    """A portal with one product whose credential ends on this day."""
    signs_in = authentication or secret(end)
    return portal_state(product(), declared=portal(authentication=signs_in), credential_expires=end)


def said(state: PortalState, today: date = TODAY, settings: Settings | None = None) -> Condition:
    """The condition of a portal."""
    return condition(state, settings or Settings(), today)


# --- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-400, Expiry.EXPIRED),
        (-1, Expiry.EXPIRED),
        (0, Expiry.EXPIRES_SOON),
        (1, Expiry.EXPIRES_SOON),
        (7, Expiry.EXPIRES_SOON),
        (8, Expiry.EXPIRING),
        (30, Expiry.EXPIRING),
        (31, Expiry.VALID),
        (4000, Expiry.VALID),
    ],
)
def test_the_levels_lie_at_7_and_30_days_and_the_last_day_still_counts(days: int, expected: Expiry) -> None:
    assert level(TODAY + timedelta(days=days), Settings(), TODAY) is expected


@pytest.mark.parametrize(
    ("expiring", "urgent", "days", "expected"),
    [
        (60, 14, 14, Expiry.EXPIRES_SOON),
        (60, 14, 15, Expiry.EXPIRING),
        (60, 14, 60, Expiry.EXPIRING),
        (60, 14, 61, Expiry.VALID),
        (0, 0, 0, Expiry.EXPIRES_SOON),
        (0, 0, 1, Expiry.VALID),
        (7, 30, 20, Expiry.EXPIRES_SOON),
    ],
)
def test_settings_move_the_levels(expiring: int, urgent: int, days: int, expected: Expiry) -> None:
    settings = Settings(expiring_days=expiring, urgent_days=urgent)
    assert level(TODAY + timedelta(days=days), settings, TODAY) is expected


def test_an_end_that_is_not_known_is_no_alarm() -> None:
    assert level(None, Settings(), TODAY) is Expiry.UNKNOWN
    assert not said(ending(None)).holds
    assert not said(ending(None, certificate())).holds


def test_the_calendars_last_day_is_no_overflow() -> None:
    assert level(date.max, Settings(), date.max) is Expiry.EXPIRES_SOON


# --- where the date comes from ---------------------------------------------------------------------------------------


CERTIFIED = ending(ENDS, certificate())
NEW_END = date(2027, 11, 23)


@pytest.mark.parametrize(
    ("before", "declared", "found", "expected"),
    [
        pytest.param(None, portal(authentication=secret(ENDS)), None, ENDS, id="a secret's own date"),
        pytest.param(None, portal(authentication=secret()), NEW_END, None, id="nothing but the file for a secret"),
        pytest.param(ending(ENDS), portal(authentication=secret()), None, None, id="a date taken out"),
        pytest.param(None, portal(authentication=certificate()), ENDS, ENDS, id="a new certificate"),
        pytest.param(None, portal(authentication=certificate()), None, None, id="a new one that cannot be read"),
        pytest.param(CERTIFIED, CERTIFIED.portal, None, ENDS, id="one that cannot be read any more"),
        pytest.param(CERTIFIED, CERTIFIED.portal, NEW_END, NEW_END, id="another one in the same files"),
        pytest.param(CERTIFIED, portal(authentication=certificate("b")), None, None, id="other files"),
        pytest.param(CERTIFIED, replace(CERTIFIED.portal, id="b", name="B"), None, ENDS, id="a renamed portal"),
        pytest.param(CERTIFIED, portal(authentication=FederatedAuthentication()), ENDS, None, id="nothing to end"),
        pytest.param(ending(ENDS), portal(authentication=certificate()), None, None, id="from secret to certificate"),
    ],
)
def test_the_end_is_the_files_or_the_certificates_or_the_last_known(
    before: PortalState | None, declared: Portal, found: date | None, expected: date | None
) -> None:
    assert known_end(before, declared, found) == expected


def test_a_certificate_that_cannot_be_read_here_is_no_change() -> None:
    first = applied(None, CERTIFIED.portal, complete(license_()), credential_end=ENDS)
    assert first.credential_expires == ENDS
    assert plan_of(CERTIFIED.portal, known=known(first)).pending == ()
    assert applied(first, CERTIFIED.portal, complete(license_()), now=LATER) is first


def test_an_end_that_only_the_import_meets_is_remembered() -> None:
    shown = applied(None, CERTIFIED.portal, complete(license_(), credential_end=ENDS))
    assert shown.credential_expires == ENDS
    assert plan_of(CERTIFIED.portal, known=known(shown)).pending == ()
    assert applied(shown, CERTIFIED.portal, complete(license_(), credential_end=ENDS), now=LATER) == shown
    assert applied(shown, CERTIFIED.portal, complete(license_()), now=LATER) == shown, "the second credential signed in"
    renewed = applied(shown, CERTIFIED.portal, complete(license_(), credential_end=NEW_END), now=LATER)
    assert (renewed.credential_expires, renewed.last_import) == (NEW_END, shown.last_import)


def test_plan_shows_the_new_end_after_a_certificate_was_replaced() -> None:
    first = applied(None, CERTIFIED.portal, complete(license_()), credential_end=ENDS)
    plan = plan_of(CERTIFIED.portal, known=known(first), credential_ends={"contoso": NEW_END})
    assert plan.portals[0].action is Action.UPDATE
    assert changed_fields(plan.portals[0].changes) == {"credential_expires": ("2026-12-31", "2027-11-23")}
    assert plan.portals[0].credential == Condition(Expiry.VALID, "The certificate expires on 2027-11-23.")


def test_a_corrected_date_of_a_secret_is_told_once() -> None:
    first = applied(None, ending().portal, complete(license_()))
    after = portal(authentication=secret(NEW_END))
    plan = plan_of(after, known=known(first))
    assert changed_fields(plan.portals[0].changes) == {"authentication.expires": ("2026-12-31", "2027-11-23")}
    assert plan.portals[0].after.credential_expires == NEW_END


def test_a_state_from_before_the_date_was_kept_takes_it_over() -> None:
    old = replace(applied(None, ending().portal, complete(license_())), credential_expires=None)
    plan = plan_of(old.portal, known=known(old))
    assert changed_fields(plan.portals[0].changes) == {"credential_expires": (None, "2026-12-31")}


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason", "message"),
    [
        (ending(date(2026, 11, 22)), Expiry.EXPIRED, "The client secret expired on 2026-11-22."),
        (ending(date(2026, 11, 23)), Expiry.EXPIRES_SOON, "The client secret expires on 2026-11-23."),
        (ending(date(2026, 12, 23), certificate()), Expiry.EXPIRING, "The certificate expires on 2026-12-23."),
        (ending(date(2027, 3, 31)), Expiry.VALID, "The client secret expires on 2027-03-31."),
        (
            ending(None),
            Expiry.UNKNOWN,
            "The end of the client secret is not known: the portal's file has no `expires`.",
        ),
        (
            ending(None, certificate()),
            Expiry.UNKNOWN,
            "The end of the certificate is not known: it could not be read yet.",
        ),
        (
            ending(None, FederatedAuthentication()),
            Expiry.VALID,
            "Nothing to renew: it signs in by the token of another identity provider.",
        ),
        (
            ending(None, ManagedIdentityAuthentication()),
            Expiry.VALID,
            "Nothing to renew: it signs in by a managed identity.",
        ),
    ],
)
def test_a_condition_names_the_credential_and_its_day(state: PortalState, reason: Expiry, message: str) -> None:
    found = said(state)
    assert (found.type, found.reason, found.message) == ("CredentialExpiring", reason, message)
    assert found.holds is (reason in (Expiry.EXPIRED, Expiry.EXPIRES_SOON, Expiry.EXPIRING))
    assert (found.remedy is not None) is found.holds


@pytest.mark.parametrize(
    ("second", "more"),
    [
        (None, ""),
        (secret(), ""),
        (certificate(), ""),
        (secret(date(2026, 12, 24)), ""),
        (secret(date(2026, 12, 23)), " The second credential expires on 2026-12-23."),
        (secret(date(2026, 11, 22)), " The second credential expired on 2026-11-22."),
    ],
)
def test_a_second_secret_is_mentioned_when_its_end_is_near(second: SecretAuthentication | None, more: str) -> None:
    state = ending(date(2027, 3, 31))
    found = said(replace(state, portal=replace(state.portal, second_authentication=second)))
    assert found == Condition(Expiry.VALID, f"The client secret expires on 2027-03-31.{more}")


def test_a_deleted_portal_has_no_condition_and_a_suspended_one_nothing_to_do() -> None:
    soon = ending(date(2026, 11, 25))
    gone = make_report(known(delete(soon)), Settings(), TODAY)
    assert gone.portals[0].credential is None
    assert plan_of(known=known(soon)).portals[0].credential is None
    pausing = replace(soon.portal, suspend=Suspension("Migration"))
    paused = make_report(known(applied(soon, pausing)), Settings(), TODAY)
    assert paused.portals[0].credential == said(soon)
    assert paused.next_steps == ()
    assert "CredentialExpiring" not in status_table(paused)
    assert "CredentialExpiring" not in plan_text(plan_of(pausing, known=known(soon)))


# --- reports ---------------------------------------------------------------------------------------------------------


def pages(state: PortalState, today: date) -> dict[str, str]:
    """Every file of a report."""
    return reports(make_report(known(state), Settings(), today))


@pytest.mark.parametrize(
    ("days", "rank"),
    [(-1, Rank.URGENT_CREDENTIAL), (7, Rank.URGENT_CREDENTIAL), (8, Rank.CREDENTIAL), (30, Rank.CREDENTIAL)],
)
def test_a_credential_that_ends_is_a_next_step(days: int, rank: Rank) -> None:
    state = ending(TODAY + timedelta(days=days))
    found = said(state)
    assert make_report(known(state), Settings(), TODAY).next_steps == (
        NextStep(rank, 0, "contoso", "Contoso", found.message, found.remedy or ""),
    )


def test_an_expired_credential_stands_below_the_failure_that_it_causes_and_above_shortages() -> None:
    short = portal_state(product(consumers=105), declared=ending(date(2026, 11, 1)).portal)
    state = applied(replace(short, credential_expires=date(2026, 11, 1)), short.portal, failed(), now=LATER)
    ranks = [step.rank for step in make_report(known(state), Settings(), TODAY).next_steps]
    assert ranks == [Rank.FAILED_IMPORT, Rank.URGENT_CREDENTIAL, Rank.SHORTAGE]


@given(st.integers(-40, 40), st.booleans())
def test_no_byte_changes_from_one_day_to_the_next_unless_a_level_is_crossed(day: int, signed: bool) -> None:
    state = ending(ENDS, certificate() if signed else None)
    today, tomorrow = ENDS + timedelta(days=day), ENDS + timedelta(days=day + 1)
    crossed = level(ENDS, Settings(), today) is not level(ENDS, Settings(), tomorrow)
    assert (pages(state, today) != pages(state, tomorrow)) is crossed


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_condition_is_a_function_of_its_arguments_and_counts_no_days(today: date, end: date | None) -> None:
    state = ending(end)
    found = said(state, today)
    assert found == said(ending(end), today)
    numbers = [word for word in found.message.replace(".", "").split() if any(map(str.isdigit, word))]
    assert numbers == ([str(end)] if end else [])


def test_a_day_that_crosses_a_level_does_not_raise_the_serial() -> None:
    """The condition is worked out when a report is made: the ledger keeps the date only."""
    state = applied(None, ending().portal, complete(license_()), now=NOW)
    for day in (2, 25, 60):
        now: datetime = NOW + timedelta(days=day)
        again = applied(state, state.portal, complete(license_()), now=now)
        assert again is state
        assert stamp(state, again, now) is state
