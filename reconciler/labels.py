"""The words that people read for statuses, reasons and credentials, in one place for terminal, report and JSON."""

from __future__ import annotations

from reconciler.model import Reason, Status

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

_DELETABLE = "it may be deleted from the state, which a later version of this tool does"

REMEDIES: dict[Reason, str] = {
    Reason.PORTAL_DELETED: f"If the portal is meant to be gone, {_DELETABLE}. "
    "If not, restore the portal's file: the next import updates the product again.",
    Reason.EXCLUDED: f"If the exclusion is meant, {_DELETABLE}. "
    "If not, take the exclusion out of the portal's file: the next import updates the product again.",
    Reason.GONE_FROM_PORTAL: f"If the license is meant to be gone, {_DELETABLE}. "
    "If not, look in the Microsoft 365 admin center: the product recovers when the license is back.",
}
"""What to do about each reason."""

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
