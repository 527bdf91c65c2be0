"""Ledger, reports and evidence that fit one another are verified against the files that people declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reconciler.model import ReportSettings, Settings
from reconciler.store import evidence_file
from tests.audit.audit_world import Repository
from tests.audit.forgery import EVIDENCE, commit, forget_emulation, rewrite_reports
from tests.cli.cli_world import keyvault_yaml, office, portal_yaml, tenant

EXCLUDED = "exclusions: [{{sku: FLOW_FREE, reason: {0}}}, {{sku: OLD, reason: Was, until: 2026-01-31}}]\n"


def evidence(repository: Repository) -> evidence_file.Evidence:
    """What the evidence says."""
    return evidence_file.read((repository.root / EVIDENCE).read_bytes())


def is_right(repository: Repository) -> None:
    """Assert that files and history are verified."""
    ended = repository.verify("--log")
    assert ended.code == 0, ended.out


# --- settings --------------------------------------------------------------------------------------------------------


def call_it_unmetered(repository: Repository) -> str:
    """Publish a shortage, and let the evidence alone say that the product is not metered; the forged commit."""
    repository.world.tenants(tenant(1, skus=(office(1),)), tenant(2))
    repository.publish()
    page = repository.root / "state/reports/one.md"
    before = page.read_bytes()
    rewrite_reports(repository, settings=replace(evidence(repository).settings, unmetered=("ENTERPRISEPACK",)))
    assert page.read_bytes() != before
    return commit(repository)


def test_settings_that_only_the_evidence_has_are_named(repository: Repository) -> None:
    forged = call_it_unmetered(repository)
    said = f"{EVIDENCE}: its settings are not those of reconcile.yaml"
    for arguments in ((), ("--rev", "HEAD")):
        ended = repository.verify(*arguments)
        assert (ended.code, ended.out) == (1, f"{said}\n")
    assert f"{forged[:12]}: {said} in {forged_from(repository, forged)}\n" in repository.verify("--log").out


def forged_from(repository: Repository, forged: str) -> str:
    """The commit before, as it is shown."""
    return repository.git("rev-parse", f"{forged}~1")[:12]


def test_the_log_finds_them_in_every_commit_and_not_only_in_the_last(repository: Repository) -> None:
    forged = call_it_unmetered(repository)
    repository.world.tenants(tenant(1, skus=(office(20),)), tenant(2))
    repository.publish("2026-11-24T06:00:00Z")
    assert repository.verify().code == 0
    ended = repository.verify("--log")
    assert ended.code == 1
    assert f"{forged[:12]}: {EVIDENCE}: its settings are not those of reconcile.yaml in " in ended.out


def test_settings_are_compared_whatever_they_are(repository: Repository) -> None:
    """What no report depends on, as a key vault, does not count; all else does."""
    (repository.root / "reconcile.yaml").write_text(
        keyvault_yaml()
        + "unmetered: ['*_FREE']\nexclusions: [{sku: '*_TRIAL', reason: Trials, until: 2027-01-31}]\n"
        + "thresholds: {renewal_days: 10}\npolicies: [{rule: min_utilization, percent: 20}]\n"
        + "report: {consumers: pseudonyms, pseudonym_key: {env: KEY}, small_group: 5, confirm: weekly}\n"
    )
    repository.commit("Settings")
    repository.publish()
    is_right(repository)
    rewrite_reports(repository, settings=replace(evidence(repository).settings, report=ReportSettings()))
    assert repository.verify().out == f"{EVIDENCE}: its settings are not those of reconcile.yaml\n"


def test_settings_that_changed_since_cannot_be_compared_and_are_found_by_the_log(repository: Repository) -> None:
    repository.publish()
    rewrite_reports(repository, settings=replace(evidence(repository).settings, unmetered=("ENTERPRISEPACK",)))
    forged = commit(repository)
    (repository.root / "reconcile.yaml").write_text("count_warning: false\n")
    repository.commit("Settings")
    assert repository.verify().code == 0
    assert f"{forged[:12]}: {EVIDENCE}: its settings are not " in repository.verify("--log").out


def test_evidence_of_another_version_says_so_where_its_settings_are_others(repository: Repository) -> None:
    repository.publish()
    rewrite_reports(repository, settings=Settings(expiring_days=3), tool="0.0.9")
    assert "reconcile.yaml (version 0.0.9 wrote it, this is " in repository.verify().out


# --- portals ---------------------------------------------------------------------------------------------------------


def forge_a_reason(repository: Repository, **said: object) -> str:
    """Give an exclusion another reason in the ledger, with the next serial and reports that fit; the commit."""
    repository.publish()
    repository.edit("state/ledger/one.json", "Nothing is owned", "Approved by the board")
    repository.edit("state/ledger/one.json", '"serial": 1', '"serial": 2')
    rewrite_reports(repository, **said)
    return commit(repository)


def test_a_portal_that_only_the_ledger_has_like_this_is_named(repository: Repository) -> None:
    forged = forge_a_reason(repository)
    said = "its portal is not the one of portals.d/one.yaml"
    assert repository.verify().out == f"state/ledger/one.json: {said}, and the file is as it was then\n"
    source = forged_from(repository, forged)
    assert f"{forged[:12]}: state/ledger/one.json: {said} in {source}\n" in repository.verify("--log").out


def test_evidence_that_calls_a_forged_portal_pending_is_told_and_found_by_the_log(repository: Repository) -> None:
    forge_a_reason(repository, pending=frozenset({"one"}))
    ended = repository.verify()
    assert ended.code == 0
    assert ended.err == "Not applied when the reports were written, though their files said otherwise: one.\n"
    assert repository.verify("--log").code == 1


def test_the_log_finds_a_forged_portal_that_was_put_right_later(repository: Repository) -> None:
    forged = forge_a_reason(repository)
    repository.publish("2026-11-24T06:00:00Z")
    assert repository.verify().code == 0
    assert f"{forged[:12]}: state/ledger/one.json: its portal " in repository.verify("--log").out


def test_a_portal_that_waits_is_told_and_is_no_difference(repository: Repository) -> None:
    """Whoever applies one portal leaves the other as it was, although its file has changed."""
    repository.publish()
    repository.world.portals(
        one=portal_yaml(1, extra=EXCLUDED.format("Another")), two=portal_yaml(2, extra="protect: true\n")
    )
    repository.commit("Both")
    repository.publish("2026-11-24T06:00:00Z", "apply", "one")
    assert evidence(repository).pending == {"two"}
    is_right(repository)
    assert "though their files said otherwise: two." in repository.verify().err
    rewrite_reports(repository, pending=frozenset())
    assert repository.verify().out.startswith("state/ledger/two.json: its portal is not the one of portals.d/two.yaml")
    rewrite_reports(repository, pending=frozenset({"one", "two"}))
    assert repository.verify().out.startswith(f"{EVIDENCE}: it says that portals.d/one.yaml waits to be applied")
    repository.git("reset", "--hard", "--quiet")
    repository.publish("2026-11-25T06:00:00Z")
    assert evidence(repository).pending == frozenset()
    is_right(repository)


def test_a_portal_that_turns_to_a_tenant_which_cannot_be_read_waits(repository: Repository) -> None:
    repository.publish()
    turned = portal_yaml(1, name="Portal 9", extra=EXCLUDED.format("Another")).replace("-000000000001", "-000000000009")
    repository.world.portals(one=turned + f"replaces_tenant_id: 10000000-0000-4000-8000-{1:012d}\n", two=portal_yaml(2))
    repository.commit("To another tenant")
    repository.git("push", "--quiet", "origin", "HEAD")
    assert repository.world.run("--now", "2026-11-24T06:00:00Z", "publish").code == 4
    assert evidence(repository).pending == {"one"}
    assert "Another" in (repository.root / "state/ledger/one.json").read_text()
    is_right(repository)


def test_the_order_of_a_portals_entries_is_no_difference(repository: Repository) -> None:
    repository.publish()
    other = "exclusions: [{sku: OLD, reason: Was, until: 2026-01-31}, {sku: FLOW_FREE, reason: Nothing is owned}]\n"
    repository.world.portals(one=portal_yaml(1, extra=other), two=portal_yaml(2))
    repository.commit("Sorted")
    repository.publish("2026-11-24T06:00:00Z", "report")
    assert evidence(repository).pending == frozenset()
    is_right(repository)


def test_portals_that_are_deleted_suspended_and_back_are_as_declared(repository: Repository) -> None:
    repository.publish()
    repository.world.portals(two=portal_yaml(2, extra="suspend: {reason: Migration, until: 2026-11-24}\n"))
    repository.commit("One is gone, two pauses")
    repository.publish("2026-11-24T06:00:00Z", "apply", "--allow", "loss")
    is_right(repository)
    repository.publish("2026-11-25T06:00:00Z")
    is_right(repository)
    repository.world.portals(one=portal_yaml(1), two=portal_yaml(2))
    repository.commit("And back")
    assert repository.world.run("--now", "2026-11-25T07:00:00Z", "report").code == 0
    assert evidence(repository).pending == {"one", "two"}
    assert repository.verify().code == 0
    repository.publish("2026-11-26T06:00:00Z")
    is_right(repository)


# --- days ------------------------------------------------------------------------------------------------------------


def test_a_day_before_the_ledgers_own_is_named(repository: Repository) -> None:
    """So that an exclusion that has ended is none that has."""
    repository.publish("2026-12-05T06:00:00Z")
    rewrite_reports(repository, on=date(2026, 12, 4))
    said = "it says that it was written on 2026-12-04, and state/ledger/two.json is of 2026-12-05\n"
    assert repository.verify().out == f"{EVIDENCE}: {said}"


def test_a_day_before_the_confirmation_is_named(repository: Repository) -> None:
    (repository.root / "reconcile.yaml").write_text("report: {confirm: daily}\n")
    repository.commit("Confirm")
    repository.publish("2026-11-23T06:00:00Z")
    repository.publish("2026-11-25T06:00:00Z")
    is_right(repository)
    rewrite_reports(repository, on=date(2026, 11, 24))
    assert "state/ledger/meta.json is of 2026-11-25" in repository.verify().out


@pytest.mark.parametrize(("on", "right"), [("2026-11-24", True), ("2026-11-25", False)])
def test_a_day_after_that_of_the_commit_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, on: str, right: bool
) -> None:
    """A day later may be a clock's; and the day of a commit counts in UTC."""
    repository.publish()
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-24T04:00:00+05:45")
    forget_emulation(repository)
    rewrite_reports(repository, on=date.fromisoformat(on))
    forged = commit(repository)
    said = f"it says that it was written on {on}, and it was committed on 2026-11-23\n"
    ended = repository.verify("--rev", "HEAD")
    assert (ended.code == 0, ended.out == f"{EVIDENCE}: {said}") == (right, not right)
    assert (f"{forged[:12]}: {EVIDENCE} {said[3:]}" in repository.verify("--log").out) == (not right)
    assert repository.verify().code == 0, "files have no day"


def test_the_day_of_an_emulation_is_free(repository: Repository) -> None:
    repository.publish("2036-01-01T06:00:00Z")
    assert repository.verify("--rev", "HEAD").code == 0
    is_right(repository)
