"""The words that people read for statuses, facets, reasons and credentials, in one place for all that is shown."""

from __future__ import annotations

from reconciler.facets import Evidence, Freshness, Position
from reconciler.lifecycle import Lifecycle
from reconciler.model import ImportOutcome, Reason, Status

STATUS_LABELS: dict[Status, str] = {
    Status.CANNOT_BE_SYNCHRONISED: "Product cannot be synchronised",
    Status.CALCULATION_ERROR: "A calculation error has occurred",
    Status.NOT_METERED: "Not metered",
    Status.CLEAR: "Clear",
    Status.NOT_ENOUGH_LICENSES: "Not enough licenses assigned",
    Status.FULLY_LICENSED: "Fully licensed",
}

STATUS_SIGNS: dict[Status, str] = {
    Status.CANNOT_BE_SYNCHRONISED: "⊘",
    Status.CALCULATION_ERROR: "⚠",
    Status.NOT_METERED: "–",
    Status.CLEAR: "○",
    Status.NOT_ENOUGH_LICENSES: "✗",
    Status.FULLY_LICENSED: "✓",
}
"""A sign beside the word, so that a status is never told by color alone."""

IMPORT_SIGNS: dict[ImportOutcome, str] = {
    ImportOutcome.COMPLETE: "✓",
    ImportOutcome.FAILED: "✗",
    ImportOutcome.NEVER: "–",
}
"""A sign beside how the last import ended."""

STATUS_MEANINGS: dict[Status, str] = {
    Status.CANNOT_BE_SYNCHRONISED: "the last import could not update it; the numbers are the last known",
    Status.CALCULATION_ERROR: "a number is missing, negative or not whole, so nothing was calculated",
    Status.NOT_METERED: "not assigned to users, or listed under `unmetered` in reconcile.yaml",
    Status.CLEAR: "nothing is owned and nothing is consumed",
    Status.NOT_ENOUGH_LICENSES: "consumed > entitled",
    Status.FULLY_LICENSED: "consumed ≤ entitled",
}

REASON_LABELS: dict[Reason, str] = {
    Reason.PORTAL_DELETED: "the portal is no longer declared",
    Reason.EXCLUDED: "the license is excluded",
    Reason.GONE_FROM_PORTAL: "the license is gone from the portal",
}

REMOVABLE = "`reconcile prune` proposes the entry in `portals.d/removals.yaml` that deletes"
"""What a remedy says of the way to be rid of a product, or of all of a portal: either follows."""

REMEDIES: dict[Reason, str] = {
    Reason.PORTAL_DELETED: f"If the portal is meant to be gone, {REMOVABLE} its products from the state. "
    "If not, restore the portal's file: the next import updates the product again.",
    Reason.EXCLUDED: f"If the exclusion is meant, {REMOVABLE} the product from the state. "
    "If not, take the exclusion out, or include the license in the portal's file where the exclusion is that of "
    "reconcile.yaml: the next import updates the product again.",
    Reason.GONE_FROM_PORTAL: f"If the license is meant to be gone, {REMOVABLE} the product from the state. "
    "If not, look in the Microsoft 365 admin center: the product recovers when the license is back.",
}
"""What to do about each reason."""

LIFTED_LABELS: dict[Reason, str] = {
    Reason.PORTAL_DELETED: "the portal was not declared",
    Reason.EXCLUDED: "the license was excluded",
    Reason.GONE_FROM_PORTAL: REASON_LABELS[Reason.GONE_FROM_PORTAL],
}
"""A reason that the configuration has lifted already: the product waits for the next complete import."""

LIFTED_REMEDY = "Nothing: the next complete import updates the product. If imports fail, mend them."

POSITION_LABELS: dict[Position, str] = {
    Position.UNDER: "under",
    Position.UNUSED: "unused",
    Position.EXACT: "exact",
    Position.AT_CAPACITY: "at capacity",
    Position.SURPLUS: "surplus",
    Position.BALANCED: "balanced",
}

POSITION_MEANINGS: dict[Position, str] = {
    Position.UNDER: "consumed > entitled",
    Position.UNUSED: "entitled > 0 and consumed = 0",
    Position.EXACT: "consumed = entitled",
    Position.AT_CAPACITY: "consumed ÷ entitled ≥ `thresholds.at_capacity_percent`",
    Position.SURPLUS: "available ÷ entitled ≥ `thresholds.surplus_percent`",
    Position.BALANCED: "between at capacity and surplus: there is something between them only where "
    "`thresholds.at_capacity_percent` + `thresholds.surplus_percent` > 100 %",
}

LIFECYCLE_LABELS: dict[Lifecycle, str] = {
    Lifecycle.ACTIVE: "active",
    Lifecycle.EXPIRING: "expiring",
    Lifecycle.TRIAL: "trial",
    Lifecycle.GRACE: "in grace",
    Lifecycle.SUSPENDED: "suspended",
    Lifecycle.LOCKED_OUT: "locked out",
    Lifecycle.DELETED: "deleted",
}

LIFECYCLE_MEANINGS: dict[Lifecycle, str] = {
    Lifecycle.ACTIVE: "a subscription is enabled, and does not end within `thresholds.renewal_days` days",
    Lifecycle.EXPIRING: "a subscription is enabled, and ends within `thresholds.renewal_days` days if not renewed",
    Lifecycle.TRIAL: "a subscription is enabled, and a trial",
    Lifecycle.GRACE: "a subscription has expired and is still usable (Graph's Warning)",
    Lifecycle.SUSPENDED: "a subscription is suspended: not usable, but it can be reactivated",
    Lifecycle.LOCKED_OUT: "a subscription was canceled by the customer (Graph's LockedOut): not usable",
    Lifecycle.DELETED: "a subscription is deleted",
}

FRESHNESS_LABELS: dict[Freshness, str] = {
    Freshness.FRESH: "as of the last run",
    Freshness.IMPORT_FAILED: "import failed",
    Freshness.STALE: "stale",
}

FRESHNESS_MEANINGS: dict[Freshness, str] = {
    Freshness.FRESH: "the last import was complete; when that was is not kept, so that a report changes only when "
    "something else does",
    Freshness.IMPORT_FAILED: "the last import failed; the numbers are those of the last complete one",
    Freshness.STALE: "imports have failed for more than `thresholds.stale_days` days, or there are none: the portal is "
    "suspended or deleted, or the product cannot be synchronized",
}

EVIDENCE_LABELS: dict[Evidence, str] = {
    Evidence.NONE: "none",
    Evidence.PROVEN: "proven",
    Evidence.PARTIAL: "partial",
    Evidence.CONTRADICTED: "contradicted",
}

EVIDENCE_MEANINGS: dict[Evidence, str] = {
    Evidence.NONE: "the portal's file declares no entitlement",
    Evidence.PROVEN: "declared ≥ entitled > 0: a contract stands behind all that the portal gives",
    Evidence.PARTIAL: "entitled > declared > 0",
    Evidence.CONTRADICTED: "declared > 0 but entitled = 0 or the license is gone, or declared = 0 but entitled > 0",
}

FINDING_LABELS: dict[str, str] = {
    "disabled_account": "disabled accounts",
    "guest_licensed": "guests",
    "no_usage_location": "users without usage location",
    "direct_and_group": "assigned directly and through a group",
    "assignment_error": "assignments in error",
    "overlap": "covered by another license",
    "plans_disabled": "all service plans off",
    "inactive": "inactive users",
    "never_signed_in": "users who never signed in",
    "count_mismatch": "Graph's count differs from the users found",
    "subscription_mismatch": "subscriptions and units differ",
}
"""What a finding counts, in a few words."""

SAVING_NOUNS: dict[str, tuple[str, str]] = {
    "disabled_account": ("disabled account", "disabled accounts"),
    "guest_licensed": ("guest", "guests"),
    "overlap": ("covered by another license", "covered by another license"),
    "inactive": ("inactive", "inactive"),
}
"""Why a consumer does not need a license, by the finding: for one and for several."""

MUTED_LABEL = "muted"
"""What a product is called that an exclusion with ``scope: alerts`` keeps out of the next steps."""

CREDENTIAL_LABELS: dict[str, str] = {
    "secret": "client secret",
    "certificate": "certificate",
    "federated": "the token of another identity provider",
    "managed_identity": "a managed identity",
}
"""What a portal signs in with, by the type of its authentication."""

UNKNOWN_END: dict[str, str] = {
    "secret": "The end of the client secret is not known: the portal's file has no `expires`.",
    "certificate": "The end of the certificate is not known: it could not be read yet.",
}
"""Why nothing can warn of the end of a credential, by the type of the authentication."""

EXPIRING_SIGN = "⚠"
"""Before a credential that ends."""

CREDENTIAL_REMEDIES: dict[str, str] = {
    "secret": "Create a new client secret in Entra, store its value where the portal's file points, and correct "
    "`expires`. The file may list both for a while, so that there is no gap.",
    "certificate": "Make a new certificate (`reconcile certificate create`), upload it in Entra beside the old one, "
    "and let the portal's file point to it. The file may list both for a while, so that there is no gap.",
}
"""What to do about a credential that ends, by the type of the authentication."""

CALCULATION_REMEDY = "Look at the license in the Microsoft 365 admin center; the next complete import tries again."
SHORTAGE_REMEDY = "Buy the missing licenses, or take them from users who do not need them."
SUSPENDED_REMEDY = (
    "Reactivate the suspended subscription, buy the missing licenses, or take them from users who do not need them."
)
EMULATED_NOTICE = "Emulated data: these numbers come from the built-in emulator, not from a real tenant."

COUNTED_AGAIN = "the settings have changed since, and the next import counts again"
"""What is said of findings that rest on other settings than today's."""
