"""Reading what git has recorded: a commit's files, which commits changed what, and what they say. Nothing is written.

git asks nobody for anything and fetches nothing. What it prints about paths is relative to the folder it is asked in,
which may lie inside a repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from reconciler.errors import StateError
from reconciler.git import program

_READING = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_LITERAL_PATHSPECS": "1", "TZ": "UTC"}
"""Nothing is locked or fetched, a path is no pattern, and days are those of UTC."""

_FILE_MODES = ("100644", "100755")
"""Modes of plain files in a tree. Links and repositories within the repository are no files of ours."""
_AT_ONCE = 250
"""How many blobs are read at a time where there may be many."""
_ID = 40
"""Digits of an object's name. A repository of SHA-256 objects has 64, and is not read."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A file that a commit has otherwise than one of its parents.

    ``before`` and ``after`` are blobs, None where there is no file; a link is none.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a commit says of itself: who wrote it, on which day, its first line, and its trailers in order."""

    author: str
    day: str
    subject: str
    trailers: tuple[tuple[str, str], ...]


def resolve(root: Path, revision: str) -> str | None:
    """The commit that a revision names, or None. Raises StateError where there is no repository."""
    _git(root, "rev-parse", "--git-dir")
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    done = program.run(root, *asked, environment=_READING)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def is_shallow(root: Path) -> bool:
    """Whether the clone has not the whole history. Raises StateError."""
    return _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def committed_on(root: Path, commit: str) -> str:
    """The day of a commit, in UTC, as ISO 8601. Raises StateError."""
    return messages(root, [commit])[commit].day


def files(root: Path, commit: str, paths: Sequence[str]) -> dict[str, str]:
    """The files that a commit has below ``paths``: path and blob. Links are none. Raises StateError."""
    listed = _git(root, "ls-tree", "-r", "-z", commit, "--", *paths).decode("utf-8", "surrogateescape")
    found: dict[str, str] = {}
    for entry in listed.split("\0")[:-1]:
        (mode, _, blob), path = entry.partition("\t")[0].split(), entry.partition("\t")[2]
        if mode in _FILE_MODES and ".." not in PurePosixPath(path).parts and not path.startswith("/"):
            found[path] = blob
    return found


@contextmanager
def snapshot(root: Path, commit: str, paths: Sequence[str]) -> Iterator[Path]:
    """A folder with these paths as they are in a commit, to the byte; it is gone afterwards. Raises StateError."""
    found = files(root, commit, paths)
    contents = blobs(root, found.values())
    with TemporaryDirectory(prefix="reconcile-") as made:
        folder = Path(made)
        for path, blob in found.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(contents[blob])
        yield folder


def history(root: Path, commit: str) -> dict[str, tuple[str, ...]]:
    """Every commit that leads to this one with its parents, parents first. Raises StateError."""
    listed = _git(root, "rev-list", "--topo-order", "--reverse", "--parents", commit).decode()
    lines = (line.split() for line in listed.splitlines())
    return {found: tuple(parents) for found, *parents in lines}


def edits(
    root: Path, commits: Mapping[str, Sequence[str]], paths: Sequence[str]
) -> dict[str, dict[str | None, tuple[Edit, ...]]]:
    """What each of some commits has otherwise below ``paths``, by commit and parent.

    A first commit has the parent None. Raises StateError.
    """
    found: dict[str, dict[str | None, tuple[Edit, ...]]] = {}
    for number in range(max((len(parents) for parents in commits.values()), default=0) or 1):
        asked = {
            commit: parents[number] if parents else None
            for commit, parents in commits.items()
            if number < (len(parents) or 1)
        }
        for commit, changed in _edits(root, asked, paths):
            found.setdefault(commit, {})[asked[commit]] = changed
    return found


def _edits(root: Path, asked: Mapping[str, str | None], paths: Sequence[str]) -> Iterator[tuple[str, tuple[Edit, ...]]]:
    """What commits have otherwise than one parent each; those that differ in nothing are left out."""
    lines = "".join(f"{commit} {parent}\n" if parent else f"{commit}\n" for commit, parent in asked.items())
    raw = ("--stdin", "-r", "--root", "-z", "--raw", "--no-renames", "--no-abbrev", "--relative")
    words = iter(_git(root, "diff-tree", *raw, "--", *paths, stdin=lines.encode()).split(b"\0")[:-1])
    commit = ""
    changed: list[Edit] = []
    for word in words:
        if not word.startswith(b":"):
            if changed:
                yield commit, tuple(changed)
            commit, changed = word.decode(), []
            continue
        mode_before, mode_after, before, after, _ = word.decode().removeprefix(":").split()
        path = next(words).decode("utf-8", "surrogateescape")
        changed.append(Edit(path, _blob(mode_before, before), _blob(mode_after, after)))
    if changed:
        yield commit, tuple(changed)


def _blob(mode: str, name: str) -> str | None:
    return name if mode in _FILE_MODES else None


def messages(root: Path, commits: Iterable[str]) -> dict[str, Message]:
    """What commits say of themselves. Raises StateError."""
    asked = "".join(f"{commit}\n" for commit in commits)
    if not asked:
        return {}
    trailers = "%(trailers:only,unfold,separator=%x1E,key_value_separator=%x1F)"
    shape = f"--format=%H%x1D%an%x1D%cd%x1D%s%x1D{trailers}"
    told = ("log", "--no-walk=unsorted", "--stdin", "-z", "--encoding=UTF-8", "--date=format-local:%Y-%m-%d", shape)
    text = _git(root, *told, stdin=asked.encode()).decode("utf-8", "replace")
    return dict(_message(record) for record in text.split("\0") if record)


def _message(record: str) -> tuple[str, Message]:
    """One commit's message. What a message has of the separators itself is cut off: it says nothing that counts."""
    commit, author, day, subject, trailers = (record.lstrip("\n").split("\x1d") + [""] * 4)[:5]
    pairs = (entry.partition("\x1f") for entry in trailers.strip("\n").split("\x1e") if entry)
    return commit, Message(author, day, subject, tuple((key.strip(), value.strip()) for key, _, value in pairs))


def each_blob(root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Blobs with their content, of which few are in memory at a time. Raises StateError when one is not there."""
    wanted = sorted(set(names))
    for at in range(0, len(wanted), _AT_ONCE):
        yield from blobs(root, wanted[at : at + _AT_ONCE]).items()


def blobs(root: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The content of blobs by name. Raises StateError when one is not there."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rest = _git(root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in wanted).encode())
    found, at = {}, 0
    for name in wanted:
        end = rest.index(b"\n", at)
        head = rest[at:end].split()
        if len(head) != 3 or len(head[0]) != _ID or head[1] != b"blob":
            raise StateError("git cat-file failed.", code="git-failed", detail=f"{name} is not here")
        size = int(head[2])
        found[name] = rest[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints. Raises StateError when it fails."""
    return program.output(root, *arguments, environment=_READING, stdin=stdin)
