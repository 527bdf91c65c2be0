"""``reconcile verify --log``: histories and the lineage go on from commit to commit."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.audit.audit_world import Repository
from tests.audit.forgery import commit, rewrite_reports
from tests.cli.cli_world import flow, office, portal_yaml, tenant

HISTORY = "state/ledger/history/one.jsonl"


def lives(repository: Repository) -> None:
    """Let the tool publish on three days."""
    for day, units in enumerate((10, 12, 14), start=23):
        repository.world.tenants(tenant(1, skus=(office(units), flow())), tenant(2))
        repository.publish(f"2026-11-{day}T06:00:00Z")
    assert len((repository.root / HISTORY).read_text().splitlines()) == 3


CUT: dict[str, Callable[[list[str]], list[str]]] = {
    "its beginning": lambda lines: lines[1:],
    "a day": lambda lines: [lines[0], lines[2]],
    "its last day": lambda lines: lines[:-1],
    "everything": lambda lines: [],
    "a number": lambda lines: [lines[0].replace('"enabled": 10', '"enabled": 11'), *lines[1:]],
    "a day before": lambda lines: [*lines, lines[0]],
    "an end": lambda lines: [*lines, "no record\n"],
}
"""What can be done to a history of three days."""


@pytest.mark.parametrize("cut", CUT)
def test_a_history_that_does_not_go_on_as_it_was_is_named(repository: Repository, cut: str) -> None:
    lives(repository)
    path = repository.root / HISTORY
    lines = path.read_text().splitlines(keepends=True)
    changed = CUT[cut](lines)
    assert changed != lines
    path.write_text("".join(changed))
    if cut != "an end":
        rewrite_reports(repository)
        ends_otherwise = cut in {"its last day", "a day before"}
        assert repository.verify().code == int(ends_otherwise), "all else fits"
    forged = commit(repository)
    assert f"{forged[:12]}: {HISTORY} " in log(repository, forged)


def log(repository: Repository, revision: str) -> str:
    """What walking the history prints, whatever the reports are."""
    from reconciler.audit.log import read_log
    from reconciler.render import verification

    return verification.log(read_log(repository.root, revision))


def test_the_last_day_may_be_written_again(repository: Repository) -> None:
    lives(repository)
    repository.world.tenants(tenant(1, skus=(office(20), flow())), tenant(2))
    repository.publish("2026-11-25T16:00:00Z")
    assert len((repository.root / HISTORY).read_text().splitlines()) == 3
    assert repository.verify("--log").code == 0


def test_a_history_goes_on_under_another_name(repository: Repository) -> None:
    lives(repository)
    repository.world.portals(first=portal_yaml(1), two=portal_yaml(2))
    repository.commit("A better name")
    repository.publish("2026-11-26T06:00:00Z")
    assert not (repository.root / HISTORY).exists()
    assert repository.verify("--log").code == 0, repository.verify("--log").out


def test_a_history_that_is_cut_as_it_gets_another_name_is_named(repository: Repository) -> None:
    lives(repository)
    repository.world.portals(first=portal_yaml(1), two=portal_yaml(2))
    repository.commit("A better name")
    assert repository.world.run("--now", "2026-11-26T06:00:00Z", "apply").code == 0
    path = repository.root / "state/ledger/history/first.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[2:]))
    rewrite_reports(repository)
    forged = commit(repository)
    assert f"{forged[:12]}: {HISTORY} does not go on as it was" in repository.verify("--log").out


def test_a_history_that_is_gone_is_named(repository: Repository) -> None:
    lives(repository)
    (repository.root / HISTORY).unlink()
    rewrite_reports(repository)
    forged = commit(repository)
    assert f"{forged[:12]}: {HISTORY} is gone, and the tool deletes no history\n" in repository.verify("--log").out


def test_another_lineage_is_named(repository: Repository) -> None:
    lives(repository)
    path = repository.root / "state/ledger/meta.json"
    lineage = json.loads(path.read_text())["lineage"]
    path.write_text(path.read_text().replace(lineage, "0" * len(lineage)))
    rewrite_reports(repository)
    forged = commit(repository)
    said = "state/ledger/meta.json has another lineage: this is not the state that was before"
    assert repository.verify().code == 0, "everything fits"
    assert f"{forged[:12]}: {said}\n" in repository.verify("--log").out


def test_a_state_without_its_lineage_is_named(repository: Repository) -> None:
    lives(repository)
    (repository.root / "state/ledger/meta.json").unlink()
    forged = commit(repository)
    assert f"{forged[:12]}: state/ledger/meta.json is gone, and the tool deletes no ledger\n" in log(repository, forged)
