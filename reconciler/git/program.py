"""git as a program: called without a shell, in a folder, never asking anybody for a password."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import StateError

MOST_SAID = 300
"""How many characters of what git says are shown."""

_AS_RECORDED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""What was committed counts, and not what a clone shows in its place: by a ref under ``refs/replace``, or a graft."""

_PLAIN = ("-c", "log.showSignature=false", "-c", "trailer.separators=:", "-c", "advice.graftFileDeprecated=false")
"""Whatever the user has configured: no words about signatures between what is asked for, nor about the file of grafts
in front of what went wrong, and trailers as ours."""


def run(
    folder: Path, *arguments: str, environment: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git with ``environment`` on top of this process's own, whatever comes of it.

    Raises StateError with the code ``git-failed`` when there is no git.
    """
    try:
        return subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
            ["git", *_PLAIN, *arguments],  # noqa: S607 - git is where the user has it
            cwd=folder,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **_AS_RECORDED, **environment},
            input=stdin,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise StateError(f"git {arguments[0]} failed.", code="git-failed", detail=error.strerror) from None


def output(folder: Path, *arguments: str, environment: Mapping[str, str], stdin: bytes = b"") -> bytes:
    """What git prints. Raises StateError with the code ``git-failed`` when it fails."""
    done = run(folder, *arguments, environment=environment, stdin=stdin)
    if done.returncode:
        raise StateError(f"git {arguments[0]} failed.", code="git-failed", detail=said(done.stderr))
    return done.stdout


def said(stderr: bytes) -> str | None:
    """What git says when it fails, in one line, with no user and password in its addresses."""
    words = " ".join(stderr.decode("utf-8", "replace").split())
    return re.sub(r"://[^/@\s]*@", "://", words)[:MOST_SAID] or None
