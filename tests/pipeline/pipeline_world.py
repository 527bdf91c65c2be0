"""A remote and its clones with real git, and the command line in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.cli_world import PACKAGE, Ended

PERSON = {
    "GIT_AUTHOR_NAME": "A person",
    "GIT_AUTHOR_EMAIL": "person@example.invalid",
    "GIT_COMMITTER_NAME": "A person",
    "GIT_COMMITTER_EMAIL": "person@example.invalid",
}
"""As whom people commit."""

ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
"""git without any configuration but the repository's own."""

PROTECTED = """\
#!/bin/sh
while read -r old new ref; do
  if [ "$ref" = refs/heads/main ]; then
    echo "Changes must be made through a pull request." >&2
    exit 1
  fi
done
"""
"""A pre-receive hook that lets nobody push to main."""


def without_outer_git(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without the variables of a hook or a CI that these tests may run in."""
    outer = ("GIT_", "GITHUB_", "GITLAB_", "CI_", "BUILD_", "SYSTEM_", "ACTIONS_")
    return {name: value for name, value in environ.items() if not name.startswith(outer) and name != "TF_BUILD"} | ALONE


def git(folder: Path, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
    """What git prints."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**without_outer_git(os.environ), **PERSON, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Clone:
    """A clone of the remote. ``environment`` is what its commands find, beside the machine's own."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        """What git prints here."""
        return git(self.root, *arguments)

    def reconcile(self, *arguments: str, **environment: str) -> Ended:
        """Run the command line here, in a process of its own."""
        done = self.start(*arguments, **environment)
        out, err = done.communicate(timeout=120)
        return Ended(done.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same without waiting for its end."""
        return subprocess.Popen(
            [sys.executable, "-c", "from reconciler.cli.main import run; run()", *arguments],
            cwd=self.root,
            env={**without_outer_git(os.environ), **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def push(self, message: str = "A change") -> str:
        """Commit everything and push it, as a person does after a pull; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def pull(self) -> None:
        """Take over what is at the remote."""
        self.git("pull", "--quiet", "--ff-only")


@dataclass
class Remote:
    """A bare repository, and clones of it beside it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def bare(self) -> Path:
        """The repository that all push to."""
        return self.folder / "remote.git"

    def create(self) -> Remote:
        """Make the bare repository."""
        self.folder.mkdir(parents=True, exist_ok=True)
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        return self

    def clone(self, name: str) -> Clone:
        """A new clone."""
        git(self.folder, "clone", "--quiet", str(self.bare), name)
        return Clone(self.folder / name, self.environment)

    def protect(self) -> None:
        """Let nobody push to main any more."""
        hook = self.bare / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(PROTECTED)
        hook.chmod(0o755)

    def git(self, *arguments: str) -> str:
        """What git prints in the bare repository."""
        return git(self.bare, *arguments)

    def count(self, branch: str = "main") -> int:
        """How many commits a branch has."""
        return int(self.git("rev-list", "--count", branch))

    def files(self, commit: str = "main") -> set[str]:
        """The paths in a commit."""
        return set(self.git("ls-tree", "-r", "--name-only", commit).splitlines())

    def changed(self, commit: str = "main") -> set[str]:
        """The paths that a commit changed."""
        return set(self.git("diff-tree", "-r", "--no-commit-id", "--name-only", "--root", commit).splitlines())


def demo_portal(name: str, credentials: Path) -> str:
    """A portal file of the demo, whose credentials stand in the folder of an emulator that is served."""
    text = (PACKAGE / f"portals.d/{name}.yaml").read_text(encoding="utf-8")
    return text.replace("file: .emulator/", f"file: {credentials}/")
