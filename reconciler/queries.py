"""What an import asks Microsoft Graph for: the fixed table that the evidence shows, path by path.

The paths are those of ``graph/client.py`` below the cloud's own address; a test keeps the two equal. They are written
down here too because an auditor's machine has no need of a network client.
"""

from __future__ import annotations

from reconciler.model import Import

ORGANIZATION = "/organization?$select=id,displayName,verifiedDomains"
SKUS = (
    "/subscribedSkus"
    "?$select=skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits,subscriptionIds,servicePlans"
)
SUBSCRIPTIONS = "/directory/subscriptions?$select=id,skuId,status,totalLicenses,isTrial,nextLifecycleDateTime"
_USER = (
    "id,userPrincipalName,displayName,mail,accountEnabled,userType,usageLocation,assignedLicenses,"
    "licenseAssignmentStates"
)
USERS = f"/users?$select={_USER}&$top=999"
USERS_WITH_SIGN_INS = f"/users?$select={_USER},createdDateTime,signInActivity&$top=500"
CHANGES = f"/users/delta?$select={_USER}"
"""Asked only for who changed since the last list of all users."""


def queries(last: Import) -> tuple[str, ...]:
    """What was asked for the content that is known; nothing where a tenant was never read to its end."""
    if last.as_of is None:
        return ()
    users = USERS_WITH_SIGN_INS if last.sign_ins else USERS
    return (ORGANIZATION, SKUS, SUBSCRIPTIONS, users, *((CHANGES,) if last.paths_as_of else ()))
