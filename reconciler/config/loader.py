"""The one way into configuration: the whole repository is read and checked, and either all of it counts or none.

Only what changes nothing may work with the valid part of a repository (``load_valid``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.config import rules, schema
from reconciler.config.entry_rules import entries
from reconciler.config.links import leads_out, refused
from reconciler.config.portal import portal, settings
from reconciler.config.problems import InvalidConfiguration, Problem, escape
from reconciler.config.removals import removals
from reconciler.config.source import Source, unreadable
from reconciler.config.yaml_source import MAX_BYTES, read
from reconciler.errors import ConfigurationError
from reconciler.model import Portal, Removal, Settings

PORTALS = "portals.d"
SETTINGS = "reconcile.yaml"
REMOVALS = "removals"
"""The stem of the file beside the portals that says what may be deleted from the state."""

RESERVED = frozenset({"status", "index", "meta"})
"""Names of files beside the portals' own, in the reports and in the ledger."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


@dataclass(frozen=True)
class Desired:
    """The desired state: portals by id, sorted, settings, and what may be deleted from the state.

    ``sources`` says where each part of a portal stands, ``settings_source`` the same of the settings; it is None when
    they are the default. ``warnings`` are problems that do not stop anything.
    """

    portals: Mapping[str, Portal]
    settings: Settings
    warnings: tuple[Problem, ...]
    sources: Mapping[str, Source]
    settings_source: Source | None = None
    removals: tuple[Removal, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """What is valid in a repository, and what is not.

    ``problems`` are those of all files, sorted. ``desired`` leaves out each portal whose file has an error, and has
    the default settings and no removals when those have one. ``left_out`` are the files of these portals, by what would
    be the ID; what cannot be a portal, as removals and stray files, is not among them.
    """

    desired: Desired
    problems: tuple[Problem, ...]
    left_out: Mapping[str, str]

    @property
    def errors(self) -> Mapping[str, tuple[Problem, ...]]:
        """The problems that make a file invalid, by file, sorted."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            if problem.severity == "error":
                found.setdefault(problem.file, []).append(problem)
        return {file: tuple(problems) for file, problems in found.items()}


def load(root: Path, portals: Path) -> Desired:
    """Read ``reconcile.yaml`` in ``root``, and every portal and the removals in the folder ``portals``.

    No link is followed out of the folder that has them: whoever opens a pull request may bring links, and messages
    quote what they read. Raises ``InvalidConfiguration`` with all problems of all files, and ``ConfigurationError``
    when there is no folder, or it is such a link.
    """
    loaded = load_valid(root, portals)
    if loaded.errors:
        raise InvalidConfiguration(loaded.problems)
    return loaded.desired


def load_valid(root: Path, portals: Path) -> Loaded:
    """The same, with the problems beside what is valid. Raises ``ConfigurationError`` when there is no folder."""
    if not portals.is_dir():
        raise ConfigurationError(
            f"There is no {PORTALS} in {portals.parent}.",
            code="no-portals",
            remedy="Run in a repository with portals, or name one with --chdir.",
        )
    if leads_out(portals, portals.parent):
        raise refused(PORTALS)
    problems: list[Problem] = []
    sources = dict(_sources(portals, problems))
    removing = sources.pop(REMOVALS, None)
    declared = _settings_source(root)
    for source in sources.values():
        problems += _check(source, "portal")
    problems += _check(declared, "settings") if declared else []
    problems += _check(removing, "removals") if removing else []
    problems += [*rules.across(sources), *rules.unconfigured(sources.values(), declared)]
    invalid = {problem.file for problem in problems if problem.severity == "error"}
    valid = {id_: source for id_, source in sources.items() if escape(source.file) not in invalid}
    usable = declared if declared and declared.file not in invalid else None
    usable_removals = removing if removing and removing.file not in invalid else None
    desired = Desired(
        portals={id_: portal(id_, source.value) for id_, source in valid.items()},
        settings=settings(usable.value or {}) if usable else Settings(),
        warnings=tuple(sorted(problem for problem in problems if problem.severity == "warning")),
        sources=valid,
        settings_source=usable,
        removals=removals(usable_removals) if usable_removals else (),
    )
    left_out = {escape(id_): escape(source.file) for id_, source in sources.items() if id_ not in valid}
    return Loaded(desired, tuple(sorted(problems)), left_out)


def one_portal(content: bytes, id_: str) -> Portal | None:
    """The portal that the bytes of a portal file declare by themselves; None when they are not valid."""
    source = read(content, f"{PORTALS}/{id_}.yaml")
    return None if _has_error(source, "portal") else portal(id_, source.value)


def one_settings(content: bytes | None) -> Settings | None:
    """The settings that the bytes of ``reconcile.yaml`` declare, by default without one; None when not valid."""
    if content is None:
        return Settings()
    source = read(content, SETTINGS)
    return None if _has_error(source, "settings") else settings(source.value or {})


def _has_error(source: Source, name: str) -> bool:
    return any(problem.severity == "error" for problem in _check(source, name))


def _check(source: Source, name: str) -> list[Problem]:
    """What is wrong within one file: as YAML, against its schema, and by the rules over what it says."""
    if not source.readable:
        return list(source.problems)
    if source.value is None and not source.opaque:
        if name != "portal":
            return list(source.problems)  # nothing but comments: every default, or nothing to remove
        hint = "Declare the portal, or delete the file."
        return [*source.problems, Problem(source.file, 1, 1, "empty-file", "The file declares nothing.", hint)]
    return [*source.problems, *schema.problems(source, name), *rules.within(source), *entries(source)]


def _settings_source(root: Path) -> Source | None:
    path = root / SETTINGS
    if not os.path.lexists(path):
        return None
    if leads_out(path, root):
        hint = "Put the file itself here."
        return unreadable(Problem(SETTINGS, 1, 1, "unreadable-file", "This is a link that leads elsewhere.", hint))
    return _read(path, SETTINGS)


def _sources(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, Source]]:
    """Each portal file by id, in order of id, and the removals. What is neither goes to ``problems``."""
    for path in sorted(_entries(folder), key=lambda path: path.stem):
        file = f"{PORTALS}/{path.name}"
        if path.name == "README.md" or path.name.startswith("."):
            continue
        if found := _stray(folder, path):
            message, hint = found
            problems.append(Problem(file, 1, 1, "stray-file", message, hint))
        elif path.stem.lower() == REMOVALS != path.stem:
            hint = "Write the name in lower-case letters."
            problems.append(Problem(file, 1, 1, "reserved-id", f"Removals stand in {REMOVALS}.yaml.", hint))
        else:
            if path.stem != REMOVALS and (problem := _bad_id(path.stem, file)):
                problems.append(problem)
            yield path.stem, _read(path, file)


def _entries(folder: Path) -> list[Path]:
    """What is in the folder."""
    try:
        return list(folder.iterdir())
    except OSError:
        remedy = "Check the permissions of the folder."
        raise ConfigurationError(f"The folder {PORTALS} cannot be read.", code="no-portals", remedy=remedy) from None


def _stray(folder: Path, path: Path) -> tuple[str, str] | None:
    """Why a path in the folder cannot be a portal file: message and hint."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            return "This is a link that leads out of the folder.", "Put the file itself here."
        if not path.is_file():
            return "Only portal files may be here.", "Move it out of the folder."
    except (OSError, RuntimeError):  # no permission, a loop of links
        return "It cannot be told whether this is a file.", "Check where it leads, and its permissions."
    if path.suffix == ".yml":
        return "A portal file ends in .yaml.", "Rename it to .yaml."
    if path.suffix != ".yaml":
        return "This is not a portal file.", "Move it out of the folder; a portal file ends in .yaml."
    return None


def _bad_id(id_: str, file: str) -> Problem | None:
    """Why a file's stem cannot be an identity: it names files in reports and ledger, on every system."""
    if not _ID.fullmatch(id_):
        hint = "Use at most 63 lower-case letters, digits, `.`, `_` and `-`, and begin with a letter or digit."
        return Problem(file, 1, 1, "bad-id", "The file's name cannot be a portal's identity.", hint)
    if id_ in RESERVED or _WINDOWS_DEVICE.fullmatch(id_):
        message = "The file's name has another meaning: in reports and ledger, or on Windows."
        return Problem(file, 1, 1, "reserved-id", message, "Rename the file.")
    return None


def _read(path: Path, file: str) -> Source:
    """Read one file, and no more of it than counts."""
    try:
        if not path.is_file():
            raise OSError
        with path.open("rb") as stream:
            return read(stream.read(MAX_BYTES + 1), file)
    except OSError:
        hint = "Check that it is a file, and its permissions."
        return unreadable(Problem(file, 1, 1, "unreadable-file", "The file cannot be read.", hint))
