"""Histories that contradict the ledger, and commits whose reports are not those of their own evidence."""

from __future__ import annotations

import pytest

from reconciler.audit.log import read_log
from reconciler.render import verification
from tests.audit.audit_world import Repository
from tests.audit.forgery import commit, rewrite_reports
from tests.cli.cli_world import flow, office, tenant

EVIDENCE = "state/reports/evidence.json"
HISTORY = "state/ledger/history/one.jsonl"
LEDGER = "state/ledger/one.json"


def publish(repository: Repository, day: int, units: int) -> str:
    """Let the tool publish on a day of November; the commit."""
    repository.world.tenants(tenant(1, skus=(office(units), flow())), tenant(2))
    return repository.publish(f"2026-11-{day}T06:00:00Z")


# --- histories -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"enabled": 12', '"enabled": 13'),
        ('"suspended": 0', '"suspended": null'),
        ('"locked_out": 0', '"locked_out": 1'),
    ],
)
def test_the_newest_record_of_a_product_must_say_what_the_ledger_says(
    repository: Repository, old: str, new: str
) -> None:
    publish(repository, 23, 10)
    publish(repository, 24, 12)
    *former, last = (repository.root / HISTORY).read_text().splitlines()
    assert old in last
    (repository.root / HISTORY).write_text("\n".join([*former, last.replace(old, new, 1)]) + "\n")
    rewrite_reports(repository)
    ended = repository.verify()
    assert ended.code == 1
    why = f"it is the newest record of its product, and {LEDGER} says otherwise"
    assert ended.out.startswith(f"{HISTORY}:{len(former) + 1}: {why}\n  expected: ")


def test_a_history_that_changed_without_its_ledger_is_named(repository: Repository) -> None:
    publish(repository, 23, 10)
    repository.edit(HISTORY, '"enabled": 10', '"enabled": 11')
    rewrite_reports(repository)
    forged = commit(repository)
    assert f"{forged[:12]}: {HISTORY} changed, and {LEDGER} did not\n" in repository.verify("--log").out
    repository.edit(HISTORY, '"enabled": 11', '"enabled": 10')
    rewrite_reports(repository)
    commit(repository)
    assert repository.verify().code == 0
    ended = repository.verify("--log")
    assert ended.code == 1
    assert f"{forged[:12]}: {HISTORY} changed, and {LEDGER} did not\n" in ended.out


# --- reports ---------------------------------------------------------------------------------------------------------


def test_a_report_that_was_put_right_later_is_named(repository: Repository) -> None:
    publish(repository, 23, 10)
    publish(repository, 24, 12)
    page = repository.root / "state/reports/one.md"
    page.write_text("All is well.\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--amend", "--no-edit")
    repository.git("push", "--quiet", "--force", "origin", "HEAD:main")
    forged = repository.head()
    publish(repository, 25, 14)
    assert repository.verify().code == 0
    ended = repository.verify("--log")
    said = f"{forged[:12]}: state/reports/one.md is not as {EVIDENCE} of this commit names it\n"
    assert (ended.code, said in ended.out) == (1, True), ended.out


@pytest.mark.parametrize("name", ["status.md", "status.json", "products.csv", "index.html"])
def test_an_overview_that_changed_without_evidence_is_named(repository: Repository, name: str) -> None:
    publish(repository, 23, 10)
    (repository.root / "state/reports" / name).write_text("All is well.\n")
    forged = commit(repository)
    log = verification.log(read_log(repository.root, forged))
    assert f"{forged[:12]}: state/reports/{name} changed, and {EVIDENCE} did not\n" in log


def test_pages_without_evidence_are_right_as_shards_write_them(repository: Repository) -> None:
    publish(repository, 23, 10)
    repository.world.tenants(tenant(1, skus=(office(12), flow())), tenant(2))
    for number in (1, 2):
        repository.publish("2026-11-24T06:00:00Z", "apply", "--shard", f"{number}/2")
    assert "Verified: " in verification.log(read_log(repository.root, repository.head()))
    assert repository.world.run("--now", "2026-11-24T06:00:00Z", "report").code == 0
    commit(repository)
    assert repository.verify("--log").code == 0, repository.verify("--log").out


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_the_last_line_says_that_a_difference_is_there_though_the_history_is_right(repository: Repository) -> None:
    publish(repository, 23, 10)
    (repository.root / "state/reports/one.md").write_text("All is well.\n")
    commit(repository)
    ended = repository.verify("--log")
    assert ended.code == 1
    said = "Not verified: state/reports/one.md is not as it should be, as told at the beginning."
    assert ended.out.splitlines()[-1] == said
