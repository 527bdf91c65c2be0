"""A repository under git in which the tool runs, and people change files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cli.cli_world import Ended, World
from tests.pipeline.pipeline_world import git


@dataclass
class Repository:
    """A clone that pushes to a bare repository beside it."""

    world: World
    bare: Path

    @property
    def root(self) -> Path:
        """The clone."""
        return self.world.root

    def begin(self) -> None:
        """Make the remote and the clone."""
        git(self.bare.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        git(self.root, "init", "--quiet", "--initial-branch=main")
        git(self.root, "remote", "add", "origin", str(self.bare))

    def git(self, *arguments: str) -> str:
        """What git prints in the clone."""
        return git(self.root, *arguments)

    def commit(self, subject: str, *trailers: str) -> str:
        """Commit everything as a person; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "\n".join([subject, "", *trailers]))
        return self.head()

    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def publish(self, now: str = "2026-11-23T06:00:00Z", *arguments: str) -> str:
        """Let the tool apply, commit and push what people committed; the commit."""
        self.git("push", "--quiet", "--force", "origin", "HEAD")
        ended = self.world.run("--now", now, "publish", *arguments)
        assert ended.code == 0, ended.err
        return self.head()

    def verify(self, *arguments: str) -> Ended:
        """Verify, without the emulator: an auditor has the repository and nothing else."""
        return self.world.run("verify", *arguments, emulate=False)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file, where it is found first."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
