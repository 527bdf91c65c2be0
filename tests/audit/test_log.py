"""``reconcile verify --log``: every change to ledger and reports was made by the tool, in sequence."""

from __future__ import annotations

import json
from pathlib import Path

from tests.audit.audit_world import Repository
from tests.cli.cli_world import Ended, office, portal_yaml, tenant
from tests.pipeline.pipeline_world import git


def log(repository: Repository) -> Ended:
    """Verify with the log. What is said of the reports themselves is left out."""
    ended = repository.verify("--log")
    return Ended(
        ended.code, ended.out.split("\n", 1)[1] if ended.out.startswith("Verified: ") else ended.out, ended.err
    )


def change(repository: Repository, units: int, day: int) -> str:
    """Let the tool import what changed in the first tenant; the commit."""
    repository.world.tenants(tenant(1, skus=(office(units),)), tenant(2))
    return repository.publish(f"2026-11-{day}T06:00:00Z")


def test_a_history_of_the_tool_alone_is_verified_and_names_who_approved_the_configuration(
    repository: Repository,
) -> None:
    declared = repository.head()
    repository.publish()
    last = change(repository, 12, 24)
    ended = log(repository)
    assert ended.code == 0, ended.out
    assert ended.out == (
        f"Verified: 2 commits up to {last[:12]} changed ledger or reports, all by the tool, in sequence.\n"
        "Configurations that were applied:\n"
        f"  {declared[:12]} {repository.git('log', '-1', '--format=%cs', declared)} Two portals "
        "(by A person; Reviewed-by: Somebody Else), applied 2 times\n"
    )


def test_a_pull_request_is_approved_by_who_merged_it(repository: Repository) -> None:
    repository.publish()
    repository.git("switch", "--quiet", "--create", "prices")
    repository.world.portals(one=portal_yaml(1), two=portal_yaml(2, extra="protect: true\n"))
    repository.commit("Protect the second")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #7\n\nApproved-by: Boss", "prices")
    merged = repository.head()
    repository.publish("2026-11-24T06:00:00Z")
    ended = log(repository)
    assert ended.code == 0, ended.out
    day = repository.git("log", "-1", "--format=%cs", merged)
    assert (
        f"{merged[:12]} {day} Merge pull request #7 (merged by A person; Approved-by: Boss), applied 1 time"
        in ended.out
    )


def test_a_commit_of_a_person_to_the_ledger_or_the_reports_is_named(repository: Repository) -> None:
    repository.publish()
    (repository.root / "state/reports/notes.md").write_text("Mine.\n")
    first = repository.commit("Notes")
    (repository.root / "state/reports/notes.md").unlink()
    second = repository.commit("No notes")
    ended = repository.verify("--log")
    assert ended.code == 1
    assert ended.out.startswith("Verified: "), "the files are right again; the history is not"
    for commit in (first, second):
        assert f"{commit[:12]}: state/reports/notes.md changed, and no trailer Reconciled-From" in ended.out
    closing = f"Not verified: 3 commits up to {second[:12]} changed ledger or reports, and 2 things are wrong with them"
    assert ended.out.splitlines()[-1].startswith(closing)
    assert "let `reconcile publish` commit it" in ended.err


def test_what_else_is_under_state_may_be_changed_by_people(repository: Repository) -> None:
    repository.publish()
    (repository.root / "state/skus.csv").write_text("GUID\n")
    repository.commit("Titles")
    assert log(repository).code == 0


def test_a_trailer_that_names_no_commit_before_it_is_named(repository: Repository) -> None:
    repository.publish()
    for source in ("0" * 40, "HEAD", ""):
        (repository.root / "state/reports/notes.md").write_text(f"Mine, {source}.\n")
        forged = repository.commit("License status: one", f"Reconciled-From: {source}")
        assert f"{forged[:12]}: state/reports/notes.md changed, and " in repository.verify("--log").out


def edit_ledger(repository: Repository, serial: int) -> str:
    """A forged commit of the tool that gives the first portal another serial; the commit."""
    path = repository.root / "state/ledger/one.json"
    before = json.loads(path.read_text())["serial"]
    repository.edit("state/ledger/one.json", f'"serial": {before}', f'"serial": {serial}')
    return repository.commit("License status: one", f"Reconciled-From: {repository.head()}")


def test_serials_that_are_missing_written_again_or_taken_back_are_named(repository: Repository) -> None:
    repository.publish()
    for serial, said in (
        (2, ""),
        (4, "serial 3 is missing before 4"),
        (7, "serials 5 to 6 are missing before 7"),
        (3, "serial 7 was taken back to 3"),
    ):
        commit = edit_ledger(repository, serial)
        ended = repository.verify("--log")
        assert (
            f"{commit[:12]}: state/ledger/one.json: {said}\n" in ended.out
            if said
            else f"{commit[:12]}: " not in ended.out
        )
    repository.edit("state/ledger/one.json", '"protect": false', '"protect": true')
    again = repository.commit("License status: one", f"Reconciled-From: {repository.head()}")
    assert f"{again[:12]}: state/ledger/one.json: serial 3 was written again\n" in repository.verify("--log").out


def test_a_ledger_that_is_gone_is_named(repository: Repository) -> None:
    repository.publish()
    (repository.root / "state/ledger/one.json").unlink()
    gone = repository.commit("License status: one", f"Reconciled-From: {repository.head()}")
    said = f"{gone[:12]}: state/ledger/one.json is gone, and the tool deletes no ledger\n"
    assert said in repository.verify("--log").out


def test_a_portal_whose_file_is_renamed_goes_on_with_its_serials(repository: Repository) -> None:
    repository.publish()
    repository.world.portals(first=portal_yaml(1), two=portal_yaml(2))
    repository.commit("A better name for the file")
    repository.publish("2026-11-24T06:00:00Z")
    assert not (repository.root / "state/ledger/one.json").exists()
    assert log(repository).code == 0, log(repository).out


def test_a_portal_that_is_deleted_and_removed_leaves_a_history_in_sequence(repository: Repository) -> None:
    repository.publish()
    repository.world.portals(two=portal_yaml(2))
    repository.commit("One is gone")
    repository.publish("2026-11-24T06:00:00Z", "apply", "--allow", "loss")
    (repository.root / "portals.d/removals.yaml").write_text("removals: [{portal: one, sku: '*', reason: Sold}]\n")
    repository.commit("And forgotten")
    repository.publish("2026-11-25T06:00:00Z")
    repository.world.portals(one=portal_yaml(1), two=portal_yaml(2))
    repository.commit("And back")
    repository.publish("2026-11-26T06:00:00Z")
    assert log(repository).code == 0, log(repository).out


def test_the_state_of_a_protected_branch_may_come_by_a_merge(repository: Repository) -> None:
    repository.publish()
    repository.git("switch", "--quiet", "--create", "waiting")
    change(repository, 12, 24)
    change(repository, 13, 25)
    repository.git("switch", "--quiet", "main")
    (repository.root / "README.md").write_text("Licenses\n")
    repository.commit("Meanwhile")
    repository.git("merge", "--quiet", "--no-ff", "--no-edit", "waiting")
    assert log(repository).code == 0, log(repository).out


def test_a_merge_that_makes_a_ledger_of_its_own_is_named(repository: Repository) -> None:
    repository.publish()
    repository.git("switch", "--quiet", "--create", "other")
    (repository.root / "README.md").write_text("Licenses\n")
    repository.commit("Meanwhile")
    repository.git("switch", "--quiet", "main")
    change(repository, 12, 24)
    repository.git("merge", "--quiet", "--no-ff", "--no-commit", "other")
    repository.edit("state/ledger/one.json", '"description": null', '"description": "Mine"')
    merged = repository.commit("Merge")
    ended = repository.verify("--log")
    assert f"{merged[:12]}: state/ledger/one.json changed, and no trailer" in ended.out
    assert f"{merged[:12]}: state/ledger/one.json: serial 2 was written again" in ended.out


def test_a_merge_that_drops_what_the_tool_wrote_is_named(repository: Repository) -> None:
    repository.publish()
    repository.git("switch", "--quiet", "--create", "other")
    (repository.root / "README.md").write_text("Licenses\n")
    repository.commit("Meanwhile")
    repository.git("switch", "--quiet", "main")
    change(repository, 12, 24)
    repository.git("switch", "--quiet", "other")
    assert log(repository).code == 0
    repository.git("merge", "--quiet", "--no-edit", "--strategy=ours", "main")
    ended = repository.verify("--log")
    assert ended.code == 1
    assert "state/ledger/one.json: serial 2 was taken back to 1" in ended.out


def test_evidence_that_names_other_files_than_were_committed_is_named(repository: Repository) -> None:
    repository.publish()
    path = repository.root / "portals.d/one.yaml"
    honest = path.read_text()
    path.write_text(honest + "protect: true\n")
    assert repository.world.run("--now", "2026-11-24T06:00:00Z", "apply").code == 0
    path.write_text(honest)
    forged = repository.commit("License status: one", f"Reconciled-From: {repository.head()}")
    ended = repository.verify("--log")
    assert ended.code == 1
    assert f"{forged[:12]}: state/reports/evidence.json was not written with the portals.d/one.yaml of " in ended.out


def test_a_shallow_clone_says_how_to_get_the_rest(repository: Repository, tmp_path: Path) -> None:
    repository.publish()
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository.bare}", "shallow")
    ended = repository.world.run("--chdir", str(tmp_path / "shallow"), "verify", "--log", emulate=False)
    assert ended.code == 1
    assert "`git fetch --unshallow`" in ended.out


def test_without_git_the_log_is_an_error(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/state").mkdir(parents=True)
    ended = repository.world.run("--chdir", str(tmp_path / "elsewhere"), "verify", "--log", emulate=False)
    assert ended.code == 1
    assert "error: git-failed: " in ended.err
