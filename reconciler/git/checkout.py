"""A checkout in which a run works: commit ``state/``, push, and start again from what others have pushed.

git is called as a program, without a shell, and never asks for a password. Who commits is what git's configuration or
``GIT_AUTHOR_NAME`` and its kin say. What git says is shown without the credentials that an address may hold.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import Refused, StateError
from reconciler.publish import Push

REMOTE = "origin"
STATE = "state"
MOST_SAID = 300
"""How many characters of what git says are shown."""

_NEVER = re.compile(r"state/(?:\.lock|[^/]*\.db[^/]*)")
"""What is not committed, whatever ``.gitignore`` says: the DB holds personal data."""

NAME, EMAIL = "license reconciler", "license-reconciler@localhost"
"""Who commits where git knows nobody."""


class Checkout:
    """The checkout that holds ``root``, which is the repository's folder or one inside it.

    Every method raises StateError with the code ``git-failed`` when git cannot do it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}

    def branch(self) -> str | None:
        """The branch that is checked out, or None when a commit is."""
        done = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        return done.stdout.strip() if done.returncode == 0 else None

    def head(self) -> str:
        """The commit that is checked out."""
        return self._git("rev-parse", "--verify", "HEAD^{commit}").strip()

    def refuse_changes(self) -> None:
        """Raise Refused when files outside ``state/`` differ from what is committed: a run must be of a commit."""
        from_head = ("diff", "--name-only", "-z", self.head())
        changed = self._git(*from_head, "--", ":/", f":(exclude){STATE}").split("\0")[:-1]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise Refused(f"{changed[0]}{more} has changes that are not committed.", code="checkout-changed")

    def commit_state(self, message: Callable[[frozenset[str]], str]) -> str | None:
        """Commit what changed under ``state/`` and nothing else; the commit, or None when nothing changed.

        ``message`` makes the message from the paths that changed, which are relative to ``root``.
        """
        changed = self._changed_state()
        if not changed:
            return None
        listed = "".join(f"{path}\0" for path in sorted(changed))
        from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
        self._git("add", "--all", *from_stdin, stdin=listed)
        self._git("commit", "--quiet", "--message", message(changed), *from_stdin, stdin=listed, identified=True)
        return self.head()

    def _changed_state(self) -> frozenset[str]:
        """The paths under ``state/`` that differ from what is committed, relative to ``root``."""
        known = self._git("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", STATE)
        new = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", STATE)
        paths = (known + new).split("\0")[:-1]
        return frozenset(path for path in paths if not _NEVER.fullmatch(path))

    def push(self, branch: str, *, force: bool = False) -> Push:
        """Push what is checked out to a branch of the remote.

        Raises StateError with the code ``push-failed`` when the remote was not reached or knows no such user: then it
        has not said anything about the branch.
        """
        forced = ["--force"] if force else []
        done = self._try("push", "--porcelain", *forced, REMOTE, f"HEAD:refs/heads/{branch}")
        if done.returncode and not any(line.startswith("!\t") for line in done.stdout.splitlines()):
            raise StateError(
                f"The state could not be pushed to {branch}.", code="push-failed", detail=_said(done.stderr)
            )
        lines = (
            line.removeprefix("remote:").strip() for line in done.stderr.splitlines() if line.startswith("remote:")
        )
        return Push(accepted=not done.returncode, said="\n".join(line for line in lines if line))

    def fetch(self, branch: str) -> str:
        """Fetch a branch of the remote; the commit at its tip."""
        self._git("fetch", "--quiet", "--no-tags", REMOTE, f"refs/heads/{branch}")
        return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()

    def leads_to(self, old: str, new: str) -> bool:
        """Whether the history of ``new`` has ``old`` in it."""
        return self._try("merge-base", "--is-ancestor", old, new).returncode == 0

    def has_own(self, tip: str) -> bool:
        """Whether commits that ``tip`` has not changed anything outside of ``state/``."""
        since = ("diff", "--name-only", "-z", f"{tip}...HEAD")
        return bool(self._git(*since, "--", ":/", f":(exclude){STATE}"))

    def changed(self, old: str, new: str) -> frozenset[str]:
        """The paths that differ between two commits."""
        return frozenset(self._git("diff", "--name-only", "--no-renames", "-z", old, new).split("\0")[:-1])

    def turn_to(self, commit: str) -> None:
        """Have this commit checked out, on the branch that is; refused by git over changes that are not committed."""
        self._git("reset", "--quiet", "--keep", commit)

    def put_on(self, commit: str, base: str) -> None:
        """Put what was committed since ``base`` on top of another commit."""
        self._git("rebase", "--quiet", "--onto", commit, base, identified=True)

    def _git(self, *arguments: str, identified: bool = False, stdin: str = "") -> str:
        """What git prints. Raises StateError when it fails."""
        done = self._try(*arguments, identified=identified, stdin=stdin)
        if done.returncode:
            raise StateError(f"git {arguments[0]} failed.", code="git-failed", detail=_said(done.stderr))
        return done.stdout

    def _try(self, *arguments: str, identified: bool = False, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run git, whatever comes of it. Raises StateError when there is no git."""
        environment = {**self._environment, **self._identity()} if identified else self._environment
        command = ["git", "--literal-pathspecs", *arguments] if stdin else ["git", *arguments]
        try:
            return subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
                command,
                cwd=self._root,
                env=environment,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise StateError(f"git {arguments[0]} failed.", code="git-failed", detail=error.strerror) from None

    def _identity(self) -> dict[str, str]:
        """A name for each of the two roles that git knows nobody for."""
        made: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            if self._try("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT").returncode:
                made |= {f"GIT_{role}_NAME": NAME, f"GIT_{role}_EMAIL": EMAIL}
        return made


def _said(text: str) -> str | None:
    """What git says when it fails, in one line, with no user and password in its addresses."""
    line = re.sub(r"://[^/@\s]*@", "://", " ".join(text.split()))
    return line[:MOST_SAID] or None
