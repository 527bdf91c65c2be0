"""``state/reports/evidence.json``: what the reports were made from, as an in-toto statement that anybody can check.

Its subject are the other reports and the ledger, each with its digest. The predicate says which tool, settings and
files of configuration the reports were written with, and for each portal what was asked of its tenant and what came
back. It is a function of ledger, settings and a day, which is the last one on which any of this changed: so nothing in
it moves while nothing changes. Its schema is ``schemas/evidence.schema.json``.

Source: in-toto Attestation Framework, Statement v1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from reconciler import __version__
from reconciler.exclusion_report import Origin
from reconciler.model import Exclusion, PortalState, Settings
from reconciler.portal_report import PortalReport
from reconciler.queries import queries
from reconciler.render.json_document import json_document
from reconciler.report import Report
from reconciler.store.canonical import line
from reconciler.store.documents import portal_document

FILE = "evidence.json"
FORMAT_VERSION = 1
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://example.invalid/m365-license-reconciler/evidence/v1"
TOOL = "m365-license-reconciler"

Document = dict[str, Any]

_OUTSIDE = ("keyvault",)
"""Settings on which no report depends: how secrets are read."""
_ATTEMPT = ("outcome", "error", "failed_since")
"""Members of an import that are about the last attempt, and not about what was observed."""
_DERIVED = ("title", "directory", "status", "reason")
"""Members of a product that the tool decides, and no tenant says."""


@dataclass(frozen=True)
class Basis:
    """What reports are written with, beside the ledger.

    ``on`` is the day that they are right for. ``files`` are the SHA-256 of the files of configuration as they were
    then, by path in the repository; ``tool`` is the version that wrote. ``pending`` are the IDs of the portals that the
    ledger has otherwise than these files declare them.
    """

    on: date
    settings: Settings
    files: Mapping[str, str] = field(default_factory=dict)
    tool: str = __version__
    pending: Set[str] = frozenset()


def current(state: Path, reports: Mapping[str, str], report: Report, basis: Basis) -> str:
    """The text for these reports. The file that is there stays as it is when only the day is another.

    Raises OSError.
    """
    path = state / "reports" / FILE
    if path.is_file():
        there = path.read_bytes()
        with suppress(ValueError):
            kept = render(state, reports, report, replace(basis, on=read(there).on))
            if kept.encode() == there:
                return kept
    return render(state, reports, report, basis)


def render(state: Path, reports: Mapping[str, str], report: Report, basis: Basis) -> str:
    """The text for these reports, whose ledger stands in the folder ``state``. Raises OSError."""
    digests = {f"state/reports/{name}": _sha256(text.encode()) for name, text in reports.items()}
    digests |= {f"state/{name}": _sha256(content) for name, content in ledger_files(state).items()}
    settings = settings_document(basis.settings)
    predicate: Document = {
        "format_version": FORMAT_VERSION,
        "written_on": basis.on.isoformat(),
        "tool": {"name": TOOL, "version": basis.tool},
        "configuration": {
            "settings": {"digest": _digest(settings), "values": settings},
            "files": _resources(basis.files),
        },
        "exclusions": [_exclusion(item.exclusion) for item in report.exclusions if item.in_force],
        "portals": [_portal(portal, basis.pending) for portal in report.portals],
    }
    statement = {"_type": STATEMENT, "subject": _resources(digests), "predicateType": PREDICATE, "predicate": predicate}
    predicate["digest"] = _digest(statement)
    return text_of(statement)


def text_of(statement: Document) -> str:
    """A statement as the file has it."""
    return json_document(statement)


def ledger_files(state: Path) -> dict[str, bytes]:
    """The files of the ledger, histories included, by their path below ``state``. Raises OSError."""
    paths = sorted(path for path in (state / "ledger").rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(state).as_posix(): path.read_bytes() for path in paths}


@dataclass(frozen=True)
class Evidence(Basis):
    """What a file says: what the reports were written with, and what they and the ledger were. Digests by path.

    ``emulated``: no real tenant answered for one of the portals.
    """

    subject: Mapping[str, str] = field(default_factory=dict)
    emulated: bool = False


def read(content: bytes) -> Evidence:
    """What the bytes of a file say. Raises ValueError when they are not what ``render`` wrote, to the byte."""
    try:
        statement = msgspec.json.decode(content, type=dict[str, Any])
        predicate = statement["predicate"]
        sealed = predicate.pop("digest")
        if sealed != _digest(statement):
            raise ValueError("it was changed after it was written: its own digest is another")
        predicate["digest"] = sealed
        if text_of(statement).encode() != content:
            raise ValueError("it was changed after it was written: it is not in the form in which it was")
        declared, portals = predicate["configuration"], predicate["portals"]
        return Evidence(
            on=msgspec.convert(predicate["written_on"], date),
            settings=_settings_from(declared["settings"]["values"]),
            files=_by_name(declared["files"]),
            tool=msgspec.convert(predicate["tool"]["version"], str),
            pending=frozenset(str(item["id"]) for item in portals if item["configuration"].get("pending")),
            subject=_by_name(statement["subject"]),
            emulated=any(item["import"]["emulated"] for item in portals),
        )
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it is no evidence that this tool can read") from None


def _portal(portal: PortalReport, pending: Set[str]) -> Document:
    """One portal: what it was read with, and what came back."""
    state = portal.state
    last = state.last_import
    configuration: Document = {"digest": _digest(portal_document(state.portal))}
    if state.id in pending:
        configuration["pending"] = True
    own = [item for item in portal.exclusions if item.origin is Origin.PORTAL and item.in_force]
    return {
        "id": state.id,
        "cloud": state.portal.cloud.value,
        "tenant_id": state.portal.tenant_id,
        "serial": state.serial,
        "state": state.presence.value,
        "configuration": configuration,
        "import": {"outcome": last.outcome.value, "as_of": msgspec.to_builtins(last.as_of), "emulated": last.emulated},
        "observation": {"digest": _digest(_observed(state))} if last.as_of else None,
        "queries": list(queries(last)),
        "received": {
            "users": last.users,
            "licenses": sum(product.reason is None for product in state.products),
            "excluded": len(last.excluded),
        },
        "exclusions": [_exclusion(item.exclusion) for item in own],
    }


def _observed(state: PortalState) -> Document:
    """What is known from the tenant, without what the tool concludes from it."""
    last = msgspec.to_builtins(state.last_import)
    products = [msgspec.to_builtins(product) for product in state.products]
    return {
        "import": {name: value for name, value in last.items() if name not in _ATTEMPT},
        "products": [{name: product[name] for name in product if name not in _DERIVED} for product in products],
    }


def _exclusion(item: Exclusion) -> Document:
    """An exclusion that applies, with its reason."""
    document: Document = msgspec.to_builtins(item)
    return document


def settings_document(settings: Settings) -> Document:
    """The settings on which reports depend."""
    document: Document = msgspec.to_builtins(settings)
    return {name: value for name, value in document.items() if name not in _OUTSIDE}


def _settings_from(document: Document) -> Settings:
    """The settings in a document. Raises ValueError. Those that it does not know have their default."""
    hints = get_type_hints(Settings)
    known = [each.name for each in fields(Settings) if each.name in document and each.name not in _OUTSIDE]
    return Settings(**{name: msgspec.convert(document[name], hints[name]) for name in known})


def _resources(digests: Mapping[str, str]) -> list[Document]:
    """Files with their SHA-256, as in-toto writes them, in order of their names."""
    return [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)]


def _by_name(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """SHA-256 by name."""
    return {msgspec.convert(item["name"], str): msgspec.convert(item["digest"]["sha256"], str) for item in resources}


def _digest(value: object) -> dict[str, str]:
    """The digest of a value as canonical JSON."""
    return {"sha256": _sha256(line(value).encode())}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
