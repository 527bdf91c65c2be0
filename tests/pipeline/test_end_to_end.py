"""The pipeline with real git: people, pull requests, runners, and tenants behind real TLS."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import Served
from tests.pipeline.pipeline_world import Clone, Remote, demo_portal

TRUSTED = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "contoso/licenses",
    "GITHUB_RUN_ID": "12",
}
"""What a scheduled run finds in its environment."""


@pytest.fixture
def remote(tmp_path: Path, emulator: Served) -> Remote:
    """A remote with what ``init`` makes and two portals, pushed by a person."""
    made = Remote(tmp_path / "world", emulator.environment).create()
    person = made.clone("license manager")
    assert person.reconcile("init").code == 0
    for name in ("contoso", "fabrikam"):
        person.write(f"portals.d/{name}.yaml", demo_portal(name, emulator.credentials))
    person.push("The first portals")
    return made


def status(remote: Remote, commit: str = "main") -> dict[str, Any]:
    """``status.json`` of a commit: each portal by id, without the times, which are real ones here."""
    document = json.loads(remote.git("show", f"{commit}:state/reports/status.json"))
    for portal in document["portals"]:
        portal["import"].pop("as_of")
    return {portal["id"]: portal for portal in document["portals"]}


def assert_only_state_was_committed(remote: Remote, since: str) -> None:
    """Every later commit is a runner's: on top of the one before, of nothing but state, and says where it is from."""
    commits = remote.git("rev-list", "--reverse", f"{since}..main").splitlines()
    parents = [since, *commits[:-1]]
    for commit, parent in zip(commits, parents, strict=True):
        assert remote.git("rev-parse", f"{commit}^@") == parent
        assert all(path.startswith("state/") for path in remote.changed(commit))
        assert remote.git("log", "-1", "--format=%(trailers:key=Reconciled-From,valueonly)", commit) == parent


def test_a_change_goes_from_a_pull_request_through_the_plan_and_the_merge_into_the_report(
    remote: Remote, emulator: Served
) -> None:
    runner = remote.clone("first runner")
    ended = runner.reconcile("publish", **TRUSTED)
    assert ended.code == 0, ended.err
    assert "Office 365 E3" in ended.out
    assert re.search(r"Pushed [0-9a-f]{12} to main\.", ended.err)
    assert status(remote).keys() == {"contoso", "fabrikam"}
    assert "Run: https://github.example/contoso/licenses/actions/runs/12" in remote.git(
        "log", "-1", "--format=%B", "main"
    )
    assert not any(path.endswith((".db", ".lock")) for path in remote.files())

    engineer = remote.clone("platform engineer")
    engineer.git("switch", "--quiet", "--create", "northwind")
    engineer.write("portals.d/northwind.yaml", demo_portal("northwind", emulator.credentials))
    engineer.push("Add Northwind")
    review = remote.clone("pull request")
    review.git("switch", "--quiet", "northwind")
    assert review.reconcile("validate", "--format", "github").code == 0
    planned = review.reconcile("plan", "--format", "markdown")
    assert planned.code == 0
    assert "Northwind" in planned.out
    assert review.git("status", "--porcelain") == "", "a plan writes nothing"

    manager = Clone(remote.folder / "license manager", remote.environment)
    manager.pull()
    manager.git("merge", "--quiet", "--no-ff", "--message", "Merge Northwind", "origin/northwind")
    manager.git("push", "--quiet", "origin", "main")
    merged = manager.git("rev-parse", "HEAD")
    second = remote.clone("second runner")
    ended = second.reconcile("publish", **TRUSTED)
    assert ended.code == 0, ended.err
    assert status(remote).keys() == {"contoso", "fabrikam", "northwind"}
    assert remote.git("log", "-1", "--format=%s", "main") == "License status: northwind"
    assert_only_state_was_committed(remote, merged)


def test_no_commit_when_nothing_changed(remote: Remote) -> None:
    for name, said in (("first", "Pushed"), ("second", "Nothing to commit."), ("third", "Nothing to commit.")):
        runner = remote.clone(name)
        ended = runner.reconcile("publish", "apply", **TRUSTED)
        assert ended.code == 0, ended.err
        assert said in ended.err
    assert remote.count() == 2


def test_three_runners_at_once_end_with_what_one_would_have_written(remote: Remote, emulator: Served) -> None:
    before = remote.git("rev-parse", "main")
    runners = [remote.clone(f"runner {number}") for number in range(3)]
    started = [runner.start("publish", **TRUSTED) for runner in runners]
    for process in started:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert_only_state_was_committed(remote, before)
    alone = Remote(remote.folder / "alone", emulator.environment).create()
    person = alone.clone("license manager")
    for path in ("portals.d/contoso.yaml", "portals.d/fabrikam.yaml"):
        person.write(path, remote.git("show", f"main:{path}") + "\n")
    person.push()
    assert alone.clone("runner").reconcile("publish", **TRUSTED).code == 0
    assert status(remote) == status(alone)
    again = remote.clone("one more")
    assert "Nothing to commit." in again.reconcile("publish", **TRUSTED).err


def test_a_rejected_push_recovers_from_the_new_ledger_and_the_new_configuration(
    remote: Remote, emulator: Served
) -> None:
    """While the slow runner is about to push, a portal is merged and the fast runner publishes."""
    person, fast, slow = remote.clone("person"), remote.clone("fast"), remote.clone("slow")
    person.write("portals.d/northwind.yaml", demo_portal("northwind", emulator.credentials))
    person.git("add", "--all")
    person.git("commit", "--quiet", "--message", "Add Northwind")
    hook = slow.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nset -e\nrm '{hook}'\nexec > /dev/null < /dev/null\ncd '{fast.root}'\n./meanwhile\n")
    hook.chmod(0o755)
    meanwhile = fast.root / "meanwhile"
    python = "from reconciler.cli.main import run; run()"
    meanwhile.write_text(
        "#!/bin/sh\nset -e\nunset $(git rev-parse --local-env-vars)\n"
        f"'{sys.executable}' -c '{python}' --quiet publish\n"
        f"cd '{person.root}'\ngit -c user.name=A -c user.email=a@example.invalid pull --quiet --rebase\n"
        "git push --quiet origin main\n"
    )
    meanwhile.chmod(0o755)
    ended = slow.reconcile("publish", **TRUSTED)
    assert ended.code == 0, ended.err
    assert not hook.exists()
    assert [line.split(" ", 1)[1] for line in remote.git("log", "--format=%h %s", "-3", "main").splitlines()] == [
        "License status: northwind",
        "Add Northwind",
        "License status: contoso, fabrikam",
    ]
    assert "The state DB was another than the ledger in git" in ended.err
    assert status(remote).keys() == {"contoso", "fabrikam", "northwind"}
    assert slow.git("status", "--porcelain") == ""


def test_a_protected_branch_gets_a_pull_request_and_merging_it_lets_the_state_count(
    remote: Remote, tmp_path: Path
) -> None:
    remote.protect()
    outputs = tmp_path / "outputs"
    ended = remote.clone("runner").reconcile("publish", **TRUSTED, GITHUB_OUTPUT=str(outputs))
    assert ended.code == 0, ended.err
    assert outputs.read_text() == "branch=reconcile/state-main\n"
    assert "Open a pull request from reconcile/state-main to main" in ended.err
    assert remote.count() == 1
    (remote.bare / "hooks/pre-receive").unlink()
    person = remote.clone("reviewer")
    person.git("merge", "--quiet", "--ff-only", "origin/reconcile/state-main")
    person.git("push", "--quiet", "origin", "main")
    assert "Nothing to commit." in remote.clone("next runner").reconcile("publish", **TRUSTED).err


def test_a_setting_asks_for_a_pull_request_where_nothing_is_protected(remote: Remote) -> None:
    ended = remote.clone("runner").reconcile("publish", **TRUSTED, RECONCILE_PUBLISH_PULL_REQUEST="true")
    assert ended.code == 0, ended.err
    assert remote.count() == 1
    assert status(remote, "reconcile/state-main").keys() == {"contoso", "fabrikam"}


def test_a_failed_portal_is_committed_once_and_stops_no_other(remote: Remote, emulator: Served) -> None:
    person = remote.clone("person")
    file = person.root / "portals.d/contoso.yaml"
    file.write_text(file.read_text().replace(f"{{file: {emulator.credentials}/contoso.secret}}", "{env: NOT_SET_HERE}"))
    person.push("A secret that is not there")
    for name, said in (("first", "Pushed"), ("second", "Nothing to commit.")):
        ended = remote.clone(name).reconcile("publish", **TRUSTED)
        assert ended.code == 4, ended.err
        assert said in ended.err
    found = status(remote)
    assert found["contoso"]["import"]["error"]["code"] == "secret-unresolved"
    assert found["fabrikam"]["import"]["outcome"] == "complete"


def test_recalculate_can_be_published_without_reading_a_tenant(remote: Remote) -> None:
    assert remote.clone("runner").reconcile("publish", **TRUSTED).code == 0
    person = remote.clone("person")
    person.write("reconcile.yaml", "unmetered: ['*']\n")
    person.push("Nothing is metered")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", **TRUSTED}
    ended = remote.clone("second").reconcile("publish", "recalculate", **nowhere)
    assert ended.code == 0, ended.err
    assert {product["status"] for portal in status(remote).values() for product in portal["products"]} <= {
        "not_metered",
        "cannot_be_synchronised",
        "calculation_error",
    }
    assert remote.clone("third").reconcile("publish", "recalculate", "--completely", **nowhere).code == 1


def test_options_of_the_command_that_runs_stand_after_it(remote: Remote) -> None:
    runner = remote.clone("runner")
    ended = runner.reconcile("publish", "apply", "--allow", "answer", "fabrikam")
    assert ended.code == 0, ended.err
    assert status(remote).keys() == {"fabrikam"}
    for words in (["plan"], ["apply", "--alow", "loss"], ["no-such-command"]):
        assert runner.reconcile("publish", *words).code == 64
    runner.git("checkout", "--quiet", "--detach")
    assert "--branch" in runner.reconcile("publish").err


@pytest.mark.parametrize(
    "variables",
    [
        {**TRUSTED, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"},
        {**TRUSTED, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/northwind"},
        {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"},
        {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/pull/7/merge"},
    ],
    ids=["a pull request", "another branch", "a merge request", "a pull request in Azure"],
)
def test_nothing_is_published_for_what_nobody_approved(remote: Remote, variables: dict[str, str]) -> None:
    runner = remote.clone("runner")
    ended = runner.reconcile("publish", "--branch", "main", **variables)
    assert ended.code == 3
    assert "untrusted-ref" in ended.err
    assert runner.git("status", "--porcelain", "--ignored") == "", "no tenant was read"
    assert remote.count() == 1


def test_the_event_names_the_default_branch(remote: Remote, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"repository": {"default_branch": "trunk"}}')
    variables = {**TRUSTED, "GITHUB_EVENT_PATH": str(event)}
    assert remote.clone("runner").reconcile("publish", **variables).code == 3
    assert remote.clone("trunk").reconcile("publish", **variables | {"GITHUB_REF": "refs/heads/trunk"}).code == 0


def test_a_cached_database_of_a_lost_push_decides_nothing(remote: Remote) -> None:
    lost, runner = remote.clone("lost"), remote.clone("runner")
    assert lost.reconcile("apply").code == 0
    assert runner.reconcile("publish", **TRUSTED).code == 0
    again = remote.clone("again")
    (again.root / "state/reconciler.db").write_bytes((lost.root / "state/reconciler.db").read_bytes())
    ended = again.reconcile("publish", **TRUSTED)
    assert ended.code == 0, ended.err
    assert "Nothing to commit." in ended.err
