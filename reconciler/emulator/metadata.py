"""The properties of Graph's resources, as its v1.0 metadata has them: what ``$select`` may name.

Source: microsoftgraph/msgraph-metadata, schemas/v1.0-Prod.csdl of 2026-08-20, and the documentation of ``user``.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUBSCRIBED_SKU = _words("""
    accountId accountName appliesTo capabilityStatus consumedUnits id prepaidUnits servicePlans skuId skuPartNumber
    subscriptionIds
""")

SUBSCRIPTION = _words("""
    commerceSubscriptionId createdDateTime id isTrial nextLifecycleDateTime ownerId ownerTenantId ownerType
    serviceStatus skuId skuPartNumber status totalLicenses
""")

ORGANIZATION_LISTS = _words("""
    assignedPlans businessPhones marketingNotificationEmails provisionedPlans securityComplianceNotificationMails
    securityComplianceNotificationPhones technicalNotificationMails verifiedDomains
""")

ORGANIZATION = ORGANIZATION_LISTS | _words("""
    city country countryLetterCode createdDateTime defaultUsageLocation deletedDateTime displayName id
    mobileDeviceManagementAuthority onPremisesLastSyncDateTime onPremisesSyncEnabled partnerTenantType postalCode
    preferredLanguage privacyProfile state street tenantType
""")

USER_LISTS = _words("""
    assignedLicenses assignedPlans businessPhones identities imAddresses licenseAssignmentStates
    onPremisesProvisioningErrors otherMails provisionedPlans proxyAddresses serviceProvisioningErrors
""")

USER = USER_LISTS | _words("""
    accountEnabled ageGroup city companyName consentProvidedForMinor country createdDateTime creationType
    deletedDateTime department displayName employeeHireDate employeeId employeeLeaveDateTime employeeOrgData
    employeeType externalUserState externalUserStateChangeDateTime faxNumber givenName id isManagementRestricted
    isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification mail mailNickname mobilePhone
    officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes
    onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier
    onPremisesSyncEnabled onPremisesUserPrincipalName passwordPolicies postalCode preferredDataLocation
    preferredLanguage securityIdentifier showInAddressList signInActivity signInSessionsValidFromDateTime state
    streetAddress surname usageLocation userPrincipalName userType
""")

USER_DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
"""What a user shows without ``$select``: nothing about licenses."""

USER_SINGLE = _words("""
    aboutMe birthday hireDate interests mailboxSettings mySite pastProjects preferredName responsibilities schools
    skills
""")
"""What Graph tells of one user and refuses in a list."""
