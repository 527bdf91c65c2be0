"""The workflows that ``init`` writes: what GitHub is told, and what their shell steps do in a clean clone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cli_world import PACKAGE
from tests.pipeline.conftest import Served
from tests.pipeline.expressions import evaluate, wanted
from tests.pipeline.pipeline_world import ALONE, Clone, Remote, demo_portal
from tests.pipeline.workflow_steps import Runner, clean, workflow

RUN = "https://github.example/contoso/licenses/actions/runs/12"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "contoso/licenses",
    "GITHUB_RUN_ID": "12",
}
ON_MAIN = {**GITHUB, "GITHUB_EVENT_NAME": "schedule", "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main"}
ON_REQUEST = {**GITHUB, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}
FAILED = """needs.apply.result != 'success' || contains(fromJSON('["failure","cancelled"]'), needs.propose.result)"""
EXPRESSIONS: dict[str, str | bool] = {
    "github.server_url": "https://github.example",
    "github.repository": "contoso/licenses",
    "github.run_id": "12",
    "github.token": "token-of-the-job",
    "github.event.pull_request.number": "7",
    "inputs.completely": "",
    "vars.RECONCILE_PULL_REQUEST == 'true'": False,
    "!cancelled() && hashFiles('state/reports/status.md') != ''": True,
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A machine with Python and pip, and a package index that has nothing but this product's wheel.

    The libraries that it depends on are those of the environment that runs the tests.
    """
    folder = tmp_path_factory.mktemp("machine")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PACKAGE)]
    subprocess.run(build, check=True, capture_output=True)
    venv.create(folder / "python", with_pip=False)
    packages = folder / f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_FORCE_REINSTALL": "1", "PIP_FIND_LINKS": str(folder)}
    return clean({**ALONE, **offline, "PIP_NO_CACHE_DIR": "1"}, str(folder / "python/bin"))


@pytest.fixture
def remote(tmp_path: Path, emulator: Served) -> Remote:
    """A remote with what ``init`` makes, and one portal."""
    made = Remote(tmp_path / "world", emulator.environment).create()
    person = made.clone("license manager")
    assert person.reconcile("init").code == 0
    person.write("portals.d/fabrikam.yaml", demo_portal("fabrikam", emulator.credentials))
    person.push("The first portal")
    return made


def jobs(clone: Clone, name: str) -> dict[str, Any]:
    """The jobs of a workflow."""
    found: dict[str, Any] = workflow(clone.root / f".github/workflows/{name}.yml")["jobs"]
    return found


def runner(
    remote: Remote, name: str, machine: Mapping[str, str], variables: Mapping[str, str], **more: str | bool
) -> Runner:
    """A machine with a clean clone."""
    clone = remote.clone(name)
    expressions = {**EXPRESSIONS, **{key.replace("__", "."): value for key, value in more.items()}}
    return Runner(
        clone.root, remote.folder / f"{name} machine", {**machine, **remote.environment, **variables}, expressions
    )


def stub(made: Runner, name: str, script: str) -> None:
    """Put a program before the machine's own."""
    program = made.folder / "bin" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def plan(remote: Remote, name: str, machine: Mapping[str, str]) -> Runner:
    made = runner(remote, name, machine, ON_REQUEST)
    return made.run(jobs(Clone(made.checkout), "plan")["plan"])


def comment(remote: Remote, name: str, machine: Mapping[str, str], text: str, known: str = "") -> list[list[str]]:
    """How the comment is written; ``known`` is the number of the one that is there."""
    made = runner(remote, name, machine, ON_REQUEST, needs__plan__outputs__comment=text)
    made.answer("api---paginate", known)
    assert made.run(jobs(Clone(made.checkout), "plan")["comment"]).code == 0, made.log
    return made.calls


def test_a_pull_request_gets_annotations_a_summary_and_one_comment_that_is_updated(
    remote: Remote, machine: dict[str, str]
) -> None:
    made = plan(remote, "first", machine)
    assert made.code == 0, made.log
    assert made.ran == ["Install the reconciler", "Validate", "Plan"]
    assert "1 portal is valid." in made.log
    assert "Fabrikam" in made.summary
    assert made.summary == made.outputs["comment"] + "\n"
    assert made.summary.endswith(f"({RUN})\n")
    assert made.calls == [], "the job that runs what a stranger wrote has no token"
    _, post = comment(remote, "comment", machine, made.outputs["comment"])
    assert post[:4] == ["api", "--silent", "--method", "POST"]
    assert post[4] == "repos/contoso/licenses/issues/7/comments"
    assert post[6].startswith("body=<!-- license plan -->\n## ")
    _, patch = comment(remote, "again", machine, made.outputs["comment"], known="41\n")
    assert patch[:5] == ["api", "--silent", "--method", "PATCH", "repos/contoso/licenses/issues/comments/41"]


def test_a_pull_request_that_is_not_valid_fails_and_says_so(remote: Remote, machine: dict[str, str]) -> None:
    person = Clone(remote.folder / "license manager", remote.environment)
    person.write("portals.d/broken.yaml", "nmae: Broken\n")
    person.push("Broken")
    made = plan(remote, "first", machine)
    assert made.code == 1
    assert "::error file=portals.d/broken.yaml,line=1" in made.log
    assert "There is no plan: see the log." in made.outputs["comment"]
    assert made.ran[-1] == "Plan", "the comment of an earlier commit must not stay"


def test_a_plan_that_would_be_refused_is_shown_and_fails(
    remote: Remote, machine: dict[str, str], emulator: Served
) -> None:
    assert remote.clone("runner").reconcile("publish").code == 0
    person = Clone(remote.folder / "license manager", remote.environment)
    person.pull()
    (person.root / "portals.d/fabrikam.yaml").unlink()
    person.push("Without portals")
    made = plan(remote, "first", machine)
    assert made.code == 3
    assert "no-portals-declared" in made.outputs["comment"]


def test_a_plan_of_any_size_fits_a_comment_and_a_variable(remote: Remote, machine: dict[str, str]) -> None:
    person = Clone(remote.folder / "license manager", remote.environment)
    for number in range(700):
        text = demo_portal("fabrikam", Path("/nowhere")).replace("name: Fabrikam", f"name: {'许' * 60} {number}")
        text = text.replace("7c9d2e64", f"{number:08d}")
        person.write(f"portals.d/p{number}.yaml", text)
    person.push("Many")
    made = plan(remote, "first", machine)
    assert made.code == 0, made.log[-2000:]
    page = made.outputs["comment"]
    assert 50_000 < len(page.encode()) < 101_000
    assert len(page) < 65_000
    assert page.splitlines()[-1] == f"[Annotations, and the whole plan]({RUN})"
    assert "许 699" in made.log, "the log has the whole plan"
    assert comment(remote, "comment", machine, page)[-1][3] == "POST"


def test_where_the_installation_failed_the_comment_does_not_blame_the_configuration(
    remote: Remote, machine: dict[str, str]
) -> None:
    made = runner(remote, "first", {**machine, "PIP_FIND_LINKS": "/nowhere"}, ON_REQUEST)
    stub(made, "reconcile", "exit 127")
    made.run(jobs(Clone(made.checkout), "plan")["plan"])
    assert made.code != 0
    assert made.ran == ["Install the reconciler", "Plan"]
    assert "There is no plan: see the log." in made.outputs["comment"]
    assert "not valid" not in made.outputs["comment"]


def test_a_plan_with_many_notes_fits_a_comment(remote: Remote, machine: dict[str, str]) -> None:
    person = Clone(remote.folder / "license manager", remote.environment)
    ended = "".join(f"  - {{sku: 'ENDED_{number}', reason: Tried, until: 2020-01-01}}\n" for number in range(800))
    text = demo_portal("fabrikam", Path("/nowhere"))
    person.write(
        "portals.d/fabrikam.yaml",
        re.sub(r"exclusions:.*?(?=^\S|\Z)", "", text, flags=re.M | re.S) + "exclusions:\n" + ended,
    )
    person.push("Many exclusions that have ended")
    made = plan(remote, "first", machine)
    assert made.code == 0, made.log[-2000:]
    assert "more notes have no room here" in made.outputs["comment"]
    assert len(made.outputs["comment"]) < 65_000


def test_a_page_of_any_length_is_cut_by_characters(remote: Remote, machine: dict[str, str]) -> None:
    made = runner(remote, "first", machine, ON_REQUEST)
    stub(made, "reconcile", "for number in $(seq 20000); do echo a line; done")
    steps = jobs(Clone(made.checkout), "plan")["plan"]["steps"]
    made.run({"steps": [step for step in steps if step.get("id") == "plan"]})
    page = made.outputs["comment"]
    assert 55_000 < len(page) < 65_000
    assert "\n\n**The plan goes on.**\n" in page
    assert page.splitlines()[-1] == f"[Annotations, and the whole plan]({RUN})"


def apply(remote: Remote, name: str, machine: Mapping[str, str], **more: str | bool) -> Runner:
    made = runner(remote, name, machine, ON_MAIN, **more)
    return made.run(jobs(Clone(made.checkout), "apply")["apply"])


def test_what_is_on_main_is_applied_committed_and_pushed(remote: Remote, machine: dict[str, str]) -> None:
    made = apply(remote, "first", machine)
    assert made.code == 0, made.log
    assert made.ran == ["Install the reconciler", "Apply, commit, push", "Show the status"]
    assert made.calls == [["auth", "setup-git"]]
    assert made.outputs == {}
    assert "Fabrikam" in made.summary
    assert all(path.startswith("state/") for path in remote.changed())
    assert remote.git("log", "-1", "--format=%an|%ce", "main") == (
        "github-actions[bot]|41898282+github-actions[bot]@users.noreply.github.com"
    )
    assert f"Run: {RUN}" in remote.git("log", "-1", "--format=%B", "main")
    again = apply(remote, "second", machine)
    assert again.code == 0, again.log
    assert "Nothing to commit." in again.log
    assert remote.count() == 2


@pytest.mark.parametrize(("completely", "reads"), [("true", True), ("false", False)])
def test_by_hand_tenants_are_read_or_not(
    remote: Remote, machine: dict[str, str], completely: str, *, reads: bool
) -> None:
    made = apply(remote, "first", machine, inputs__completely=completely)
    assert made.code == 0, made.log
    assert ("reading Fabrikam" in made.log) is reads


def test_a_portal_that_cannot_be_read_fails_the_job_after_the_push(
    remote: Remote, machine: dict[str, str], emulator: Served
) -> None:
    person = Clone(remote.folder / "license manager", remote.environment)
    person.write("portals.d/contoso.yaml", demo_portal("contoso", Path("/nowhere")))
    person.push("A secret that is not there")
    made = apply(remote, "first", machine)
    assert made.code == 4, made.log
    assert "secret-unresolved" in made.summary
    assert remote.count() == 3


def test_where_main_is_protected_one_pull_request_is_opened(remote: Remote, machine: dict[str, str]) -> None:
    remote.protect()
    made = apply(remote, "first", machine)
    assert made.code == 0, made.log
    assert made.outputs == {"branch": "reconcile/state-main"}
    branch = {"needs__apply__outputs__branch": made.outputs["branch"]}
    first = runner(remote, "propose", machine, ON_MAIN, **branch)
    assert first.run(jobs(Clone(first.checkout), "apply")["propose"]).code == 0, first.log
    assert first.calls[1][:6] == ["pr", "create", "--head", "reconcile/state-main", "--base", "main"]
    second = runner(remote, "propose again", machine, ON_MAIN, **branch)
    second.answer("pr-list", "3\n")
    assert second.run(jobs(Clone(second.checkout), "apply")["propose"]).code == 0, second.log
    assert [call[:2] for call in second.calls] == [["pr", "list"]]


@pytest.mark.parametrize(
    ("failed", "open_", "calls"),
    [
        (True, "", [["issue", "list"], ["issue", "create"]]),
        (True, "5\n", [["issue", "list"], ["issue", "edit"]]),
        (False, "5\n", [["issue", "list"], ["issue", "close"]]),
        (False, "", [["issue", "list"]]),
    ],
)
def test_one_issue_is_open_as_long_as_apply_fails(
    remote: Remote, machine: dict[str, str], open_: str, calls: list[list[str]], *, failed: bool
) -> None:
    made = runner(remote, "alert", machine, ON_MAIN)
    made.expressions = {**made.expressions, FAILED: failed}
    made.answer("issue-list", open_)
    assert made.run(jobs(Clone(made.checkout), "apply")["alert"]).code == 0, made.log
    assert [call[:2] for call in made.calls] == calls
    assert len(calls) == 1 or any(RUN in word for word in made.calls[1])


@pytest.mark.parametrize(
    ("apply_result", "propose_result", "cancelled", "fails"),
    [
        ("success", "skipped", False, False),
        ("success", "success", False, False),
        ("failure", "skipped", False, True),
        ("failure", "success", False, True),
        ("cancelled", "skipped", False, True),  # it took too long
        ("success", "failure", False, True),
        ("success", "cancelled", False, True),
        ("skipped", "skipped", False, True),
        ("cancelled", "skipped", True, None),  # somebody stopped the run
    ],
)
def test_the_issue_stays_open_unless_everything_went_well(
    apply_result: str, propose_result: str, fails: bool | None, *, cancelled: bool
) -> None:
    for path in ("reconciler/scaffold/templates/github/apply.yml", "deploy/github/apply-sharded.yml"):
        job = workflow(PACKAGE / path)["jobs"]["alert"]
        others = {name: {"result": "success"} for name in job["needs"]}
        last = {"propose": "propose", "overview": "overview"}[job["needs"][-1]]
        needs = others | {"apply": {"result": apply_result}, last: {"result": propose_result}}
        if last == "overview" and "skipped" in (apply_result, propose_result):
            continue  # below
        contexts = {"needs": needs}
        failed = any(need["result"] == "failure" for need in needs.values())
        assert wanted(job["if"], contexts, failed=failed, cancelled=cancelled) is (fails is not None)
        (step,) = job["steps"]
        if fails is not None:
            assert bool(evaluate(step["env"]["FAILED"], contexts)) is fails, path


@pytest.mark.parametrize(
    ("matrix", "runs"), [('{"shard": []}', False), ('{"shard": ["2/16"]}', True), ('{"shard": ["1/2", "2/2"]}', True)]
)
def test_shards_without_a_portal_are_no_failure(matrix: str, *, runs: bool) -> None:
    jobs_ = workflow(PACKAGE / "deploy/github/apply-sharded.yml")["jobs"]
    needs = {"shards": {"result": "success", "outputs": {"matrix": matrix}}}
    assert wanted(jobs_["apply"]["if"], {"needs": needs}) is runs
    needs |= {"apply": {"result": "success" if runs else "skipped"}, "overview": {"result": "success"}}
    assert wanted(jobs_["overview"]["if"], {"needs": needs})
    (step,) = jobs_["alert"]["steps"]
    assert not evaluate(step["env"]["FAILED"], {"needs": needs})


def test_each_shard_has_a_cache_of_its_own(remote: Remote, machine: dict[str, str]) -> None:
    steps = workflow(PACKAGE / "deploy/github/apply-sharded.yml")["jobs"]["apply"]["steps"]
    made = runner(remote, "shard", machine, ON_MAIN, matrix__shard="3/16")
    made.run({"steps": [step for step in steps if step.get("id") == "key"]})
    assert made.outputs == {"name": "license-state-3-of-16-"}


@pytest.mark.parametrize(
    ("branch", "result", "runs"),
    [
        ("reconcile/state-main", "success", True),
        ("reconcile/state-main", "failure", True),  # a portal failed, and the state was pushed apart
        ("main", "success", False),
        (None, "success", False),
        (None, "failure", False),
    ],
)
def test_a_pull_request_is_proposed_when_the_state_went_apart(branch: str | None, result: str, *, runs: bool) -> None:
    job = workflow(TEMPLATES / "github/apply.yml")["jobs"]["propose"]
    needs = {"apply": {"result": result, "outputs": {"branch": branch} if branch else {}}}
    contexts = {"needs": needs, "github": {"ref_name": "main"}}
    assert wanted(job["if"], contexts, failed=result == "failure") is runs
    assert not wanted(job["if"], contexts, cancelled=True)


@pytest.mark.parametrize(
    ("comment", "repository", "author", "runs"),
    [
        ("a plan", "contoso/licenses", "somebody", True),
        ("a plan", "stranger/licenses", "somebody", False),
        ("a plan", "contoso/licenses", "dependabot[bot]", False),
        ("", "contoso/licenses", "somebody", False),
    ],
)
def test_a_comment_is_written_for_branches_of_the_repository_only(
    comment: str, repository: str, author: str, *, runs: bool
) -> None:
    request = {"head": {"repo": {"full_name": repository}}, "user": {"login": author}}
    contexts = {
        "needs": {"plan": {"outputs": {"comment": comment}}},
        "github": {"event": {"pull_request": request}, "repository": "contoso/licenses"},
    }
    job = workflow(TEMPLATES / "github/plan.yml")["jobs"]["comment"]
    assert wanted(job["if"], contexts, failed=True) is runs, "a plan that failed is shown too"


@pytest.mark.parametrize(
    ("found", "number"),
    [
        ("[]", ""),
        ('[{"number": 3, "isCrossRepository": false}]', "3"),
        ('[{"number": 9, "isCrossRepository": true}]', ""),
        ('[{"number": 9, "isCrossRepository": true}, {"number": 3, "isCrossRepository": false}]', "3"),
    ],
)
@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_a_forks_branch_of_the_same_name_is_no_pull_request_of_ours(found: str, number: str) -> None:
    (step,) = workflow(TEMPLATES / "github/apply.yml")["jobs"]["propose"]["steps"]
    query = re.search(r"--jq '([^']+)'", step["run"])
    asked = re.search(r"--json (\S+)", step["run"])
    assert query
    assert asked
    assert asked[1].split(",") == ["number", "isCrossRepository"]
    done = subprocess.run(["jq", "--raw-output", query[1]], input=found, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == number


# --- what GitHub is told ---------------------------------------------------------------------------------------------

TEMPLATES = PACKAGE / "reconciler/scaffold/templates"


def both() -> list[dict[str, Any]]:
    return [workflow(TEMPLATES / f"github/{name}.yml") for name in ("plan", "apply")]


def test_the_schedule_leaves_no_gap_of_more_than_five_hours() -> None:
    (entry,) = workflow(TEMPLATES / "github/apply.yml")["on"]["schedule"]
    minute, hours, *rest = entry["cron"].split()
    assert rest == ["*", "*", "*"]
    step = int(hours.removeprefix("*/"))
    times = [60 * hour + int(minute) for hour in range(0, 24, step)]
    gaps = [later - earlier for earlier, later in pairwise([*times, times[0] + 24 * 60])]
    assert max(gaps) <= 5 * 60
    azure = (TEMPLATES / "azure/azure-pipelines.yml").read_text()
    assert f'cron: "{entry["cron"]}"' in azure
    assert entry["cron"] in (TEMPLATES / "gitlab/README-pipeline.md").read_text()


def test_a_pull_request_gets_no_secret_and_no_right_but_to_read() -> None:
    text = (TEMPLATES / "github/plan.yml").read_text()
    document = workflow(TEMPLATES / "github/plan.yml")
    assert list(document["on"]) == ["pull_request"], "never pull_request_target"
    assert "secrets." not in text
    assert document["permissions"] == {}
    assert document["jobs"]["plan"]["permissions"] == {"contents": "read"}
    assert document["jobs"]["comment"]["permissions"] == {"pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in document["jobs"]["comment"]["if"]
    assert all("uses" not in step for step in document["jobs"]["comment"]["steps"]), "nothing of the pull request"


def test_every_right_is_given_to_one_job_and_runs_wait_for_each_other() -> None:
    document = workflow(TEMPLATES / "github/apply.yml")
    assert document["permissions"] == {}
    assert document["concurrency"] == {"group": "apply", "cancel-in-progress": False}
    assert document["jobs"]["apply"]["environment"] == "licenses"
    assert {name: job["permissions"] for name, job in document["jobs"].items()} == {
        "apply": {"contents": "write", "id-token": "write"},
        "propose": {"contents": "read", "pull-requests": "write"},
        "alert": {"issues": "write"},
    }
    assert document["on"]["push"]["branches"] == ["main"]
    assert document["on"]["workflow_dispatch"]["inputs"]["completely"]["type"] == "boolean"


def test_checkouts_keep_no_credentials_and_actions_are_pinned() -> None:
    for document in both():
        for job in document["jobs"].values():
            for step in job["steps"]:
                if "uses" in step:
                    action, _, pin = step["uses"].partition("@")
                    assert len(pin) == 40
                    assert int(pin, 16)
                    if action == "actions/checkout":
                        assert step["with"]["persist-credentials"] is False


def test_every_pin_is_the_same_wherever_it_stands() -> None:
    own = [PACKAGE / "action.yml", PACKAGE / ".github/workflows/ci.yml"]
    files = [*TEMPLATES.rglob("*.yml"), *(PACKAGE / "deploy/github").glob("*.yml"), *own]
    pins = {line.split("uses: ")[1] for file in files for line in file.read_text().splitlines() if "uses: " in line}
    by_action: dict[str, set[str]] = {}
    for pin in pins:
        by_action.setdefault(pin.split("@")[0].split("/restore")[0].split("/save")[0], set()).add(pin.split("@")[1])
    assert all(len(found) == 1 for found in by_action.values()), by_action
