"""What is known: products with their statuses, and the state of each portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from reconciler.model.declared import Portal
from reconciler.model.reported import ErrorInfo, License, Organization


class Status(StrEnum):
    """Status of a product; the rules are in ``compliance.py``."""

    CANNOT_BE_SYNCHRONISED = "cannot_be_synchronised"
    CALCULATION_ERROR = "calculation_error"
    NOT_METERED = "not_metered"
    CLEAR = "clear"
    NOT_ENOUGH_LICENSES = "not_enough_licenses"
    FULLY_LICENSED = "fully_licensed"


class Reason(StrEnum):
    """Why a product cannot be synchronized."""

    PORTAL_DELETED = "portal_deleted"
    EXCLUDED = "excluded"
    GONE_FROM_PORTAL = "gone_from_portal"


class Presence(StrEnum):
    """Whether a portal is imported, paused, or no longer declared."""

    PRESENT = "present"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class ImportOutcome(StrEnum):
    """How the last attempt to read a tenant ended."""

    COMPLETE = "complete"
    FAILED = "failed"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ExcludedLicense:
    """A license that the tenant reported and an exclusion kept out of the import."""

    sku_id: str
    part_number: str


@dataclass(frozen=True, slots=True)
class Import:
    """What is known of a portal's last import.

    ``as_of`` is when the present content was first observed: it stays while the tenant stays the same. ``users``,
    ``organization``, ``emulated``, ``excluded`` (sorted by SKU ID) and ``sign_ins`` (whether sign-ins were read) belong
    to the last complete import, also when a later one failed. ``failed_since`` is when the imports began to fail
    without one that was complete since. ``paths_as_of`` is when ways and errors of assignments, and sign-ins, were
    read, where the content is newer than the last full read of all users. ``counted_with`` names the settings that
    findings and savings of the last complete import rest on; see ``counting.counted_with``.
    """

    outcome: ImportOutcome = ImportOutcome.NEVER
    as_of: datetime | None = None
    users: int = 0
    organization: Organization | None = None
    emulated: str | None = None
    error: ErrorInfo | None = None
    failed_since: datetime | None = None
    excluded: tuple[ExcludedLicense, ...] = ()
    sign_ins: bool = False
    paths_as_of: datetime | None = None
    counted_with: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What is consumed: a license with its consumers, its place and its status.

    ``consumers`` counts distinct users holding the SKU; ``findings``, ``errors`` and ``reclaimable`` are those of
    ``Consumption``. ``reason`` is set if and only if the status is ``cannot_be_synchronised``; the numbers are then
    the last known.
    """

    license: License
    title: str
    directory: str
    consumers: int | None
    findings: Mapping[str, int]
    status: Status
    reason: Reason | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    reclaimable: Mapping[str, int] = field(default_factory=dict)

    @property
    def sku_id(self) -> str:
        """The key of a product within its portal."""
        return self.license.sku_id


@dataclass(frozen=True, slots=True)
class Removed:
    """A product that was deleted from the state, and the removal that asked for it.

    ``sku`` is the removal's own word for it. ``was`` is why the product could not be synchronized.
    """

    sku_id: str
    part_number: str
    title: str
    was: Reason
    sku: str
    reason: str
    ticket: str | None
    on: date


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What was known of one product at the end of a day on which something of it changed.

    ``status`` is None when the product was deleted from the state on that day; the rest is then what was known last.
    Units are those of ``Units``.
    """

    day: date
    sku_id: str
    title: str
    directory: str
    status: Status | None
    reason: Reason | None = None
    enabled: int | None = None
    warning: int | None = None
    suspended: int | None = None
    locked_out: int | None = None
    consumed_units: int | None = None
    consumers: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two states of a portal: of the portal itself, or of the product ``sku_id``.

    ``before`` is None for what is new, ``after`` is None for what is no more. ``why`` is set where the configuration
    gives a reason. ``subject`` is the name people know the thing by.
    """

    subject: str
    field: str
    before: str | int | None
    after: str | int | None
    sku_id: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What changed when a portal's state last changed, and when that was."""

    at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PortalState:
    """Everything known of one portal that is not personal data. Ledger and reports are functions of this.

    ``portal`` is the configuration that was last applied. ``credential_expires`` is the last day of its first
    credential, as far as it is known. ``products`` are sorted by SKU ID; ``removed`` are those that were deleted, in
    the order in which that was. ``serial`` counts the changes of this portal's state, from 1.
    """

    portal: Portal
    presence: Presence = Presence.PRESENT
    credential_expires: date | None = None
    last_import: Import = Import()
    products: tuple[Product, ...] = ()
    removed: tuple[Removed, ...] = ()
    changed: ChangeSet | None = None
    serial: int = 0

    @property
    def id(self) -> str:
        """The portal's identity: the stem of its file."""
        return self.portal.id

    @property
    def is_forgotten(self) -> bool:
        """Whether the portal is deleted and nothing of it is left: only its ledger file remembers it."""
        return self.presence is Presence.DELETED and not self.products


State = Mapping[str, PortalState]
"""Every known portal by id."""
