"""The JSON of Graph's resources.

A property that a scenario says nothing about is sent as null, or as an empty list, as Graph does when it is selected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from reconciler.emulator.directory import LicenseAssignment, User
from reconciler.emulator.faults import Json
from reconciler.emulator.metadata import ORGANIZATION, ORGANIZATION_LISTS, USER_LISTS
from reconciler.emulator.scenario import ABSENT, Sku, Subscription, Tenant


def picked(record: Mapping[str, Json], names: Collection[str] | None) -> Json:
    """The selected members of a record; all without a selection."""
    if names is None:
        return record
    return {name: record[name] for name in names if name in record}


def overlaid(record: Mapping[str, Json], overrides: Mapping[str, Json]) -> dict[str, Json]:
    """A record with the members that a scenario puts in place of the honest ones."""
    result = dict(record)
    for name, value in overrides.items():
        below = result.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[name] = overlaid(below, value)
        elif value == ABSENT:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def subscribed_sku(tenant: Tenant, sku: Sku) -> dict[str, Json]:
    """A SKU as ``/subscribedSkus`` tells it."""
    record: dict[str, Json] = {
        "accountName": tenant.domain.partition(".")[0],
        "accountId": tenant.tenant_id,
        "appliesTo": sku.applies_to,
        "capabilityStatus": sku.status,
        "consumedUnits": tenant.directory.holders(sku.sku_id),
        "id": f"{tenant.tenant_id}_{sku.sku_id}",
        "skuId": sku.sku_id,
        "skuPartNumber": sku.part_number,
        "subscriptionIds": [tenant.subscription_id(sku, index) for index, _ in enumerate(sku.purchases)],
        "prepaidUnits": {
            "enabled": sku.enabled,
            "suspended": sku.suspended,
            "warning": sku.warning,
            "lockedOut": sku.locked_out,
        },
        "servicePlans": _plans(sku),
    }
    return overlaid(record, sku.overrides)


def subscription(tenant: Tenant, sku: Sku, index: int, purchase: Subscription) -> dict[str, Json]:
    """A purchase as ``/directory/subscriptions`` tells it."""
    own = tenant.subscription_id(sku, index)
    record: dict[str, Json] = {
        "id": own,
        "commerceSubscriptionId": str(uuid5(NAMESPACE_URL, f"commerce:{own}")),
        "createdDateTime": _instant(purchase.created),
        "isTrial": purchase.is_trial,
        "nextLifecycleDateTime": _instant(purchase.next_lifecycle),
        "ownerId": None,
        "ownerTenantId": None,
        "ownerType": None,
        "skuId": sku.sku_id,
        "skuPartNumber": sku.part_number,
        "status": purchase.status,
        "totalLicenses": purchase.total_licenses,
        "serviceStatus": _plans(sku),
    }
    return overlaid(record, purchase.overrides)


def organization(tenant: Tenant) -> dict[str, Json]:
    """The tenant as ``/organization`` tells it."""
    return {
        **{name: [] if name in ORGANIZATION_LISTS else None for name in sorted(ORGANIZATION)},
        "id": tenant.tenant_id,
        "displayName": tenant.display_name,
        "countryLetterCode": "DE",
        "tenantType": "AAD",
        "mobileDeviceManagementAuthority": "intune",
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": True,
                "isInitial": False,
                "name": tenant.domain,
                "type": "Managed",
            }
        ],
    }


def user(person: User, names: Collection[str]) -> dict[str, Json]:
    """A user as ``/users`` tells it: the named properties only."""
    record: dict[str, Json] = {}
    for name in names:
        if name == "signInActivity" and person.signed_in is None:
            continue  # Graph leaves it out for those who never signed in
        value = _USER_VALUES.get(name)
        if value is not None:
            record[name] = value(person)
        else:
            record[name] = [] if name in USER_LISTS else None
    if not person.overrides:
        return record
    return overlaid(record, {name: value for name, value in person.overrides.items() if name in names or "@" in name})


def _assigned_licenses(person: User) -> Json:
    # A plan is off only when every assignment of the SKU that counts turns it off.
    disabled: dict[str, set[str]] = {}
    for way in person.assignments:
        if way.holds:
            plans = set(way.disabled_plans)
            disabled[way.sku_id] = disabled.get(way.sku_id, plans) & plans
    return [{"disabledPlans": sorted(plans), "skuId": sku_id} for sku_id, plans in disabled.items()]


def _assignment_state(way: LicenseAssignment) -> Json:
    return {
        "skuId": way.sku_id,
        "disabledPlans": list(way.disabled_plans),
        "assignedByGroup": way.group_id,
        "state": way.state,
        "error": way.error or "None",
        "lastUpdatedDateTime": _instant(way.updated),
    }


def _sign_in_activity(person: User) -> Json:
    moment = _instant(person.signed_in)
    request = str(uuid5(NAMESPACE_URL, f"sign-in:{person.object_id}"))
    return {
        "lastSignInDateTime": moment,
        "lastSignInRequestId": request,
        "lastNonInteractiveSignInDateTime": moment,
        "lastNonInteractiveSignInRequestId": request,
        "lastSuccessfulSignInDateTime": moment,
        "lastSuccessfulSignInRequestId": request,
    }


_USER_VALUES: dict[str, Callable[[User], Json]] = {
    "id": lambda person: person.object_id,
    "userPrincipalName": lambda person: person.user_principal_name,
    "displayName": lambda person: person.display_name,
    "mail": lambda person: person.mail,
    "accountEnabled": lambda person: person.account_enabled,
    "userType": lambda person: person.user_type,
    "usageLocation": lambda person: person.usage_location,
    "createdDateTime": lambda person: _instant(person.created),
    "signInActivity": _sign_in_activity,
    "assignedLicenses": _assigned_licenses,
    "licenseAssignmentStates": lambda person: [_assignment_state(way) for way in person.assignments],
}


def _plans(sku: Sku) -> Json:
    return [
        {
            "servicePlanId": plan.id,
            "servicePlanName": plan.name,
            "provisioningStatus": plan.provisioning_status,
            "appliesTo": plan.applies_to,
        }
        for plan in sku.service_plans
    ]


def _instant(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
