"""Where a new key pair lies: in which files, for whose eyes, and out of git.

The private key is never in a file that others may read, not even for an instant, and never in one that git would take.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.certificates.key_pair import KeyPair
from reconciler.errors import ConfigurationError, ReconcileError, Refused
from reconciler.model import CertificateAuthentication, Portal, Reference

FOLDER = "credentials"
"""Where key pairs lie when the portal's file does not say, under the repository."""

_PATTERN = re.compile(r"[\\*?\[\]!# ]")
"""What means something else in a ``.gitignore`` than itself."""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The two files of a key pair, absolute."""

    certificate: Path
    private_key: Path


def key_files(root: Path, portal_id: str, portal: Portal | None, directory: Path | None) -> KeyFiles:
    """Where the key pair of a portal goes: into ``directory``, else where its file points, else into ``credentials``.

    Raises ConfigurationError for a path that a reference could not name: relative, and out of the repository.
    """
    folder = directory if directory is not None else Path(FOLDER)
    signs_in = portal.authentication if portal and directory is None else None
    pair = signs_in if isinstance(signs_in, CertificateAuthentication) else CertificateAuthentication()
    return KeyFiles(
        _place(root, _named(pair.public_certificate) or folder / f"{portal_id}.crt"),
        _place(root, _named(pair.private_key) or folder / f"{portal_id}.key"),
    )


def _named(reference: Reference | None) -> Path | None:
    """The path of a reference to a file."""
    return Path(reference.name) if reference and reference.kind == "file" else None


def _place(root: Path, path: Path) -> Path:
    """A path in full."""
    full = Path(os.path.normpath(root / path))
    if not path.is_absolute() and not full.resolve().is_relative_to(root.resolve()):  # a link may lead out, too
        raise ConfigurationError(
            f"{path} leads out of the repository.",
            code="path-outside",
            remedy="Name a folder inside the repository, or an absolute path.",
        )
    return full


def reference_to(path: Path, root: Path) -> str:
    """A path as a portal's file names it: relative to the repository where it lies inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def check_free(files: KeyFiles) -> None:
    """Refuse to write over a file: a lost private key cannot be made again. Raises Refused."""
    for path in (files.private_key, files.certificate):
        if os.path.lexists(path):
            raise Refused(
                f"{path.name} exists already, in {path.parent}.",
                code="key-exists",
                remedy="Make the new pair elsewhere with --directory: the old one is needed until Entra knows the new. "
                "To write over it, add --force.",
            )


def keep_out_of_git(private_key: Path) -> Path | None:
    """Make sure that git ignores the key; the ``.gitignore`` that had to be written for that, if any.

    Raises Refused when git has the file already, and ReconcileError when the folder cannot be written.
    """
    folder = private_key.parent
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if _git(folder, "ls-files", "--error-unmatch", "--", private_key.name) == 0:
        raise Refused(
            f"Git keeps {private_key.name} already, in {folder}.",
            code="key-in-git",
            remedy="Git keeps what was committed: take the key's certificate out of Entra, and the file out with "
            "git rm --cached.",
        )
    names = (private_key.name, _unfinished(private_key).name)
    open_to_git = {name: _git(folder, "check-ignore", "--quiet", "--", name) for name in names}
    if not any(open_to_git.values()):
        return None
    ignoring = folder / ".gitignore"
    with _writing(ignoring):
        before = ignoring.read_text(encoding="utf-8") if ignoring.exists() else ""
        lines = ["/" + _PATTERN.sub(lambda match: f"\\{match[0]}", name) for name, code in open_to_git.items() if code]
        # 1: git takes it, whatever stands there: a later line takes it back. Else there is no git to ask.
        missing = [line for line in lines if 1 in open_to_git.values() or line not in before.splitlines()]
        between = "" if before.endswith("\n") or not before else "\n"
        if missing:
            ignoring.write_text(before + between + "".join(f"{line}\n" for line in missing), encoding="utf-8")
    return ignoring


def _git(folder: Path, *arguments: str) -> int:
    """The exit code of git in a folder; as outside a repository when there is no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return 128
    return done.returncode


def write_pair(files: KeyFiles, pair: KeyPair) -> None:
    """Write both files, the private key readable by its owner only from its first instant.

    Both are written beside their places before either is moved there. Files that are there already are replaced, links
    not followed. Raises ReconcileError when that fails; what was there is there still, then.
    """
    contents = {files.private_key: (pair.private_key.reveal(), 0o600), files.certificate: (pair.certificate, 0o644)}
    try:
        for path, (content, mode) in contents.items():
            with _writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(_unfinished(path), content, mode)
        for path in contents:
            with _writing(path):
                _unfinished(path).replace(path)
    finally:
        for path in contents:
            _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    """Where a file is written before it is moved into its place. The ending stays, for rules such as ``*.key``."""
    return path.with_name(f".tmp-{path.name}")


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a new file with its mode, down to the disk."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:  # noqa: PTH123
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal into an error that names the path."""
    try:
        yield
    except OSError as error:
        raise ReconcileError(
            f"{path} cannot be written.",
            code="key-not-writable",
            remedy="Check the permissions of the folder, and the free space there.",
            detail=error.strerror,
        ) from error
