"""The nouns of the product: what people declare, what Graph reports, and what is known of both.

Everything here is a frozen value from the standard library. ``Portal`` and what it contains are declared in YAML;
``License`` and ``Subscription`` come from Graph; ``Product`` and ``PortalState`` are what the state DB and the
ledger keep; ``Complete`` and ``Failed`` are the two things that an attempt to read a tenant can end in.

Conventions: GUIDs are lower-case strings; times are aware, in UTC, with whole seconds; a number that Graph sent
missing or not as a whole number is ``None``.
"""

from __future__ import annotations

from reconciler.model.declared import (
    Authentication,
    CertificateAuthentication,
    Cloud,
    DeclaredEntitlement,
    Exclusion,
    ExclusionScope,
    FederatedAuthentication,
    Inclusion,
    ManagedIdentityAuthentication,
    Portal,
    PortalLimits,
    Price,
    ProductEntry,
    Reference,
    Removal,
    SecretAuthentication,
    Suspension,
)
from reconciler.model.known import (
    Change,
    ChangeSet,
    DayRecord,
    ExcludedLicense,
    Import,
    ImportOutcome,
    PortalState,
    Presence,
    Product,
    Reason,
    Removed,
    State,
    Status,
)
from reconciler.model.reported import (
    Assignment,
    Complete,
    Consumption,
    Contact,
    ErrorInfo,
    Failed,
    License,
    Observation,
    Organization,
    Subscription,
    Units,
    UserPage,
)
from reconciler.model.settings import (
    KeyVaultSignIn,
    Overlap,
    SafetyLimits,
    Settings,
    Thresholds,
)

__all__ = [
    "Assignment",
    "Authentication",
    "CertificateAuthentication",
    "Change",
    "ChangeSet",
    "Cloud",
    "Complete",
    "Consumption",
    "Contact",
    "DayRecord",
    "DeclaredEntitlement",
    "ErrorInfo",
    "ExcludedLicense",
    "Exclusion",
    "ExclusionScope",
    "Failed",
    "FederatedAuthentication",
    "Import",
    "ImportOutcome",
    "Inclusion",
    "KeyVaultSignIn",
    "License",
    "ManagedIdentityAuthentication",
    "Observation",
    "Organization",
    "Overlap",
    "Portal",
    "PortalLimits",
    "PortalState",
    "Presence",
    "Price",
    "Product",
    "ProductEntry",
    "Reason",
    "Reference",
    "Removal",
    "Removed",
    "SafetyLimits",
    "SecretAuthentication",
    "Settings",
    "State",
    "Status",
    "Subscription",
    "Suspension",
    "Thresholds",
    "Units",
    "UserPage",
]
