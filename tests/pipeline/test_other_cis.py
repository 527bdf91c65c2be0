"""The shell steps of the pipelines for GitLab and Azure DevOps, and of the action, run in a clean clone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.cli_world import PACKAGE, Ended
from tests.pipeline.conftest import Served
from tests.pipeline.pipeline_world import PERSON, Clone, Remote, demo_portal
from tests.pipeline.test_workflows import ON_REQUEST, machine

__all__ = ["machine"]

GITLAB = {
    "GITLAB_CI": "true",
    "CI": "true",
    "CI_SERVER_HOST": "gitlab.example",
    "CI_JOB_URL": "https://gitlab.example/3",
}
ON_GITLAB = {
    **GITLAB,
    "CI_PIPELINE_SOURCE": "schedule",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_REF_PROTECTED": "true",
    "ENTRA_TOKEN": "token-of-the-job",
}
GITLAB_REQUEST = {**GITLAB, "CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_REF_NAME": "mine"}
ON_AZURE = {"TF_BUILD": "True", "BUILD_REASON": "Schedule", "BUILD_SOURCEBRANCH": "refs/heads/main"}
AZURE_REQUEST = {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/pull/7/merge"}


def remote_for(ci: str, folder: Path, emulator: Served) -> Remote:
    """A remote with what ``init`` makes for a CI, and one portal."""
    made = Remote(folder, emulator.environment).create()
    person = made.clone("license manager")
    assert person.reconcile("init", "--ci", ci).code == 0
    person.write("portals.d/fabrikam.yaml", demo_portal("fabrikam", emulator.credentials))
    person.push("The first portal")
    return made


def bash(script: str, cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run a script as the agents do: from a file, in bash."""
    file = cwd.parent / f"{cwd.name} step.sh"
    file.write_text(script)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", str(file)],
        cwd=cwd,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def gitlab(clone: Clone, job: str, environment: Mapping[str, str]) -> Ended:
    """Run a job: its variables, filled in as GitLab does, and all lines of its script in one shell."""
    document: dict[str, Any] = yaml.safe_load((clone.root / ".gitlab-ci.yml").read_text())
    given = {**document["variables"], **document[job].get("variables", {})}
    filled = {name: re.sub(r"\$(\w+)", lambda found: environment[found[1]], value) for name, value in given.items()}
    temporary = clone.root.parent / f"{clone.root.name}-tmp"
    temporary.mkdir()
    script = "\n".join(document[job]["script"]).replace("/tmp/entra-token", "$HOME/entra-token")
    done = bash(script, clone.root, {**environment, **filled, "HOME": str(temporary)})
    token = temporary / "entra-token"
    assert job != "apply" or (token.read_text(), token.stat().st_mode & 0o777) == ("token-of-the-job", 0o600)
    return done


def steps(stage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of the one job of a stage."""
    (job,) = stage["jobs"]
    found: list[dict[str, Any]] = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    return found


def azure(clone: Clone, name: str, environment: Mapping[str, str], what: str = "apply") -> Ended:
    """Run the bash steps of a stage in order; after a failure only those whose condition says so."""
    document = yaml.safe_load((clone.root / "azure-pipelines.yml").read_text())
    (stage,) = (stage for stage in document["stages"] if stage["stage"] == name)
    temporary = clone.root.parent / f"{clone.root.name} temp"
    temporary.mkdir()
    code, out, err = 0, "", ""
    for step in steps(stage):
        if "bash" not in step or (code and step.get("condition") != "always()"):
            continue
        given = {key: value.replace("${{ parameters.run }}", what) for key, value in step.get("env", {}).items()}
        assert not any("$(" in value or "${{" in value for value in given.values())
        all_ = {**environment, **given, "AGENT_TEMPDIRECTORY": str(temporary), "HOME": str(temporary)}
        done = bash(step["bash"], clone.root, all_)
        code, out, err = code or done.code, out + done.out, err + done.err
    return Ended(code, out, err)


RUNS: dict[str, Callable[[Clone, str, Mapping[str, str]], Ended]] = {"gitlab": gitlab, "azure": azure}
ON_MAIN = {"gitlab": ON_GITLAB, "azure": ON_AZURE}
ON_REQUESTS = {"gitlab": GITLAB_REQUEST, "azure": AZURE_REQUEST}
CIS = pytest.mark.parametrize("ci", RUNS)


def world(remote: Remote, machine: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    return {**machine, **remote.environment, **variables}


@CIS
def test_a_request_shows_its_plan_and_signs_in_nowhere(
    tmp_path: Path, emulator: Served, machine: dict[str, str], ci: str
) -> None:
    remote = remote_for(ci, tmp_path / "world", emulator)
    clone = remote.clone("first")
    done = RUNS[ci](clone, "plan", world(remote, machine, ON_REQUESTS[ci]))
    assert done.code == 0, done.err
    assert "1 portal is valid." in done.out
    assert "Fabrikam" in done.out
    page = clone.root / "plan.md" if ci == "gitlab" else tmp_path / "world/first temp/plan.md"
    assert page.read_text().startswith("## Plan for the license portals\n")
    assert ci == "gitlab" or f"##vso[task.uploadsummary]{page}\n" in done.out
    refused = RUNS[ci](remote.clone("second"), "apply", world(remote, machine, {**ON_MAIN[ci], **ON_REQUESTS[ci]}))
    assert refused.code == 3, refused.err
    assert "untrusted-ref" in refused.err
    assert remote.count() == 1


@CIS
def test_a_request_that_is_not_valid_fails(tmp_path: Path, emulator: Served, machine: dict[str, str], ci: str) -> None:
    remote = remote_for(ci, tmp_path / "world", emulator)
    person = Clone(remote.folder / "license manager", remote.environment)
    person.write("portals.d/broken.yaml", "nmae: Broken\n")
    person.push("Broken")
    done = RUNS[ci](remote.clone("first"), "plan", world(remote, machine, ON_REQUESTS[ci]))
    assert done.code == 1
    assert "unknown-key" in done.out + done.err


@CIS
def test_what_is_on_main_is_applied_committed_and_pushed(
    tmp_path: Path, emulator: Served, machine: dict[str, str], ci: str
) -> None:
    remote = remote_for(ci, tmp_path / "world", emulator)
    done = RUNS[ci](remote.clone("first"), "apply", world(remote, machine, ON_MAIN[ci]))
    assert done.code == 0, done.err
    assert remote.count() == 2
    assert all(path.startswith("state/") for path in remote.changed())
    assert remote.git("log", "-1", "--format=%an|%cn", "main") == "license reconciler|license reconciler"
    again = RUNS[ci](remote.clone("second"), "apply", world(remote, machine, ON_MAIN[ci]))
    assert again.code == 0, again.err
    assert remote.count() == 2, "no commit when nothing changed"


@pytest.mark.parametrize(("what", "reads"), [("recalculate --completely", True), ("recalculate", False)])
@CIS
def test_by_hand_tenants_are_read_or_not(
    tmp_path: Path, emulator: Served, machine: dict[str, str], ci: str, what: str, *, reads: bool
) -> None:
    remote = remote_for(ci, tmp_path / "world", emulator)
    environment = world(remote, machine, ON_MAIN[ci])
    if ci == "gitlab":
        done = gitlab(remote.clone("first"), "apply", {**environment, "COMPLETELY": str(reads).lower()})
    else:
        done = azure(remote.clone("first"), "apply", environment, what)
    assert done.code == 0, done.err
    assert ("reading Fabrikam" in done.err) is reads


def test_no_secret_of_a_portal_reaches_the_stage_that_runs_for_a_pull_request() -> None:
    document = yaml.safe_load((PACKAGE / "reconciler/scaffold/templates/azure/azure-pipelines.yml").read_text())
    assert "variables" not in document, "they would go to every stage"
    plan, apply = document["stages"]
    assert "variables" not in plan
    assert all("env" not in step for step in steps(plan))
    text = (PACKAGE / "reconciler/scaffold/templates/azure/azure-pipelines.yml").read_text()
    assert text.index("# variables: [{group: licenses}]") > text.index("- stage: apply")
    assert apply["jobs"][0]["environment"] == "licenses"


@pytest.mark.parametrize(("command", "code"), [("validate --format github", 0), ("", 0), ("plan nosuch", 64)])
@pytest.mark.parametrize("pinned", [True, False])
def test_the_action_installs_the_tool_and_runs_one_command(
    tmp_path: Path, emulator: Served, machine: dict[str, str], command: str, code: int, *, pinned: bool
) -> None:
    remote = remote_for("github", tmp_path / "world", emulator)
    clone = remote.clone("first")
    action = yaml.safe_load((PACKAGE / "action.yml").read_text())
    inputs = {"inputs.requirements": "requirements.txt" if pinned else "", "inputs.command": command}
    # In place of the action's own commit, whose build needs more than this machine's index has: the wheel there.
    (wheel,) = Path(machine["PIP_FIND_LINKS"]).glob("*.whl")
    outer = {**world(remote, machine, ON_REQUEST), "GITHUB_ACTION_PATH": str(wheel), "HOME": str(tmp_path), **PERSON}
    out = ""
    for step in action["runs"]["steps"]:
        condition = step.get("if")
        assert condition in (None, "inputs.command != ''")
        if "run" not in step or (condition and not command):
            continue
        given = {key: inputs[value[3:-2].strip()] for key, value in step["env"].items()}
        done = bash(step["run"], clone.root, {**outer, **given})
        out += done.out
    assert done.code == code, done.err
    assert ("1 portal is valid." in out) is command.startswith("validate")
    assert "Successfully installed m365-license-reconciler" in out
