"""What the environment variables of a CI say about a run: where it can be looked up, and whether it may be trusted.

A pull request, and a branch that anyone may push to, hold a configuration that nobody has approved. A run on one of
them must not read secrets, sign in, or write the state. The variables are those that each CI documents as predefined.
"""

from __future__ import annotations

from collections.abc import Mapping

_GITHUB_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})
"""Events that only someone who may write to the repository causes, and that run what the branch holds."""

_GITLAB_REQUESTS = frozenset({"merge_request_event", "external_pull_request_event"})

_DEFAULTS = ("main", "master")
"""What default branches are called."""

AZURE_BRANCH = "RECONCILE_BRANCH"
"""The variable of a pipeline that names the branch to publish, where it is neither of these."""


def untrusted_reason(environ: Mapping[str, str], default_branch: str | None = None) -> str | None:
    """Why the configuration of this run may be anyone's, in words that end a sentence; None when it may be trusted.

    ``default_branch`` is the repository's as GitHub's event names it; without one, ``main`` and ``master`` count as
    such. So do protected branches, of which Azure's agent says nothing: there the variable ``RECONCILE_BRANCH`` may
    name the one. Outside of a known CI a run is trusted: somebody started it.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ, default_branch)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ)
    if environ.get("TF_BUILD", "").lower() == "true":
        return _azure(environ)
    return None


def _github(environ: Mapping[str, str], default_branch: str | None) -> str | None:
    event, ref = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REF", "")
    if event not in _GITHUB_EVENTS:
        return f"the event {event or 'without a name'}"
    default = {f"refs/heads/{branch}" for branch in ([default_branch] if default_branch else _DEFAULTS)}
    protected = ref.startswith("refs/heads/") and environ.get("GITHUB_REF_PROTECTED") == "true"
    return None if ref in default or protected else _ref(ref)


def _gitlab(environ: Mapping[str, str]) -> str | None:
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if source in _GITLAB_REQUESTS:
        return f"the event {source}"
    return None if environ.get("CI_COMMIT_REF_PROTECTED") == "true" else _ref(environ.get("CI_COMMIT_REF_NAME", ""))


def _azure(environ: Mapping[str, str]) -> str | None:
    ref = environ.get("BUILD_SOURCEBRANCH", "")
    if environ.get("BUILD_REASON") == "PullRequest":
        return "the event PullRequest"
    branch = environ.get(AZURE_BRANCH)
    if ref in {f"refs/heads/{name}" for name in ([branch] if branch else _DEFAULTS)}:
        return None
    return f"the ref {ref or 'without a name'}, which is not {branch or ' or '.join(_DEFAULTS)}"


def _ref(ref: str) -> str:
    return f"the ref {ref or 'without a name'}, which is no protected branch"


def run_url(environ: Mapping[str, str]) -> str | None:
    """Where people look this run up, or None outside of a known CI."""
    made = None
    if environ.get("GITHUB_ACTIONS") == "true":
        made = _joined(environ, "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}")
    elif environ.get("GITLAB_CI") == "true":
        made = _joined(environ, "{CI_JOB_URL}")
    elif environ.get("TF_BUILD", "").lower() == "true":
        address = "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECTID}/_build/results?buildId={BUILD_BUILDID}"
        made = _joined(environ, address)
    return made if made and made.isprintable() and " " not in made else None


def _joined(environ: Mapping[str, str], address: str) -> str | None:
    """An address with the variables filled in; None when one is missing."""
    try:
        return address.format_map(environ)
    except KeyError:
        return None
