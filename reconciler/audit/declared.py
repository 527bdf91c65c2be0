"""Whether reports and ledger keep to what the files of configuration declare, where these are still the same files."""

from __future__ import annotations

from pathlib import Path

from reconciler import __version__
from reconciler.config.files import digests
from reconciler.config.loader import PORTALS, SETTINGS, one_portal, one_settings
from reconciler.declaration import waits
from reconciler.model import PortalState, Settings
from reconciler.report import Report
from reconciler.store import evidence_file
from reconciler.store.evidence_file import Evidence
from reconciler.verification import Difference

EVIDENCE = f"state/reports/{evidence_file.FILE}"


def changed_files(root: Path, evidence: Evidence) -> tuple[str, ...]:
    """The files of configuration that are not as they were when the reports were written, by name."""
    present = digests(root, root / PORTALS)
    names = present.keys() | evidence.files.keys()
    return tuple(sorted(name for name in names if present.get(name) != evidence.files.get(name)))


def declared_difference(root: Path, evidence: Evidence, report: Report) -> Difference | None:
    """The first thing that was written otherwise than a file declares it that has not changed since."""
    changed = changed_files(root, evidence)
    if SETTINGS not in changed and not are_settings(evidence, one_settings(_content(root, SETTINGS))):
        return Difference(EVIDENCE, settings_problem(evidence, SETTINGS))
    for portal in report.portals:
        name = f"{PORTALS}/{portal.state.id}.yaml"
        if name not in changed and (found := _portal_difference(root, name, portal.state, evidence)):
            return found
    return None


def _portal_difference(root: Path, name: str, state: PortalState, evidence: Evidence) -> Difference | None:
    """Whether a portal is as its file declares it, or waits as the evidence says."""
    content = _content(root, name)
    declared = None if content is None else one_portal(content, state.id)
    if content is not None and declared is None:
        return Difference(name, "it declares no portal, and the reports were written with it as it is")
    is_pending = waits(state, declared)
    if is_pending == (state.id in evidence.pending):
        return None
    ledger = f"state/ledger/{state.id}.json"
    if is_pending:
        return Difference(ledger, f"its portal is not the one of {name}, and the file is as it was then")
    return Difference(EVIDENCE, f"it says that {name} waits to be applied, and {ledger} has it")


def are_settings(evidence: Evidence, declared: Settings | None) -> bool:
    """Whether evidence names these settings, as far as reports depend on them."""
    document = evidence_file.settings_document
    return declared is not None and document(evidence.settings) == document(declared)


def settings_problem(evidence: Evidence, where: str) -> str:
    """That settings are others than a file has. The defaults of another version are others perhaps."""
    other = f" (version {evidence.tool} wrote it, this is {__version__})" if evidence.tool != __version__ else ""
    return f"its settings are not those of {where}{other}"


def _content(root: Path, name: str) -> bytes | None:
    """The bytes of a file of configuration, None when there is none."""
    path = root / name
    return path.read_bytes() if path.is_file() else None
