"""What people declare for the whole repository: ``reconcile.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from reconciler.model.declared import Authentication, Cloud, Exclusion, Reference


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two SKUs of which one makes the other unnecessary: whoever holds ``sku`` does not need ``includes``."""

    sku: str
    includes: str


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """How much one run may lose before it asks.

    ``max_lost_percent`` and ``max_lost_products`` limit the products that lose synchronization; the share counts only
    above ``min_products`` lost ones. ``max_removals`` limits the products that are deleted from the state. A tenant
    that reports less than ``min_reported_percent`` of the licenses known before is held back.
    """

    max_lost_percent: int = 30
    max_lost_products: int = 250
    min_products: int = 10
    max_removals: int = 100
    min_reported_percent: int = 50


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on the report calls something by another name.

    ``at_capacity_percent``: consumed of entitled; ``surplus_percent``: available of entitled. ``renewal_days`` and
    ``urgent_renewal_days``: how long before a subscription ends it is expiring. ``stale_days``: after how many days of
    failing imports numbers are stale. ``inactive_days``: without a sign-in, an account is inactive.
    """

    at_capacity_percent: int = 95
    surplus_percent: int = 5
    renewal_days: int = 30
    urgent_renewal_days: int = 15
    stale_days: int = 2
    inactive_days: int = 90


@dataclass(frozen=True, slots=True)
class KeyVaultSignIn:
    """As whom the secrets of key vaults are read. ``authentication`` refers to variables and files only."""

    tenant_id: str
    client_id: str
    authentication: Authentication
    cloud: Cloud = Cloud.GLOBAL


class PolicyRule(StrEnum):
    """What a policy asks for; the rules are in ``policies.py``."""

    NO_PRODUCT_SHORT = "no_product_short"
    MIN_UTILIZATION = "min_utilization"
    MAX_RECLAIMABLE = "max_reclaimable"
    NO_ENDED_EXCLUSION = "no_ended_exclusion"
    CREDENTIAL_VALID_DAYS = "credential_valid_days"
    IMPORT_COMPLETE = "import_complete"


@dataclass(frozen=True, slots=True)
class Policy:
    """Something that must hold, which ``reconcile check`` looks at.

    ``portal`` is an ID or a glob over IDs, ``sku`` as in an exclusion; None means all. ``percent``, ``days`` and
    ``licenses`` belong to the rules that need them. Only a violated policy of severity ``error`` makes a check fail.
    """

    rule: PolicyRule
    severity: Literal["error", "warning"] = "error"
    portal: str | None = None
    sku: str | None = None
    percent: int | None = None
    days: int | None = None
    licenses: int | None = None


class Consumers(StrEnum):
    """What may be shown of the persons who consume products."""

    COUNTS = "counts"
    PSEUDONYMS = "pseudonyms"
    NAMES = "names"


class Confirm(StrEnum):
    """How often the report is confirmed while nothing changes."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What reports and exports show, of persons above all.

    ``consumers`` is the most that an export may show. ``pseudonym_key`` is where the key of the pseudonyms is kept.
    Findings about fewer than ``small_group`` users are shown without their number. ``confirm``: how often a report says
    that everything was read although nothing changed.
    """

    consumers: Consumers = Consumers.COUNTS
    pseudonym_key: Reference | None = None
    small_group: int = 0
    confirm: Confirm = Confirm.NEVER


@dataclass(frozen=True, slots=True)
class Settings:
    """``reconcile.yaml``: settings for the whole repository.

    ``count_warning``: units in grace count as entitled. ``exclusions``: for every portal that does not include the
    license. ``unmetered``: part numbers, SKU IDs or globs that have no count to comply with. ``overlaps``: pairs of
    SKUs that nobody needs both of. ``expiring_days`` and ``urgent_days``: how long before its end a credential is said
    to expire, and to expire soon. ``keyvault``: needed where a portal refers to the secret of a key vault.
    ``report``: what may be shown of persons, and how often it is confirmed. ``policies``: what ``reconcile check``
    looks at, in their order.
    """

    count_warning: bool = True
    exclusions: tuple[Exclusion, ...] = ()
    unmetered: tuple[str, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    expiring_days: int = 30
    urgent_days: int = 7
    thresholds: Thresholds = Thresholds()
    safety: SafetyLimits = SafetyLimits()
    keyvault: KeyVaultSignIn | None = None
    report: ReportSettings = ReportSettings()
    policies: tuple[Policy, ...] = ()
