"""Whether commits brought the ledger and the reports that their own evidence names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from reconciler.audit.declared import EVIDENCE
from reconciler.audit.ledgers import LEDGER, Changed
from reconciler.git import objects
from reconciler.store.evidence_file import Evidence

REPORTS = "state/reports"
OVERVIEW = "status.md"
"""The one Markdown file there that is about no single portal."""


def digests_of(root: Path, changes: Iterable[Changed]) -> dict[str, str]:
    """The SHA-256 of every file that commits with evidence brought, by blob. Raises StateError."""
    blobs = {blob for changed in changes if EVIDENCE in changed.own for blob in _written(changed).values() if blob}
    return {blob: hashlib.sha256(content).hexdigest() for blob, content in objects.each_blob(root, blobs)}


def unlike(evidence: Evidence, changed: Changed, digests: Mapping[str, str]) -> Iterator[str]:
    """The files that a commit brought otherwise than the evidence which it brought names them."""
    for path, blob in sorted(_written(changed).items()):
        if (digests[blob] if blob else None) != evidence.subject.get(path):
            yield f"{path} is not as {EVIDENCE} of this commit names it"


def without_evidence(changed: Changed) -> Iterator[str]:
    """The reports that a commit changed without evidence. Only shards write so, and nothing but pages of portals."""
    if EVIDENCE in changed.own:
        return
    for path in sorted(_written(changed)):
        if path.startswith(f"{REPORTS}/") and not _is_page(PurePosixPath(path)):
            yield f"{path} changed, and {EVIDENCE} did not"


def _is_page(path: PurePosixPath) -> bool:
    return str(path.parent) == REPORTS and path.suffix == ".md" and path.name != OVERVIEW


def _written(changed: Changed) -> dict[str, str | None]:
    """The files of ledger and reports that are a commit's own, but evidence: path and blob, None for a file gone."""
    return {
        edit.path: edit.after
        for edits in changed.by_parent.values()
        for edit in edits
        if edit.path in changed.own and edit.path != EVIDENCE and edit.path.startswith((f"{LEDGER}/", f"{REPORTS}/"))
    }
