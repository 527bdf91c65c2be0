"""A confirmed report in git: one commit when a day is due, which the log takes for the tool's own."""

from __future__ import annotations

from tests.audit.audit_world import Repository


def test_a_confirmation_is_one_small_commit_and_none_before_it_is_due(repository: Repository) -> None:
    (repository.root / "reconcile.yaml").write_text("report: {confirm: weekly}\n")
    repository.commit("Confirm once a week")
    first = repository.publish("2026-11-02T06:00:00Z")
    assert repository.publish("2026-11-08T06:00:00Z") == first
    second = repository.publish("2026-11-09T06:00:00Z")
    assert repository.git("rev-parse", f"{second}^") == first
    files = repository.git("diff", "--name-only", first, second).splitlines()
    assert files == [
        "state/ledger/meta.json",
        *(f"state/reports/{name}" for name in ("evidence.json", "index.html", "status.json", "status.md")),
    ]
    assert repository.verify("--log").code == 0
    assert repository.verify("--rev", first).code == 0
