"""What people declare for the whole repository: ``reconcile.yaml``."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.declared import Authentication, Cloud, Exclusion


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


@dataclass(frozen=True, slots=True)
class Settings:
    """``reconcile.yaml``: settings for the whole repository.

    ``count_warning``: units in grace count as entitled. ``exclusions``: for every portal that does not include the
    license. ``unmetered``: part numbers, SKU IDs or globs that have no count to comply with. ``overlaps``: pairs of
    SKUs that nobody needs both of. ``expiring_days`` and ``urgent_days``: how long before its end a credential is said
    to expire, and to expire soon. ``keyvault``: needed where a portal refers to the secret of a key vault.
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
