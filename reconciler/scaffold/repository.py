"""A repository on disk: what it has, and writing what it should have. Templates come from the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler import resources
from reconciler.config.links import leads_out, refused
from reconciler.errors import ReconcileError
from reconciler.scaffold.files import BRANCH, Ci, Scaffold, Step, branch_of, can_be_named, pipeline_files, scaffold
from reconciler.scaffold.files import steps as decide
from reconciler.scaffold.ownership import is_the_tools
from reconciler.store.files import write_atomically

_TEMPLATES = Path(__file__).parent / "templates"


def pipeline_of(root: Path) -> Ci | None:
    """The CI whose pipeline the repository has from an earlier run, or None."""
    texts = ((ci, _read(root, path)) for ci in Ci for path in pipeline_files(ci))
    return next((ci for ci, text in texts if text is not None and is_the_tools(text)), None)


def others(root: Path, ci: Ci) -> list[str]:
    """The files of pipelines of other CIs that the repository has from earlier runs."""
    paths = [path for other in Ci if other is not ci for path in pipeline_files(other)]
    return [path for path in paths if is_the_tools(_read(root, path) or "")]


def applied_branch(root: Path, ci: Ci, default: str | None) -> str:
    """The branch that the pipeline applies: the one that it names already, else the ``default``, else main."""
    texts = (_read(root, path) for path in pipeline_files(ci))
    named = next((branch for text in texts if text and (branch := branch_of(text))), None)
    chosen = named or default
    return chosen if chosen and can_be_named(chosen) else BRANCH


def steps(root: Path, ci: Ci, version: str, branch: str, *, only_owned: bool = False) -> list[Step]:
    """What ``init`` would do here, or would with the tool's own files. Raises ReconcileError for an unreadable file."""
    made = scaffold(ci, version, _template, _schema, branch)
    return decide(made, lambda path: _read(root, path), first=not only_owned and _is_first(root, made))


def write(root: Path, chosen: Sequence[Step]) -> None:
    """Write the files, each whole or not at all. Raises ReconcileError."""
    for step in chosen:
        if step.text is None:
            continue
        target = _within(root, step.path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, step.text.encode())
        except OSError as error:
            raise _unusable(step.path, error) from None


def _is_first(root: Path, made: Scaffold) -> bool:
    """Whether nothing here is the tool's yet. Its own files are written last, so a run that broke off was none."""
    return not any(is_the_tools(_read(root, path) or "") for path in made.owned)


def _template(path: str) -> str:
    return (_TEMPLATES / path).read_text(encoding="utf-8")


def _schema(name: str) -> str:
    return (resources.folder("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")


def _read(root: Path, path: str) -> str | None:
    """What stands at a path, or None; line ends as git keeps them."""
    try:
        return _within(root, path).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None


def _within(root: Path, path: str) -> Path:
    """A path of the repository. Raises ConfigurationError when a link on the way leads out of it."""
    target = root / path
    if leads_out(target, root):
        raise refused(path)
    return target


def _unusable(path: str, error: OSError) -> ReconcileError:
    return ReconcileError(f"{path} cannot be read or written.", code="init-blocked", detail=error.strerror)
