"""Which runs may be trusted, and where they are looked up: from the variables of each CI."""

from __future__ import annotations

import pytest

from reconciler.ci import run_url, untrusted_reason

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
GITLAB = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_PROTECTED": "true"}
AZURE = {"TF_BUILD": "True", "BUILD_REASON": "IndividualCI", "BUILD_SOURCEBRANCH": "refs/heads/main"}


@pytest.mark.parametrize(
    ("environ", "default_branch"),
    [
        ({}, None),
        (GITHUB, None),
        (GITHUB, "main"),
        (GITHUB | {"GITHUB_REF": "refs/heads/master"}, None),
        (GITHUB | {"GITHUB_REF": "refs/heads/trunk"}, "trunk"),
        (GITHUB | {"GITHUB_REF": "refs/heads/staging", "GITHUB_REF_PROTECTED": "true"}, "main"),
        (GITHUB | {"GITHUB_EVENT_NAME": "schedule"}, "main"),
        (GITHUB | {"GITHUB_EVENT_NAME": "workflow_dispatch"}, "main"),
        (GITLAB, None),
        (GITLAB | {"CI_PIPELINE_SOURCE": "schedule"}, None),
        (AZURE, None),
        (AZURE | {"BUILD_REASON": "Schedule"}, None),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/heads/master"}, None),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/heads/trunk", "RECONCILE_BRANCH": "trunk"}, None),
        ({"GITHUB_EVENT_NAME": "pull_request"}, None),
    ],
)
def test_what_somebody_approved_is_trusted(environ: dict[str, str], default_branch: str | None) -> None:
    assert untrusted_reason(environ, default_branch) is None


@pytest.mark.parametrize(
    ("environ", "default_branch", "named"),
    [
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}, "main", "pull_request"),
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request_target"}, "main", "pull_request_target"),
        (GITHUB | {"GITHUB_EVENT_NAME": "issue_comment"}, "main", "issue_comment"),
        (GITHUB | {"GITHUB_EVENT_NAME": "workflow_run"}, "main", "workflow_run"),
        (GITHUB | {"GITHUB_EVENT_NAME": "merge_group"}, "main", "merge_group"),
        ({"GITHUB_ACTIONS": "true"}, "main", "without a name"),
        (GITHUB | {"GITHUB_REF": "refs/heads/mine"}, "main", "refs/heads/mine"),
        (GITHUB | {"GITHUB_REF": "refs/heads/mine"}, None, "refs/heads/mine"),
        (GITHUB | {"GITHUB_REF": "refs/heads/main"}, "trunk", "refs/heads/main"),
        (GITHUB | {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_PROTECTED": "true"}, "main", "refs/tags/v1"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "merge_request_event"}, None, "merge_request_event"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "external_pull_request_event"}, None, "external_pull_request_event"),
        (GITLAB | {"CI_COMMIT_REF_PROTECTED": "false", "CI_COMMIT_REF_NAME": "mine"}, None, "mine"),
        ({"GITLAB_CI": "true"}, None, "without a name"),
        (AZURE | {"BUILD_REASON": "PullRequest"}, None, "PullRequest"),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/pull/7/merge"}, None, "refs/pull/7/merge"),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/heads/mine"}, None, "refs/heads/mine, which is not main or master"),
        (AZURE | {"RECONCILE_BRANCH": "trunk"}, None, "refs/heads/main, which is not trunk"),
        ({"TF_BUILD": "True"}, None, "without a name"),
    ],
)
def test_what_may_be_anyones_is_not_trusted_and_named(
    environ: dict[str, str], default_branch: str | None, named: str
) -> None:
    assert named in (untrusted_reason(environ, default_branch) or "")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (
            GITHUB
            | {
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "contoso/licenses",
                "GITHUB_RUN_ID": "12",
            },
            "https://github.example/contoso/licenses/actions/runs/12",
        ),
        (GITLAB | {"CI_JOB_URL": "https://gitlab.example/l/-/jobs/3"}, "https://gitlab.example/l/-/jobs/3"),
        (
            AZURE
            | {"SYSTEM_COLLECTIONURI": "https://azure.example/c/", "SYSTEM_TEAMPROJECTID": "p", "BUILD_BUILDID": "4"},
            "https://azure.example/c/p/_build/results?buildId=4",
        ),
        (GITHUB, None),
        (GITLAB | {"CI_JOB_URL": "https://gitlab.example\nForged-By: somebody"}, None),
        ({"CI_JOB_URL": "https://gitlab.example"}, None),
    ],
)
def test_a_run_is_named_by_where_people_look_it_up(environ: dict[str, str], url: str | None) -> None:
    assert run_url(environ) == url
