"""What an import asks Microsoft Graph for: the fixed table that the evidence shows, path by path.

Paths are below the cloud's own address. They stand here and not in ``graph/``, because an auditor's machine has no need
of a network client. A large tenant whose list would take more than 20 seconds is asked for it in ranges of the user
principal name, and each range has a ``$filter`` besides (``graph/ranges.py``).
"""

from __future__ import annotations

from reconciler.model import Import

ORGANIZATION = "/organization?$select=id,displayName,verifiedDomains"
SKUS = (
    "/subscribedSkus"  # no $top: Graph refuses it here
    "?$select=skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits,subscriptionIds,servicePlans"
)
SUBSCRIPTIONS = "/directory/subscriptions?$select=id,skuId,status,totalLicenses,isTrial,nextLifecycleDateTime"
USER = (
    "id,userPrincipalName,displayName,mail,accountEnabled,userType,usageLocation,assignedLicenses,"
    "licenseAssignmentStates"
)
USERS = f"/users?$select={USER}&$top=999"
USER_WITH_SIGN_INS = f"{USER},createdDateTime,signInActivity"
USERS_WITH_SIGN_INS = f"/users?$select={USER_WITH_SIGN_INS}&$top=500"
"""Graph gives no more than 500 users a page when their sign-ins are selected."""

CHANGES = f"/users/delta?$select={USER}"
"""Asked only for who changed since the last list of all users."""


def queries(last: Import) -> tuple[str, ...]:
    """What was asked for the content that is known; nothing where a tenant was never read to its end."""
    if last.as_of is None:
        return ()
    users = USERS_WITH_SIGN_INS if last.sign_ins else USERS
    return (ORGANIZATION, SKUS, SUBSCRIPTIONS, users, *((CHANGES,) if last.paths_as_of else ()))
