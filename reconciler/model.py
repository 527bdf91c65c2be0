"""The nouns of the product: what people declare, what Graph reports, and what is known of both.

Everything here is a frozen value from the standard library. ``Portal`` and what it contains are declared in YAML;
``License`` and ``Subscription`` come from Graph; ``Product`` and ``PortalState`` are what the state DB and the
ledger keep; ``Complete`` and ``Failed`` are the two things that an attempt to read a tenant can end in.

Conventions: GUIDs are lower-case strings; times are aware, in UTC, with whole seconds; a number that Graph sent
missing or not as a whole number is ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple

# --- what people declare ---------------------------------------------------------------------------------------------


class Cloud(StrEnum):
    """A Microsoft cloud. Its hosts stand in ``graph/clouds.py`` and nowhere else."""

    GLOBAL = "global"
    USGOV = "usgov"
    USGOV_DOD = "usgov-dod"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret value is kept: the name of an environment variable, or the path of a file. Never the value.

    A relative path is relative to the repository.
    """

    kind: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return f"{{{self.kind}: {self.name}}}"


@dataclass(frozen=True, slots=True)
class SecretAuthentication:
    """Sign-in by client secret. ``secret_id`` is only a label, ``expires`` the end of the secret's validity."""

    secret: Reference
    secret_id: str | None = None
    expires: date | None = None
    type: Literal["secret"] = "secret"


@dataclass(frozen=True, slots=True)
class CertificateAuthentication:
    """Sign-in by certificate: a PEM pair (``public_certificate`` and ``private_key``) or one ``pfx``."""

    public_certificate: Reference | None = None
    private_key: Reference | None = None
    pfx: Reference | None = None
    passphrase: Reference | None = None
    type: Literal["certificate"] = "certificate"


Authentication = SecretAuthentication | CertificateAuthentication


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A license that is not imported. ``sku`` is a part number, a SKU ID or a glob; ``until`` is its last day."""

    sku: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What one license costs per period, as entered by hand: the portal has no prices."""

    amount: Decimal
    currency: str
    per: Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class DeclaredEntitlement:
    """How many licenses a contract says are owned, and which contract."""

    quantity: int
    contract: str | None = None
    purchase_order: str | None = None


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """What a portal file declares about one product. ``sku`` is a part number or a SKU ID."""

    sku: str
    directory: str | None = None
    price: Price | None = None
    entitlement: DeclaredEntitlement | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """A portal that is not imported for now. ``until`` is the last day of the pause."""

    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Portal:
    """One tenant connection as its YAML file declares it. ``id`` is the file's stem.

    ``name`` is the prefix of every product name; ``directory`` the output directory of new products.
    """

    id: str
    name: str
    tenant_id: str
    client_id: str
    authentication: Authentication
    directory: str
    description: str | None = None
    cloud: Cloud = Cloud.GLOBAL
    exclusions: tuple[Exclusion, ...] = ()
    products: tuple[ProductEntry, ...] = ()
    suspend: Suspension | None = None
    protect: bool = False


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """How much one run may lose before it asks. A share counts only above ``min_products`` lost products."""

    max_lost_percent: int = 30
    min_products: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """``reconcile.yaml``: settings for the whole repository.

    ``count_warning``: units in grace count as entitled. ``unmetered``: part numbers, SKU IDs or globs that have no
    count to comply with. ``expiring_days``: how long before its end a subscription or credential is said to expire.
    """

    count_warning: bool = True
    unmetered: tuple[str, ...] = ()
    expiring_days: int = 30
    safety: SafetyLimits = SafetyLimits()


# --- what Graph reports ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Units:
    """``prepaidUnits`` of a SKU. ``warning`` is expired but in grace and usable; the last two are not usable."""

    enabled: int | None
    warning: int | None
    suspended: int | None
    locked_out: int | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One purchase behind a SKU. ``next_lifecycle`` is when it moves to its next status if it is not renewed."""

    id: str
    status: str
    total_licenses: int | None
    is_trial: bool = False
    next_lifecycle: datetime | None = None


@dataclass(frozen=True, slots=True)
class License:
    """What is owned: one SKU and its quantities, as ``/subscribedSkus`` and ``/directory/subscriptions`` report it."""

    sku_id: str
    part_number: str
    applies_to: str
    capability_status: str
    units: Units
    consumed_units: int | None
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """Who the tenant says it is."""

    tenant_id: str
    display_name: str
    default_domain: str | None


class Contact(NamedTuple):
    """A person known because they hold a license. Personal data: kept in the state DB only.

    A tuple, and a row of the state DB as it is: there are a million of them.
    """

    object_id: str
    user_principal_name: str | None
    display_name: str | None
    mail: str | None
    account_enabled: bool | None
    user_type: str | None
    usage_location: str | None


class Assignment(NamedTuple):
    """One SKU that a user holds, or was meant to hold.

    ``holds`` is False when the assignment is in state ``Error`` and the user got nothing. ``direct`` and ``group``
    say by which ways it was assigned; both can be true. ``error`` is Graph's word for what is wrong, or None.
    """

    object_id: str
    sku_id: str
    holds: bool
    direct: bool
    group: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of ``/users``: who holds something and what. ``received`` counts all users on the page."""

    received: int
    contacts: list[Contact]
    assignments: list[Assignment]


@dataclass(frozen=True, slots=True)
class Consumption:
    """Counts over the users of one SKU. ``findings`` maps a finding's id to its number of users, without zeros."""

    consumers: int
    findings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as reports keep it: nothing in it moves while the failure lasts (no request id, no time)."""

    code: str
    message: str
    remedy: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """A tenant that was read to its end. Only this may change what is known.

    ``consumption`` holds a value for each license somebody consumes; ``users`` counts the distinct users with at
    least one license that is imported; ``emulated`` names the emulator's scenario when no real tenant answered.
    """

    portal_id: str
    organization: Organization
    licenses: tuple[License, ...]
    consumption: Mapping[str, Consumption]
    users: int
    emulated: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A tenant that could not be read, or not to its end. It changes nothing but the outcome of the import."""

    portal_id: str
    error: ErrorInfo


Observation = Complete | Failed


# --- what is known ---------------------------------------------------------------------------------------------------


class Status(StrEnum):
    """Status of a product; the rules are in ``compliance.py``."""

    CANNOT_BE_SYNCHRONISED = "cannot_be_synchronised"
    CALCULATION_ERROR = "calculation_error"
    NOT_METERED = "not_metered"
    CLEAR = "clear"
    NOT_ENOUGH_LICENSES = "not_enough_licenses"
    FULLY_LICENSED = "fully_licensed"


class Reason(StrEnum):
    """Why a product cannot be synchronised."""

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
class Import:
    """What is known of a portal's last import.

    ``as_of`` is when the present content was first observed: it stays while the tenant stays the same. ``users``,
    ``organization`` and ``emulated`` belong to the last complete import, also when a later one failed.
    """

    outcome: ImportOutcome = ImportOutcome.NEVER
    as_of: datetime | None = None
    users: int = 0
    organization: Organization | None = None
    emulated: str | None = None
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What is consumed: a license with its consumers, its place and its status.

    ``consumers`` counts distinct users holding the SKU; ``findings`` maps a finding's id to its number of users.
    ``reason`` is set if and only if the status is ``cannot_be_synchronised``; the numbers are then the last known.
    """

    license: License
    title: str
    directory: str
    consumers: int | None
    findings: Mapping[str, int]
    status: Status
    reason: Reason | None = None

    @property
    def sku_id(self) -> str:
        """The key of a product within its portal."""
        return self.license.sku_id


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

    ``portal`` is the configuration that was last applied. ``products`` are sorted by SKU ID. ``serial`` counts the
    changes of this portal's state, from 1.
    """

    portal: Portal
    presence: Presence = Presence.PRESENT
    last_import: Import = Import()
    products: tuple[Product, ...] = ()
    changed: ChangeSet | None = None
    serial: int = 0

    @property
    def id(self) -> str:
        """The portal's identity: the stem of its file."""
        return self.portal.id


State = Mapping[str, PortalState]
"""Every known portal by id."""
