"""The shapes of what Entra and Graph send, as msgspec structs. Only the members that are read.

What is missing here is ignored: new members and unknown ``@odata.type`` values are normal. Numbers of SKUs are taken as
they come and judged by ``whole``, because a bad number spoils one product and not the portal. What a count of users
rests on is required: a user without the member ``assignedLicenses`` is a broken answer, not a user without licenses.

Sources: Microsoft Graph v1.0 metadata (subscribedSku, companySubscription, organization, user), Microsoft Graph
documentation "Error responses and resource types", Entra "OAuth 2.0 client credentials flow".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

Guid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]

EXACT = 2**53
"""Numbers from here on do not survive JSON; no tenant owns that many licenses."""


class Wire(msgspec.Struct, rename="camel", gc=False):
    """Base: members are spelled in camelCase on the wire."""


class Shared(msgspec.Struct, rename="camel", gc=False, frozen=True):
    """Base of what many users have alike: it can be the key of a table."""


class Page(Wire, Generic[T]):
    """One page of any list. With an ``error`` beside the values it is a part of a page, whatever the status says."""

    value: list[T]
    error: Any = None
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class VerifiedDomain(Wire):
    """A domain of a tenant."""

    name: str | None = None
    is_default: bool | None = None


class Tenant(Wire):
    """The one element of ``/organization``."""

    id: NotEmpty
    display_name: str | None = None
    verified_domains: list[VerifiedDomain] | None = None


class PrepaidUnits(Wire):
    """Quantities of a SKU, whatever Graph sent for them."""

    enabled: Any = None
    warning: Any = None
    suspended: Any = None
    locked_out: Any = None


class ServicePlan(Wire):
    """A part of a SKU. Those that apply to ``User`` can be switched off for a user; ``Success`` means that it works."""

    service_plan_id: str | None = None
    applies_to: str | None = None
    provisioning_status: str | None = None


class SubscribedSku(Wire):
    """An element of ``/subscribedSkus``."""

    sku_id: Guid
    sku_part_number: str | None = None
    applies_to: str | None = None
    capability_status: str | None = None
    consumed_units: Any = None
    prepaid_units: PrepaidUnits | None = None
    subscription_ids: list[str] | None = None
    service_plans: list[ServicePlan] | None = None


class CompanySubscription(Wire):
    """An element of ``/directory/subscriptions``."""

    id: NotEmpty
    sku_id: NotEmpty
    status: str | None = None
    total_licenses: Any = None
    is_trial: bool | None = None
    next_lifecycle_date_time: str | None = None


class AssignedLicense(Shared, frozen=True):
    """A SKU that a user holds, and the service plans of it that are switched off whichever way it came."""

    sku_id: NotEmpty
    disabled_plans: tuple[str, ...] | None = None


class LicenseAssignmentState(Shared, frozen=True):
    """One way by which a SKU was assigned to a user, and how that went."""

    sku_id: NotEmpty
    assigned_by_group: str | None = None
    state: str | None = None
    error: str | None = None


class DatedAssignmentState(LicenseAssignmentState, frozen=True):
    """The same with its date. It tells two users apart who hold alike, so it is read only where it counts."""

    last_updated_date_time: str | None = None


class SignInActivity(Wire):
    """When a user last signed in. Graph knows successful sign-ins since December 2023."""

    last_successful_sign_in_date_time: str | None = None


class Person(Wire):
    """What a list of users and the changes of users say alike."""

    id: NotEmpty
    license_assignment_states: tuple[LicenseAssignmentState, ...] | None = None
    user_principal_name: str | None = None
    display_name: str | None = None
    mail: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    usage_location: str | None = None


class User(Person, kw_only=True):
    """An element of ``/users``."""

    assigned_licenses: tuple[AssignedLicense, ...]


class UserWithSignIns(User):
    """The same as an app may read it that sees when users signed in."""

    license_assignment_states: tuple[DatedAssignmentState, ...] | None = None
    created_date_time: str | None = None
    sign_in_activity: SignInActivity | None = None


class GraphErrorDetail(Wire):
    """What Graph says about a failure. ``code`` may be empty; the inner error is spelled in two ways."""

    code: str | None = None
    message: str | None = None
    inner_error: Any = None
    innererror: Any = None


class GraphError(Wire):
    """The body of a failure of Graph."""

    error: GraphErrorDetail


class EntraError(msgspec.Struct):
    """The body of a failure of Entra."""

    error: str
    error_description: str | None = None
    error_codes: list[int] | None = None


class OpenIdConfiguration(msgspec.Struct):
    """What MSAL needs of a tenant's openid-configuration."""

    token_endpoint: str
    authorization_endpoint: str


class TokenAnswer(msgspec.Struct):
    """What we need of a token endpoint's success."""

    access_token: NotEmpty


def whole(value: object) -> int | None:
    """A whole number as Graph means it (10 and 10.0 are 10), negative ones too; anything else is None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -EXACT < value < EXACT:
        return value
    return None


def instant(value: str | None) -> datetime | None:
    """A time in UTC with whole seconds; None when there is none or it cannot be read."""
    try:
        moment = datetime.fromisoformat(value or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
