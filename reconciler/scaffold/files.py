"""Which files a repository gets. Pure: from the templates and schemas to paths and texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.scaffold.ownership import Verdict, marked, verdict
from reconciler.scaffold.settings_file import settings_file


class Ci(StrEnum):
    """Where the pipeline runs."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files of a repository by path: ``owned`` are the tool's and have a marker, ``given`` are people's."""

    owned: Mapping[str, str]
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one file; ``text`` is what to write, None where nothing is written."""

    path: str
    verdict: Verdict
    text: str | None


SCHEMAS = ("portal", "settings", "removals")
"""The schemas of the files that people write."""

_PIPELINES = {
    Ci.GITHUB: {
        ".github/workflows/plan.yml": "github/plan.yml",
        ".github/workflows/apply.yml": "github/apply.yml",
    },
    Ci.GITLAB: {".gitlab-ci.yml": "gitlab/gitlab-ci.yml"},
    Ci.AZURE: {"azure-pipelines.yml": "azure/azure-pipelines.yml"},
}
"""The template of each file of a pipeline."""

_CODEOWNERS = "put your teams into `CODEOWNERS`."
_WORDS = {
    Ci.GITHUB: {
        "owned": "`.github/workflows/`",
        "owners": _CODEOWNERS,
        "request": "pull request",
        "sign_in": "GitHub vouches for the job (OIDC, below).",
    },
    Ci.GITLAB: {
        "owned": "`.gitlab-ci.yml`",
        "owners": _CODEOWNERS,
        "request": "merge request",
        "sign_in": "GitLab vouches for the job (OIDC, below).",
    },
    Ci.AZURE: {
        "owned": "`azure-pipelines.yml`",
        "owners": "branch policies, below.",
        "request": "pull request",
        "sign_in": "a managed identity, where the pipeline runs on machines of your own in Azure.",
    },
}
"""What the README says otherwise for each."""

_SECRETLESS = {
    Ci.GITHUB: ("federated", "token: {github: true}", "GitHub vouches for the job: nothing to keep, nothing to expire"),
    Ci.GITLAB: ("federated", "token: {file: /tmp/entra-token}", "GitLab vouches for the job, and nothing expires"),
    Ci.AZURE: ("managed_identity", "assigned: user", "only on machines of your own in Azure"),
}
"""How a portal signs in without a secret: type, the rest, and what is good about it."""


BRANCH = "main"
"""The branch that the templates name."""

_BRANCH = re.compile(r"^ *(?:branches|include): \[([^\]]+)\]", re.MULTILINE)
"""Where a pipeline names it."""


def scaffold(
    ci: Ci, version: str, templates: Callable[[str], str], schemas: Callable[[str], str], branch: str = BRANCH
) -> Scaffold:
    """The files for a CI. ``templates`` gives the text at a path of the templates, ``schemas`` that of a schema.

    ``branch`` is the one that is applied.
    """
    owned = {f"schemas/{name}.schema.json": schemas(name) for name in SCHEMAS}
    owned |= {path: _on(branch, templates(template)) for path, template in _PIPELINES[ci].items()}
    pipeline = _on(branch, templates(f"{ci}/README-pipeline.md").rstrip("\n"))
    given = {
        "README.md": _filled(templates("shared/README.md"), {**_WORDS[ci], "pipeline": pipeline}),
        "requirements.txt": _filled(templates("shared/requirements.txt"), {"version": version}),
        "reconcile.yaml": settings_file(json.loads(schemas("settings"))),
        "portals.d/README.md": templates("shared/portals-README.md"),
        "portals.d/.example.yaml": _filled(templates("shared/example.yaml"), {"authentication": _authentication(ci)}),
        ".gitignore": templates("shared/gitignore"),
        ".gitattributes": templates("shared/gitattributes"),
    }
    if ci is not Ci.AZURE:  # which has no such file
        given["CODEOWNERS"] = templates("shared/CODEOWNERS")
    return Scaffold({path: marked(text) for path, text in owned.items()}, given)


def steps(made: Scaffold, present: Callable[[str], str | None], *, first: bool) -> list[Step]:
    """What becomes of each file, in the order in which they are written. ``present`` gives what stands at a path.

    What is people's is created by the ``first`` run only: what they delete later stays deleted.
    """
    found = []
    for path, text in made.given.items() if first else ():
        there = present(path) is not None
        found.append(Step(path, Verdict.PEOPLES if there else Verdict.CREATED, None if there else text))
    for path, text in made.owned.items():
        became = verdict(present(path), text)
        found.append(Step(path, became, text if became in (Verdict.CREATED, Verdict.UPDATED) else None))
    return found


def pipeline_files(ci: Ci) -> tuple[str, ...]:
    """The files by which a repository is known to have a pipeline of this CI."""
    return tuple(_PIPELINES[ci])


def branch_of(text: str) -> str | None:
    """The branch that a pipeline says it applies, or None."""
    found = _BRANCH.search(text)
    return found[1] if found else None


def can_be_named(branch: str) -> bool:
    """Whether a pipeline can name a branch without quotes around it."""
    return re.fullmatch(r"[A-Za-z][\w./-]*", branch, re.ASCII) is not None


def _on(branch: str, text: str) -> str:
    """A template, which is written for ``main``, for another branch."""
    return re.sub(rf"\b{BRANCH}\b", branch, text)


def _authentication(ci: Ci) -> str:
    """The ways to sign in, the best for this CI first and not in a comment."""
    kind, rest, why = _SECRETLESS[ci]
    return "\n".join(
        [
            "authentication:",
            f"  type: {kind} # {why}",
            f"  {rest}",
            "# authentication:",
            "#   type: certificate",
            "#   public_certificate: {file: credentials/contoso.crt} # reconcile certificate create contoso",
            "#   private_key: {env: CONTOSO_PRIVATE_KEY}",
            "# authentication:",
            "#   type: secret",
            "#   secret: {env: CONTOSO_SECRET} # where the value is, never the value",
            "#   expires: 2027-03-31 # you are warned ahead of it",
        ]
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    """A template with its words in place."""
    for name, word in words.items():
        text = text.replace(f"<<{name}>>", word)
    return text
