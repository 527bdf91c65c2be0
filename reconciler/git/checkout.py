"""A checkout in which a run works: commit ``state/``, push, and start again from what others have pushed.

Who commits is what git's configuration or ``GIT_AUTHOR_NAME`` and its kin say.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import Refused, StateError
from reconciler.git import program
from reconciler.pushing import Answer, Push

REMOTE = "origin"
STATE = "state"
CONFIGURATION = ("portals.d", "reconcile.yaml")

_WRITING = {"GIT_EDITOR": "true"}
"""No editor opens for a message: git keeps the one it has."""

_NEVER = re.compile(r"state/(?:\.lock|[^/]*\.db[^/]*)")
"""What is not committed, whatever ``.gitignore`` says: the DB holds personal data."""

NAME, EMAIL = "license reconciler", "license-reconciler@localhost"
"""Who commits where git knows nobody."""


def _is_passed_over(path: str) -> bool:
    """Whether the loader of the configuration passes over a file of this path."""
    folder, _, name = path.rpartition("/")
    return folder == CONFIGURATION[0] and (name.startswith(".") or name == "README.md")


class Checkout:
    """The checkout that holds ``root``, which is the repository's folder or one inside it.

    Every method raises StateError with the code ``git-failed`` when git cannot do it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def branch(self) -> str | None:
        """The branch that is checked out, or None when a commit is."""
        self._require_repository()
        done = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None

    def head(self) -> str:
        """The commit that is checked out."""
        self._require_repository()
        done = self._try("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if done.returncode:
            raise StateError("There is no commit in this repository yet.", code="git-failed")
        return done.stdout.decode().strip()

    def _require_repository(self) -> None:
        """Raise StateError where there is none."""
        done = self._try("rev-parse", "--git-dir")
        if done.returncode:
            raise StateError(
                "This folder is in no clone of a git repository.", code="git-failed", detail=program.said(done.stderr)
            )

    def refuse_changes(self) -> None:
        """Raise Refused when files outside ``state/`` differ from what is committed: a run must be of a commit.

        So must be every portal and the settings, whether git ignores them or not. What is nowhere in git otherwise, and
        is no configuration, may lie around.
        """
        from_head = ("diff", "--name-only", "-z", self.head())
        changed = self._git(*from_head, "--", ":/", f":(exclude){STATE}").split("\0")[:-1]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise Refused(f"{changed[0]}{more} has changes that are not committed.", code="checkout-changed")
        paths = self._git("ls-files", "--others", "-z", "--", *CONFIGURATION).split("\0")[:-1]
        unknown = [path for path in paths if not _is_passed_over(path)]
        if unknown:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            raise Refused(f"{unknown[0]}{more} is not in git.", code="checkout-changed")

    def commit_state(self, message: Callable[[frozenset[str]], str]) -> str | None:
        """Commit what changed under ``state/`` and nothing else; the commit, or None when nothing changed.

        ``message`` makes the message from the paths that changed, which are relative to ``root``.
        """
        changed = self._changed_state()
        if not changed:
            return None
        listed = "".join(f"{path}\0" for path in sorted(changed))
        from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
        self._git("add", "--all", *from_stdin, paths=listed)
        self._git("commit", "--quiet", "--message", message(changed), *from_stdin, paths=listed, identified=True)
        return self.head()

    def _changed_state(self) -> frozenset[str]:
        """The paths under ``state/`` that differ from what is committed, relative to ``root``."""
        known = self._git("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", STATE)
        new = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", STATE)
        paths = (known + new).split("\0")[:-1]
        return frozenset(path for path in paths if not _NEVER.fullmatch(path))

    def push(self, branch: str, *, in_place_of: str | None = None) -> Push:
        """Push what is checked out to a branch of the remote; instead of the tip ``in_place_of``, and of no other.

        Raises StateError with the code ``push-failed`` when the remote was not reached or knows no such user: then it
        has not said anything about the branch.
        """
        leased = [f"--force-with-lease=refs/heads/{branch}:{in_place_of}"] if in_place_of else []
        done = self._try("push", "--porcelain", *leased, REMOTE, f"HEAD:refs/heads/{branch}")
        told = done.stderr.decode("utf-8", "replace").splitlines()
        lines = (line.removeprefix("remote:").strip() for line in told if line.startswith("remote:"))
        said = "\n".join(line for line in lines if line)
        if not done.returncode:
            return Push(Answer.ACCEPTED, said)
        refusals = [line for line in done.stdout.splitlines() if line.startswith(b"!\t")]
        if not refusals:
            raise StateError(
                f"The state could not be pushed to {branch}.", code="push-failed", detail=program.said(done.stderr)
            )
        return Push(Answer.BEHIND if b"\t[rejected]" in refusals[0] else Answer.REFUSED, said)

    def fetch(self, branch: str) -> str | None:
        """Fetch a branch of the remote; the commit at its tip, or None when it has no such branch.

        Raises StateError with the code ``push-failed`` when the remote was not reached or knows no such user.
        """
        name = f"refs/heads/{branch}"
        fetched = self._try("fetch", "--quiet", "--no-tags", REMOTE, name)
        if not fetched.returncode:
            return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()
        listed = self._try("ls-remote", REMOTE, name)
        if listed.returncode or f"\t{name}\n" in listed.stdout.decode("utf-8", "replace"):
            raise StateError(
                f"The branch {branch} could not be fetched.", code="push-failed", detail=program.said(fetched.stderr)
            )
        return None

    def leads_to(self, old: str, new: str) -> bool:
        """Whether the history of ``new`` has ``old`` in it."""
        return self._try("merge-base", "--is-ancestor", old, new).returncode == 0

    def has_own(self, tip: str) -> bool:
        """Whether commits that ``tip`` has not changed anything outside of ``state/``, or share nothing with it."""
        common = self._try("merge-base", tip, "HEAD")
        return bool(common.returncode) or self.differ(common.stdout.decode().strip(), "HEAD")

    def differ(self, old: str, new: str) -> bool:
        """Whether two commits differ in anything of the repository outside of ``state/``."""
        # No submodule is left out, whatever .gitmodules says: it is a file of the branch that is looked at.
        names = ("diff-tree", "-r", "--name-only", "--ignore-submodules=none", old, new)
        return bool(self._git(*names, "--", ":/", f":(exclude){STATE}"))

    def changed(self, old: str, new: str) -> frozenset[str]:
        """The paths that differ between two commits, those in ``root`` and relative to it."""
        names = ("diff", "--name-only", "--no-renames", "--relative", "-z", old, new)
        return frozenset(self._git(*names).split("\0")[:-1])

    def turn_to(self, commit: str) -> None:
        """Have this commit checked out, on the branch that is; refused by git over changes that are not committed."""
        self._git("reset", "--quiet", "--keep", commit)

    def put_on(self, commit: str, base: str) -> None:
        """Put what was committed since ``base`` on top of another commit."""
        self._git("rebase", "--merge", "--quiet", "--onto", commit, base, identified=True)

    def end_rebase(self) -> None:
        """Undo a ``put_on`` that was killed on its way. A rebase of anything but state is a person's, and stays."""
        begun = self._root / self._git("rev-parse", "--git-path", "rebase-merge").strip()
        try:
            ours, onto = ((begun / name).read_text(encoding="utf-8").strip() for name in ("orig-head", "onto"))
        except OSError:
            return
        common = self._try("merge-base", onto, ours)
        if common.returncode == 0 and not self.differ(common.stdout.decode().strip(), ours):
            self._git("rebase", "--abort")

    def _git(self, *arguments: str, identified: bool = False, paths: str = "") -> str:
        """What git prints. Raises StateError when it fails. ``paths`` are literal, and go to its standard input."""
        environment = {**_WRITING, **self._identity()} if identified else _WRITING
        if paths:
            environment = {**environment, "GIT_LITERAL_PATHSPECS": "1"}
        return program.output(self._root, *arguments, environment=environment, stdin=paths.encode()).decode(
            "utf-8", "replace"
        )

    def _try(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git, whatever comes of it. Raises StateError when there is no git."""
        return program.run(self._root, *arguments, environment=_WRITING)

    def _identity(self) -> dict[str, str]:
        """A name for each of the two roles that git knows nobody for."""
        made: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            if self._try("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT").returncode:
                made |= {f"GIT_{role}_NAME": NAME, f"GIT_{role}_EMAIL": EMAIL}
        return made
